"""What was granted is done: at once, for these recordings and no others, and provably."""

import pytest

from retention.catalogue.identifiers import Identifier
from retention.disclosure.deliver import hand_over
from retention.disposal.model import RunKind, RunState
from retention.disposal.tables import RunRow
from retention.kernel.errors import (
    HoldInForce,
    IllegalTransition,
    InvalidInput,
    KeyMissing,
    NotPermitted,
    StaleApproval,
)
from retention.requests.answer import close
from retention.requests.carry_out import carry_out
from retention.requests.cases import find_request
from retention.requests.decide import Decision, approve, decide, send_back
from retention.requests.file import file
from retention.requests.identify import identify
from retention.requests.match import match
from retention.requests.received import Described, Person, Received
from retention.requests.rules.model import Outcome, RequestKind
from retention.requests.tables import RequestRow
from retention.vault.fixity import Level
from tests.builders.custody import back_up, look, restore
from tests.builders.disclosure import packaged
from tests.builders.house import ACTOR, CALLER, SECOND, House

OTHER = "+81355500199"


@pytest.fixture
def house(house: House) -> House:
    """A store with a line whose calls have two purposes."""
    house.add_source(purposes=["quality", "inquiry"])
    return house


def approved(house: House, kind: RequestKind, decision: Decision) -> str:
    """A request about the caller's calls that two people have granted; its receipt number."""
    tools = house.app.paper_tools()
    described = Described((Identifier("phone", CALLER),))
    filed = file(tools, Received(kind, Person("花子"), house.clock.now(), "ja", described=described), ACTOR)
    identify(tools, filed.receipt, ["drivers-licence"], [], "", ACTOR)
    match(tools, filed.receipt, ACTOR)
    decide(tools, filed.receipt, decision, ACTOR)
    approve(tools, filed.receipt, SECOND)
    return filed.receipt


def done(house: House, receipt: str) -> RequestRow:
    return carry_out(house.app.paper_tools(), house.app.disposal_tools(), receipt, ACTOR)


def wraps(house: House, recording_id: str) -> list[tuple[str, bytes]]:
    """Every data key wrap that a backup made now would hold."""
    rows = house.rows("SELECT key_id, wrapped FROM wrap WHERE recording_id = :id", id=recording_id)
    return [(row.key_id, bytes(row.wrapped)) for row in rows]


def test_suspension_blocks_use_at_once_and_only_of_what_was_granted(house: House) -> None:
    first, second, other = (
        house.take_in(phone=CALLER),
        house.take_in(phone=CALLER),
        house.take_in(phone=OTHER),
    )
    partial = Decision(
        Outcome.PARTIAL, ("no-breach",), "the second is needed in a dispute", not_for=(second,)
    )
    receipt = approved(house, RequestKind.SUSPENSION, partial)
    assert house.open(first, "quality")
    row = done(house, receipt)
    with pytest.raises(NotPermitted, match="its use is suspended"):
        house.open(first, "quality")
    assert house.open(second, "quality")
    assert house.open(other, "quality")
    assert row.effect["recordings"] == [first]


def test_erasure_ends_in_a_certificate_and_takes_nothing_else_along(house: House) -> None:
    mine, other = house.take_in(phone=CALLER), house.take_in(phone=OTHER)
    row = done(house, approved(house, RequestKind.ERASURE, Decision(Outcome.FULL)))
    with house.app.database.read() as session:
        run = session.get_one(RunRow, row.effect["run"])
    assert (run.kind, run.state, run.disposed, run.failed) == (RunKind.ERASURE, RunState.DONE, 1, 0)
    assert run.certificate
    assert house.find(mine).state == "disposed"
    assert house.objects_of(mine) == []
    assert house.open(other, "quality")
    assert look(house, Level.DIGEST).ok


def test_no_backup_opens_what_was_erased(house: House) -> None:
    mine, other = house.take_in(phone=CALLER), house.take_in(phone=OTHER)
    receipt = approved(house, RequestKind.ERASURE, Decision(Outcome.FULL))
    in_backup, others = wraps(house, mine), wraps(house, other)
    done(house, receipt)
    for key_id, wrapped in in_backup:
        with pytest.raises(KeyMissing):
            house.app.keys.unwrap(key_id, wrapped, mine.encode())
    assert {key_id for key_id, _ in wraps(house, other)}.isdisjoint(key_id for key_id, _ in others)


def test_what_arrives_on_the_same_day_after_an_erasure_is_kept(house: House) -> None:
    house.take_in(phone=CALLER)
    done(house, approved(house, RequestKind.ERASURE, Decision(Outcome.FULL)))
    later = house.take_in(phone=OTHER)
    assert house.open(later, "quality")
    house.clock.move(days=30)
    assert house.night().disposed == 1
    assert house.find(later).state == "disposed"


def test_what_is_under_another_hold_is_not_erased(house: House) -> None:
    mine = house.take_in(phone=CALLER)
    hold = house.place(mine).hold
    receipt = approved(house, RequestKind.ERASURE, Decision(Outcome.FULL))
    with pytest.raises(HoldInForce, match=hold.id):
        done(house, receipt)
    assert house.open(mine, "quality")
    assert len(house.find(mine).hold_ids) == 2


def test_a_substitute_for_erasure_suspends_use_and_keeps(house: House) -> None:
    mine = house.take_in(phone=CALLER)
    substitute = Decision(
        Outcome.SUBSTITUTE, ("substitute-measure",), "a court asked for it", measure="its use is suspended"
    )
    done(house, approved(house, RequestKind.ERASURE, substitute))
    assert house.find(mine).restricted


