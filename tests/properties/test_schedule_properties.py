"""What holds for every schedule, zone and instant of 2015 to 2035, not only for examples.

The oracles count in another way than the code: day by day, and by asking the
zone what date it is.
"""

import os
import time
from calendar import monthrange
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from random import Random
from typing import TypeVar

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from retention.kernel.clock import local_date
from retention.schedule import calendar
from retention.schedule.calendar import Counting, can_outlast, cutoff, due_at, due_on, zone_names
from retention.schedule.evaluate import Membership, Outcome, evaluate
from retention.schedule.model import (
    ANY,
    RECORDING_ENDED,
    Approval,
    BusinessCalendar,
    Ceiling,
    Changes,
    Controller,
    DoNotRecord,
    Facts,
    Kind,
    MonthRule,
    Period,
    RetentionClass,
    Schedule,
    Selector,
    Weekday,
    Words,
)

Item = TypeVar("Item")

DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
REVIEWED_ON = date(2026, 1, 1)
BEGINNING = datetime(2015, 1, 1, tzinfo=UTC)

zones = st.sampled_from(sorted(zone_names()))
dates = st.dates(date(2015, 1, 1), date(2035, 12, 31))
instants = st.timedeltas(timedelta(0), 21 * 366 * DAY).map(lambda after: BEGINNING + after)
periods = st.one_of(
    st.integers(1, 40).map(lambda days: Period(days=days)),
    st.integers(1, 3_660).map(lambda days: Period(days=days)),
    st.integers(1, 60).map(lambda weeks: Period(weeks=weeks)),
    st.integers(1, 30).map(lambda months: Period(months=months)),
    st.builds(Period, years=st.integers(1, 12), months=st.integers(0, 12)),
)
countings = st.builds(Counting, periods, st.sampled_from(MonthRule), st.booleans())
areas = st.sampled_from(["", "cash-desk", "lobby"])
facts = st.builds(Facts, st.sampled_from(Kind), st.sampled_from(["tokyo", "osaka"]), areas, zones)
word_sets = st.one_of(
    st.just(ANY), st.builds(Words, st.sets(areas, min_size=1, max_size=2).map(frozenset), st.booleans())
)
selectors = st.builds(Selector, st.sets(st.sampled_from(Kind), min_size=1).map(frozenset), areas=word_sets)
triggers = st.sampled_from([RECORDING_ENDED, "recording-started", "case-closed"])
approvals = st.sampled_from(Approval)
holds = st.lists(st.text("H0123", min_size=1, max_size=3), max_size=3).map(tuple)


@st.composite
def rules(draw: st.DrawFn, name: str) -> RetentionClass:
    counting = draw(countings)
    return RetentionClass(
        name=name,
        purpose=draw(st.sampled_from(["quality", "inquiry", "dispute"])),
        selector=draw(selectors),
        period=counting.period,
        trigger=draw(triggers),
        count_first_day=counting.count_first_day,
        month_rule=counting.month_rule,
        approval=draw(approvals),
        law=draw(st.sampled_from([None, {"en": "a law"}])),
        basis="b",
        source="s",
        reviewed_on=REVIEWED_ON,
    )


@st.composite
def ceilings(draw: st.DrawFn, name: str) -> Ceiling:
    counting = draw(countings)
    exempt = draw(st.sets(st.sampled_from(["quality", "dispute"])).map(frozenset))
    selector = draw(selectors)
    return Ceiling(
        name,
        selector,
        counting.period,
        counting.count_first_day,
        counting.month_rule,
        exempt,
        "b",
        "s",
        REVIEWED_ON,
    )


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    texts = {"en": "x"}
    return Schedule(
        name="random",
        title=texts,
        jurisdiction="JP",
        languages=("en",),
        reviewed_on=REVIEWED_ON,
        controller=Controller(texts, "Asia/Tokyo", texts, "0", "a@b.c", texts),
        calendar=BusinessCalendar("JP", (Weekday.MONDAY,), time_of_day(10), time_of_day(19), ()),
        purposes={},
        classes={name: draw(rules(name)) for name in draw(st.sets(st.sampled_from("abcde"), min_size=1))},
        ceilings={name: draw(ceilings(name)) for name in draw(st.sets(st.sampled_from("yz")))},
        notices={},
        forbidden_purposes={},
        do_not_record=DoNotRecord(frozenset({"opt-out"}), "b"),
        changes=Changes(timedelta(hours=72)),
        digest="0" * 64,
    )


