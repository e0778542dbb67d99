"""A restored old backup holds nothing that was disposed of and has every hold."""

from datetime import date

import pytest

from retention.catalogue.journal import tell_of_schedule
from retention.catalogue.tables import ScheduleRow
from retention.custody.model import Kind
from retention.custody.preview import preview_restore
from retention.disposal import verifier
from retention.disposal.carry_out import destroy_keys
from retention.disposal.model import RunKind
from retention.disposal.night import resume
from retention.disposal.start import start_run
from retention.holds.place import place
from retention.ingest.model import Status
from retention.ingest.quarantine import decided, find_item, mark_for_disposal
from retention.kernel.errors import (
    AuditChainBroken,
    CatalogueDisagrees,
    DatabaseBusy,
    InvalidInput,
    KeyMissing,
    NotFound,
    StoreUnavailable,
)
from retention.vault.fixity import Level
from retention.vault.model import object_name
from tests.builders.custody import back_up, look, made, night_after, restore, what_is_held
from tests.builders.house import CALLER, House
from tests.builders.policy import FILE, policy_text


@pytest.fixture
def busy(house: House) -> House:
    """A store with a line and a camera."""
    house.add_source()
    house.add_camera()
    return house


# --- what was there comes back


def test_a_backup_that_nothing_happened_after_restores_what_there_was(busy: House) -> None:
    recording_id = busy.take_in(phone=CALLER)
    busy.film()
    busy.place(recording_id)
    busy.clock.move(days=6)
    busy.night()
    before = what_is_held(busy)
    path = back_up(busy)

    found = restore(busy, path)

    assert what_is_held(busy) == before
    assert found.findings == ()
    assert found.replayed.recordings_disposed == 0
    assert found.replayed.holds_placed == 0
    assert look(busy, Level.DIGEST).ok
    assert busy.verify().ok
    assert busy.open(recording_id, "quality").startswith(b"call")


def test_a_catalogue_that_is_lost_is_restored(busy: House) -> None:
    recording_id = busy.take_in()
    path = back_up(busy)
    before = what_is_held(busy)
    lose_catalogue(busy)

    restore(busy, path, replace=False)

    assert what_is_held(busy) == before
    assert busy.open(recording_id, "quality")
    assert look(busy).ok


def lose_catalogue(house: House) -> None:
    house.app.database.close()
    if house.app.database.is_sqlite:
        for file in house.app.home.glob("catalogue.db*"):
            file.unlink()
    else:
        house.sql("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")


def test_work_goes_on_after_a_restore(busy: House) -> None:
    busy.take_in()
    path = back_up(busy)
    restore(busy, path)

    later = busy.take_in()
    busy.place(later)

    assert night_after(busy, days=11).disposed == 1
    assert busy.find(later).hold_ids
    assert look(busy, Level.DIGEST).ok
    assert busy.verify().ok


def test_the_restore_is_on_record_with_what_it_did(busy: House) -> None:
    recording_id = busy.take_in()
    path = back_up(busy)
    busy.place(recording_id)

    restore(busy, path)

    (entry,) = busy.audit("store:backup:restore")
    assert entry.subject == "backup"
    assert entry.detail["holds_placed"] == 1


# --- disposals


def test_what_was_disposed_of_after_the_backup_stays_disposed_of(busy: House) -> None:
    going, staying = busy.film(), busy.take_in()
    path = back_up(busy)
    busy.clock.move(days=6)
    run = busy.night()
    before = what_is_held(busy)

    found = restore(busy, path)

    assert found.replayed.recordings_disposed == 1
    assert found.replayed.runs == [run.id]
    assert what_is_held(busy) == before
    assert str(busy.find(going).state) == "disposed"
    assert str(busy.find(staying).state) == "sealed"
    assert look(busy, Level.DIGEST).ok


def test_its_certificate_can_be_made_again_and_is_the_same(busy: House) -> None:
    busy.film()
    path = back_up(busy)
    busy.clock.move(days=6)
    run = busy.night()
    restore(busy, path)

    (row,) = busy.rows("SELECT certificate FROM disposal_run")
    lines = busy.rows("SELECT leaf FROM tombstone ORDER BY position")
    root, count = verifier.merkle_root(verifier.leaf_hash(leaf.encode()) for (leaf,) in lines)

    assert row[0] == run.certificate == root.hex()
    assert count == 1


