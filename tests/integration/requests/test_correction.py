"""A correction: agreed by two who saw it, done at once, with what stood there before; nothing lets go by it."""

import json
from typing import Any

import pytest

from retention.audit.tags import Tag
from retention.catalogue.find import Query, search
from retention.catalogue.identifiers import Identifier
from retention.disclosure.deliver import hand_over
from retention.kernel.errors import (
    IllegalTransition,
    InvalidInput,
    NotFound,
    NotPermitted,
    StaleApproval,
)
from retention.provision.blocks import block, blocked
from retention.requests.answer import close
from retention.requests.carry_out import carry_out
from retention.requests.cases import find_request
from retention.requests.correct import code_of, propose
from retention.requests.corrected import corrections_of
from retention.requests.decide import Decision, approve, decide, send_back
from retention.requests.file import file
from retention.requests.identify import identify
from retention.requests.letter import answer_key, open_case, sheet_of
from retention.requests.match import leave_out, match
from retention.requests.particulars import Change
from retention.requests.received import Described, Person, Received
from retention.requests.rules.model import Outcome, RequestKind
from retention.requests.tables import RequestRow
from retention.vault.door import Way
from retention.vault.fixity import Level
from tests.builders.custody import back_up, look, restore
from tests.builders.disclosure import packaged
from tests.builders.house import ACTOR, CALLER, SECOND, House

RIGHT, OTHER = "+81355500177", "+81355500199"
FULL = Decision(Outcome.FULL)
REFUSED = Decision(Outcome.REFUSED, ("not-a-fact",), "it is what was said")
AGENT = {"side": "agent", "name": "係 一郎"}


@pytest.fixture
def house(house: House) -> House:
    """A store with a line."""
    house.add_source()
    return house


def call(house: House, phone: str = CALLER, name: str = "髙橋 花子") -> str:
    """A call of somebody with an agent."""
    return house.take_in(participants=[{"side": "caller", "phone": phone, "name": name}, AGENT])


def matched(
    house: House, phone: str = CALLER, kind: RequestKind = RequestKind.CORRECTION, **said: Any
) -> str:
    """A request about somebody's calls, at its search; its receipt number."""
    tools = house.app.paper_tools()
    described = Described((Identifier("phone", phone),))
    received = Received(
        kind, Person("高橋 花子", "東京都千代田区"), house.clock.now(), "ja", described=described, **said
    )
    filed = file(tools, received, ACTOR)
    identify(tools, filed.receipt, ["drivers-licence"], [], "", ACTOR)
    match(tools, filed.receipt, ACTOR)
    return filed.receipt


def correct(house: House, receipt: str, recording_id: str, *changes: str, statement: str = "") -> None:
    wanted, tools = [Change.parse(each) for each in changes], house.app.paper_tools()
    propose(tools, house.app.door, receipt, recording_id, wanted, ACTOR, statement=statement)


def row_of(house: House, receipt: str) -> RequestRow:
    with house.app.database.read() as session:
        return find_request(session, receipt)


def code(house: House, receipt: str) -> str:
    with house.app.database.read() as session:
        return code_of(session, house.app.paper_tools(), find_request(session, receipt))


def agreed(house: House, receipt: str, decision: Decision = FULL) -> None:
    decide(house.app.paper_tools(), receipt, decision, ACTOR)
    approve(house.app.paper_tools(), receipt, SECOND, code(house, receipt))


def done(house: House, receipt: str) -> RequestRow:
    return carry_out(house.app.paper_tools(), house.app.disposal_tools(), receipt, ACTOR)


def corrected(house: House, recording_id: str, *changes: str, phone: str = CALLER) -> RequestRow:
    """Carry one correction out."""
    receipt = matched(house, phone)
    correct(house, receipt, recording_id, *changes)
    agreed(house, receipt)
    return done(house, receipt)


def note_of(house: House, recording_id: str) -> Any:
    """What is known of the people in a recording, for the purpose it carries."""
    schedule, now = house.app.schedule(), house.clock.now()
    return json.loads(house.app.door.particulars(schedule, recording_id, Way("quality"), ACTOR, now))