memberships = st.lists(
    st.builds(
        Membership,
        st.sampled_from(["quality", "inquiry"]),
        st.sampled_from("abcdef"),
        zones,
        dates | st.none(),
    ),
    max_size=4,
)


# --- Counting ------------------------------------------------------------------------------------------------


def counted_by_hand(trigger_on: date, counting: Counting) -> date:
    """The due date, found by turning the pages of a calendar month by month and day by day."""
    first = trigger_on if counting.count_first_day else trigger_on + DAY
    if counting.period.total_days:
        day = first
        for _ in range(counting.period.total_days):
            day += DAY
        return day
    by_event = counting.month_rule is MonthRule.EU_1182_71 and not counting.count_first_day
    anchor = trigger_on if by_event else first
    page = anchor.replace(day=1)
    for _ in range(counting.period.total_months):
        page += timedelta(days=monthrange(page.year, page.month)[1])
    last_of_page = page.replace(day=monthrange(page.year, page.month)[1])
    if anchor.day > last_of_page.day:
        return last_of_page + DAY
    corresponding = page.replace(day=anchor.day)
    return corresponding + DAY if by_event else corresponding


@given(dates, countings)
@example(date(2028, 2, 29), Counting(Period(years=1), MonthRule.CIVIL_CODE, count_first_day=False))
@example(date(2027, 2, 28), Counting(Period(years=1), MonthRule.CIVIL_CODE, count_first_day=False))
@example(date(2026, 1, 31), Counting(Period(months=1), MonthRule.EU_1182_71, count_first_day=True))
def test_a_due_date_is_what_turning_the_pages_of_a_calendar_gives(
    trigger_on: date, counting: Counting
) -> None:
    assert due_on(trigger_on, counting) == counted_by_hand(trigger_on, counting)


@given(dates, st.integers(0, 800), countings)
def test_a_due_date_never_falls_when_the_trigger_is_later(
    trigger_on: date, later: int, counting: Counting
) -> None:
    assert due_on(trigger_on, counting) <= due_on(trigger_on + later * DAY, counting)


@given(dates, countings, st.integers(1, 24))
def test_a_due_date_never_falls_when_the_period_is_longer(
    trigger_on: date, counting: Counting, more: int
) -> None:
    period = counting.period
    if period.total_months:
        longer = Period(months=period.total_months + more)
    else:
        longer = Period(days=period.total_days + more)
    assert due_on(trigger_on, counting) <= due_on(trigger_on, replace(counting, period=longer))


@given(dates, countings)
def test_at_least_one_whole_day_is_kept(trigger_on: date, counting: Counting) -> None:
    assert due_on(trigger_on, counting) > trigger_on


@given(dates, st.sampled_from(MonthRule), periods)
def test_not_counting_the_first_day_never_shortens(trigger_on: date, rule: MonthRule, period: Period) -> None:
    counted = due_on(trigger_on, Counting(period, rule, count_first_day=True))
    assert counted <= due_on(trigger_on, Counting(period, rule, count_first_day=False)) <= counted + 4 * DAY


@settings(max_examples=300)
@given(dates, countings)
@example(date(2026, 3, 1), Counting(Period(months=1), MonthRule.CIVIL_CODE, count_first_day=True))
def test_the_cutoff_is_the_exact_inverse_of_the_due_date(on: date, counting: Counting) -> None:
    last = cutoff(on, counting)
    assert due_on(last, counting) <= on < due_on(last + DAY, counting)


