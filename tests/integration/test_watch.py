"""A watched drop folder: taken in when finished, deleted when safe, left alone otherwise."""

import json
from pathlib import Path
from typing import Any

import pytest

from retention.ingest.model import Outcome, Status
from retention.ingest.receive import Receiver
from retention.ingest.watch import PATIENCE_S, Watcher
from tests.builders.house import CALLER, House
from tests.fakes.scripted_inspector import media

STABLE_S = 5.0


@pytest.fixture
def house(sqlite_house: House) -> House:
    sqlite_house.add_source()
    return sqlite_house


@pytest.fixture
def watcher(house: House) -> Watcher:
    return Watcher(house.app.ingest_tools(), "sato", [house.drop], "line-1", STABLE_S, poll_s=0)


def take(watcher: Watcher) -> list[Outcome]:
    """One pass: what is ready is taken in, and cleared away."""
    ready = watcher.ready()
    outcomes = list(Receiver(watcher.tools, watcher.actor).receive(ready)) if ready else []
    for outcome in outcomes:
        watcher._clear_away(outcome)
    return outcomes


def settle(house: House, watcher: Watcher) -> list[Outcome]:
    """What becomes of the folder when nothing changes any more."""
    first = take(watcher)
    house.clock.move(seconds=STABLE_S)
    return first + take(watcher)


def left(house: House) -> list[str]:
    return sorted(path.name for path in house.drop.iterdir())


# --- finished


def test_a_file_is_taken_when_it_has_not_changed_for_a_while(house: House, watcher: Watcher) -> None:
    house.write("a.wav")
    assert take(watcher) == []
    house.clock.move(seconds=STABLE_S - 0.1)
    assert take(watcher) == []
    house.clock.move(seconds=0.1)
    assert [outcome.status for outcome in take(watcher)] == [Status.SEALED]


def test_a_file_that_grows_starts_waiting_again(house: House, watcher: Watcher) -> None:
    house.write("a.wav", b"call 60\n")
    take(watcher)
    house.clock.move(seconds=STABLE_S)
    house.write("a.wav", b"call 60\nand more")
    assert take(watcher) == []
    house.clock.move(seconds=STABLE_S)
    assert [outcome.status for outcome in take(watcher)] == [Status.SEALED]


def test_a_sidecar_or_manifest_that_is_still_written_keeps_its_file_waiting(
    house: House, watcher: Watcher
) -> None:
    house.write("a.wav", sidecar={"native_id": "1"})
    take(watcher)
    house.clock.move(seconds=STABLE_S)
    (house.drop / "a.wav.json").write_text('{"native_id": "12"}')
    assert take(watcher) == []
    house.clock.move(seconds=STABLE_S)
    assert len(take(watcher)) == 1


def test_a_sidecar_that_says_complete_and_names_the_size_needs_no_waiting(
    house: House, watcher: Watcher
) -> None:
    content = media(content="whole")
    house.write("a.wav", content, sidecar={"complete": True, "size_bytes": len(content)})
    assert [outcome.status for outcome in take(watcher)] == [Status.SEALED]


@pytest.mark.parametrize(
    "said", [{"complete": True}, {"complete": True, "size_bytes": 1}, {"size_bytes": 100}]
)
def test_a_sidecar_that_says_less_changes_nothing(
    house: House, watcher: Watcher, said: dict[str, Any]
) -> None:
    house.write("a.wav", sidecar=said)
    assert take(watcher) == []


def test_unfinished_transfers_are_left_alone(house: House, watcher: Watcher) -> None:
    house.write("a.wav.part")
    assert settle(house, watcher) == []
    assert left(house) == ["a.wav.part"]


def test_a_sidecar_that_comes_first_waits_for_its_recording(house: House, watcher: Watcher) -> None:
    (house.drop / "a.wav.json").write_text(json.dumps({"participants": [{"phone": CALLER}]}))
    assert settle(house, watcher) == []
    house.write("a.wav")
    (outcome,) = settle(house, watcher)
    assert outcome.status is Status.SEALED
    assert house.rows("SELECT count(*) FROM identifier")[0][0] == 1
    assert left(house) == []


def test_a_sidecar_whose_recording_never_comes_is_told_to_a_person(house: House, watcher: Watcher) -> None:
    (house.drop / "a.wav.json").write_text(json.dumps({"native_id": "17"}))
    take(watcher)
    house.clock.move(seconds=PATIENCE_S)
    (outcome,) = take(watcher)
    assert (outcome.status, left(house)) == (Status.QUARANTINED, [])


# --- deleted


def test_a_file_is_deleted_with_its_sidecar_once_its_sealed_copy_was_read_back(
    house: House, watcher: Watcher
) -> None:
    content = media(content="kept")
    house.write("a.wav", content, sidecar={"native_id": "1"})
    read: list[str] = []
    house.memory_store.before = lambda act, name: read.append(name) if act == "read" else None
    (outcome,) = settle(house, watcher)
    assert outcome.id
    assert any(name.endswith(f"{outcome.id}.original") for name in read)
    assert left(house) == []
    assert house.open(outcome.id, "quality") == content
    assert settle(house, watcher) == []
    assert house.rows("SELECT * FROM quarantine") == []