def people(house: House, recording_id: str) -> list[dict[str, str]]:
    found = note_of(house, recording_id)["entry"]["participants"]
    return [{name: value for name, value in each.items() if value} for each in found]


def found_by(house: House, phone: str) -> list[str]:
    with house.app.database.read() as session:
        found = search(session, house.app.schedule(), Query(blinds=house.blinds(phone)))
        return [each.id for each in found]


# --- what it does


def test_a_correction_changes_what_it_names_and_keeps_what_stood_there_and_who_changed_it(
    house: House,
) -> None:
    recording = call(house)
    content = house.open(recording, "quality")
    row = corrected(house, recording, "caller.name=高橋 花子")
    assert people(house, recording) == [{"side": "caller", "phone": CALLER, "name": "高橋 花子"}, AGENT]
    (kept,) = note_of(house, recording)["corrections"]
    assert kept["was"][0]["name"] == "髙橋 花子"
    assert (kept["by"], kept["decided_by"], kept["approved_by"]) == (ACTOR, ACTOR, SECOND)
    assert kept["request"] == row.receipt
    assert row.effect["corrected"][0]["particulars"] == ["caller.name"]
    assert house.open(recording, "quality") == content
    assert look(house, Level.DIGEST).ok


def test_a_corrected_number_is_found_and_the_wrong_one_is_not(house: House) -> None:
    recording, other = call(house), call(house)
    corrected(house, recording, f"caller.phone={RIGHT}")
    assert found_by(house, RIGHT) == [recording]
    assert found_by(house, CALLER) == [other]


def test_somebody_who_is_not_in_the_recording_is_no_longer_found_in_it(house: House) -> None:
    recording = call(house)
    corrected(house, recording, "caller=")
    assert people(house, recording) == [AGENT]
    assert found_by(house, CALLER) == []
    assert note_of(house, recording)["corrections"][0]["was"][0]["phone"] == CALLER


def test_nothing_is_changed_before_two_people_have_agreed(house: House) -> None:
    recording, receipt = call(house), matched(house)
    before = people(house, recording)
    correct(house, receipt, recording, "caller.name=高橋 花子")
    decide(house.app.paper_tools(), receipt, FULL, ACTOR)
    with pytest.raises(IllegalTransition):
        done(house, receipt)
    approve(house.app.paper_tools(), receipt, SECOND, code(house, receipt))
    assert people(house, recording) == before
    done(house, receipt)
    assert people(house, recording) != before


def test_the_trail_says_what_was_corrected_and_by_whom_and_names_nobody(house: House) -> None:
    recording = call(house)
    receipt = corrected(house, recording, f"caller.phone={RIGHT}", "caller.name=高橋 花子").receipt
    done_ = house.audit(Tag.REQUEST_CARRIED_OUT)[-1]
    assert done_.detail["corrected"][0]["particulars"] == ["caller.phone", "caller.name"]
    told = "".join(str(each) for each in house.audit())
    rows = str(house.rows("SELECT * FROM correction"))
    for secret in ("花子", RIGHT, CALLER, "5550"):
        assert secret not in told + rows
    openings = [each for each in house.audit(Tag.OPENED) if each.detail.get("role") == "particulars"]
    assert [each.subject for each in openings] == [recording]
    with house.app.database.read() as session:
        assert [each.receipt for each in corrections_of(session, recording)] == [receipt]


# --- holds and stops


def test_a_hold_on_the_right_number_takes_the_recording_in(house: House) -> None:
    recording = call(house)
    hold = house.place(phone=RIGHT).hold
    row = corrected(house, recording, f"caller.phone={RIGHT}")
    assert hold.id in house.find(recording).hold_ids
    assert row.effect["corrected"][0]["held_by"] == [hold.id]
    assert house.open(recording, hold_id=hold.id)
    assert house.recount() == house.lot_counts()


def test_a_hold_on_the_wrong_number_does_not_let_go_until_its_owner_lifts_it(house: House) -> None:
    recording = call(house)
    hold = house.place(phone=CALLER).hold
    row = corrected(house, recording, f"caller.phone={RIGHT}")
    assert row.effect["corrected"][0]["still_held_by"] == [hold.id]
    finish(house, row.receipt)
    assert house.find(recording).hold_ids == (hold.id,)
    house.clock.move(days=30)
    house.night()
    assert house.find(recording).state == "sealed"
    house.lift(hold.id)
    house.clock.move(days=1)
    house.night()
    assert house.find(recording).state == "disposed"