def test_bytes_of_it_that_came_back_are_erased(busy: House) -> None:
    """The vault itself may have been put back from a snapshot."""
    going = busy.film()
    path = back_up(busy)
    snapshot = dict(busy.memory_store.objects), dict(busy.memory_store.stored_at)
    busy.clock.move(days=6)
    busy.night()
    busy.memory_store.objects, busy.memory_store.stored_at = snapshot

    found = restore(busy, path)

    assert found.objects_erased == 2
    assert busy.objects_of(going) == []


def test_bytes_of_it_that_cannot_be_erased_stop_the_restore(busy: House) -> None:
    going = busy.film()
    path = back_up(busy)
    snapshot = dict(busy.memory_store.objects), dict(busy.memory_store.stored_at)
    busy.clock.move(days=6)
    busy.night()
    before = what_is_held(busy)
    busy.memory_store.objects, busy.memory_store.stored_at = snapshot
    cannot_erase(busy, going)

    with pytest.raises(StoreUnavailable, match="protected by a hold"):
        restore(busy, path)

    assert what_is_held(busy) == before


def cannot_erase(house: House, recording_id: str) -> None:
    """The store keeps the recording's bytes, whoever asks."""
    store = house.memory_store
    store.held.add(object_name(recording_id, "original"))
    vars(store)["protect"] = lambda _names, held: held


def test_keys_of_it_that_an_old_copy_brought_back_are_destroyed(busy: House) -> None:
    busy.film()
    busy.take_in()
    path = back_up(busy)
    keys = dict(busy.memory_keys.keys)
    busy.clock.move(days=6)
    busy.night()
    busy.memory_keys.keys |= keys

    found = restore(busy, path)

    assert found.keys_destroyed == 1
    assert len(busy.memory_keys.keys) == 1
    assert look(busy).ok


def test_what_came_and_went_after_the_backup_leaves_its_tombstone_and_does_not_come_back(busy: House) -> None:
    path = back_up(busy)
    going = busy.film()
    busy.clock.move(days=6)
    busy.night()

    found = restore(busy, path)

    assert found.replayed.recordings_unknown == 1
    assert str(busy.find(going).state) == "disposed"
    assert busy.rows("SELECT recording_id FROM tombstone") == [(going,)]
    assert look(busy).ok


def test_a_file_that_was_disposed_of_after_the_backup_is_not_taken_in_again(busy: House) -> None:
    path = back_up(busy)
    file = busy.write("lobby.mp4", b"footage 10 2026-03-02T01:00:00+00:00\n")
    busy.ingest(file, source_id="lobby")
    busy.clock.move(days=6)
    busy.night()
    restore(busy, path)

    (again,) = busy.ingest(file, source_id="lobby")

    assert again.status is Status.DISPOSED


def test_a_purpose_that_ended_after_the_backup_has_ended(busy: House) -> None:
    """The recording stays for its other purpose, and cannot be opened for the one that ended."""
    recording_id = busy.take_in(purposes=["inquiry"])
    path = back_up(busy)
    night_after(busy, days=11)
    before = what_is_held(busy)

    restore(busy, path)

    assert what_is_held(busy) == before
    assert {r.purpose: r.state for r in busy.find(recording_id).reasons} == {
        "quality": "expired",
        "inquiry": "active",
    }
    assert look(busy, Level.DIGEST).ok


@pytest.mark.parametrize("keys_are_gone", [False, True])
def test_a_run_that_was_begun_and_not_certified_is_on_the_ledger_to_be_finished(
    busy: House, *, keys_are_gone: bool
) -> None:
    going = busy.film()
    path = back_up(busy)
    busy.clock.move(days=6)
    run_id = begin_run(busy, keys_are_gone=keys_are_gone)

    found = restore(busy, path)

    if keys_are_gone:
        assert found.replayed.unfinished_runs == [run_id]
        (run,) = resume(busy.app.disposal_tools(), "sato")
        assert run.id == run_id
    else:
        assert found.replayed.unfinished_runs == []
        run = busy.night()
    assert run.disposed == 1
    assert str(busy.find(going).state) == "disposed"
    assert busy.objects_of(going) == []
    assert look(busy).ok


