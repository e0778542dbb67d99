"""Taking files in: what becomes of each, once and for all, whatever it is."""

import json
import os
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from retention.audit.tags import Tag
from retention.catalogue.states import State
from retention.ingest.discover import discover
from retention.ingest.model import Outcome, Status
from retention.ingest.quarantine import find_item, note_of_item
from retention.ingest.receive import Receiver
from retention.kernel.errors import StoreUnavailable
from retention.schedule.model import Kind
from tests.builders.house import ACTOR, CALLER, House, ids_of, local
from tests.fakes.scripted_inspector import DERIVATIVES, media

Sealed, Duplicate, Quarantined, Disposed = (
    Status.SEALED,
    Status.DUPLICATE,
    Status.QUARANTINED,
    Status.DISPOSED,
)


def one(outcomes: list[Outcome]) -> Outcome:
    (outcome,) = outcomes
    return outcome


def nothing_is_left_over(house: House) -> bool:
    """Every object belongs to a recording or a quarantined item, and no intake is open."""
    known = {row.recording_id for row in house.rows("SELECT recording_id FROM object")}
    known |= {row.id for row in house.rows("SELECT id FROM quarantine WHERE stored_bytes IS NOT NULL")}
    stored = {name[3:].partition(".")[0] for name in house.memory_store.objects}
    return stored <= known and not house.rows("SELECT * FROM intake")


# --- sealed


def test_a_file_is_sealed_catalogued_and_can_be_opened(house: House) -> None:
    house.add_source(purposes=["quality", "inquiry"])
    content = media(duration_s=90, content="hello")
    path = house.write("a.wav", content, sidecar={"started_at": "2026-03-02T09:00", "native_id": "17"})
    outcome = one(house.ingest(path))
    assert (outcome.status, outcome.path, outcome.size_bytes) == (Sealed, str(path), len(content))
    assert outcome.id
    found = house.find(outcome.id)
    assert (found.kind, found.source_id, found.state) == ("call", "line-1", State.SEALED)
    assert (found.started_at, found.ended_at) == (local("2026-03-02 09:00"), local("2026-03-02 09:01:30"))
    assert (found.claimed_start, found.time_basis) == ("2026-03-02T09:00", "manifest")
    assert found.received_at == house.clock.now()
    assert house.open(outcome.id, "quality") == house.open(outcome.id, "inquiry") == content
    assert nothing_is_left_over(house)


def test_what_lies_in_the_vault_tells_nothing_of_the_content(house: House) -> None:
    house.add_source()
    house.ingest(house.write("secret-name.wav", media(content="a secret word " * 50)))
    stored = b"".join(house.memory_store.objects.values())
    assert b"secret" not in stored
    assert not any("secret" in name for name in house.memory_store.objects)


@pytest.mark.parametrize("kind", [Kind.CALL, Kind.FOOTAGE])
def test_derivatives_are_sealed_with_their_recording_and_open_by_the_same_door(
    house: House, kind: Kind
) -> None:
    house.add_source() if kind is Kind.CALL else house.add_camera("line-1")
    recording = house.take_in(kind=kind)
    purpose = "quality" if kind is Kind.CALL else "security"
    for role, content in DERIVATIVES[kind].items():
        assert house.open(recording, purpose, role=role) == content
    assert len(house.objects_of(recording)) == 1 + len(DERIVATIVES[kind])


def test_an_empty_recording_is_a_recording(house: House) -> None:
    house.add_source()
    recording = house.take_in(duration_s=0)
    assert house.find(recording).started_at == house.find(recording).ended_at


def test_every_outcome_is_on_record_with_its_digest(house: House) -> None:
    house.add_source()
    recording = house.take_in()
    (entry,) = house.audit(Tag.RECORDING_SEALED)
    found = house.find(recording)
    assert (entry.actor, entry.subject) == ("sato", recording)
    assert entry.detail == {
        "source": "line-1",
        "sha256": found.sha256.hex(),
        "size_bytes": found.size_bytes,
    }