def test_a_suspension_of_use_of_the_right_person_covers_the_recording_from_then_on(house: House) -> None:
    recording = call(house)
    house.place(phone=RIGHT, suspends_use=True)
    corrected(house, recording, f"caller.phone={RIGHT}")
    with pytest.raises(NotPermitted, match="suspended"):
        house.open(recording, "quality")


def test_a_stop_of_provision_under_the_wrong_number_stays_until_it_is_taken_away(house: House) -> None:
    recording = call(house)
    with house.app.database.write() as session:
        block(
            session, house.app.journal, house.clock.now(), ACTOR, reason="asked", blinds=house.blinds(CALLER)
        )
    row = corrected(house, recording, f"caller.phone={RIGHT}")
    with house.app.database.read() as session:
        assert blocked(session, recording) == tuple(row.effect["corrected"][0]["still_stopped_by"]) != ()


def test_what_is_not_about_an_identifier_touches_no_hold_and_no_stop(house: House) -> None:
    recording = call(house)
    house.place(phone=CALLER)
    before = house.find(recording).hold_ids
    (made,) = corrected(house, recording, "caller.gender=female").effect["corrected"]
    assert (made["held_by"], made["still_held_by"], made["still_stopped_by"]) == ([], [], [])
    assert set(before) < set(house.find(recording).hold_ids)


# --- what is refused, and why


def test_the_second_person_approves_what_they_have_seen_and_nothing_else(house: House) -> None:
    recording, receipt, tools = call(house), matched(house), house.app.paper_tools()
    correct(house, receipt, recording, "caller.name=高橋 花子")
    decide(tools, receipt, FULL, ACTOR)
    seen = code(house, receipt)
    with pytest.raises(InvalidInput, match="which corrections were looked at"):
        approve(tools, receipt, SECOND)
    with pytest.raises(NotPermitted, match="nobody approves"):
        approve(tools, receipt, ACTOR, seen)
    send_back(tools, receipt, "the first name, too", SECOND)
    correct(house, receipt, recording, "caller.name=高橋 華子")
    decide(tools, receipt, FULL, ACTOR)
    with pytest.raises(StaleApproval, match="is not what is decided"):
        approve(tools, receipt, SECOND, seen)
    approve(tools, receipt, SECOND, code(house, receipt))
    done(house, receipt)
    assert people(house, recording)[0]["name"] == "高橋 華子"


@pytest.mark.parametrize(
    "hand",
    ["suzuki", "mori", "ＭＯＲＩ", "kato "],
    ids=["decided", "put together", "written otherwise", "earlier"],
)
@pytest.mark.parametrize("outcome", [Outcome.FULL, Outcome.REFUSED])
def test_nobody_approves_a_correction_that_they_had_a_hand_in(
    house: House, hand: str, outcome: Outcome
) -> None:
    recording, receipt, tools = call(house), matched(house), house.app.paper_tools()
    (change,) = map(Change.parse, ["caller.name=高橋 花子"])
    propose(tools, house.app.door, receipt, recording, [change], "kato")
    granted = outcome is Outcome.FULL
    changes, statement = ([change], "") if granted else ([], "my name is Hanako")
    propose(tools, house.app.door, receipt, recording, changes, "mori", statement=statement)
    decide(tools, receipt, FULL if granted else REFUSED, "suzuki")
    with pytest.raises(NotPermitted, match="nobody approves"):
        approve(tools, receipt, hand, code(house, receipt))
    approve(tools, receipt, SECOND, code(house, receipt))


def test_a_correction_that_says_nothing_cannot_be_granted(house: House) -> None:
    recording, receipt = call(house), matched(house)
    with pytest.raises(InvalidInput, match="nothing is to be corrected") as refused:
        decide(house.app.paper_tools(), receipt, FULL, ACTOR)
    assert "request correct" in refused.value.hint
    correct(house, receipt, recording, "caller.name=高橋 花子")
    correct(house, receipt, recording)
    with pytest.raises(InvalidInput, match="nothing is to be corrected"):
        decide(house.app.paper_tools(), receipt, FULL, ACTOR)