@given(dates, countings, countings)
def test_what_outlasts_another_from_one_start_can_outlast_it(
    on: date, one: Counting, other: Counting
) -> None:
    assume(due_on(on, one) > due_on(on, other))
    assert can_outlast(one, other)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 3), st.integers(-3, 3), st.sampled_from(MonthRule), st.booleans(), st.booleans())
def test_a_short_period_can_outlast_another_exactly_if_it_does_from_some_day_of_a_leap_cycle(
    months: int, days: int, rule: MonthRule, one_first: bool, other_first: bool
) -> None:
    one = Counting(Period(months=months), rule, one_first)
    other = Counting(Period(days=30 * months + days), rule, other_first)
    starts = [date(2026, 1, 1) + number * DAY for number in range(4 * 366)]
    assert can_outlast(one, other) is any(due_on(start, one) > due_on(start, other) for start in starts)
    assert can_outlast(other, one) is any(due_on(start, other) > due_on(start, one) for start in starts)


@given(dates, st.integers(1, 1200), st.sampled_from(MonthRule), st.booleans())
def test_no_period_strays_from_its_mean_length_by_more_than_half_the_slack(
    start: date, months: int, rule: MonthRule, first: bool
) -> None:
    counting = Counting(Period(months=months), rule, first)
    length_days = (due_on(start, counting) - start).days
    assert abs(length_days - calendar._mean_days(counting.period)) < calendar._SLACK_DAYS / 2


# --- Instants ------------------------------------------------------------------------------------------------


@settings(max_examples=500)
@given(dates, zones)
@example(date(2018, 11, 4), "America/Sao_Paulo")
@example(date(2016, 11, 6), "America/Havana")
@example(date(2015, 3, 29), "Asia/Gaza")
@example(date(2024, 4, 26), "Africa/Cairo")
@example(date(2016, 4, 3), "Australia/Lord_Howe")
def test_from_its_first_instant_a_date_has_come_for_good_and_a_microsecond_earlier_it_had_not(
    on: date, zone: str
) -> None:
    begins_at = due_at(on, zone)
    assert local_date(begins_at - MICROSECOND, zone) < on
    for hours in range(30):
        assert local_date(begins_at + timedelta(hours=hours), zone) >= on


@given(dates, zones)
def test_a_date_lasts_between_20_and_28_hours_or_was_skipped(on: date, zone: str) -> None:
    length = due_at(on + DAY, zone) - due_at(on, zone)
    assert length == timedelta(0) or timedelta(hours=20) <= length <= timedelta(hours=28)


# --- Decisions -----------------------------------------------------------------------------------------------


@settings(max_examples=300)
@given(schedules(), memberships, instants, facts)
def test_a_decision_is_what_the_local_calendars_say(
    schedule: Schedule, reasons: list[Membership], now: datetime, where: Facts
) -> None:
    decision = evaluate(schedule, reasons, (), now, REVIEWED_ON, where)
    living = [
        each
        for each in reasons
        if each.class_name not in schedule.classes
        or each.trigger_on is None
        or local_date(now, each.zone)
        < counted_by_hand(each.trigger_on, schedule.classes[each.class_name].counting)
    ]
    assert (decision.outcome is Outcome.DUE) is (bool(reasons) and not living)
    assert sorted(
        (each.purpose, each.class_name) for each in decision.purposes if not each.expired
    ) == sorted((each.purpose, each.class_name) for each in living)


@given(schedules(), zones, dates, facts)
def test_a_microsecond_before_the_boundary_it_is_kept_and_at_the_boundary_it_is_due(
    schedule: Schedule, zone: str, trigger_on: date, where: Facts
) -> None:
    reasons = [Membership("quality", name, zone, trigger_on) for name in schedule.classes]
    boundary = evaluate(schedule, reasons, (), BEGINNING, trigger_on, where).due_at
    assert boundary is not None
    before = evaluate(schedule, reasons, (), boundary - MICROSECOND, trigger_on, where)
    at = evaluate(schedule, reasons, (), boundary, trigger_on, where)
    assert (before.outcome, at.outcome) == (Outcome.KEEP, Outcome.DUE)
    assert at.due_on == max(schedule.due_on(name, trigger_on) for name in schedule.classes)