def begin_run(house: House, *, keys_are_gone: bool) -> str:
    """A night whose process was killed after it was decided, or after its keys were destroyed."""
    tools = house.app.disposal_tools()
    with house.app.database.write() as session:
        run = start_run(
            session,
            on=house.app.today(),
            kind=RunKind.NIGHT,
            now=house.clock.now(),
            actor="bell",
            limits=tools.limits,
            journal=tools.journal,
            store_id_in_store=tools.store.store_id(),
        )
    if keys_are_gone:
        destroy_keys(tools, run.id, "bell")
    return run.id


def test_a_run_that_the_backup_knows_as_begun_is_finished_by_its_certificate(busy: House) -> None:
    going = busy.film()
    busy.clock.move(days=6)
    run_id = begin_run(busy, keys_are_gone=False)
    path = back_up(busy)
    resume(busy.app.disposal_tools(), "sato")
    before = what_is_held(busy)

    found = restore(busy, path)

    assert found.replayed.runs == [run_id]
    assert found.replayed.unfinished_runs == []
    assert what_is_held(busy) == before
    assert str(busy.find(going).state) == "disposed"


def test_what_a_run_could_not_erase_is_left_for_it_to_be_resumed(busy: House) -> None:
    first, stuck = busy.film(), busy.film()
    path = back_up(busy)
    busy.clock.move(days=6)
    cannot_erase(busy, stuck)
    run = busy.night()
    assert (run.disposed, run.failed) == (1, 1)

    found = restore(busy, path)

    assert found.replayed.unfinished_runs == [run.id]
    assert str(busy.find(first).state) == "disposed"
    busy.memory_store.held.clear()
    (run,) = resume(busy.app.disposal_tools(), "sato")
    assert (run.disposed, run.failed) == (2, 0)
    assert look(busy).ok


def test_a_run_whose_certificate_is_lost_is_carried_out_again(busy: House) -> None:
    going = busy.film()
    path = back_up(busy)
    busy.clock.move(days=6)
    run = busy.night()
    (busy.app.home / "witness" / f"certificate-{run.id}.jsonl").unlink()

    found = restore(busy, path)

    assert found.replayed.certificates_missing == [run.id]
    assert found.replayed.unfinished_runs == [run.id]
    resume(busy.app.disposal_tools(), "sato")
    assert str(busy.find(going).state) == "disposed"
    assert look(busy).ok


def test_a_changed_certificate_stops_the_restore(busy: House) -> None:
    busy.film()
    path = back_up(busy)
    busy.clock.move(days=6)
    run = busy.night()
    before = what_is_held(busy)
    certificate = busy.app.home / "witness" / f"certificate-{run.id}.jsonl"
    certificate.write_bytes(certificate.read_bytes().replace(b'"expired"', b'"exposed"'))

    with pytest.raises(AuditChainBroken, match="does not hold"):
        restore(busy, path)

    assert what_is_held(busy) == before


def test_a_caller_who_must_not_be_recorded_stays_on_the_list(busy: House) -> None:
    path = back_up(busy)
    busy.do_not_record(CALLER)

    restore(busy, path)

    file = busy.write(
        "call.rec",
        sidecar={"started_at": "2026-03-02T00:00:00Z", "participants": [{"side": "caller", "phone": CALLER}]},
    )
    (outcome,) = busy.ingest(file)
    assert outcome.status is Status.DISPOSED


def test_a_quarantined_item_that_was_rejected_after_the_backup_stays_rejected(busy: House) -> None:
    (outcome,) = busy.ingest(busy.write("noise", b"noise"))
    assert outcome.id
    path = back_up(busy)
    reject(busy, outcome.id)

    restore(busy, path)

    (row,) = busy.rows("SELECT state FROM quarantine")
    assert row == ("rejected",)
    assert look(busy).ok


def reject(house: House, item_id: str) -> None:
    from retention.disposal.night import dispose_of_refused

    with house.app.database.write() as session:
        row = find_item(session, item_id)
        decided(session, row, "rejected", house.clock.now(), "sato", None)
        mark_for_disposal(session, row, "rejected from quarantine")
    dispose_of_refused(house.app.disposal_tools(), "sato")


# --- holds


def test_a_hold_placed_after_the_backup_is_in_force_with_its_own_id_and_key(busy: House) -> None:
    recording_id = busy.take_in()
    path = back_up(busy)
    hold = busy.place(recording_id, suspends_use=True).hold
    before = what_is_held(busy)

    found = restore(busy, path)

    assert found.replayed.holds_placed == 1
    assert what_is_held(busy) == before
    assert busy.find(recording_id).restricted
    assert busy.open(recording_id, hold_id=hold.id)
    assert night_after(busy, days=11).disposed == 0
    assert look(busy, Level.DIGEST).ok