def test_a_sidecar_that_two_files_share_goes_with_the_last(house: House, watcher: Watcher) -> None:
    house.write("a.wav", media(content="wav"))
    (house.drop / "a.json").write_text(json.dumps({"native_id": "1"}))
    house.write("a.ogg.part", media(content="ogg"))
    settle(house, watcher)
    assert left(house) == ["a.ogg.part"]


def test_a_sidecar_stays_while_another_file_needs_it(house: House, watcher: Watcher) -> None:
    house.write("a.wav", media(content="wav"))
    (house.drop / "a.json").write_text(json.dumps({"native_id": "1"}))
    take(watcher)
    house.clock.move(seconds=STABLE_S)
    house.write("a.ogg", media(content="ogg"))
    take(watcher)
    assert left(house) == ["a.json", "a.ogg"]
    settle(house, watcher)
    assert left(house) == []
    assert len(house.rows("SELECT * FROM recording")) == 2


@pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
def test_a_file_whose_sealed_copy_does_not_hold_is_not_deleted(
    house: House, watcher: Watcher, damage: str
) -> None:
    house.write("a.wav")

    def spoil(act: str, name: str) -> None:
        if act == "size_of" and name in house.memory_store.objects:
            content = house.memory_store.objects[name]  # type: ignore[index]
            if damage == "gone":
                del house.memory_store.objects[name]  # type: ignore[arg-type]
            else:
                spoiled = content[:-1] + (bytes([content[-1] ^ 1]) if damage == "flipped" else b"")
                house.memory_store.objects[name] = spoiled  # type: ignore[index]

    house.memory_store.before = spoil
    (outcome,) = settle(house, watcher)
    assert outcome.status is Status.SEALED
    assert left(house) == ["a.wav"]
    house.memory_store.before = lambda _act, _name: None
    assert settle(house, watcher) == []


def test_a_duplicate_is_deleted_after_the_copy_that_is_here_was_read_back(
    house: House, watcher: Watcher
) -> None:
    house.write("a.wav", media(content="same"))
    settle(house, watcher)
    house.write("b.wav", media(content="same"))
    (outcome,) = settle(house, watcher)
    assert (outcome.status, left(house)) == (Status.DUPLICATE, [])


def test_what_is_quarantined_with_its_bytes_is_deleted_and_kept_in_the_vault(
    house: House, watcher: Watcher
) -> None:
    house.write("a.wav", b"no recording")
    (outcome,) = settle(house, watcher)
    assert (outcome.status, left(house)) == (Status.QUARANTINED, [])
    assert outcome.id
    assert house.objects_of(outcome.id)


def test_what_is_quarantined_without_bytes_stays_where_it_is_and_is_told_once(
    house: House, watcher: Watcher
) -> None:
    (house.drop / "link.wav").symlink_to("/dev/zero")
    (outcome,) = settle(house, watcher)
    assert (outcome.status, left(house)) == (Status.QUARANTINED, ["link.wav"])
    assert settle(house, watcher) == []


def test_what_must_not_be_recorded_is_deleted(house: House, watcher: Watcher) -> None:
    house.write("a.wav", sidecar={"tags": ["opt-out"]})
    (outcome,) = settle(house, watcher)
    assert (outcome.status, left(house)) == (Status.DISPOSED, [])


def test_another_file_that_took_the_place_is_not_deleted_unread(house: House, watcher: Watcher) -> None:
    """A recorder that uses names again may be faster than we are."""
    house.write("a.wav", media(content="first"))
    take(watcher)
    house.clock.move(seconds=STABLE_S)
    (ready,) = watcher.ready()
    (outcome,) = Receiver(watcher.tools, "sato").receive([ready])
    house.write("a.wav", media(content="second, and longer"))
    watcher._clear_away(outcome)
    assert left(house) == ["a.wav"]
    (second,) = settle(house, watcher)
    assert (second.status, left(house)) == (Status.SEALED, [])
    assert second.id != outcome.id


def test_an_entry_of_a_manifest_whose_file_is_yet_to_come_is_no_trouble(
    house: House, watcher: Watcher
) -> None:
    (house.drop / "manifest.json").write_text(json.dumps([{"file": "a.wav", "native_id": "1"}]))
    assert settle(house, watcher) == []
    house.write("a.wav")
    (outcome,) = settle(house, watcher)
    assert (outcome.status, left(house)) == (Status.SEALED, ["manifest.json"])


def test_watching_goes_on_until_the_caller_stops_asking(house: House) -> None:
    told: list[str] = []
    watcher = Watcher(house.app.ingest_tools(), "sato", [house.drop], "line-1", stable_s=0, poll_s=0)
    outcomes = watcher.outcomes(lambda: told.append("batch"))
    seen = []
    for name in ("a.wav", "b.wav"):
        house.write(name)
        seen.append(Path(next(outcomes).path).name)
    outcomes.close()  # type: ignore[attr-defined]
    assert seen == ["a.wav", "b.wav"]
    assert told == ["batch"]
