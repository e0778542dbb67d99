"""Who may grant copies, and approve them: exactly those that were decided about, and nobody their own work."""

from collections.abc import Callable

import pytest

from retention.audit.tags import Tag
from retention.kernel.errors import (
    IllegalTransition,
    NotPermitted,
    StaleApproval,
)
from retention.requests.decide import Decision, send_back
from retention.requests.match import match
from retention.requests.rules.model import Outcome
from tests.builders.copies import APPROVER, DECIDER, RENDERER, REVIEWER, Case
from tests.builders.house import ACTOR, CALLER, House


@pytest.fixture
def call(house: House) -> str:
    """A call of the requester."""
    house.add_source()
    return house.take_in(phone=CALLER)


@pytest.fixture
def case(house: House, call: str) -> Case:
    """A request that has found the call."""
    del call
    return Case(house).matched()


# --- the decision, and the second person


@pytest.mark.parametrize("outcome", [Outcome.FULL, Outcome.PARTIAL])
def test_a_disclosure_is_granted_only_on_finished_copies(case: Case, call: str, outcome: Outcome) -> None:
    decision = Decision(outcome, ("harm-to-rights",) if outcome is Outcome.PARTIAL else (), "because")
    with pytest.raises(IllegalTransition) as refused:
        case.decide(decision)
    assert f"{call}: retention request propose {case.receipt} --recording {call}" in refused.value.hint
    case.made(call).decide(decision)
    assert case.stage() == "decided"


def test_what_is_not_granted_needs_no_copy(house: House, case: Case, call: str) -> None:
    other = house.take_in(phone=CALLER)
    match(case.tools, case.receipt, ACTOR)
    case.propose(call)
    case.review(call)
    case.render()
    case.decide(Decision(Outcome.PARTIAL, ("harm-to-rights",), "because", not_for=(other,)))
    case.approve()
    assert case.finished() == [call]


def test_a_refusal_needs_no_copy(case: Case) -> None:
    case.decide(Decision(Outcome.REFUSED, ("hindrance",), "because", partial_considered="no part either"))
    case.approve()
    assert case.stage() == "approved"


@pytest.mark.parametrize("actor", [DECIDER, REVIEWER, RENDERER, "ＳＵＺＵＫＩ", "Takahashi "])
def test_nobody_approves_what_they_had_a_hand_in(case: Case, call: str, actor: str) -> None:
    case.made(call).decide()
    with pytest.raises(NotPermitted, match="nobody approves"):
        case.approve(actor)
    case.approve(APPROVER)
    assert case.stage() == "approved"


def test_who_reviewed_before_the_last_review_had_a_hand_in_it_too(case: Case, call: str) -> None:
    case.propose()
    case.review(call, actor="mori")
    case.review(call)
    case.render()
    case.decide()
    with pytest.raises(NotPermitted, match="mori reviewed or rendered"):
        case.approve("mori")


def test_a_decision_names_the_copies_it_is_about_by_their_digests(
    house: House, case: Case, call: str
) -> None:
    case.made(call).decide()
    (entry,) = house.audit(Tag.REQUEST_DECIDED)
    assert entry.detail["copies"] == {call: (case.row(call).sha256 or b"").hex()}


@pytest.mark.parametrize(
    "tampering",
    ["rendition_id = report_id", "rendition_id = ''", "decided_sha256 = NULL", "sha256 = NULL"],
)
def test_no_other_copy_is_approved_than_was_decided_about(
    house: House, case: Case, call: str, tampering: str
) -> None:
    case.made(call).decide()
    house.sql(f"UPDATE request_rendition SET {tampering}")
    with pytest.raises(StaleApproval, match=f"the copies of {call} are not those"):
        case.approve()
    assert case.stage() == "decided"


@pytest.mark.parametrize("act", ["propose", "review", "render"])
def test_no_copy_is_made_anew_after_the_decision(case: Case, call: str, act: str) -> None:
    case.made(call).decide()
    acts: dict[str, Callable[[], object]] = {
        "propose": lambda: case.propose(call),
        "review": lambda: case.review(call),
        "render": lambda: case.render(call),
    }
    with pytest.raises(IllegalTransition, match="is decided: copies are made while it is matched") as refused:
        acts[act]()
    assert "send-back" in refused.value.hint
    assert case.finished() == [call]


def test_sent_back_a_request_is_reviewed_and_decided_again(case: Case, call: str) -> None:
    case.made(call).decide()
    send_back(case.tools, case.receipt, "the neighbour shows", APPROVER)
    assert case.row(call).decided_sha256 is None
    case.review(call, "keep")
    case.render()
    case.decide()
    case.approve()
    assert case.row(call).decided_sha256 == case.row(call).sha256
