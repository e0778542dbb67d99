"""What could not be taken in: kept encrypted, decided once by a person, gone with proof."""

import os
from datetime import timedelta

import pytest

from retention.audit.tags import Tag
from retention.catalogue.states import State
from retention.ingest.manifest import Entry
from retention.ingest.model import Status
from retention.ingest.quarantine import (
    check_waiting,
    decided,
    find_item,
    mark_for_disposal,
    note_of_item,
    unsealed,
    verify_item,
)
from retention.kernel.errors import FixityMismatch, IllegalTransition, KeyDestroyed, NotFound
from retention.schedule.model import Kind
from retention.workers.bell import ring
from tests.builders.house import CALLER, House
from tests.fakes.scripted_inspector import media

CONTENT = media(Kind.CALL, duration_s=30, content="what was said")


def put_aside(house: House, name: str = "a.wav", content: bytes = CONTENT) -> str:
    """An item that waits because its sidecar names an unknown purpose."""
    house.add_source()
    said = {"purposes": ["marketing"], "participants": [{"phone": CALLER}], "native_id": name}
    (outcome,) = house.ingest(house.write(name, content, sidecar=said))
    assert outcome.status is Status.QUARANTINED
    assert outcome.id
    return outcome.id


def test_an_item_is_listed_with_its_reason_and_what_its_source_said(house: House) -> None:
    item = put_aside(house)
    (row,) = house.quarantined()
    assert (row.id, row.code, row.source_id) == (item, "unknown-purpose", "line-1")
    note = note_of_item(house.app.keys, row)
    assert note["name"] == "a.wav"
    assert note["entry"]["participants"][0]["phone"] == CALLER


def test_an_unknown_item_is_not_found(house: House) -> None:
    with house.app.database.read() as session, pytest.raises(NotFound):
        find_item(session, "nothing")


def test_what_is_quarantined_is_no_recording_and_cannot_be_opened(house: House) -> None:
    item = put_aside(house)
    with pytest.raises(NotFound):
        house.find(item)


def test_a_corrected_item_becomes_a_recording_with_the_same_bytes(house: House) -> None:
    item = put_aside(house)
    outcome = house.release(item, entry=Entry(native_id="17"))
    assert outcome.status is Status.SEALED
    assert outcome.path == "a.wav"
    assert outcome.id
    assert outcome.id != item
    assert house.open(outcome.id, "quality") == CONTENT
    assert house.quarantined() == []
    (entry,) = house.audit(Tag.QUARANTINE_RELEASED)
    assert entry.detail == {"code": "unknown-purpose", "recording": outcome.id}


def test_what_is_offered_again_with_a_corrected_sidecar_waits_no_longer(house: House) -> None:
    item, other = put_aside(house), put_aside(house, "b.wav", media(Kind.CALL, content="something else"))
    (outcome,) = house.ingest(house.write("a.wav", CONTENT, sidecar={"native_id": "17"}))
    assert outcome.status is Status.SEALED
    assert [row.id for row in house.quarantined()] == [other]
    (entry,) = house.audit(Tag.QUARANTINE_RELEASED)
    assert (entry.subject, entry.detail["recording"]) == (item, outcome.id)
    assert house.objects_of(item) == []


def test_the_same_bytes_from_another_source_leave_an_item_waiting(house: House) -> None:
    item = put_aside(house)
    house.add_source("line-2")
    (outcome,) = house.ingest(house.write("a.wav", CONTENT, sidecar={}), source_id="line-2")
    assert outcome.status is Status.SEALED
    assert [row.id for row in house.quarantined()] == [item]


def test_the_copy_in_quarantine_goes_with_a_certificate_once_it_is_released(house: House) -> None:
    item = put_aside(house)
    house.release(item, entry=Entry(native_id="17"))
    assert house.objects_of(item) == []
    assert house.find(item).state is State.DISPOSED
    (run,) = house.rows("SELECT kind, disposed, certificate FROM disposal_run")
    assert (run.kind, run.disposed, bool(run.certificate)) == ("refused", 1, True)
    assert "released from quarantine as" in house.rows("SELECT leaf FROM tombstone")[0].leaf


def test_a_correction_that_is_not_enough_leaves_the_item_waiting(house: House) -> None:
    item = put_aside(house)
    outcome = house.release(item, entry=Entry(started_at="yesterday"))
    assert outcome.status is Status.QUARANTINED
    assert item in {row.id for row in house.quarantined()}
    assert house.objects_of(item)


def test_a_released_file_counts_from_its_own_time_not_from_its_release(house: House) -> None:
    house.add_source()
    path = house.write("a.wav", CONTENT, sidecar={"purposes": ["marketing"]})
    written_at = house.clock.now() - timedelta(days=3)
    os.utime(path, (written_at.timestamp(), written_at.timestamp()))
    (kept,) = house.ingest(path)
    assert kept.id
    house.clock.move(days=4)
    outcome = house.release(kept.id, entry=Entry())
    assert outcome.id
    found = house.find(outcome.id)
    assert (found.time_basis, found.ended_at) == ("file", written_at)


