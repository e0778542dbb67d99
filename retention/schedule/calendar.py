"""Count days: from a trigger date to a due date, and to the instant it begins.

The due date is the first local date on which disposal is allowed; the day
before it is the last day kept, and it is kept whole, to local midnight. Days
are those of the site's time zone, so a kept day may have 23 or 25 hours, and
one that a zone skipped has none.

Only months need a rule. With s the first counted day (the day after the
trigger's day, unless the rule says that the first day counts):

  jp-civil-code-143   Civil Code of Japan Art. 140 (the first day does not
        count), 141 and 143(2): the period ends on the day before the day of
        the last month that corresponds to s; if that month has no such day,
        on its last day.
  eu-1182-71   Regulation (EEC, Euratom) No 1182/71 Art. 3(1) and (2)(c), read
        as the Court did in C-171/03 Toeters: the period ends on the day with
        the same date as the event; if the month has no such day, on its last
        day. BGB §§ 187(1), 188(2) first case and (3) say the same.

Where the first day counts, the second rule has no event to look at, and
BGB § 188(2) second case and (3) give what Art. 143(2) gives: so do we.

The business calendar plays no part: a promise to erase does not wait for a
working day. (Civil Code Art. 142 and Art. 3(4) of the Regulation extend time
limits for acts of people.)
"""

from bisect import bisect_left
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from retention.kernel.clock import local_date
from retention.schedule.period import MonthRule, Period

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_MONTH_DAYS = 30.436875  # mean length of a Gregorian month: 146,097 days / 4,800 months
_SLACK_DAYS = 16  # more than two periods of months can stray from their mean lengths together


@dataclass(frozen=True, slots=True)
class Counting:
    """A period and how it is counted."""

    period: Period
    month_rule: MonthRule
    count_first_day: bool


def due_on(trigger_on: date, counting: Counting) -> date:
    """The first local date on which disposal is allowed.

    Never falls when `trigger_on` rises. A date past the year 9999 becomes the
    last date there is, so that a recorder with a mad clock stops nothing.
    """
    try:
        return _due_on(trigger_on, counting)
    except (OverflowError, ValueError):
        return date.max


def _due_on(trigger_on: date, counting: Counting) -> date:
    months = counting.period.total_months
    first_counted_on = trigger_on if counting.count_first_day else trigger_on + _DAY
    if not months:
        return first_counted_on + counting.period.total_days * _DAY
    if counting.month_rule is MonthRule.EU_1182_71 and not counting.count_first_day:
        return _months_later(trigger_on, months) + _DAY
    corresponding_on = _months_later(first_counted_on, months)
    is_missing = corresponding_on.day != first_counted_on.day
    return corresponding_on + _DAY if is_missing else corresponding_on


def _months_later(day: date, months: int) -> date:
    """The same date `months` later, or the last day of that month if it has no such date."""
    years, month0 = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month0 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def cutoff(on: date, counting: Counting) -> date:
    """The greatest trigger date that is due on `on`: the inverse of `due_on`.

    Takes at most a few steps. The first date there is, if none is due.
    """
    try:
        trigger_on = _months_later(on, -counting.period.total_months) - counting.period.total_days * _DAY
        while due_on(trigger_on, counting) > on:
            trigger_on -= _DAY
    except (OverflowError, ValueError):
        return date.min
    return trigger_on


@lru_cache(maxsize=4096)
def due_at(on: date, zone: str) -> datetime:
    """The instant from which the local date in `zone` is `on` or later, for good (UTC).

    Local midnight, nearly always. Where clocks jump over it, the instant of
    the jump; where they are put back across it, the second midnight; where a
    zone skipped the whole day, the start of the next.
    """
    midnight = datetime.combine(on, time(), ZoneInfo(zone))
    first, last = sorted(midnight.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if local_date(last - _SECOND, zone) < on:
        return last
    # Midnight lies within a gap, or comes twice on the same date: find the first second of the date.
    seconds = range(int((last - first).total_seconds()) + 1)
    return first + _SECOND * bisect_left(
        seconds, on, key=lambda second: local_date(first + _SECOND * second, zone)
    )


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Every time zone that this machine knows."""
    return frozenset(available_timezones())


@lru_cache(maxsize=1024)
def can_outlast(one: Counting, other: Counting) -> bool:
    """Whether `one` is due later than `other` from any trigger date at all.

    Exact: where the lengths are close, every kind of start in the 400 years
    after which the calendar repeats itself is tried.
    """
    difference_days = _mean_days(one.period) - _mean_days(other.period)
    if abs(difference_days) > _SLACK_DAYS:
        return difference_days > 0
    return any(due_on(start_on, one) > due_on(start_on, other) for start_on in _telling_starts())


def _mean_days(period: Period) -> float:
    return period.total_days + _MONTH_DAYS * period.total_months


@lru_cache(maxsize=1)
def _telling_starts() -> list[date]:
    """One start for every way in which a month's days can differ: days 1 to 27 are alike."""
    return [
        date(year, month, day)
        for year in range(2000, 2400)
        for month in range(1, 13)
        for day in (1, 28, 29, 30, 31)
        if day <= monthrange(year, month)[1]
    ]
