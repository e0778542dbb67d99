"""Bytes without a row and rows without bytes: listed both ways; only bytes are erased, and only when told to."""

from datetime import timedelta

import pytest

from retention.custody import objects
from retention.custody import reconcile as reconciling
from retention.custody.model import Kind
from retention.custody.reconcile import Reconciled, reconcile
from retention.kernel.errors import CatalogueDisagrees, GuardTripped, StoreUnavailable
from retention.kernel.ids import new_id
from retention.vault.model import ObjectName, object_name
from tests.builders.custody import back_up, look, restore
from tests.builders.house import ACTOR, House


@pytest.fixture
def full(busy_sqlite: House) -> House:
    for _ in range(6):
        busy_sqlite.take_in()
    return busy_sqlite


def run(house: House, *, orphans: bool = False, stranded: bool = False, aliens: bool = False) -> Reconciled:
    return reconcile(
        house.app.custody_tools(),
        ACTOR,
        erase_orphans=orphans,
        erase_stranded=stranded,
        erase_aliens=aliens,
    )


def leave_strays(house: House, count: int, *, days_ago: float = 2) -> list[ObjectName]:
    """Objects that nobody wrote down."""
    names = []
    for _ in range(count):
        name = object_name(new_id(house.clock.now()), "original")
        house.memory_store.put_new(name, [b"stray"])
        house.memory_store.stored_at[name] -= timedelta(days=days_ago)
        names.append(name)
    return names


def test_where_catalogue_and_vault_agree_nothing_is_listed(full: House) -> None:
    found = run(full)

    assert (found.objects, found.known) == (12, 12)
    assert found.listed == []
    assert found.keys_without_row == ()


def test_without_a_flag_orphans_are_only_listed(full: House) -> None:
    (name,) = leave_strays(full, 1)

    found = run(full)

    assert found.listed == [(Kind.ORPHAN, name)]
    assert found.size_bytes == {Kind.ORPHAN: 5}
    assert found.erased == 0
    assert name in full.memory_store.objects


def test_with_the_flag_orphans_are_erased_and_that_is_on_record_first(full: House) -> None:
    names = leave_strays(full, 3)

    found = run(full, orphans=True)

    assert found.erased == 3
    assert not full.memory_store.objects.keys() & set(names)
    (entry,) = full.audit("vault:orphan:erase")
    assert entry.actor == ACTOR
    assert entry.detail["objects"] == 3
    assert entry.detail["kinds"] == ["orphan"]
    assert look(full).ok


def test_what_is_no_object_is_listed_checked_and_erased_only_by_its_own_flag(full: House) -> None:
    full.memory_store.aliens["objects/9V/notes.txt"] = b"notes"

    found = run(full, orphans=True, stranded=True)

    assert found.listed == [(Kind.ALIEN, "objects/9V/notes.txt")]
    assert (found.size_bytes, found.erased) == ({Kind.ALIEN: 5}, 0)
    assert [(each.kind, each.subject) for each in look(full).findings] == found.listed
    assert run(full, aliens=True).erased == 1
    assert full.memory_store.aliens == {}
    assert full.audit("vault:orphan:erase")[-1].detail["kinds"] == ["alien"]
    assert len(full.memory_store.objects) == 12
    assert look(full).ok


def test_what_is_younger_than_a_day_is_left_alone(full: House) -> None:
    leave_strays(full, 1, days_ago=0.9)

    assert run(full, orphans=True).listed == []
    assert look(full).ok


def test_what_gets_a_row_between_the_looking_and_the_erasing_is_left_alone(
    full: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    (name,) = leave_strays(full, 1)
    statement = f"INSERT INTO intake VALUES ('{name[3:29]}', 'host:x', '2026-03-02 00:00:00')"
    monkeypatch.setattr("retention.custody.reconcile._guard", lambda _: full.sql(statement))

    assert run(full, orphans=True).erased == 0
    assert name in full.memory_store.objects


def test_eleven_orphans_of_few_objects_are_too_many(full: House) -> None:
    names = leave_strays(full, 11)

    with pytest.raises(GuardTripped, match="11 of 23 objects have no row"):
        run(full, orphans=True)

    assert set(names) <= full.memory_store.objects.keys()
    assert full.audit("vault:orphan:erase") == []


def test_ten_are_not(full: House) -> None:
    leave_strays(full, 10)

    assert run(full, orphans=True).erased == 10


def test_more_orphans_than_known_objects_are_too_many_however_few(sqlite_house: House) -> None:
    """A lost database must never look like orphans."""
    leave_strays(sqlite_house, 2)

    with pytest.raises(GuardTripped):
        run(sqlite_house, orphans=True)


def test_bytes_of_disposed_recordings_are_erased_with_their_stale_lock(full: House) -> None:
    going = full.film()
    full.clock.move(days=6)
    full.night()
    name = object_name(going, "original")
    full.memory_store.put_new(name, [b"?"])
    full.memory_store.held.add(name)

    assert run(full).counts == {Kind.UNDEAD: 1}
    assert run(full, orphans=True).erased == 1
    assert look(full).ok


def test_an_orphan_with_a_lock_is_not_erased(full: House) -> None:
    """It may be a held recording whose row is lost."""
    (name,) = leave_strays(full, 1)
    full.memory_store.held.add(name)

    with pytest.raises(StoreUnavailable, match="protected by a hold"):
        run(full, orphans=True)

    assert name in full.memory_store.objects


def test_rows_without_bytes_are_listed_and_stay(full: House) -> None:
    name = next(iter(full.memory_store.objects))
    del full.memory_store.objects[name]

    found = run(full, orphans=True, stranded=True)

    assert found.listed == [(Kind.MISSING_BYTES, name)]
    assert full.rows("SELECT count(*) FROM recording") == [(6,)]


def test_keys_without_a_row_are_listed_and_stay(full: House) -> None:
    key_id = full.memory_keys.new_key()

    assert run(full, orphans=True).keys_without_row == (key_id,)
    assert key_id in full.memory_keys.key_ids()


def test_what_a_restore_left_stranded_is_erased_only_by_its_own_flag(full: House) -> None:
    path = back_up(full)
    full.clock.move(hours=1)
    lost = full.take_in()
    full.clock.move(days=2)
    restore(full, path)

    assert run(full, orphans=True).counts == {Kind.STRANDED: 2}
    assert len(full.objects_of(lost)) == 2
    assert run(full, stranded=True).erased == 2
    assert full.objects_of(lost) == []
    assert look(full).ok


def test_another_vault_is_not_reconciled(full: House) -> None:
    full.memory_store._id = "another"

    with pytest.raises(CatalogueDisagrees):
        run(full)


def test_many_orphans_are_looked_at_and_erased_a_batch_at_a_time(
    full: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "STRANGERS_AT_ONCE", 2)
    monkeypatch.setattr(reconciling, "ERASE_AT_ONCE", 2)
    names = leave_strays(full, 5)

    assert run(full).counts[Kind.ORPHAN] == 5
    assert run(full, orphans=True).erased == 5
    assert not full.memory_store.objects.keys() & set(names)
    assert [entry.detail["objects"] for entry in full.audit("vault:orphan:erase")] == [2, 2, 1]