@given(schedules(), memberships, holds, instants, facts, st.text("H0123", min_size=1, max_size=3))
def test_what_is_held_is_never_due_and_adding_a_hold_never_shortens(
    schedule: Schedule,
    reasons: list[Membership],
    held: tuple[str, ...],
    now: datetime,
    where: Facts,
    another: str,
) -> None:
    without = evaluate(schedule, reasons, held, now, REVIEWED_ON, where)
    with_it = evaluate(schedule, reasons, (*held, another), now, REVIEWED_ON, where)
    assert with_it.outcome is Outcome.HELD
    assert (with_it.due_on, with_it.purposes) == (without.due_on, without.purposes)


def mixed(items: Iterable[Item], chance: Random) -> list[Item]:
    items = list(items)
    chance.shuffle(items)
    return items


@given(schedules(), memberships, holds, instants, facts, st.randoms(use_true_random=False))
def test_the_order_of_rules_reasons_and_holds_does_not_matter(
    schedule: Schedule,
    reasons: list[Membership],
    held: tuple[str, ...],
    now: datetime,
    where: Facts,
    chance: Random,
) -> None:
    turned = replace(
        schedule,
        classes=dict(mixed(schedule.classes.items(), chance)),
        ceilings=dict(mixed(schedule.ceilings.items(), chance)),
    )
    assert evaluate(
        turned, mixed(reasons, chance), tuple(mixed(held, chance)), now, REVIEWED_ON, where
    ) == evaluate(schedule, reasons, held, now, REVIEWED_ON, where)
    purposes = ["quality", "inquiry", "dispute", "marketing"]
    assert turned.classify(where, mixed(purposes, chance)) == schedule.classify(where, purposes)


@given(schedules(), memberships, instants, facts, dates)
def test_a_conflict_is_reported_exactly_when_a_ceiling_has_passed_over_what_is_kept(
    schedule: Schedule, reasons: list[Membership], now: datetime, where: Facts, ended_on: date
) -> None:
    decision = evaluate(schedule, reasons, (), now, ended_on, where)
    carried = {each.purpose for each in reasons}
    passed = {
        ceiling.name
        for ceiling in schedule.ceilings.values()
        if ceiling.selector.match(where)
        and not ceiling.unless & carried
        and local_date(now, where.zone) >= counted_by_hand(ended_on, ceiling.counting)
    }
    assert set(decision.ceilings_passed) == (passed if decision.outcome is not Outcome.DUE else set())
    assert len(decision.conflicts) == len(decision.ceilings_passed)


@contextmanager
def process_zone(zone: str) -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ") if before is None else os.environ.__setitem__("TZ", before)
        time.tzset()


@given(schedules(), memberships, instants, facts)
def test_the_zone_of_the_process_does_not_matter(
    schedule: Schedule, reasons: list[Membership], now: datetime, where: Facts
) -> None:
    with process_zone("Pacific/Kiritimati"):
        ahead = evaluate(schedule, reasons, (), now, REVIEWED_ON, where)
    due_at.cache_clear()
    with process_zone("America/Los_Angeles"):
        behind = evaluate(schedule, reasons, (), now, REVIEWED_ON, where)
    due_at.cache_clear()
    assert ahead == behind


# --- Selectors and texts -----------------------------------------------------------------------------------


@given(selectors, selectors)
def test_two_selectors_overlap_exactly_if_some_recording_is_meant_by_both(
    one: Selector, other: Selector
) -> None:
    somewhere = [
        Facts(kind, "tokyo", area, "UTC")
        for kind in Kind
        for area in ("", "cash-desk", "lobby", "never-named")
    ]
    assert one.overlap(other) is any(one.match(each) and other.match(each) for each in somewhere)


@given(periods)
def test_a_period_reads_back_as_it_prints(period: Period) -> None:
    assert Period.parse(str(period)) == period
