"""Nothing that a dead writer left is an orphan, and nothing of a living one is swept."""

import multiprocessing
import os
import signal
import socket
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from filelock import FileLock
from sqlalchemy import text

from retention.database import Database
from retention.ingest.discover import discover
from retention.ingest.receive import Receiver
from retention.kernel.errors import DependencyError
from retention.vault.intake import RESERVE, Intake, sweep
from retention.vault.model import ObjectName
from tests.builders.house import House, ids_of
from tests.fakes.hand_clock import HandClock
from tests.fakes.memory_store import MemoryStore

SPAWN = multiprocessing.get_context("spawn")


def intakes(house: House) -> int:
    return int(house.rows("SELECT count(*) FROM intake")[0][0])


def locks(house: House) -> Path:
    folder: Path = house.app.ingest_tools().locks
    folder.mkdir(exist_ok=True)
    return folder


def note_intake(house: House, writer: str, recording_id: str, *, days_ago: float = 0) -> ObjectName:
    """A writer's intake, with an object already written."""
    house.clock.move(days=-days_ago)
    with house.app.database.write() as session:
        session.execute(
            text("INSERT INTO intake (recording_id, writer, began_at) VALUES (:id, :writer, :at)"),
            {"id": recording_id, "writer": writer, "at": house.clock.now().strftime("%Y-%m-%d %H:%M:%S+00")},
        )
    house.clock.move(days=days_ago)
    name = ObjectName(f"{recording_id[-2:]}/{recording_id}.original")
    house.memory_store.objects[name] = b"half written"
    house.memory_store.stored_at[name] = house.clock.now()
    return name


def swept(house: House) -> int:
    return sweep(house.app.database, house.app.store, house.clock.now(), locks(house))


ID = "01JPSA0000000000000000000C"
HERE = socket.gethostname()


def test_a_finished_writer_leaves_no_intake_and_no_lock(house: House) -> None:
    house.add_source()
    house.take_in()
    assert intakes(house) == 0
    assert list(locks(house).iterdir()) == []


def test_an_id_stands_in_the_catalogue_before_a_byte_is_written(house: House) -> None:
    tools = house.app.ingest_tools()
    with Intake(tools.database, tools.store, tools.clock, tools.locks) as intake:
        assert intake.next_id() in {row.recording_id for row in house.rows("SELECT recording_id FROM intake")}
        assert intakes(house) == RESERVE


def test_what_a_dead_writer_of_this_machine_left_is_swept(house: House) -> None:
    name = note_intake(house, f"{HERE}:{ID}", ID)
    assert swept(house) == 1
    assert name not in house.memory_store.objects
    assert intakes(house) == 0


def test_what_a_living_writer_of_this_machine_writes_is_not_touched_however_old(house: House) -> None:
    name = note_intake(house, f"{HERE}:{ID}", ID, days_ago=3)
    lock = FileLock(locks(house) / f"writer-{ID}.lock")
    with lock:
        assert swept(house) == 0
    assert name in house.memory_store.objects
    assert swept(house) == 1


@pytest.mark.parametrize(("days_ago", "expected"), [(0.9, 0), (1.1, 1)])
def test_a_writer_of_another_machine_is_dead_after_a_day(
    house: House, days_ago: float, expected: int
) -> None:
    note_intake(house, f"elsewhere:{ID}", ID, days_ago=days_ago)
    assert swept(house) == expected


def test_what_cannot_be_erased_stays_an_intake_for_the_next_sweep(house: House) -> None:
    note_intake(house, f"{HERE}:{ID}", ID)
    erase = house.memory_store.erase_many
    house.memory_store.erase_many = lambda names: dict.fromkeys(names, "no")  # type: ignore[method-assign]
    assert swept(house) == 0
    assert intakes(house) == 1
    house.memory_store.erase_many = erase  # type: ignore[method-assign]
    assert swept(house) == 1


def test_a_writer_that_was_taken_for_dead_keeps_nothing_of_its_batch(house: House) -> None:
    """A machine that slept for a day must not register recordings whose bytes were swept meanwhile."""
    house.add_source()
    house.write("a.wav")
    sync = house.memory_store.sync

    def swept_meanwhile(names: list[ObjectName]) -> None:
        sync(names)
        house.sql("UPDATE intake SET writer = 'elsewhere:x', began_at = '2000-01-01 00:00:00+00'")
        swept(house)

    house.memory_store.sync = swept_meanwhile  # type: ignore[method-assign,assignment]
    receiver = Receiver(house.app.ingest_tools(), "sato")
    with pytest.raises(DependencyError, match="took it for dead"):
        list(receiver.receive(discover([house.drop], "line-1")))
    assert house.rows("SELECT * FROM recording") == []
    house.memory_store.sync = sync  # type: ignore[method-assign]
    assert ids_of(house.ingest())


def test_a_sweep_claims_before_it_erases_so_that_no_writer_slips_through(house: House) -> None:
    note_intake(house, f"{HERE}:{ID}", ID)
    writers: list[str] = []
    house.memory_store.before = lambda act, _name: (
        writers.append(house.rows("SELECT writer FROM intake")[0].writer) if act == "erase_many" else None
    )
    swept(house)
    assert set(writers) == {"sweeper"}


def test_a_sweep_that_was_killed_is_finished_by_the_next(house: House) -> None:
    name = note_intake(house, "sweeper", ID)
    assert swept(house) == 1
    assert name not in house.memory_store.objects


def _write_and_wait(url: str, folder: Path, ready: Connection) -> None:
    with Intake(Database(url), MemoryStore(), HandClock(), folder) as intake:
        ready.send(intake.next_id())
        ready.recv()


def test_a_killed_process_is_known_to_be_dead_and_a_living_one_to_live(house: House) -> None:
    ours, theirs = SPAWN.Pipe()
    url = house.app.database.engine.url.render_as_string(hide_password=False)
    process = SPAWN.Process(target=_write_and_wait, args=(url, locks(house), theirs))
    process.start()
    assert ours.recv()
    assert swept(house) == 0
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join(10)
    assert swept(house) == RESERVE
    assert intakes(house) == 0
