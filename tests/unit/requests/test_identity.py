"""What suffices to show who somebody is."""

import pytest

from retention.kernel.errors import InvalidInput
from retention.requests.rules.identity import assess
from retention.requests.rules.model import Requester
from tests.builders.rulebooks import rulebook

APPI, GDPR = rulebook("appi"), rulebook("gdpr")


@pytest.mark.parametrize(
    "methods",
    [
        ["drivers-licence"],
        ["my-number-card"],
        ["in-person"],
        ["call-back", "known-account"],
        ["insurance-eligibility", "resident-record"],
    ],
)
def test_one_document_with_a_photograph_or_two_others_suffice(methods: list[str]) -> None:
    assert assess(APPI, Requester.SUBJECT, methods).suffices


@pytest.mark.parametrize(
    "methods", [[], ["call-back"], ["call-back", "call-back"], ["insurance-eligibility"]]
)
def test_nothing_or_one_weak_method_does_not_suffice_however_often(methods: list[str]) -> None:
    assert not assess(APPI, Requester.SUBJECT, methods).suffices


@pytest.mark.parametrize("authority", ["power-of-attorney", "statutory-representative"])
def test_an_agent_shows_authority_and_their_own_identity(authority: str) -> None:
    assert assess(APPI, Requester.AGENT, ["passport", authority]).suffices
    assert not assess(APPI, Requester.AGENT, ["passport"]).suffices
    assert not assess(APPI, Requester.AGENT, [authority]).suffices


def test_a_driving_licence_is_no_identity_document_in_germany() -> None:
    assert not assess(GDPR, Requester.SUBJECT, ["drivers-licence"]).suffices
    assert assess(GDPR, Requester.SUBJECT, ["drivers-licence", "call-back"]).suffices


def test_an_assessment_says_what_is_missing() -> None:
    found = assess(APPI, Requester.AGENT, ["resident-record"])
    assert (found.points, found.points_needed, found.needs_authority, found.has_authority) == (
        1,
        2,
        True,
        False,
    )


def test_a_method_for_somebody_else_or_of_no_such_name_is_refused() -> None:
    with pytest.raises(
        InvalidInput, match="`power-of-attorney` says nothing about a requester who is the subject"
    ):
        assess(APPI, Requester.SUBJECT, ["power-of-attorney"])
    with pytest.raises(InvalidInput, match="`call-back` says nothing about a requester who is the agent"):
        assess(APPI, Requester.AGENT, ["call-back"])
    with pytest.raises(InvalidInput, match="no method `library-card`"):
        assess(APPI, Requester.SUBJECT, ["library-card"])