def test_a_telephone_number_must_be_one(house: House) -> None:
    recording, receipt = call(house), matched(house)
    with pytest.raises(InvalidInput, match="number of the correction is none") as refused:
        correct(house, receipt, recording, "caller.phone=not a number")
    assert "not a number" not in str(refused.value)


def test_only_what_the_request_is_about_is_corrected_and_only_at_its_search(house: House) -> None:
    mine, other = call(house), call(house, OTHER)
    receipt = matched(house)
    with pytest.raises(NotFound, match="is not about"):
        correct(house, receipt, other, "caller.name=誰")
    correct(house, receipt, mine, "caller.name=高橋 花子")
    decide(house.app.paper_tools(), receipt, FULL, ACTOR)
    with pytest.raises(IllegalTransition, match="decided"):
        correct(house, receipt, mine, "caller.name=誰")
    with pytest.raises(InvalidInput, match="not for a correction"):
        correct(house, matched(house, kind=RequestKind.ERASURE), mine, "caller.name=誰")


def test_a_part_is_granted_for_some_recordings_and_says_why_not_for_others(house: House) -> None:
    first, second, receipt = call(house), call(house), matched(house)
    correct(house, receipt, first, "caller.name=高橋 花子")
    correct(house, receipt, second, "caller.name=高橋 花子")
    partial = Decision(Outcome.PARTIAL, ("facts-correct",), "the second is right", not_for=(second,))
    with pytest.raises(InvalidInput, match=f"a correction of {second} is proposed"):
        decide(house.app.paper_tools(), receipt, partial, ACTOR)
    correct(house, receipt, second)
    agreed(house, receipt, partial)
    assert done(house, receipt).effect["recordings"] == [first]
    assert people(house, second)[0]["name"] == "髙橋 花子"


def test_a_part_may_be_less_than_was_asked_of_the_same_recording(house: House) -> None:
    recording, receipt = call(house), matched(house)
    correct(house, receipt, recording, "caller.name=高橋 花子", statement="I was polite.")
    agreed(house, receipt, Decision(Outcome.PARTIAL, ("not-a-fact",), "what was said stays as it was said"))
    assert done(house, receipt).effect["recordings"] == [recording]


def test_what_was_left_out_is_not_corrected(house: House) -> None:
    recording, _, receipt = call(house), call(house), matched(house)
    correct(house, receipt, recording, "caller.name=高橋 花子")
    leave_out(house.app.paper_tools(), receipt, recording, "somebody else", ACTOR)
    with pytest.raises(InvalidInput, match="is proposed"):
        decide(house.app.paper_tools(), receipt, FULL, ACTOR)


def test_a_refused_correction_and_one_of_nothing_change_nothing(house: House) -> None:
    recording = call(house)
    for phone, decision in (
        (CALLER, Decision(Outcome.REFUSED, ("facts-correct",), "it is right")),
        (OTHER, Decision(Outcome.NOTHING_HELD)),
    ):
        receipt = matched(house, phone)
        decide(house.app.paper_tools(), receipt, decision, ACTOR)
        approve(house.app.paper_tools(), receipt, SECOND)
        with pytest.raises(IllegalTransition, match="not possible to carry out"):
            done(house, receipt)
    assert people(house, recording)[0]["name"] == "髙橋 花子"


def test_particulars_that_another_request_has_changed_are_looked_at_again(house: House) -> None:
    recording, receipt = call(house), matched(house)
    correct(house, receipt, recording, "caller.name=高橋 花子")
    agreed(house, receipt)
    corrected(house, recording, "caller.name=高橋 華子")
    with pytest.raises(StaleApproval, match="were changed since") as refused:
        done(house, receipt)
    assert "send-back" in refused.value.hint
    send_back(house.app.paper_tools(), receipt, "look again", SECOND)
    correct(house, receipt, recording, "caller.name=高橋 花子")
    agreed(house, receipt)
    done(house, receipt)
    told = note_of(house, recording)["corrections"]
    assert [each["was"][0]["name"] for each in told] == ["髙橋 花子", "高橋 華子"]