def test_what_was_left_out_of_an_erasure_stays_held(house: House) -> None:
    first, second = house.take_in(phone=CALLER), house.take_in(phone=CALLER)
    partial = Decision(Outcome.PARTIAL, ("no-breach",), "needed", not_for=(second,))
    done(house, approved(house, RequestKind.ERASURE, partial))
    assert house.find(first).state == "disposed"
    house.clock.move(days=60)
    house.night()
    assert house.find(second).hold_ids


def test_what_arrived_after_the_search_is_neither_erased_nor_let_go(house: House) -> None:
    house.take_in(phone=CALLER)
    receipt = approved(house, RequestKind.ERASURE, Decision(Outcome.FULL))
    late = house.take_in(phone=CALLER)
    done(house, receipt)
    house.clock.move(days=60)
    house.night()
    assert house.find(late).hold_ids


def test_a_request_from_before_its_erasure_is_sent_back_and_finds_that_it_is_gone(house: House) -> None:
    mine = house.take_in(phone=CALLER)
    receipt = approved(house, RequestKind.ERASURE, Decision(Outcome.FULL))
    path = back_up(house)
    run = done(house, receipt).effect["run"]
    restore(house, path)
    with pytest.raises(StaleApproval, match=f"{mine} of request {receipt} is gone already") as refused:
        done(house, receipt)
    assert "send-back" in refused.value.hint
    tools = house.app.paper_tools()
    send_back(tools, receipt, "a backup was restored", SECOND)
    found = match(tools, receipt, ACTOR)
    assert (found.living, found.gone) == ((), ((mine, run),))
    assert decide(tools, receipt, Decision(Outcome.NOTHING_HELD), ACTOR).stage == "decided"


def test_a_search_freezes_again_what_a_restore_brought_back_without_its_holds(house: House) -> None:
    house.take_in(phone=CALLER)
    receipt = approved(house, RequestKind.ERASURE, Decision(Outcome.FULL))
    path = back_up(house)
    done(house, receipt)
    restore(house, path)
    later = house.take_in(phone=CALLER)
    assert house.find(later).hold_ids == ()
    send_back(house.app.paper_tools(), receipt, "a backup was restored", SECOND)
    assert match(house.app.paper_tools(), receipt, ACTOR).living == (later,)
    (hold,) = house.find(later).hold_ids
    match(house.app.paper_tools(), receipt, ACTOR)
    assert house.find(later).hold_ids == (hold,)


def test_a_request_that_was_closed_after_the_backup_is_closed_and_holds_nothing(house: House) -> None:
    mine = house.take_in(phone=CALLER)
    receipt = approved(
        house, RequestKind.ERASURE, Decision(Outcome.REFUSED, ("no-breach",), "no breach was found")
    )
    path = back_up(house)
    tools = house.app.paper_tools()
    packaged(house, receipt)
    hand_over(tools, house.app.outbox, receipt, "post", "", ACTOR)
    close(tools, house.app.hold_tools(), receipt, ACTOR)
    assert restore(house, path).replayed.requests_closed == 1
    with house.app.database.read() as session:
        row = find_request(session, receipt)
    assert (row.stage, row.outcome) == ("closed", "refused")
    assert row.closed_at
    assert row.delivered_at
    assert house.find(mine).hold_ids == ()
    assert restore(house, back_up(house, "later")).replayed.requests_closed == 0


@pytest.mark.parametrize("kind", [RequestKind.SUSPENSION, RequestKind.ERASURE])
def test_it_is_carried_out_once_and_only_after_approval(house: House, kind: RequestKind) -> None:
    house.take_in(phone=CALLER)
    receipt = approved(house, kind, Decision(Outcome.FULL))
    done(house, receipt)
    with pytest.raises(IllegalTransition, match="carried-out"):
        done(house, receipt)


def test_what_was_refused_has_nothing_to_be_carried_out(house: House) -> None:
    house.take_in(phone=CALLER)
    receipt = approved(
        house, RequestKind.ERASURE, Decision(Outcome.REFUSED, ("no-breach",), "no breach was found")
    )
    with pytest.raises(IllegalTransition, match="not possible to carry out"):
        done(house, receipt)
    with house.app.database.read() as session:
        assert find_request(session, receipt).stage == "approved"


def test_granting_a_part_says_for_which_recordings_it_is_not_granted(house: House) -> None:
    house.take_in(phone=CALLER)
    with pytest.raises(InvalidInput, match="for which recordings"):
        approved(house, RequestKind.ERASURE, Decision(Outcome.PARTIAL, ("no-breach",), "needed"))


def test_the_number_of_a_request_that_a_restore_lost_is_not_given_again(house: House) -> None:
    house.take_in(phone=CALLER)
    first = approved(house, RequestKind.SUSPENSION, Decision(Outcome.FULL))
    path = back_up(house)
    lost = approved(house, RequestKind.SUSPENSION, Decision(Outcome.FULL))
    restore(house, path)
    next_ = approved(house, RequestKind.SUSPENSION, Decision(Outcome.FULL))
    assert (first[-4:], lost[-4:], next_[-4:]) == ("0001", "0002", "0003")
    assert set(restore(house, path).replayed.requests_lost) == {lost, next_}
    assert approved(house, RequestKind.SUSPENSION, Decision(Outcome.FULL))[-4:] == "0004"
