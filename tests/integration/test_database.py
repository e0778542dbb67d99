"""One writer at a time, a reader's one instant, and locks that go with their process: on both databases."""

import multiprocessing
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from sqlalchemy import text

from retention.database import BUSY_TIMEOUT_MS, Database
from retention.kernel.errors import DatabaseBusy, InvalidInput
from tests.builders.house import House

SPAWN = multiprocessing.get_context("spawn")
COUNT = "SELECT count(*) FROM source"


def insert(number: int) -> str:
    return (
        "INSERT INTO source (id, kind, site, zone, area, owner, notice, purposes, clock_error_s, channels, mount,"
        f" raw_format, longest_s, registered_at) VALUES ('s{number}', 'call', '', 'UTC', '', '', '', '[]', 0, '[]',"
        " '', '', 0, '2026-01-01 00:00:00+00')"
    )


def url_of(house: House) -> str:
    return house.app.database.engine.url.render_as_string(hide_password=False)


# --- transactions


def test_a_writing_transaction_is_kept_whole_on_a_normal_exit(house: House) -> None:
    with house.app.database.write() as session:
        session.execute(text(insert(1)))
    assert house.rows(COUNT)[0][0] == 1


def test_nothing_of_a_writing_transaction_is_kept_after_an_error(house: House) -> None:
    def fail_halfway() -> None:
        with house.app.database.write() as session:
            session.execute(text(insert(1)))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()
    assert house.rows(COUNT)[0][0] == 0


def test_a_reader_keeps_nothing(house: House) -> None:
    with house.app.database.read() as session:
        session.execute(text(insert(1)))
    assert house.rows(COUNT)[0][0] == 0


def test_a_reader_sees_one_instant_whatever_is_written_meanwhile(house: House) -> None:
    with house.app.database.read() as reader:
        before = reader.execute(text(COUNT)).scalar_one()
        with house.app.database.write() as writer:
            writer.execute(text(insert(1)))
        assert reader.execute(text(COUNT)).scalar_one() == before
    assert house.rows(COUNT)[0][0] == before + 1


def test_a_url_that_cannot_be_used_is_the_operators_mistake() -> None:
    with pytest.raises(InvalidInput, match="database URL"):
        Database("oracle-of-delphi:///x")


def test_a_database_out_of_reach_is_busy_not_broken() -> None:
    database = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    with pytest.raises(DatabaseBusy), database.read() as session:
        session.connection()
    with pytest.raises(DatabaseBusy), database.exclusive("disposal"):
        pass


# --- writers queue


def _hold_the_writer(url: str, ready: Connection) -> None:
    database = Database(url)
    with database.write() as session:
        session.execute(text(insert(1)))
        ready.send("writing")
        ready.recv()
    ready.send("done")


def test_a_second_writer_of_another_process_waits_for_the_first_and_sees_what_it_did(house: House) -> None:
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=_hold_the_writer, args=(url_of(house), theirs))
    process.start()
    theirs.close()  # or nobody would be told that the other process has died
    try:
        assert ours.recv() == "writing"
        released_at = 0.0

        def release() -> None:
            nonlocal released_at
            time.sleep(0.3)
            released_at = time.monotonic()
            ours.send("go on")

        threading.Thread(target=release).start()
        with house.app.database.write() as session:
            began_at = time.monotonic()
            assert session.execute(text(COUNT)).scalar_one() == 1
        assert began_at >= released_at > 0
    finally:
        process.join(10)


def test_readers_do_not_wait_for_a_writer(house: House) -> None:
    with house.app.database.write() as session:
        session.execute(text(insert(1)))
        assert house.rows(COUNT)[0][0] == 0


def test_a_writer_that_waits_too_long_is_told_that_the_database_is_busy(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retention.database.BUSY_TIMEOUT_MS", 50)
    impatient = Database(url_of(house))
    with house.app.database.write(), pytest.raises(DatabaseBusy), impatient.write():
        pass
    impatient.close()
    assert BUSY_TIMEOUT_MS == 60_000


# --- exclusive work


def _be_exclusive(url: str, ready: Connection) -> None:
    with Database(url).exclusive("disposal"):
        ready.send("in")
        ready.recv()


def test_exclusive_work_is_refused_to_a_second_process_until_the_first_ends(house: House) -> None:
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=_be_exclusive, args=(url_of(house), theirs))
    process.start()
    assert ours.recv() == "in"
    with pytest.raises(DatabaseBusy, match="busy with disposal"), house.app.database.exclusive("disposal"):
        pass
    ours.send("go on")
    process.join(10)
    with house.app.database.exclusive("disposal"):
        pass


def test_a_killed_process_takes_its_exclusive_lock_with_it(house: House) -> None:
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=_be_exclusive, args=(url_of(house), theirs))
    process.start()
    assert ours.recv() == "in"
    process.kill()
    process.join(10)
    _eventually(lambda: _is_free(house.app.database))


def _is_free(database: Database) -> bool:
    try:
        with database.exclusive("disposal"):
            return True
    except DatabaseBusy:
        return False


def _eventually(claim: Callable[[], bool]) -> None:
    for _ in range(100):
        if claim():
            return
        time.sleep(0.05)
    pytest.fail("it never came true")


def test_exclusive_work_that_fails_leaves_the_lock_free(house: House) -> None:
    other = Database(url_of(house))
    with pytest.raises(ZeroDivisionError) as kept, house.app.database.exclusive("disposal"):
        raise ZeroDivisionError
    assert kept.tb  # the traceback, which holds on to every local of the frames it went through
    with other.exclusive("disposal"):
        pass
    other.close()


def test_one_process_cannot_be_exclusive_twice(house: House) -> None:
    with house.app.database.exclusive("disposal"), pytest.raises(DatabaseBusy):  # noqa: SIM117 - the inner raises
        with house.app.database.exclusive("disposal"):
            pass


def test_two_sorts_of_exclusive_work_do_not_exclude_each_other(house: House) -> None:
    with house.app.database.exclusive("disposal"), house.app.database.exclusive("bell"):
        pass


def test_a_transaction_fits_into_exclusive_work(house: House) -> None:
    with house.app.database.exclusive("disposal"), house.app.database.write() as session:
        session.execute(text(insert(1)))
    assert house.rows(COUNT)[0][0] == 1


@pytest.mark.postgres
def test_exclusive_work_keeps_no_transaction_open(new_postgres_house: Callable[[], House]) -> None:
    house = new_postgres_house()
    with house.app.database.exclusive("disposal"):
        idle = house.rows(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
        )
        assert idle[0][0] == 0


# --- SQLite's own


def test_sqlite_is_opened_with_a_write_ahead_log_full_syncs_and_foreign_keys(sqlite_house: House) -> None:
    found = [
        sqlite_house.rows(f"PRAGMA {name}")[0][0] for name in ("journal_mode", "synchronous", "foreign_keys")
    ]
    assert found == ["wal", 2, 1]


def test_the_database_lies_in_the_stores_home_unless_the_setting_is_absolute(
    sqlite_house: House, tmp_path: Path
) -> None:
    assert (sqlite_house.app.home / "catalogue.db").exists()
    assert url_of(sqlite_house).startswith("sqlite:////")
    assert str(tmp_path) in url_of(sqlite_house)