def test_many_files_come_out_in_their_order_over_several_batches(sqlite_house: House) -> None:
    sqlite_house.add_source()
    paths = [sqlite_house.write(f"{number:03}.wav") for number in range(150)]
    outcomes = sqlite_house.ingest()
    assert [outcome.path for outcome in outcomes] == [str(path) for path in paths]
    assert {outcome.status for outcome in outcomes} == {Sealed}
    assert sqlite_house.lot_counts() == sqlite_house.recount()
    assert nothing_is_left_over(sqlite_house)


def test_the_inspector_is_told_how_a_source_writes_sound_without_a_header(house: House) -> None:
    house.add_source(raw_format="ulaw-8000")
    house.take_in()
    assert house.inspector.raw_formats == ["ulaw-8000"]


# --- duplicates


def test_the_same_file_again_is_a_duplicate_and_is_kept_once(house: House) -> None:
    house.add_source()
    path = house.write("a.wav", sidecar={"native_id": "17", "started_at": "2026-03-02T09:00"})
    first, second = one(house.ingest(path)), one(house.ingest(path))
    assert (second.status, second.id) == (Duplicate, first.id)
    assert len(house.rows("SELECT * FROM recording")) == 1
    assert nothing_is_left_over(house)


def test_a_copy_under_another_name_and_time_is_a_duplicate_too(house: House) -> None:
    house.add_source()
    content = media(content="the same")
    first = one(house.ingest(house.write("a.wav", content)))
    copy = house.write("b.wav", content)
    os.utime(copy, (1_700_000_000, 1_700_000_000))
    second = one(house.ingest(copy))
    assert (second.status, second.id) == (Duplicate, first.id)
    assert nothing_is_left_over(house)


def test_two_copies_offered_at_once_are_kept_once(house: House) -> None:
    house.add_source()
    house.write("a.wav", media(content="the same"))
    house.write("b.wav", media(content="the same"))
    outcomes = house.ingest()
    assert [outcome.status for outcome in outcomes] == [Sealed, Duplicate]
    assert outcomes[0].id == outcomes[1].id
    assert nothing_is_left_over(house)


@pytest.mark.parametrize("difference", ["source", "native id", "content"])
def test_another_source_recorders_id_or_content_is_another_recording(house: House, difference: str) -> None:
    house.add_source("line-1")
    house.add_source("line-2")
    house.write("a.wav", media(content="x"), sidecar={"native_id": "1"})
    content = media(content="y" if difference == "content" else "x")
    other = house.write("b.wav", content, sidecar={"native_id": "2" if difference == "native id" else "1"})
    house.ingest(house.drop / "a.wav")
    source_id = "line-2" if difference == "source" else "line-1"
    assert one(house.ingest(other, source_id=source_id)).status is Sealed


def test_what_was_disposed_of_does_not_come_back(house: House) -> None:
    house.add_source()
    path = house.write("a.wav", sidecar={"native_id": "17", "started_at": "2026-03-02T09:00"})
    first = one(house.ingest(path))
    house.clock.move(days=11)
    house.dispose()
    again = one(house.ingest(path))
    assert (again.status, again.id) == (Disposed, first.id)
    assert "does not come back" in again.reason
    assert nothing_is_left_over(house)
    assert house.memory_store.objects == {}


# --- quarantined


def expect_quarantine(house: House, outcome: Outcome, code: str, *, with_bytes: bool = True) -> None:
    assert outcome.status is Quarantined
    assert outcome.id
    with house.app.database.read() as session:
        row = find_item(session, outcome.id)
        assert (row.code, row.state) == (code, "waiting")
        assert row.reason == outcome.reason
        assert (row.stored_bytes is not None) is with_bytes
        note_of_item(house.app.keys, row)
    assert bool(house.objects_of(outcome.id)) is with_bytes
    assert house.rows("SELECT * FROM recording") == []
    assert nothing_is_left_over(house)


Prepare = Callable[[House], Path]


