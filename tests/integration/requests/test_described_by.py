"""A request that describes recordings by their recorder's own id, or comes from an agent of the call centre."""

from typing import Any

import pytest

from retention.catalogue.find import Query, search
from retention.catalogue.identifiers import sought
from retention.provision.blocks import blocked
from retention.requests.carry_out import carry_out
from retention.requests.cases import find_request
from retention.requests.correct import code_of, propose
from retention.requests.decide import Decision, approve, decide
from retention.requests.file import Filed, file
from retention.requests.identify import identify
from retention.requests.match import Found, match
from retention.requests.particulars import Change
from retention.requests.received import Described, Person, Received
from retention.requests.rules.model import Outcome, RequestKind
from tests.builders.copies import Case
from tests.builders.custody import back_up, restore
from tests.builders.house import ACTOR, CALLER, SECOND, House

OTHER = "+81355500199"
AGENT = {"side": "agent", "agent_id": "A17", "name": "係 一郎"}
SECOND_AGENT = {"side": "agent", "agent_id": "A18", "name": "係 二郎"}
FULL = Decision(Outcome.FULL)


@pytest.fixture
def house(house: House) -> House:
    """A store with two lines."""
    house.add_source()
    house.add_source("line-2")
    return house


def call(house: House, agent: dict[str, str] = AGENT, phone: str = CALLER, **said: Any) -> str:
    return house.take_in(participants=[{"side": "caller", "phone": phone}, agent], **said)


def receive(house: House, kind: RequestKind = RequestKind.DISCLOSURE, **known: str) -> Filed:
    identifiers = tuple(sought(each.replace("_", "-"), text, "JP") for each, text in known.items())
    received = Received(
        kind, Person("花子", "東京都"), house.clock.now(), "ja", described=Described(identifiers)
    )
    filed = file(house.app.paper_tools(), received, ACTOR)
    identify(house.app.paper_tools(), filed.receipt, ["drivers-licence"], [], "", ACTOR)
    return filed


def matched(house: House, filed: Filed) -> Found:
    return match(house.app.paper_tools(), filed.receipt, ACTOR)


def granted(house: House, filed: Filed) -> None:
    """Decide, approve and carry out in full."""
    tools = house.app.paper_tools()
    decide(tools, filed.receipt, FULL, ACTOR)
    with house.app.database.read() as session:
        row = find_request(session, filed.receipt)
        seen = code_of(session, tools, row) if row.kind == RequestKind.CORRECTION else ""
    approve(tools, filed.receipt, SECOND, seen)
    carry_out(tools, house.app.disposal_tools(), filed.receipt, ACTOR)


def stopped(house: House, recording_id: str) -> bool:
    with house.app.database.read() as session:
        return bool(blocked(session, recording_id))


def found(house: House, **known: str) -> list[str]:
    with house.app.database.read() as session:
        query = Query(house.blinds(**known))
        return [each.id for each in search(session, house.app.schedule(), query)]


# --- what it freezes and finds


def test_a_confirmation_number_freezes_and_finds_just_that_recording(house: House) -> None:
    wanted, other = call(house, native_id="RE-17"), call(house, native_id="RE-171")
    filed = receive(house, native="re-17")
    assert filed.held == {wanted}
    house.clock.move(days=400)
    house.night()
    assert [house.find(each).state for each in (wanted, other)] == ["sealed", "disposed"]
    assert (matched(house, filed).living, matched(house, filed).gone) == ((wanted,), ())


def test_an_agents_request_is_about_their_calls_those_that_arrive_later_too(house: House) -> None:
    here, other = call(house), call(house, SECOND_AGENT)
    filed = receive(house, call_agent="係　一郎")
    later = call(house, phone=OTHER)
    assert filed.held == {here}
    assert house.find(other).hold_ids == ()
    assert matched(house, filed).living == tuple(sorted((here, later)))


def test_the_log_has_what_found_nothing_as_well(house: House) -> None:
    call(house, native_id="RE-17")
    filed = receive(house, native="RE-17", call_agent="A99", phone=OTHER)
    assert dict(matched(house, filed).searched) == {
        "native re-17": 1,
        "call-agent a99": 0,
        f"phone {OTHER}": 0,
    }


def test_what_was_called_so_and_is_gone_is_answered_by_its_certificate(house: House) -> None:
    gone, other = call(house, native_id="RE-17"), call(house, native_id="RE-18")
    house.clock.move(days=400)
    run = house.night()
    filed = receive(house, native="RE-17", call_agent="A17")
    result = matched(house, filed)
    assert (result.living, result.gone) == ((), ((gone, run.id),))
    assert dict(result.searched) == {"native re-17": 1, "call-agent a17": 0}
    assert other not in dict(result.gone)


