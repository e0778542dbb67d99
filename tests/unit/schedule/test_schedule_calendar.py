"""From a trigger date to a due date, and to the instant at which it begins."""

from datetime import UTC, date, datetime, timedelta

import pytest

from retention.schedule.calendar import Counting, can_outlast, cutoff, due_at, due_on
from retention.schedule.model import MonthRule, Period

JAPAN, EU = MonthRule.CIVIL_CODE, MonthRule.EU_1182_71


def counting(period: str, rule: MonthRule = JAPAN, *, count_first_day: bool = False) -> Counting:
    return Counting(Period.parse(period), rule, count_first_day)


@pytest.mark.parametrize(
    ("period", "trigger_on", "japan", "eu"),
    [
        # The same on ordinary dates: the last day kept has the trigger's date.
        ("P1M", "2026-01-15", "2026-02-16", "2026-02-16"),
        ("P6M", "2026-03-10", "2026-09-11", "2026-09-11"),
        ("P1Y", "2026-07-16", "2027-07-17", "2027-07-17"),
        # The last month is too short: the period ends with it.
        ("P1M", "2026-01-28", "2026-03-01", "2026-03-01"),
        ("P1M", "2026-01-30", "2026-03-01", "2026-03-01"),
        ("P1M", "2028-01-30", "2028-03-01", "2028-03-01"),
        ("P6M", "2026-08-30", "2027-03-01", "2027-03-01"),
        # Art. 143(2): counting from the first of a month takes whole months; the Regulation looks at the event.
        ("P1M", "2026-01-31", "2026-03-01", "2026-03-01"),
        ("P1M", "2026-02-28", "2026-04-01", "2026-03-29"),
        ("P1M", "2026-04-30", "2026-06-01", "2026-05-31"),
        ("P1Y", "2027-02-28", "2028-03-01", "2028-02-29"),
        ("P1Y", "2028-02-29", "2029-03-01", "2029-03-01"),
        ("P4Y", "2028-02-29", "2032-03-01", "2032-03-01"),
        ("P1Y", "2028-02-28", "2029-03-01", "2029-03-01"),
        # 2100 is no leap year.
        ("P4Y", "2096-02-28", "2100-03-01", "2100-03-01"),
        # Days and weeks agree.
        ("P30D", "2026-02-10", "2026-03-13", "2026-03-13"),
        ("P1D", "2028-02-28", "2028-03-01", "2028-03-01"),
        ("P2W", "2026-12-25", "2027-01-09", "2027-01-09"),
    ],
)
def test_the_first_day_does_not_count(period: str, trigger_on: str, japan: str, eu: str) -> None:
    start = date.fromisoformat(trigger_on)
    assert due_on(start, counting(period, JAPAN)) == date.fromisoformat(japan)
    assert due_on(start, counting(period, EU)) == date.fromisoformat(eu)


@pytest.mark.parametrize("rule", MonthRule)
@pytest.mark.parametrize(
    ("period", "trigger_on", "expected"),
    [
        ("P1D", "2026-01-15", "2026-01-16"),
        ("P3D", "2026-06-01", "2026-06-04"),
        ("P1M", "2026-01-15", "2026-02-15"),
        ("P1M", "2026-03-01", "2026-04-01"),
        # Art. 143(2) proviso and BGB § 188(3): the last month lacks the day, so it is kept to its end.
        ("P1M", "2026-01-31", "2026-03-01"),
        ("P1Y", "2028-02-29", "2029-03-01"),
    ],
)
def test_where_the_first_day_counts_both_rules_agree(
    rule: MonthRule, period: str, trigger_on: str, expected: str
) -> None:
    start = date.fromisoformat(trigger_on)
    assert due_on(start, counting(period, rule, count_first_day=True)) == date.fromisoformat(expected)


def test_a_recorder_with_a_mad_clock_stops_nothing() -> None:
    assert due_on(date(9999, 12, 30), counting("P7Y")) == date.max
    assert due_on(date.max, counting("P1D")) == date.max
    assert due_at(date.max, "Asia/Tokyo") < due_at(date.max, "America/New_York")