def test_a_hold_by_person_placed_after_the_backup_still_matches_what_arrives(busy: House) -> None:
    path = back_up(busy)
    hold = busy.place(phone=CALLER).hold

    restore(busy, path)

    later = busy.take_in(phone=CALLER)
    assert busy.find(later).hold_ids == (hold.id,)


def test_a_hold_that_kept_a_recording_past_its_period_still_does(busy: House) -> None:
    recording_id = busy.film()
    path = back_up(busy)
    hold = busy.place(recording_id).hold
    busy.clock.move(days=6)
    busy.night()
    before = what_is_held(busy)

    restore(busy, path)

    assert what_is_held(busy) == before
    assert busy.open(recording_id, hold_id=hold.id)
    assert look(busy, Level.DIGEST).ok


def test_a_hold_lifted_after_the_backup_is_lifted(busy: House) -> None:
    recording_id = busy.take_in()
    hold = busy.place(recording_id).hold
    path = back_up(busy)
    busy.lift(hold.id)
    before = what_is_held(busy)

    found = restore(busy, path)

    assert found.replayed.holds_lifted == 1
    assert what_is_held(busy) == before
    assert look(busy).ok


def test_a_whole_story_after_the_backup_ends_as_it_ended(busy: House) -> None:
    """Placed, expired, lifted, disposed of; another still held."""
    first, second, third = busy.film(), busy.film(), busy.take_in()
    path = back_up(busy)
    hold, other = busy.place(first, second).hold, busy.place(second, third).hold
    busy.clock.move(days=6)
    busy.night()
    busy.lift(hold.id)
    busy.clock.move(days=1)
    busy.night()
    night_after(busy, days=5)
    before = what_is_held(busy)
    assert str(busy.find(first).state) == "disposed"

    restore(busy, path)

    assert what_is_held(busy) == before
    assert busy.find(second).hold_ids == busy.find(third).hold_ids == (other.id,)
    assert look(busy, Level.DIGEST).ok


def test_a_hold_that_may_not_have_been_committed_is_placed(busy: House) -> None:
    """One hold too many, never one too few."""
    recording_id = busy.take_in()
    path = back_up(busy)

    class Crash(Exception):
        pass

    with pytest.raises(Crash), busy.app.database.write() as session:
        hold = new_hold_on(busy, recording_id)
        place(session, busy.app.keys, busy.app.journal, hold)
        raise Crash

    restore(busy, path)

    assert busy.find(recording_id).hold_ids == (hold.id,)


def new_hold_on(house: House, recording_id: str):  # type: ignore[no-untyped-def]
    from retention.holds.model import Criteria, HoldKind
    from retention.holds.place import new_hold

    return new_hold(
        house.app.keys,
        house.clock.now(),
        "sato",
        kind=HoldKind.LEGAL,
        reason="a dispute",
        review_on=date(2030, 1, 1),
        criteria=Criteria((recording_id,)),
    )


# --- changes of the catalogue


def test_a_source_registered_after_the_backup_is_registered(busy: House) -> None:
    path = back_up(busy)
    busy.add_source("line-2", clock_error_s=1.5)
    busy.add_source("line-1", site="osaka")
    before = what_is_held(busy)

    restore(busy, path)

    assert what_is_held(busy) == before
    assert busy.take_in("line-2")


def test_a_schedule_applied_after_the_backup_is_in_force(busy: House) -> None:
    recording_id = busy.take_in()
    path = back_up(busy)
    text = policy_text(quality="P3D")
    row = ScheduleRow(
        version=2,
        digest="d",
        text=text,
        file_name=FILE,
        planned_by="sato",
        approved_by="tanaka",
        applied_at=busy.clock.now(),
    )
    with busy.app.database.write() as session:
        session.add(row)
        session.flush()
        session.expunge(row)
    tell_of_schedule(busy.app.journal, row)

    found = restore(busy, path)

    assert found.replayed.schedules == 1
    assert busy.find(recording_id).reasons[0].due_on == date(2026, 3, 6)


