"""What the schedule says about one recording at one instant, and why."""

from dataclasses import replace
from datetime import UTC, date, datetime
from importlib import resources

import pytest

from retention.schedule.evaluate import Decision, Membership, Outcome, evaluate
from retention.schedule.model import Facts, Kind, Schedule
from retention.schedule.parse import parse_policy

ZONE = "Asia/Tokyo"
CALL = Facts(Kind.CALL, "centre", "", ZONE)
FOOTAGE = Facts(Kind.FOOTAGE, "head-office", "lobby", ZONE)
ENDED_ON = date(2026, 1, 15)

QUALITY = Membership("service-quality", "calls.service-quality", ZONE, ENDED_ON)  # due 2026-07-16
INQUIRY = Membership("customer-inquiry", "calls.customer-inquiry", ZONE, ENDED_ON)  # due 2027-01-16
OPEN_CASE = Membership("dispute", "calls.dispute", ZONE, None)
UNKNOWN = Membership("service-quality", "calls.old-class", ZONE, ENDED_ON)


@pytest.fixture(scope="module")
def japan() -> Schedule:
    text = resources.files("policies").joinpath("defaults", "japan.yaml").read_text(encoding="utf-8")
    return parse_policy(text, "japan.yaml")


def ask(schedule: Schedule, *memberships: Membership, on: str, holds: tuple[str, ...] = ()) -> Decision:
    """Ask at Tokyo's midnight at the start of `on`."""
    now = datetime.fromisoformat(f"{on}T00:00+09:00")
    return evaluate(schedule, memberships, holds, now, ENDED_ON, CALL)


def test_a_recording_is_kept_until_its_longest_reason_has_expired(japan: Schedule) -> None:
    assert ask(japan, QUALITY, INQUIRY, on="2027-01-15").outcome is Outcome.KEEP
    assert ask(japan, QUALITY, INQUIRY, on="2027-01-16").outcome is Outcome.DUE


def test_each_purpose_expires_on_its_own(japan: Schedule) -> None:
    decision = ask(japan, QUALITY, INQUIRY, on="2026-07-16")
    assert [(each.purpose, each.expired) for each in decision.purposes] == [
        ("customer-inquiry", False),
        ("service-quality", True),
    ]
    assert decision.due_on == date(2027, 1, 16)
    assert decision.due_at == datetime(2027, 1, 15, 15, tzinfo=UTC)


def test_an_unknown_class_is_kept_for_ever_with_an_alarm(japan: Schedule) -> None:
    decision = ask(japan, UNKNOWN, INQUIRY, on="2126-01-01")
    assert decision.outcome is Outcome.KEEP
    assert decision.due_on is None
    assert decision.due_at is None
    assert (
        "alarm: service-quality: the schedule has no class calls.old-class; kept until it has"
        in decision.reasons
    )


def test_a_recording_in_no_class_is_kept_for_ever_with_an_alarm(japan: Schedule) -> None:
    decision = ask(japan, on="2126-01-01")
    assert decision.outcome is Outcome.KEEP
    assert decision.due_on is None
    assert decision.reasons[0] == "alarm: the recording is in no class; kept until it is"


def test_while_a_trigger_is_open_there_is_no_due_date(japan: Schedule) -> None:
    decision = ask(japan, QUALITY, OPEN_CASE, on="2126-01-01")
    assert decision.outcome is Outcome.KEEP
    assert decision.due_on is None
    assert "dispute: calls.dispute keeps P3Y from case-closed, which has not happened" in decision.reasons


def test_a_hold_makes_it_held_before_and_after_the_due_date_and_changes_no_date(japan: Schedule) -> None:
    for on in ("2026-02-01", "2126-01-01"):
        held = ask(japan, QUALITY, on=on, holds=("H2", "H1"))
        assert held.outcome is Outcome.HELD
        assert held.due_on == date(2026, 7, 16)


def test_a_hold_does_not_prolong_the_use_for_a_purpose(japan: Schedule) -> None:
    assert ask(japan, QUALITY, on="2026-07-16", holds=("H1",)).purposes[0].expired