@pytest.mark.parametrize(
    ("content", "sidecar", "source_id", "code"),
    [
        (b"no recording at all", None, "line-1", "unreadable"),
        (b"", None, "line-1", "unreadable"),
        (media(Kind.FOOTAGE), None, "line-1", "wrong-kind"),
        (media(), None, "line-9", "unknown-source"),
        (media(), {"purposes": ["marketing"]}, "line-1", "unknown-purpose"),
        (media(), {"purposes": ["security"]}, "line-1", "no-class"),
        (media(), {"started_at": "yesterday"}, "line-1", "bad-time"),
        (media(), {"started_at": "2099-01-01T00:00"}, "line-1", "bad-time"),
        (media(), {"started_at": "1970-01-01T00:00"}, "line-1", "bad-time"),
        (media(), {"participants": [{"phone": "Hanako Sato"}]}, "line-1", "bad-identifier"),
        (media(), {"sha256": "0" * 64}, "line-1", "digest-mismatch"),
        (media(), {"size_bytes": 1}, "line-1", "digest-mismatch"),
        (media(), ["not", "an", "entry"], "line-1", "broken-manifest"),
        (media(duration_s=1e20), None, "line-1", "bad-time"),
    ],
)
def test_what_cannot_be_decided_is_kept_aside_with_its_bytes_and_a_reason(
    house: House, content: bytes, sidecar: Any, source_id: str, code: str
) -> None:
    house.add_source()
    path = house.write("a.wav", content, sidecar=sidecar)
    expect_quarantine(house, one(house.ingest(path, source_id=source_id)), code)


def fifo(house: House) -> Path:
    path = house.drop / "pipe.wav"
    os.mkfifo(path)
    return path


def link(house: House) -> Path:
    target = house.write("../elsewhere.wav")
    path = house.drop / "link.wav"
    path.symlink_to(target)
    return path


def broken_link(house: House) -> Path:
    path = house.drop / "link.wav"
    path.symlink_to(house.drop / "nothing")
    return path


def device(_: House) -> Path:
    return Path("/dev/zero")


@pytest.mark.parametrize("make", [fifo, link, broken_link, device])
def test_links_pipes_and_devices_are_not_read_and_not_followed(house: House, make: Prepare) -> None:
    house.add_source()
    outcome = one(house.ingest(make(house)))
    expect_quarantine(house, outcome, "no-file", with_bytes=False)
    assert house.inspector.raw_formats == []


def test_a_pipe_with_a_writer_does_not_hang(house: House) -> None:
    house.add_source()
    path = fifo(house)
    writer = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        assert one(house.ingest(path)).status is Quarantined
    finally:
        os.close(writer)


def test_an_entry_of_the_manifest_without_its_file_is_kept_aside(house: House) -> None:
    house.add_source()
    manifest = house.drop / "manifest.json"
    manifest.write_text(json.dumps([{"file": "gone.wav", "native_id": "17"}]))
    outcome = one(house.ingest())
    expect_quarantine(house, outcome, "no-file", with_bytes=False)
    assert outcome.id
    with house.app.database.read() as session:
        note = note_of_item(house.app.keys, find_item(session, outcome.id))
    assert (note["name"], note["entry"]["native_id"]) == ("gone.wav", "17")


def test_the_same_trouble_again_is_the_same_item(house: House) -> None:
    house.add_source()
    house.write("a.wav", b"no recording")
    (house.drop / "manifest.json").write_text(json.dumps([{"file": "gone.wav"}, {"file": "lost.wav"}]))
    first, second = house.ingest(), house.ingest()
    assert [outcome.id for outcome in first] == [outcome.id for outcome in second]
    assert len(house.rows("SELECT * FROM quarantine")) == 3
    assert nothing_is_left_over(house)


def test_a_file_that_changes_between_looking_and_reading_is_not_kept(house: House) -> None:
    house.add_source()
    path = house.write("a.wav")

    def replaced(_: Path) -> None:
        path.write_bytes(media(content="something else entirely"))

    house.inspector.before = replaced
    expect_quarantine(house, one(house.ingest(path)), "changed", with_bytes=False)


def test_a_file_that_changes_while_it_is_read_is_not_kept_and_leaves_nothing(house: House) -> None:
    house.add_source()
    path = house.write("a.wav")

    def grow(act: str, name: str) -> None:
        if act == "put_new" and name.endswith(".original"):
            house.write("a.wav", media(content="longer"))

    house.memory_store.before = grow
    outcome = one(house.ingest(path))
    expect_quarantine(house, outcome, "changed", with_bytes=False)
    house.memory_store.before = lambda _act, _name: None
    assert one(house.ingest(path)).status is Sealed


