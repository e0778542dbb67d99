"""Until when a request must be answered.

Everything is a local date in the controller's time zone: a request that
arrives at 23:59 arrived on that date, whether or not anybody was there (each
rulebook's `clock.arrival` names the law). Daylight saving moves no date.

Two calendars take part, and are not the same:

- the **law's**: which last days it moves. Only `after` moves any, and only past
  public holidays and the weekdays that the rulebook lists (Regulation 1182/71
  Art. 3(4): public holidays, Sundays and Saturdays). That a company closes
  between the years, or on Wednesdays, moves no law.
- the **office's**: when somebody is there to answer. Under `before` and `after`
  the answer goes out on the last open day that is still in time. `stay` looks
  at no calendar.

So an answer is never late in law, and never due on a day on which the office
is closed, except where the office does not open once between receipt and the
law's last day: then that last day stands, and somebody has to come in.

Pure: the caller says when a request was received. The `holidays` library knows
public holidays of whole countries, of Japan from 1949 to 2099; where it knows
none, no end is moved past one.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

import holidays

from retention.kernel.errors import InvalidInput
from retention.requests.rules.model import Clock, ClosedDays, Extension, KindRule, MonthRule
from retention.schedule.calendar import Counting, due_on
from retention.schedule.model import BusinessCalendar, Closure, Period, Weekday

_DAY: Final = timedelta(days=1)
_WEEK: Final = tuple(Weekday)  # Monday first, as date.weekday() counts
_MOST_DAYS_CLOSED: Final = 366


@dataclass(frozen=True, slots=True)
class Office:
    """When somebody is there to answer.

    Raises:
        InvalidInput: No public holidays are known for the calendar's country.
    """

    calendar: BusinessCalendar

    def __post_init__(self) -> None:
        _public_holidays(self.calendar.holidays, 2026)

    def is_holiday(self, day: date) -> bool:
        """Whether `day` is a public holiday, a substitute one included."""
        return day in _public_holidays(self.calendar.holidays, day.year)

    def is_open(self, day: date) -> bool:
        """Whether the office is open on `day` at all."""
        return (
            _weekday(day) in self.calendar.open_days
            and not self.is_holiday(day)
            and not any(_covers(closure, day) for closure in self.calendar.closures)
        )

    def next_open(self, day: date) -> date:
        """The first open day that is `day` or later.

        Raises:
            InvalidInput: The office does not open for a year.
        """
        return self._nearest(day, _DAY)

    def last_open(self, day: date) -> date:
        """The last open day that is `day` or earlier.

        Raises:
            InvalidInput: The office did not open for a year.
        """
        return self._nearest(day, -_DAY)

    def _nearest(self, day: date, step: timedelta) -> date:
        near = day
        for _ in range(_MOST_DAYS_CLOSED):
            if self.is_open(near):
                return near
            near += step
        raise InvalidInput(
            f"the office is closed for a year around {day}",
            hint="Correct open_days and closed in the policy's calendar.",
        )


@lru_cache(maxsize=1024)
def _public_holidays(country: str, year: int) -> frozenset[date]:
    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except NotImplementedError:
        raise InvalidInput(
            f"no public holidays are known for the country `{country}`",
            hint="Write a country code (ISO 3166-1) that the `holidays` package knows.",
        ) from None


def _weekday(day: date) -> Weekday:
    return _WEEK[day.weekday()]


def _covers(closure: Closure, day: date) -> bool:
    """Whether the closure, which may run into the next year, includes `day`."""
    month_day = (day.month, day.day)
    if closure.starts <= closure.ends:
        return closure.starts <= month_day <= closure.ends
    return month_day >= closure.starts or month_day <= closure.ends


def answer_by(rule: KindRule, clock: Clock, office: Office, received_on: date) -> date:
    """The last local date on which an answer is in time.

    Never falls when `received_on` rises.
    """
    return _end(rule.answer_within, clock, office, received_on)


def tell_by(rule: KindRule, clock: Clock, office: Office, received_on: date) -> date:
    """The last local date on which the requester can be told of an extension and its reasons.

    That of the answer which it puts off (GDPR Art. 12(3) sentence 3).

    Raises:
        InvalidInput: This kind of request knows no extension.
    """
    _extension(rule)
    return answer_by(rule, clock, office, received_on)


def extended_by(rule: KindRule, clock: Clock, office: Office, received_on: date) -> date:
    """The last local date on which an answer is in time after an extension.

    Both lengths are counted as one from the receipt, so that a last day which
    was moved the first time is not counted twice.

    Raises:
        InvalidInput: This kind of request knows no extension.
    """
    by, within = _extension(rule).by, rule.answer_within
    total = (
        Period(months=within.total_months + by.total_months)
        if by.total_months
        else Period(days=within.total_days + by.total_days)
    )
    return _end(total, clock, office, received_on)


def _extension(rule: KindRule) -> Extension:
    if rule.extension is None:
        raise InvalidInput(
            f"the law knows no extension for a request of the kind `{rule.kind}`",
            hint="Decide it within its first period.",
        )
    return rule.extension


def _end(period: Period, clock: Clock, office: Office, received_on: date) -> date:
    last_on = last_day(period, clock, office, received_on)
    if clock.closed_days is ClosedDays.STAY:
        return last_on
    open_on = last_on
    while open_on > received_on and not office.is_open(open_on):
        open_on -= _DAY
    return open_on if open_on > received_on else last_on


def last_day(period: Period, clock: Clock, office: Office, received_on: date) -> date:
    """The day with which the period ends in law, whoever is there on it."""
    counting = Counting(period, MonthRule(clock.months), clock.count_first_day)
    last_on = due_on(received_on, counting) - _DAY
    if clock.closed_days is ClosedDays.AFTER:
        while _weekday(last_on) in clock.rest_days or office.is_holiday(last_on):
            last_on += _DAY
    return last_on