@pytest.mark.parametrize(
    ("period", "on", "expected"),
    [
        ("P30D", "2026-03-13", "2026-02-10"),
        ("P1M", "2026-03-01", "2026-01-31"),  # 28, 29, 30 and 31 January are due together
        ("P1M", "2026-02-28", "2026-01-27"),
        ("P1M", "2026-03-31", "2026-02-27"),
        ("P1M", "2026-04-01", "2026-02-28"),
    ],
)
def test_the_cutoff_is_the_last_trigger_date_that_is_due(period: str, on: str, expected: str) -> None:
    assert cutoff(date.fromisoformat(on), counting(period)) == date.fromisoformat(expected)


def test_before_the_calendar_begins_nothing_is_due() -> None:
    assert cutoff(date(50, 1, 1), counting("P100Y")) == date.min


@pytest.mark.parametrize(
    ("zone", "on", "expected"),
    [
        ("Asia/Tokyo", "2026-07-16", "2026-07-15T15:00"),
        ("UTC", "2026-07-16", "2026-07-16T00:00"),
        ("Europe/Berlin", "2026-03-30", "2026-03-29T22:00"),
        ("Europe/Berlin", "2026-10-26", "2026-10-25T23:00"),
        ("Asia/Kathmandu", "2026-01-01", "2025-12-31T18:15"),
        # Clocks jump from 00:00 to 01:00: the day begins with the jump.
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00"),
        ("Asia/Beirut", "2022-03-27", "2022-03-26T22:00"),
        ("Africa/Cairo", "2023-04-28", "2023-04-27T22:00"),
        # Clocks go from 24:00 back to 23:00: the day before has 25 hours, and midnight comes after them.
        ("America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00"),
        # Clocks go from 01:00 back to 00:00: midnight comes twice on the same date, which begins with the first.
        ("America/Havana", "2016-11-06", "2016-11-06T04:00"),
        # Clocks go from 00:01 back to 23:01: the date begins, is taken back, and begins for good.
        ("America/St_Johns", "2010-11-07", "2010-11-07T03:30"),
        # Clocks jump from 23:30 to 00:30: the date begins in the middle of the gap.
        ("America/Toronto", "1919-03-31", "1919-03-31T04:30"),
        # Samoa skipped 30 December 2011: what falls due then falls due as the 31st begins.
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00"),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00"),
    ],
)
def test_a_date_begins_at_local_midnight_whatever_the_clocks_do(zone: str, on: str, expected: str) -> None:
    assert due_at(date.fromisoformat(on), zone) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_a_kept_day_may_have_23_or_25_hours() -> None:
    def length(on: date) -> timedelta:
        return due_at(on + timedelta(days=1), "Europe/Berlin") - due_at(on, "Europe/Berlin")

    assert length(date(2026, 3, 29)) == timedelta(hours=23)
    assert length(date(2026, 10, 25)) == timedelta(hours=25)


@pytest.mark.parametrize(
    ("one", "other", "longer"),
    [
        (counting("P2Y"), counting("P1Y"), True),
        (counting("P1Y"), counting("P2Y"), False),
        (counting("P12M"), counting("P1Y"), False),
        (counting("P1Y"), counting("P365D"), True),  # by a leap day
        (counting("P366D"), counting("P1Y"), True),
        (counting("P365D"), counting("P1Y"), False),
        (counting("P1M"), counting("P31D"), False),
        (counting("P1M"), counting("P30D"), True),
        (counting("P28D"), counting("P1M"), False),
        (counting("P29D"), counting("P1M"), True),
        (counting("P3D"), counting("P3D", count_first_day=True), True),
        (counting("P3D", count_first_day=True), counting("P3D"), False),
        (counting("P1M", JAPAN), counting("P1M", EU), True),  # from the last day of a short month
        (counting("P1M", EU), counting("P1M", JAPAN), False),
        (counting("P100Y"), counting("P36525D"), False),
        (counting("P100Y"), counting("P36524D"), True),
    ],
)
def test_whether_a_period_can_outlast_another_is_known_for_every_start(
    one: Counting, other: Counting, longer: bool
) -> None:
    assert can_outlast(one, other) is longer