def test_an_event_that_moved_recordings_after_the_backup_has_moved_them(busy: House) -> None:
    """The key of the open cohort is gone: the backup's own wraps open nothing any more."""
    recording_id = busy.take_in(purposes=["dispute"], reference="case-7")
    path = back_up(busy)
    busy.trigger("case-closed", "case-7", date(2026, 3, 2))
    before = what_is_held(busy)

    found = restore(busy, path)

    assert found.replayed.recordings_moved == 1
    assert what_is_held(busy) == before
    assert busy.open(recording_id, "dispute")
    assert look(busy, Level.DIGEST).ok


def test_a_move_that_was_rolled_back_is_not_replayed(busy: House) -> None:
    from retention.catalogue.journal import Moving
    from retention.vault.trigger import record_trigger

    recording_id = busy.take_in(purposes=["dispute"], reference="case-7")
    path = back_up(busy)
    before = what_is_held(busy)

    class Crash(Exception):
        pass

    with pytest.raises(Crash), busy.app.database.write() as session:
        moving = Moving(busy.app.journal, busy.clock.now())
        on = date(2026, 3, 2)
        record_trigger(
            session,
            busy.app.keys,
            moving,
            busy.app.schedule(),
            "case-closed",
            "case-7",
            on,
            busy.clock.now(),
            "sato",
        )
        raise Crash

    restore(busy, path)

    assert what_is_held(busy) == before
    assert busy.open(recording_id, "dispute")


def test_a_move_that_was_committed_and_not_confirmed_is_replayed_once_its_key_is_gone(busy: House) -> None:
    from retention.catalogue.journal import Moving
    from retention.vault.trigger import record_trigger

    recording_id = busy.take_in(purposes=["dispute"], reference="case-7")
    path = back_up(busy)
    with busy.app.database.write() as session:
        moving = Moving(busy.app.journal, busy.clock.now())
        on = date(2026, 3, 2)
        record_trigger(
            session,
            busy.app.keys,
            moving,
            busy.app.schedule(),
            "case-closed",
            "case-7",
            on,
            busy.clock.now(),
            "sato",
        )
    busy.night()
    before = what_is_held(busy)

    restore(busy, path)

    assert what_is_held(busy) == before
    assert busy.open(recording_id, "dispute")


# --- what is lost


def test_recordings_that_came_in_after_the_backup_are_listed_and_never_erased(busy: House) -> None:
    path = back_up(busy)
    busy.clock.move(hours=1)
    lost = busy.take_in()
    busy.clock.move(days=2)

    found = restore(busy, path)

    assert found.counts == {Kind.STRANDED: 2}
    assert len(busy.objects_of(lost)) == 2
    with pytest.raises(NotFound):
        busy.find(lost)
    assert look(busy).counts == {Kind.STRANDED: 2}


def test_what_was_being_taken_in_when_the_backup_was_made_is_not_swept_after_the_restore(busy: House) -> None:
    """Its id may have become a recording since."""
    stray = "01KJZZZZZZ0000000000000000"
    busy.sql(
        f"INSERT INTO intake (recording_id, writer, began_at) VALUES ('{stray}', 'host:x', '2026-03-02 00:00:00')"
    )
    busy.memory_store.put_new(object_name(stray, "original"), [b"?"])
    path = back_up(busy)
    busy.clock.move(days=2)

    restore(busy, path)
    busy.take_in()

    assert busy.objects_of(stray)
    assert look(busy).counts == {Kind.STRANDED: 1}


# --- the preview


def test_the_preview_says_what_the_backup_holds_and_what_happened_since(busy: House) -> None:
    going, held = busy.film(), busy.take_in()
    backup = made(busy)
    busy.clock.move(hours=1)
    busy.place(held)
    busy.take_in()
    busy.clock.move(days=6)
    busy.night()
    before = what_is_held(busy)

    preview = preview_restore(busy.app.custody_tools(), backup.path)

    assert going
    assert preview.made_at == backup.made_at
    assert preview.manifest["recordings"] == 2
    assert preview.since["hold-placed"] == 1
    assert preview.disposed_since == 1
    assert preview.stored_since == 1
    assert preview.settings == "night_at = '03:00'\n"
    assert what_is_held(busy) == before


# --- refusals


def test_a_journal_that_was_cut_stops_the_restore(busy: House) -> None:
    busy.place(busy.take_in())
    path = back_up(busy)
    journal = busy.app.home / "witness" / "journal"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))

    with pytest.raises(AuditChainBroken, match="was cut"):
        restore(busy, path)