def test_a_statement_is_kept_beside_what_stays_as_it_is(house: House) -> None:
    recording, receipt, tools = call(house), matched(house), house.app.paper_tools()
    with pytest.raises(InvalidInput, match=f"promises to keep what the person states.*{recording}"):
        decide(tools, receipt, REFUSED, ACTOR)
    correct(house, receipt, recording, "caller.name=高橋 花子", statement="That is not my name.")
    decide(tools, receipt, REFUSED, ACTOR)
    with pytest.raises(InvalidInput, match="is proposed, and request"):
        approve(tools, receipt, SECOND)
    send_back(tools, receipt, "a statement will do", SECOND)
    propose(tools, house.app.door, receipt, recording, [], ACTOR, statement="I did not say that.")
    decide(tools, receipt, REFUSED, ACTOR)
    path = back_up(house)
    approve(tools, receipt, SECOND)
    restore(house, path)
    (kept,) = note_of(house, recording)["corrections"]
    assert (kept["statement"], kept["changes"]) == ("I did not say that.", [])
    assert people(house, recording)[0]["name"] == "髙橋 花子"


# --- the answer


def finish(house: House, receipt: str) -> None:
    tools = house.app.paper_tools()
    packaged(house, receipt)
    hand_over(tools, house.app.outbox, receipt, "post", "", ACTOR)
    close(tools, house.app.hold_tools(), receipt, ACTOR)


def test_the_letter_says_what_was_corrected(house: House) -> None:
    recording = call(house)
    receipt = corrected(house, recording, "caller.name=高橋 花子", "caller.gender=女性").receipt
    tools = house.app.paper_tools()
    case = open_case(tools, house.app.door, house.app.schedule(), receipt, ACTOR)
    sheet = sheet_of(tools, case, answer_key(case.row))
    (items,) = [each.items for each in sheet.paragraphs if each.items]
    assert "氏名: 髙橋 花子 → 高橋 花子; 性別: なし → 女性" in items[0]
    finish(house, receipt)
    assert row_of(house, receipt).stage == "closed"


# --- restores


def test_a_backup_from_before_does_not_undo_a_correction_nor_lose_the_hold_it_brought(house: House) -> None:
    recording = call(house)
    hold = house.place(phone=RIGHT).hold
    path = back_up(house)
    receipt = corrected(house, recording, f"caller.phone={RIGHT}").receipt
    restored = restore(house, path).replayed
    assert (restored.corrections, restored.requests_lost) == (1, [receipt])
    assert people(house, recording)[0]["phone"] == RIGHT
    assert (found_by(house, RIGHT), found_by(house, CALLER)) == ([recording], [])
    assert hold.id in house.find(recording).hold_ids
    assert house.open(recording, hold_id=hold.id)
    assert house.recount() == house.lot_counts()
    assert look(house, Level.DIGEST).ok


def test_a_restore_of_a_backup_that_knows_the_corrections_changes_nothing(house: House) -> None:
    recording = call(house)
    corrected(house, recording, "caller.name=高橋 花子")
    corrected(house, recording, "caller.name=高橋 華子")
    path = back_up(house)
    assert restore(house, path).replayed.corrections == 0
    assert people(house, recording)[0]["name"] == "高橋 華子"
    assert len(note_of(house, recording)["corrections"]) == 2


def test_a_request_that_a_restore_brought_back_to_before_its_correction_is_carried_out_again(
    house: House,
) -> None:
    recording, receipt = call(house), matched(house)
    correct(house, receipt, recording, "caller.name=高橋 花子")
    agreed(house, receipt)
    path = back_up(house)
    done(house, receipt)
    restore(house, path)
    assert row_of(house, receipt).stage == "approved"
    done(house, receipt)
    finish(house, receipt)
    assert len(note_of(house, recording)["corrections"]) == 1


def test_what_was_corrected_and_then_disposed_of_stays_gone(house: House) -> None:
    recording = call(house)
    path = back_up(house)
    finish(house, corrected(house, recording, "caller.name=高橋 花子").receipt)
    house.clock.move(days=30)
    back_up(house, "recent")
    house.night()
    restore(house, path)
    assert house.find(recording).state == "disposed"
