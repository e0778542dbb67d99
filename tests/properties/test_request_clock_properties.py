"""What holds of every answer date, whatever the office, the rule and the day."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from retention.requests.rules.clock import Office, answer_by, last_day
from retention.requests.rules.model import Clock, ClosedDays, KindRule, MonthRule, Period, RequestKind
from retention.schedule.model import Weekday
from tests.builders.rulebooks import office, rulebook

DAY = timedelta(days=1)
RULE = rulebook("appi").kinds[RequestKind.DISCLOSURE]
CLOCK = rulebook("appi").clock

days = st.dates(date(2000, 1, 1), date(2090, 12, 31))
month_days = st.dates(date(2000, 1, 1), date(2000, 12, 31)).map(lambda day: (day.month, day.day))
periods = st.one_of(
    st.integers(1, 90).map(lambda number: Period(days=number)),
    st.integers(1, 12).map(lambda number: Period(weeks=number)),
    st.integers(1, 6).map(lambda number: Period(months=number)),
)
rules = periods.map(lambda period: replace(RULE, answer_within=period, extension=None))
offices = st.builds(
    lambda country, open_days, closed: office(country, open_days=tuple(open_days), closed=tuple(closed)),
    st.sampled_from(["JP", "DE", "FR"]),
    st.sets(st.sampled_from(Weekday), min_size=1),
    st.lists(st.tuples(month_days, month_days), max_size=2),
)
clocks = st.builds(
    lambda months, first, closed, rest: replace(
        CLOCK, months=months, count_first_day=first, closed_days=closed, rest_days=frozenset(rest)
    ),
    st.sampled_from(MonthRule),
    st.booleans(),
    st.sampled_from(ClosedDays),
    st.sets(st.sampled_from(Weekday), max_size=3),
)


@given(rules, clocks, offices, days, st.integers(0, 400))
def test_who_asks_later_is_answered_no_earlier(
    rule: KindRule, clock: Clock, desk: Office, received_on: date, later: int
) -> None:
    assert answer_by(rule, clock, desk, received_on) <= answer_by(
        rule, clock, desk, received_on + later * DAY
    )


@given(rules, clocks, offices, days)
def test_an_answer_is_never_due_after_the_law_s_last_day_nor_before_the_request(
    rule: KindRule, clock: Clock, desk: Office, received_on: date
) -> None:
    due = answer_by(rule, clock, desk, received_on)
    assert received_on <= due <= last_day(rule.answer_within, clock, desk, received_on)


@given(rules, clocks, offices, days)
def test_an_answer_is_never_due_on_a_closed_day_if_the_office_opens_in_time_at_all(
    rule: KindRule, clock: Clock, desk: Office, received_on: date
) -> None:
    clock = replace(
        clock, closed_days=ClosedDays.BEFORE if clock.closed_days is ClosedDays.STAY else clock.closed_days
    )
    due = answer_by(rule, clock, desk, received_on)
    last_on = last_day(rule.answer_within, clock, desk, received_on)
    in_time = [received_on + n * DAY for n in range(1, (last_on - received_on).days + 1)]
    open_days = [day for day in in_time if desk.is_open(day)]
    assert due == (open_days[-1] if open_days else last_on)


@given(rules, clocks, offices, days)
def test_closed_days_only_ever_move_an_end_in_the_direction_that_the_rulebook_says(
    rule: KindRule, clock: Clock, desk: Office, received_on: date
) -> None:
    before, after, stay = (
        last_day(rule.answer_within, replace(clock, closed_days=closed), desk, received_on)
        for closed in (ClosedDays.BEFORE, ClosedDays.AFTER, ClosedDays.STAY)
    )
    assert before == stay <= after
    assert not desk.is_holiday(after)
