"""A restored backup holds nothing that was disposed of."""

import pytest

from retention.custody import restore as custody_restore
from retention.disposal import verifier
from retention.disposal.carry_out import destroy_keys
from retention.disposal.model import RunKind
from retention.disposal.night import dispose_of_refused, resume
from retention.disposal.start import start_run
from retention.ingest.model import Status
from retention.ingest.quarantine import decided, find_item, mark_for_disposal
from retention.kernel.errors import AuditChainBroken, StoreUnavailable
from retention.vault.fixity import Level
from retention.vault.model import object_name
from tests.builders.custody import back_up, look, night_after, restore, what_is_held
from tests.builders.house import CALLER, House


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
    going = busy.film()
    path = back_up(busy)
    a_night_that_a_snapshot_of_the_vault_undoes(busy)

    found = restore(busy, path)

    assert found.objects_erased == 2
    assert busy.objects_of(going) == []


def test_many_are_erased_a_batch_at_a_time(busy: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custody_restore, "ERASE_AT_ONCE", 1)
    going = [busy.film(), busy.film()]
    path = back_up(busy)
    a_night_that_a_snapshot_of_the_vault_undoes(busy)

    found = restore(busy, path)

    assert found.objects_erased == 4
    assert [busy.objects_of(each) for each in going] == [[], []]


def test_bytes_of_it_that_cannot_be_erased_stop_the_restore(busy: House) -> None:
    going = busy.film()
    path = back_up(busy)
    a_night_that_a_snapshot_of_the_vault_undoes(busy)
    before = what_is_held(busy)
    cannot_erase(busy, going)

    with pytest.raises(StoreUnavailable, match="protected by a hold"):
        restore(busy, path)

    assert what_is_held(busy) == before


def a_night_that_a_snapshot_of_the_vault_undoes(house: House) -> None:
    """The catalogue says that they are gone; the vault itself was put back from a snapshot."""
    store = house.memory_store
    snapshot = dict(store.objects), dict(store.stored_at)
    house.clock.move(days=6)
    house.night()
    store.objects, store.stored_at = snapshot


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
            witness=tools.witness,
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
    with house.app.database.write() as session:
        row = find_item(session, item_id)
        decided(session, row, "rejected", house.clock.now(), "sato", None)
        mark_for_disposal(session, row, "rejected from quarantine")
    dispose_of_refused(house.app.disposal_tools(), "sato")
