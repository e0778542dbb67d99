"""Cases beside a policy: read by people, run as tests."""

from importlib import resources

import pytest

from retention.schedule.cases import parse_cases, run_cases
from retention.schedule.model import Schedule
from retention.schedule.parse import PolicyError, parse_policy

CASE = """
- case: A call is due after six months
  given: {kind: call, purposes: [service-quality], ended: 2026-01-15T10:30}
  at: 2026-07-16
  expect: {outcome: due}
"""


@pytest.fixture(scope="module")
def japan() -> Schedule:
    text = resources.files("policies").joinpath("defaults", "japan.yaml").read_text(encoding="utf-8")
    return parse_policy(text, "japan.yaml")


def test_a_case_that_comes_out_right_has_passed(japan: Schedule) -> None:
    (result,) = run_cases(japan, parse_cases(CASE, "cases.yaml"))
    assert result.passed
    assert (result.file, result.line, result.name) == ("cases.yaml", 2, "A call is due after six months")
    assert result.actual == {"outcome": "due"}


def test_a_case_that_comes_out_wrong_shows_both_and_the_reasons(japan: Schedule) -> None:
    wrong = CASE.replace("{outcome: due}", "{outcome: keep, due_on: 2026-07-15, expired: []}")
    (result,) = run_cases(japan, parse_cases(wrong, "cases.yaml"))
    assert not result.passed
    assert result.expected == {"outcome": "keep", "due_on": "2026-07-15", "expired": ()}
    assert result.actual == {"outcome": "due", "due_on": "2026-07-16", "expired": ("service-quality",)}
    assert result.reasons[0].startswith("service-quality: calls.service-quality keeps P6M")


@pytest.mark.parametrize("key", ["classes", "expired", "conflicts", "unclassified", "unknown"])
def test_each_list_is_compared_in_any_order(japan: Schedule, key: str) -> None:
    text = CASE.replace(
        "[service-quality]", "[service-quality, customer-inquiry, crime-prevention, marketing]"
    )
    text = text.replace("ended: 2026-01-15T10:30", "ended: 2020-01-15T10:30, holds: [H1]")
    true = {
        "classes": "[calls.service-quality, calls.customer-inquiry]",
        "expired": "[service-quality, customer-inquiry]",
        "conflicts": "[calls.maximum]",
        "unclassified": "[crime-prevention]",
        "unknown": "[marketing]",
    }[key]
    for stated, passed in ((true, True), ("[something]", False)):
        (result,) = run_cases(
            japan, parse_cases(text.replace("outcome: due", f"outcome: held, {key}: {stated}"), "c")
        )
        assert result.passed is passed, result.actual


def test_a_case_may_mix_local_times_and_instants(japan: Schedule) -> None:
    mixed = CASE.replace("10:30}", "10:30, started: 2026-01-15T01:00Z}").replace(
        "at: 2026-07-16", "at: 2026-07-15T15:00Z"
    )
    (result,) = run_cases(japan, parse_cases(mixed, "cases.yaml"))
    assert result.passed


def test_an_event_that_starts_no_class_is_a_typing_error_not_an_open_case(japan: Schedule) -> None:
    typo = CASE.replace("10:30}", "10:30, events: {case-close: 2026-02-01}}")
    with pytest.raises(
        PolicyError, match=r"cases.yaml:2: no class counts from the event `case-close`. Write `case-cl"
    ):
        run_cases(japan, parse_cases(typo, "cases.yaml"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("outcome: due", "outcome: gone", "`gone` is no choice here"),
        ("at: 2026-07-16", "at: tomorrow", "`tomorrow` is not a date or local time"),
        ("at: 2026-07-16", "on: 2026-07-16", "`at` is missing"),
        ("10:30}", "10:30, started: 2026-01-15T10:31}", "starts after it has ended"),
        ("T10:30", "", "`2026-01-15` is not a local time"),
        ("T10:30", "T24:30", "is not a local time"),
        ("kind: call", "kind: video", "`video` is no choice here"),
    ],
)
def test_a_case_that_cannot_be_read_is_said_with_its_line(old: str, new: str, message: str) -> None:
    with pytest.raises(PolicyError) as refused:
        parse_cases(CASE.replace(old, new, 1), "cases.yaml")
    assert any(message in finding.message and finding.line >= 2 for finding in refused.value.findings)


def test_a_file_without_cases_is_refused() -> None:
    with pytest.raises(PolicyError, match="at least one"):
        parse_cases("[]", "cases.yaml")