def test_a_source_that_is_not_registered_is_never_looked_into(house: House) -> None:
    house.ingest(house.write("a.wav"), source_id="line-9")
    assert house.inspector.raw_formats == []


def test_the_reason_in_the_catalogue_repeats_nothing_personal(house: House) -> None:
    house.add_source()
    house.write("out-0355500143.wav", sidecar=["broken"])
    house.write("out-0355500144.wav", sidecar={"participants": [{"phone": "Hanako Sato"}]})
    house.write("out-0355500145.wav", b"")
    house.ingest()
    text = "\n".join(str(row) for row in house.rows("SELECT * FROM quarantine"))
    assert len(house.rows("SELECT * FROM quarantine")) == 3
    for personal in ("035550014", "Hanako"):
        assert personal not in text


@pytest.mark.parametrize(
    "said",
    [
        {"native_id": "\ud800"},
        {"participants": [{"phone": "03-5550-0143", "name": "\ud800", "customer_id": "\udfff"}]},
        {"unknown": {"deep": ["\ud800", 1.5, None]}},
        {"native_id": "a\x00b", "participants": [{"customer_id": "\x00"}]},
        {"tags": ["\x00"]},
    ],
)
def test_text_that_is_no_text_does_not_stop_a_recording(house: House, said: dict[str, Any]) -> None:
    house.add_source()
    outcome = one(house.ingest(house.write("a.wav", sidecar=said)))
    assert outcome.status in {Sealed, Quarantined}
    assert nothing_is_left_over(house)


def test_a_file_name_that_is_no_utf8_is_taken_in(house: House) -> None:
    house.add_source()
    path = house.write(os.fsdecode(b"\x93\xfa\x96\x7b.wav"), media())
    outcome = one(house.ingest(path))
    assert outcome.status is Sealed
    outcome.path.encode()


# --- what must not be recorded


@pytest.mark.parametrize("how", ["tag", "caller"])
def test_a_person_who_refused_is_not_recorded_and_there_is_proof(house: House, how: str) -> None:
    house.add_source()
    said: dict[str, Any] = {"native_id": "17", "participants": [{"phone": CALLER}]}
    if how == "tag":
        said["tags"] = ["Opt-Out"]
    else:
        house.do_not_record(CALLER)
    outcome = one(house.ingest(house.write("a.wav", sidecar=said)))
    assert (outcome.status, outcome.reason) == (Disposed, "it must not be recorded")
    assert outcome.id
    assert house.memory_store.objects == {}
    assert house.find(outcome.id).state is State.DISPOSED
    (run,) = house.rows("SELECT kind, state, disposed, certificate FROM disposal_run")
    assert tuple(run)[:3] == ("refused", "done", 1)
    assert run.certificate
    assert [entry.subject for entry in house.audit(Tag.RECORDING_REFUSED)] == [outcome.id]


def test_what_was_refused_once_is_refused_again_without_a_second_certificate(house: House) -> None:
    house.add_source()
    path = house.write("a.wav", sidecar={"tags": ["opt-out"]})
    first, second = one(house.ingest(path)), one(house.ingest(path))
    assert (second.status, second.id) == (Disposed, first.id)
    assert len(house.rows("SELECT * FROM disposal_run")) == 1


def test_a_hold_beats_do_not_record(house: House) -> None:
    house.add_source()
    house.do_not_record(CALLER)
    hold = house.place(phone=CALLER).hold
    recording = house.take_in(phone=CALLER)
    assert house.find(recording).hold_ids == (hold.id,)
    assert house.open(recording, hold_id=hold.id)


def test_a_hold_placed_while_a_refused_file_is_on_its_way_still_beats_it(house: House) -> None:
    """The refusal is prepared outside the transaction; whichever commits first must be complete."""
    house.add_source()
    house.do_not_record(CALLER)
    path = house.write("a.wav", sidecar={"participants": [{"phone": CALLER}]})
    placed: list[str] = []

    def place_it(_act: str, _name: str) -> None:
        house.memory_store.before = lambda _act, _name: None
        placed.append(house.place(phone=CALLER).hold.id)

    sync = house.memory_store.sync

    def just_before_the_commit(names: Any) -> None:
        if not placed:
            place_it("", "")
        sync(names)

    house.memory_store.sync = just_before_the_commit  # type: ignore[method-assign]
    outcome = one(house.ingest(path))
    assert outcome.status is Sealed
    assert outcome.id
    assert house.find(outcome.id).hold_ids == (placed[0],)
    assert nothing_is_left_over(house)


