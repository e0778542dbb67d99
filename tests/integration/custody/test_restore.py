"""A backup comes back whole, says beforehand what it will do, and refuses what it cannot."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from retention.adapters.witness_folder import WitnessFolder
from retention.audit.chain import GENESIS, Head
from retention.custody.heads import common_head
from retention.custody.model import Kind
from retention.custody.preview import preview_restore
from retention.disposal.surroundings import told_by
from retention.kernel.errors import (
    AuditChainBroken,
    CatalogueDisagrees,
    DatabaseBusy,
    InvalidInput,
    NotFound,
)
from retention.vault.fixity import Level
from retention.vault.model import object_name
from tests.builders.custody import back_up, look, made, night_after, restore, what_is_held
from tests.builders.house import CALLER, House
from tests.builders.postgres import PostgresServer
from tests.fixtures.houses import NewHouse, write_settings


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


def test_a_journal_that_was_cut_stops_the_restore(busy: House) -> None:
    busy.place(busy.take_in())
    path = back_up(busy)
    journal = busy.app.home / "witness" / "journal"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))

    with pytest.raises(AuditChainBroken, match="lines and has"):
        restore(busy, path)


def test_a_witness_of_before_the_backup_stops_the_restore(busy: House) -> None:
    """The witness's disk, too, was put back from a snapshot: what it holds is whole, and less."""
    witness = busy.app.home / "witness"
    shutil.copytree(witness, witness.with_name("snapshot"))
    busy.place(busy.take_in())
    path = back_up(busy)
    shutil.rmtree(witness)
    witness.with_name("snapshot").rename(witness)

    with pytest.raises(AuditChainBroken, match="not the one this backup was made with"):
        restore(busy, path)


def test_a_witness_that_saw_another_beginning_is_agreed_with_on_nothing(busy: House) -> None:
    now = busy.clock.now()
    witness = WitnessFolder(busy.drop.parent / "another", lambda: bytes(32), is_new=True)
    witness.publish(Head(1, "0" * 64), now)
    with busy.app.database.read() as session:
        assert common_head(session, witness) == (Head(0, GENESIS), 1)


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
    monkeypatch.setattr(
        "retention.custody.check.told_by",
        lambda entries: replace(told_by(entries), in_force=frozenset({hold.id, "01LOST"})),
    )

    with pytest.raises(CatalogueDisagrees, match="01LOST"):
        restore(busy, path)

    assert what_is_held(busy) == before
    assert busy.verify().ok


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


def test_the_catalogue_of_before_is_kept_aside(busy: House) -> None:
    path = back_up(busy)
    lost = busy.take_in()

    aside = restore(busy, path).aside

    if busy.app.database.is_sqlite:
        with closing(sqlite3.connect(aside)) as connection:
            assert connection.execute("SELECT id FROM recording").fetchall() == [(lost,)]
    else:
        assert busy.rows(f'SELECT id FROM "{aside}".recording') == [(lost,)]


def test_tables_that_are_there_are_moved_aside_only_when_told(new_postgres_house: NewHouse) -> None:
    house = new_postgres_house()
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


@pytest.mark.postgres
def test_a_backup_of_sqlite_is_restored_into_postgresql_and_back(
    busy_sqlite: House, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    recording_id, going = busy_sqlite.take_in(phone=CALLER), busy_sqlite.film()
    busy_sqlite.place(recording_id)
    path = back_up(busy_sqlite)
    busy_sqlite.clock.move(days=6)
    busy_sqlite.night()
    before = what_is_held(busy_sqlite)
    name = postgres_server.new_database()
    there = another_home(busy_sqlite, tmp_path / "postgres", postgres_server.url(name))

    restore(there, path, replace=False)

    assert going
    assert what_is_held(there) == before
    assert there.open(recording_id, "quality")
    assert look(there, Level.DIGEST).ok
    back = back_up(there, "back")
    there.close()
    restore(busy_sqlite, back)
    assert what_is_held(busy_sqlite) == before
    assert busy_sqlite.verify().ok
    postgres_server.drop(name)


def another_home(house: House, folder: Path, url: str) -> House:
    """The same keys, vault and witness, with another database."""
    (folder / "store").mkdir(parents=True)
    shutil.copytree(house.app.home / "witness", folder / "store" / "witness")
    write_settings(folder / "store", url)
    return House(folder, keys=house.app.keys, store=house.app.store, clock=house.clock)


def test_while_another_process_has_the_catalogue_open_nothing_is_swapped(busy_sqlite: House) -> None:
    path = back_up(busy_sqlite)
    lost = busy_sqlite.take_in()
    busy_sqlite.app.database.close()
    with closing(sqlite3.connect(busy_sqlite.app.home / "catalogue.db")) as other:
        other.execute("SELECT id FROM store").fetchall()

        with pytest.raises(DatabaseBusy, match="another process"):
            restore(busy_sqlite, path)

    assert busy_sqlite.find(lost)
    assert leftovers(busy_sqlite) == []


def test_a_catalogue_that_sqlite_cannot_open_any_more_is_kept_as_it_is(busy_sqlite: House) -> None:
    recording_id = busy_sqlite.take_in()
    path = back_up(busy_sqlite)
    busy_sqlite.app.database.close()
    live = busy_sqlite.app.home / "catalogue.db"
    live.write_bytes(b"no database at all")

    aside = restore(busy_sqlite, path).aside

    assert Path(aside).read_bytes() == b"no database at all"
    assert busy_sqlite.open(recording_id, "quality")


def test_nothing_of_the_building_is_left_beside_the_catalogue(busy_sqlite: House) -> None:
    path = back_up(busy_sqlite)

    restore(busy_sqlite, path)

    assert leftovers(busy_sqlite) == []


def leftovers(house: House) -> list[str]:
    """Files of an unfinished restore."""
    return [file.name for file in house.app.home.iterdir() if ".restoring" in file.name]