def test_a_journal_that_this_version_does_not_know_stops_the_restore(busy: House) -> None:
    path = back_up(busy)
    busy.app.journal.write("of-the-future", busy.clock.now(), {})

    with pytest.raises(CatalogueDisagrees, match="of-the-future"):
        restore(busy, path)


def test_another_vault_stops_the_restore(busy: House) -> None:
    path = back_up(busy)
    busy.memory_store._id = "another"

    with pytest.raises(CatalogueDisagrees, match="belongs to object store"):
        restore(busy, path)


def test_a_backup_of_another_version_is_refused_and_says_which(
    busy: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = back_up(busy)
    monkeypatch.setattr("retention.custody.preview.columns_of_all", lambda: {"lot": ["id"]})

    with pytest.raises(CatalogueDisagrees, match=r"made by version 0\.1\.0"):
        restore(busy, path)


def test_while_a_disposal_runs_nothing_is_restored(busy: House) -> None:
    path = back_up(busy)

    with busy.app.database.exclusive("disposal"), pytest.raises(DatabaseBusy):
        restore(busy, path)


def test_a_restored_store_that_would_break_a_promise_is_not_swapped_in(
    busy: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = busy.place(busy.take_in()).hold
    path = back_up(busy)
    before = what_is_held(busy)
    monkeypatch.setattr("retention.custody.check.holds_in", lambda _: frozenset({hold.id, "01LOST"}))

    with pytest.raises(CatalogueDisagrees, match="01LOST"):
        restore(busy, path)

    assert what_is_held(busy) == before
    assert busy.verify().ok


# --- time lines


def test_an_older_backup_and_then_a_newer_one_can_be_restored(busy: House) -> None:
    """The newer one is of a past that the first restore abandoned, and says so."""
    old = back_up(busy, "old")
    recording_id = busy.take_in()
    new = back_up(busy, "new")
    busy.clock.move(days=1)
    restore(busy, old)
    busy.clock.move(days=1)
    busy.film()

    found = restore(busy, new)

    assert found.diverged_at is not None
    assert busy.find(recording_id)
    assert busy.verify().ok
    assert not (look(busy).counts.keys() - {Kind.STRANDED})


def test_restoring_twice_gives_the_same(busy: House) -> None:
    going, held = busy.film(), busy.take_in()
    path = back_up(busy)
    busy.place(held)
    busy.clock.move(days=6)
    busy.night()
    restore(busy, path)
    before = what_is_held(busy)

    restore(busy, path)

    assert going
    assert what_is_held(busy) == before
    assert look(busy, Level.DIGEST).ok
    assert busy.verify().ok


def test_without_its_key_a_hold_stays_in_force(busy: House) -> None:
    """Whether it was lifted is for a person to say, not for a lost key."""
    recording_id = busy.take_in()
    path = back_up(busy)
    hold = busy.place(recording_id).hold
    busy.memory_keys.destroy([hold.key_id])

    found = restore(busy, path)

    assert busy.find(recording_id).hold_ids == (hold.id,)
    assert Kind.REASON_KEY_GONE in found.counts
    with pytest.raises(KeyMissing):
        busy.open(recording_id, hold_id=hold.id)


# --- the swap


def test_the_catalogue_of_before_is_kept_aside(busy: House) -> None:
    path = back_up(busy)
    lost = busy.take_in()

    aside = restore(busy, path).aside

    if busy.app.database.is_sqlite:
        import sqlite3
        from contextlib import closing

        with closing(sqlite3.connect(aside)) as connection:
            rows = connection.execute("SELECT id FROM recording").fetchall()
    else:
        rows = busy.rows(f'SELECT id FROM "{aside}".recording')
    assert [tuple(row) for row in rows] == [(lost,)]


def test_a_database_that_is_not_empty_is_replaced_only_when_told(house: House) -> None:
    if house.app.database.is_sqlite:
        pytest.skip("a file is kept aside; there is nothing to agree to")
    path = back_up(house)

    with pytest.raises(InvalidInput, match="not empty"):
        restore(house, path, replace=False)


def test_numbering_goes_on_after_the_restored_rows(busy: House) -> None:
    for _ in range(3):
        busy.take_in()
        busy.clock.move(days=1)
    path = back_up(busy)

    restore(busy, path)
    busy.film()

    assert len(busy.rows("SELECT id FROM cohort")) == 4