def test_an_item_may_be_released_to_the_source_it_really_came_from(house: House) -> None:
    (kept,) = house.ingest(house.write("a.wav", CONTENT), source_id="line-9")
    house.add_source("line-1")
    assert kept.id
    outcome = house.release(kept.id, source_id="line-1")
    assert outcome.status is Status.SEALED


def test_a_rejected_item_is_gone_with_a_certificate(house: House) -> None:
    item = put_aside(house)
    run = house.reject(item)
    assert run
    assert (run.disposed, bool(run.certificate)) == (1, True)
    assert house.memory_store.objects == {}
    assert house.find(item).state is State.DISPOSED
    assert [entry.subject for entry in house.audit(Tag.QUARANTINE_REJECTED)] == [item]


def test_an_item_without_bytes_can_be_rejected_and_not_released(house: House) -> None:
    house.add_source()
    path = house.drop / "link.wav"
    path.symlink_to("/nowhere")
    (kept,) = house.ingest(path)
    assert kept.id
    with pytest.raises(NotFound, match="holds no bytes"):
        house.release(kept.id)
    run = house.reject(kept.id)
    assert run
    assert run.disposed == 1


def test_nobody_decides_twice(house: House) -> None:
    item = put_aside(house)
    house.reject(item)
    with pytest.raises(IllegalTransition, match="rejected by sato"):
        house.reject(item)
    with pytest.raises(IllegalTransition, match="rejected by sato"):
        house.release(item)


def test_of_two_people_who_decide_at_once_one_is_told(house: House) -> None:
    item = put_aside(house)
    with house.app.database.read() as session:
        row = find_item(session, item)
    check_waiting(row)
    house.reject(item)
    with pytest.raises(IllegalTransition), house.app.database.write() as session:
        decided(session, row, "released", house.clock.now(), "tanaka", None)
    assert not house.audit(Tag.QUARANTINE_RELEASED)


def test_bytes_in_quarantine_are_checked_against_their_digest(house: House) -> None:
    item = put_aside(house)
    with house.app.database.read() as session:
        row = find_item(session, item)
    verify_item(house.app.store, house.app.keys, row)
    (name,) = house.memory_store.objects
    broken = bytearray(house.memory_store.objects[name])
    broken[-1] ^= 1
    house.memory_store.objects[name] = bytes(broken)
    with pytest.raises(FixityMismatch):
        verify_item(house.app.store, house.app.keys, row)


def test_an_unsealed_item_has_no_name_anybody_could_find(sqlite_house: House) -> None:
    item = put_aside(sqlite_house)
    with sqlite_house.app.database.read() as session:
        row = find_item(session, item)
    folder = sqlite_house.app.home / "tmp"
    with unsealed(sqlite_house.app.store, sqlite_house.app.keys, row, folder) as path:
        assert path.read_bytes() == CONTENT
        assert list(folder.iterdir()) == []
    assert not path.exists()


# --- keys


def key_of(house: House, item: str) -> str:
    with house.app.database.read() as session:
        return find_item(session, item).key_id


def test_a_rejected_items_key_is_destroyed_at_once_and_no_others(house: House) -> None:
    first, second = put_aside(house, "a.wav"), put_aside(house, "b.wav", media(content="b"))
    gone, stays = key_of(house, first), key_of(house, second)
    house.reject(first)
    assert gone not in house.memory_keys.keys
    assert stays in house.memory_keys.keys


def test_the_quarantines_copy_of_a_released_file_loses_its_key(house: House) -> None:
    item = put_aside(house)
    key = key_of(house, item)
    outcome = house.release(item, entry=Entry(native_id="17"))
    assert key not in house.memory_keys.keys
    assert outcome.id
    assert house.open(outcome.id, "quality") == CONTENT


def test_what_was_said_about_an_item_dies_with_its_key(house: House) -> None:
    item = put_aside(house)
    house.reject(item)
    with house.app.database.read() as session:
        row = find_item(session, item)
    with pytest.raises(KeyDestroyed, match="is gone"):
        note_of_item(house.app.keys, row)


def test_a_rejection_that_was_killed_before_its_disposal_is_finished_by_the_night(house: House) -> None:
    item = put_aside(house)
    key = key_of(house, item)
    with house.app.database.write() as session:
        row = find_item(session, item)
        decided(session, row, "rejected", house.clock.now(), "sato", None)
        mark_for_disposal(session, row, "rejected from quarantine")
    assert ring(house.app)
    assert key not in house.memory_keys.keys
    assert house.find(item).state is State.DISPOSED
