"""What the recorder called it, and who the call centre's agent was: found, held, and gone with the recording."""

import re
from typing import Any

import pytest

from retention.catalogue.find import Query, search
from retention.ingest.manifest import Entry
from tests.builders.custody import back_up, restore
from tests.builders.house import CALLER, House

OTHER = "+81355500199"
AGENT = {"side": "agent", "agent_id": "A17", "name": "係 一郎"}
SECOND_AGENT = {"side": "agent", "agent_id": "A18", "name": "係 二郎"}


@pytest.fixture
def house(house: House) -> House:
    """A store with a line."""
    house.add_source()
    return house


def call(house: House, agent: dict[str, str] = AGENT, phone: str = CALLER, **said: Any) -> str:
    return house.take_in(participants=[{"side": "caller", "phone": phone}, agent], **said)


def found(house: House, *blinds: frozenset[bytes], **query: Any) -> list[str]:
    """What carries all of these identifiers."""
    wanted = [each for some in blinds for each in some]
    with house.app.database.read() as session:
        return [each.id for each in search(session, house.app.schedule(), Query(wanted, **query))]


def test_a_recording_is_found_by_what_its_recorder_calls_it(house: House) -> None:
    wanted, _ = call(house, native_id="RE-0a17"), call(house, native_id="RE-0a18")
    assert found(house, house.blinds(native_id="re-0A17 ")) == [wanted]
    assert found(house, house.blinds(native_id="RE-0a1")) == []


@pytest.mark.parametrize("name", ["a17", "係一郎", "係　一郎"])
def test_an_agents_calls_are_found_by_id_and_by_name(house: House, name: str) -> None:
    mine, _ = call(house), call(house, SECOND_AGENT)
    assert found(house, house.blinds(agent=name)) == [mine]


def test_a_name_and_an_id_of_other_kinds_are_not_mistaken_for_an_agents(house: House) -> None:
    call(house, native_id="A17", customer_id="A17")
    customers = house.take_in(native_id="B1", customer_id="A18")
    assert found(house, house.blinds(agent="A18")) == []
    assert found(house, house.blinds(customer_id="A18")) == [customers]


def test_each_identifier_more_narrows_a_search(house: House) -> None:
    both, person, agent = call(house), call(house, SECOND_AGENT), call(house, phone=OTHER)
    hers, agents = house.blinds(CALLER), house.blinds(agent="A17")
    assert found(house, hers) == [both, person]
    assert found(house, agents) == [both, agent]
    assert found(house, hers, agents) == found(house, agents, hers) == [both]
    assert found(house, hers, agents, house.blinds(agent="A18")) == []
    assert found(house, agents, source_id="line-1") == [both, agent]
    assert found(house, agents, source_id="line-2") == []


def test_one_recording_with_two_agents_is_found_by_both(house: House) -> None:
    passed_on = house.take_in(participants=[AGENT, SECOND_AGENT])
    assert found(house, house.blinds(agent="A17"), house.blinds(agent="A18")) == [passed_on]


def test_an_item_released_from_quarantine_with_a_corrected_agent_is_found_by_it(house: House) -> None:
    house.ingest(house.write("a.rec", sidecar={"purposes": ["marketing"], "participants": [AGENT]}))
    (item,) = house.quarantined()
    released = house.release(
        item.id, entry=Entry.model_validate({"id": "77", "participants": [SECOND_AGENT]})
    )
    assert found(house, house.blinds(agent="A18"), house.blinds(native_id="77")) == [released.id]
    assert found(house, house.blinds(agent="A17")) == []


def test_a_hold_on_an_agent_covers_their_calls_now_and_later_and_nobody_elses(house: House) -> None:
    here, other = call(house), call(house, SECOND_AGENT)
    placed = house.place(agent="a17")
    later, released = call(house, phone=OTHER), call(house, SECOND_AGENT, phone=OTHER)
    assert placed.recording_ids == (here,)
    held = {each for each in (here, other, later, released) if house.find(each).hold_ids}
    assert held == {here, later}


def test_a_hold_on_a_recorders_own_id_covers_what_arrives_under_it(house: House) -> None:
    placed = house.place(native_id="RE-1")
    leg, other = call(house, native_id="re-1"), call(house, native_id="RE-10")
    assert placed.recording_ids == ()
    assert [house.find(each).hold_ids for each in (leg, other)] == [(placed.hold.id,), ()]


def test_a_hold_on_a_person_and_an_agent_covers_what_carries_either(house: House) -> None:
    hers, agents, _ = call(house, SECOND_AGENT), call(house, phone=OTHER), call(house, SECOND_AGENT, OTHER)
    assert set(house.place(phone=CALLER, agent="A17").recording_ids) == {hers, agents}


def test_what_is_disposed_of_is_found_by_neither_and_its_tombstone_says_neither(house: House) -> None:
    gone = call(house, native_id="RE-SECRET-1")
    blinds = house.blinds(native_id="RE-SECRET-1", agent="A17")
    house.clock.move(days=400)
    house.night()
    assert house.find(gone).state == "disposed"
    assert [found(house, frozenset({each})) for each in blinds] == [[], []]
    assert house.rows("SELECT 1 FROM identifier") == []
    (tombstone,) = house.rows("SELECT leaf FROM tombstone")
    assert not names_the_agent(tombstone.leaf)
    for secret in ("secret", "係", *(each.hex() for each in blinds)):
        assert secret not in tombstone.leaf.lower()


def test_the_catalogue_alone_names_no_agent_and_no_recorders_id(house: House) -> None:
    call(house, native_id="RE-SECRET-1")
    house.place(agent="A17")
    tables = ("recording", "identifier", "hold", "audit_entry")
    rows = "".join(str(row) for table in tables for row in house.rows(f"SELECT * FROM {table}"))
    assert not names_the_agent(rows)
    for secret in ("secret", "係", "一郎"):
        assert secret not in rows.lower()


def names_the_agent(text: str) -> bool:
    """Whether it says A17; digests may by chance."""
    return re.search(r"(?<![0-9a-f])a17(?![0-9a-f])", text.lower()) is not None


def test_a_restored_backup_finds_and_holds_by_agent_and_by_recorders_id(house: House) -> None:
    wanted, other = call(house, native_id="RE-1"), call(house, SECOND_AGENT)
    path = back_up(house)
    hold = house.place(agent="A17").hold
    restore(house, path)
    assert found(house, house.blinds(native_id="RE-1"), house.blinds(agent="係一郎")) == [wanted]
    assert [house.find(each).hold_ids for each in (wanted, other)] == [(hold.id,), ()]
    assert house.find(call(house)).hold_ids == (hold.id,)


def test_the_same_recording_under_another_spelling_of_its_id_is_known_again(house: House) -> None:
    path = house.write("a.rec", sidecar={"native_id": "RE-1", "started_at": "2026-03-02T09:00"})
    (first,) = house.ingest(path)
    path.with_name("a.rec.json").write_text('{"native_id": "re-1", "started_at": "2026-03-02T09:00"}')
    (again,) = house.ingest(path)
    assert (again.id, again.status) == (first.id, "duplicate")