def test_the_reasons_are_the_chain_of_rules_in_a_stable_order(japan: Schedule) -> None:
    decision = ask(japan, QUALITY, INQUIRY, on="2026-12-01", holds=("H2", "H1"))
    counted = "from recording-ended on 2026-01-15 (first day not counted)"
    assert decision.reasons == (
        f"customer-inquiry: calls.customer-inquiry keeps P1Y {counted}: expires on 2027-01-16 at 2027-01-15T15:00:00Z",
        f"service-quality: calls.service-quality keeps P6M {counted}: expired on 2026-07-16 at 2026-07-15T15:00:00Z",
        "the longest reason is calls.customer-inquiry: disposal is allowed from 2027-01-16",
        "hold H1 suspends disposal",
        "hold H2 suspends disposal",
    )
    assert ask(japan, INQUIRY, QUALITY, on="2026-12-01", holds=("H1", "H2")) == decision


def test_a_floor_is_named_as_one(japan: Schedule) -> None:
    floor = Membership("contract-record", "calls.contract-line", ZONE, ENDED_ON)
    decision = ask(japan, floor, QUALITY, on="2036-01-01")
    assert decision.outcome is Outcome.KEEP
    assert decision.reasons[0].startswith("contract-record: floor calls.contract-line keeps P11Y")
    assert decision.conflicts == ()  # exempt from the ceiling by its purpose


def test_a_ceiling_is_reported_only_once_it_has_passed_and_something_keeps_the_recording(
    japan: Schedule,
) -> None:
    assert ask(japan, QUALITY, on="2028-01-15", holds=("H1",)).conflicts == ()
    assert ask(japan, QUALITY, on="2028-01-16").conflicts == ()  # it is simply due
    held = ask(japan, QUALITY, on="2028-01-16", holds=("H1",))
    assert held.ceilings_passed == ("calls.maximum",)
    assert held.conflicts == held.reasons[-1:]
    assert held.conflicts[0] == (
        "conflict: ceiling calls.maximum (P2Y from recording-ended on 2026-01-15) passed on 2028-01-16,"
        " but hold H1 keeps the recording"
    )


def test_an_event_that_never_comes_conflicts_with_a_ceiling_that_does_not_exempt_it(japan: Schedule) -> None:
    strict = replace(japan.ceilings["calls.maximum"], unless=frozenset())
    schedule = replace(japan, ceilings={"calls.maximum": strict})
    decision = ask(schedule, QUALITY, OPEN_CASE, on="2028-01-16")
    assert decision.outcome is Outcome.KEEP  # a conflict is never silently resolved
    assert decision.ceilings_passed == ("calls.maximum",)
    assert "but class calls.dispute keeps the recording" in decision.conflicts[0]


def test_a_recording_in_no_class_past_a_ceiling_is_a_conflict_too(japan: Schedule) -> None:
    decision = ask(japan, on="2028-01-16")
    assert "but the lack of a class keeps the recording" in decision.conflicts[0]


def test_memberships_of_two_zones_are_compared_by_instant(japan: Schedule) -> None:
    elsewhere = replace(QUALITY, purpose="customer-inquiry", zone="America/New_York")
    decision = ask(japan, QUALITY, elsewhere, on="2026-07-16")
    assert decision.outcome is Outcome.KEEP
    assert decision.due_at == datetime(2026, 7, 16, 4, tzinfo=UTC)


def test_ceilings_count_in_the_site_s_zone(japan: Schedule) -> None:
    membership = Membership("crime-prevention", "cctv.general", ZONE, ENDED_ON)
    before = datetime(2027, 1, 15, 14, 59, 59, tzinfo=UTC)
    at = datetime(2027, 1, 15, 15, tzinfo=UTC)
    assert evaluate(japan, [membership], ("H1",), before, ENDED_ON, FOOTAGE).conflicts == ()
    assert evaluate(japan, [membership], ("H1",), at, ENDED_ON, FOOTAGE).ceilings_passed == ("cctv.maximum",)


def test_a_naive_instant_is_refused(japan: Schedule) -> None:
    with pytest.raises(ValueError, match="aware"):
        evaluate(japan, [], (), datetime(2026, 1, 1), ENDED_ON, CALL)  # noqa: DTZ001 - the point of the test