def test_two_recorders_that_count_alike_are_both_found_and_one_is_left_to_a_person(house: House) -> None:
    both = {call(house, native_id="17"), house.take_in("line-2", native_id="17")}
    assert receive(house, native="17").held == both


# --- corrections


def correct(house: House, recording_id: str, *changes: str) -> None:
    filed = receive(house, RequestKind.CORRECTION, phone=CALLER)
    matched(house, filed)
    wanted = [Change.parse(each) for each in changes]
    propose(house.app.paper_tools(), house.app.door, filed.receipt, recording_id, wanted, ACTOR)
    granted(house, filed)


def test_a_corrected_recording_is_still_found_by_what_its_recorder_calls_it(house: House) -> None:
    recording = call(house, native_id="RE-17")
    hold = house.place(native_id="RE-17").hold
    correct(house, recording, "caller.phone=03-5550-0177")
    assert found(house, native_id="RE-17") == found(house, agent="A17") == [recording]
    assert (found(house, number=CALLER), found(house, number="03-5550-0177")) == ([], [recording])
    assert hold.id in house.find(recording).hold_ids


def test_a_corrected_agent_is_found_and_held_and_the_wrong_one_is_found_no_more(house: House) -> None:
    recording = call(house, native_id="RE-17")
    wrong, right = house.place(agent="A17").hold, house.place(agent="A18").hold
    correct(house, recording, "agent.agent_id=A18", "agent.name=係 二郎")
    assert found(house, agent="係二郎") == found(house, agent="A18") == [recording]
    assert found(house, agent="A17") == found(house, agent="係一郎") == []
    assert {wrong.id, right.id} <= set(house.find(recording).hold_ids)


def test_a_restore_of_a_backup_from_before_a_correction_finds_it_by_all_that_is_right(house: House) -> None:
    recording = call(house, native_id="RE-17")
    path = back_up(house)
    correct(house, recording, "agent.agent_id=A18")
    before = house.rows("SELECT * FROM identifier ORDER BY blind, recording_id")
    restore(house, path)
    assert house.rows("SELECT * FROM identifier ORDER BY blind, recording_id") == before
    assert found(house, native_id="RE-17") == found(house, agent="A18") == [recording]
    assert found(house, agent="A17") == []


# --- stops of provision


def test_a_stop_for_a_recorders_own_id_covers_that_recording_and_no_other_of_the_same_id(
    house: House,
) -> None:
    recording = call(house, native_id="17")
    filed = receive(house, RequestKind.STOP_PROVISION, native="17")
    matched(house, filed)
    granted(house, filed)
    another = house.take_in("line-2", native_id="17")
    assert [stopped(house, each) for each in (recording, another)] == [True, False]


def test_a_stop_for_a_person_stops_no_other_call_of_their_agent(house: House) -> None:
    hers, agents = call(house), call(house, phone=OTHER)
    filed = receive(house, RequestKind.STOP_PROVISION, phone=CALLER)
    matched(house, filed)
    granted(house, filed)
    assert [stopped(house, each) for each in (hers, agents)] == [True, False]


def test_a_stop_for_an_agent_covers_their_later_calls(house: House) -> None:
    here, other = call(house), call(house, SECOND_AGENT)
    filed = receive(house, RequestKind.STOP_PROVISION, call_agent="A17")
    matched(house, filed)
    granted(house, filed)
    assert [stopped(house, each) for each in (here, call(house), other)] == [True, True, False]


# --- copies


@pytest.mark.parametrize(
    ("known", "own"),
    [
        ({"call_agent": "A17"}, {"agent"}),
        ({"call_agent": "係一郎"}, {"agent"}),
        ({"phone": CALLER}, {"caller"}),
        ({"native": "RE-17"}, set()),
        ({"phone": CALLER, "native": "RE-17"}, {"caller"}),
    ],
)
def test_whose_side_it_is_follows_from_who_asks_and_never_from_the_recorders_own_id(
    house: House, known: dict[str, str], own: set[str]
) -> None:
    recording = call(house, native_id="RE-17")
    identifiers = tuple(sought(each.replace("_", "-"), text, "JP") for each, text in known.items())
    Case(house, by=identifiers).matched().propose(recording)
    assert house.redactor.originals[-1].own_sides == own