def test_a_caller_put_on_the_list_while_a_file_is_on_its_way_is_not_recorded(house: House) -> None:
    house.add_source()
    path = house.write("a.wav", sidecar={"participants": [{"phone": CALLER}]})
    done: list[bool] = []
    sync = house.memory_store.sync

    def just_before_the_commit(names: Any) -> None:
        sync(names)
        if not done:
            done.append(True)
            house.do_not_record(CALLER)

    house.memory_store.sync = just_before_the_commit  # type: ignore[method-assign]
    assert one(house.ingest(path)).status is Disposed
    assert house.memory_store.objects == {}
    assert nothing_is_left_over(house)


# --- when something fails


def test_a_store_that_fails_keeps_nothing_of_the_batch_and_the_next_try_succeeds(house: House) -> None:
    house.add_source()
    path = house.write("a.wav")

    def fail(act: str, name: str) -> None:
        if act == "put_new" and name.endswith(".peaks"):
            raise StoreUnavailable

    house.memory_store.before = fail
    with pytest.raises(StoreUnavailable):
        house.ingest(path)
    assert house.rows("SELECT * FROM recording") == []
    assert house.memory_store.objects
    house.memory_store.before = lambda _act, _name: None
    assert one(house.ingest(path)).status is Sealed
    assert nothing_is_left_over(house)


def test_bytes_that_cannot_be_erased_stay_known_until_they_can(house: House) -> None:
    house.add_source()
    house.write("a.wav", media(content="the same"))
    house.write("b.wav", media(content="the same"))
    erase = house.memory_store.erase_many
    house.memory_store.erase_many = lambda names: dict.fromkeys(names, "no")  # type: ignore[method-assign]
    assert ids_of(house.ingest())
    assert len(house.rows("SELECT * FROM intake")) == 1
    house.memory_store.erase_many = erase  # type: ignore[method-assign]
    house.ingest(house.write("c.wav"))
    assert nothing_is_left_over(house)


def test_a_caller_who_stops_asking_leaves_nothing_behind(house: House) -> None:
    house.add_source()
    house.write("a.wav")
    outcomes = Receiver(house.app.ingest_tools(), "sato").receive(discover([house.drop], "line-1"))
    assert next(outcomes).status is Sealed
    outcomes.close()  # type: ignore[attr-defined]
    house.ingest()
    assert nothing_is_left_over(house)


# --- cohorts that come late


def test_a_backlog_of_a_day_that_has_ended_joins_a_new_generation_with_a_new_key(house: House) -> None:
    house.add_source()
    old = house.take_in(ended_at=local("2026-03-01 12:00"))
    house.clock.move(days=11)
    house.dispose()
    late = house.take_in(ended_at=local("2026-03-01 12:00"))
    (reason,) = house.find(late).reasons
    assert reason.cohort == "calls.quality@Asia/Tokyo@2026-03-01#2"
    assert reason.due_on == date(2026, 3, 12)
    assert house.find(old).state is State.DISPOSED
    assert house.dispose().disposed == 1
    third = house.take_in(ended_at=local("2026-03-01 13:00") + timedelta(minutes=1))
    assert house.find(third).reasons[0].cohort.endswith("#3")


def test_a_file_that_is_gone_when_its_turn_comes_is_a_fault_and_stops_nobody(house: House) -> None:
    house.add_source()
    gone, there = house.write("a.rec"), house.write("b.rec")
    candidates = list(discover([gone, there], "line-1", started_at="2026-03-02T10:00"))
    gone.unlink()
    outcomes = list(Receiver(house.app.ingest_tools(), ACTOR).receive(candidates))
    assert [each.status for each in outcomes] == [Status.QUARANTINED, Status.SEALED]
    assert "cannot be read: No such file" in outcomes[0].reason
