"""Until when a request must be answered: known answers, counted by hand on a calendar."""

from dataclasses import replace
from datetime import date

import pytest

from retention.kernel.errors import InvalidInput
from retention.requests.rules.clock import Office, answer_by, extended_by, last_day, tell_by
from retention.requests.rules.model import ClosedDays, Period, RequestKind
from retention.schedule.model import Weekday
from tests.builders.rulebooks import office, rulebook

APPI, GDPR = rulebook("appi"), rulebook("gdpr")
DISCLOSURE = APPI.kinds[RequestKind.DISCLOSURE]
ACCESS = GDPR.kinds[RequestKind.DISCLOSURE]
YEAR_END = (((12, 29), (1, 3)),)


# --- The office -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "is_open"),
    [
        (date(2026, 5, 1), True),
        (date(2026, 5, 2), False),  # Saturday
        (date(2026, 5, 3), False),  # Constitution Memorial Day, a Sunday
        (date(2026, 5, 4), False),  # Greenery Day
        (date(2026, 5, 5), False),  # Children's Day
        (date(2026, 5, 6), False),  # substitute holiday for 3 May
        (date(2026, 5, 7), True),
        (date(2026, 9, 22), False),  # between two holidays: a citizens' holiday
        (date(2019, 5, 1), False),  # enthronement: a holiday of that year alone
        (date(2027, 3, 22), False),  # substitute for the vernal equinox, a Sunday
        (date(2026, 12, 28), True),
        (date(2026, 12, 29), False),
        (date(2027, 1, 3), False),
        (date(2027, 1, 4), True),
    ],
)
def test_a_japanese_office_is_closed_on_holidays_their_substitutes_and_over_the_turn_of_the_year(
    day: date, *, is_open: bool
) -> None:
    assert office(closed=YEAR_END).is_open(day) is is_open


def test_the_nearest_open_days_around_golden_week() -> None:
    desk = office()
    assert desk.next_open(date(2026, 5, 2)) == date(2026, 5, 7)
    assert desk.last_open(date(2026, 5, 6)) == date(2026, 5, 1)
    assert desk.next_open(date(2026, 5, 7)) == desk.last_open(date(2026, 5, 7)) == date(2026, 5, 7)


def test_a_closure_within_one_year_includes_both_ends() -> None:
    desk = office(closed=(((8, 10), (8, 14)),))
    assert desk.last_open(date(2026, 8, 14)) == date(2026, 8, 7)
    assert desk.next_open(date(2026, 8, 10)) == date(2026, 8, 17)


def test_an_office_that_never_opens_is_an_error_and_not_an_endless_search() -> None:
    with pytest.raises(InvalidInput, match="closed for a year"):
        office(closed=(((1, 1), (12, 31)),)).next_open(date(2026, 1, 1))


def test_an_office_in_a_country_without_known_holidays_is_refused_at_once() -> None:
    with pytest.raises(InvalidInput, match="no public holidays are known for the country `XX`"):
        office("XX")


# --- APPI: fourteen days, before a closed day ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("received_on", "expected"),
    [
        (date(2026, 11, 2), date(2026, 11, 16)),  # Monday to Monday
        (date(2026, 4, 17), date(2026, 5, 1)),  # the Friday before Golden Week
        (date(2026, 4, 18), date(2026, 5, 1)),
        (date(2026, 4, 22), date(2026, 5, 1)),  # 6 May is the substitute holiday
        (date(2026, 4, 23), date(2026, 5, 7)),
        (date(2026, 12, 14), date(2026, 12, 28)),
        (date(2026, 12, 20), date(2026, 12, 28)),  # 3 January
        (date(2026, 12, 21), date(2027, 1, 4)),
        (date(2028, 2, 15), date(2028, 2, 29)),  # leap day, a Tuesday
        (date(2027, 2, 15), date(2027, 3, 1)),  # the same date in a common year
        (date(2028, 2, 29), date(2028, 3, 14)),
    ],
)
def test_an_answer_under_the_appi(received_on: date, expected: date) -> None:
    assert answer_by(DISCLOSURE, APPI.clock, office(closed=YEAR_END), received_on) == expected


def test_a_request_that_arrives_on_a_holiday_has_arrived_on_that_day() -> None:
    """Civil Code Art. 97(1): New Year's Day counts as the day of arrival, and the next day is the first of fourteen."""
    desk = office(closed=YEAR_END)
    assert answer_by(DISCLOSURE, APPI.clock, desk, date(2027, 1, 1)) == date(2027, 1, 15)
    assert answer_by(DISCLOSURE, APPI.clock, desk, date(2027, 1, 4)) == date(2027, 1, 18)


def test_where_the_office_does_not_open_once_the_law_s_last_day_stands() -> None:
    desk = office(closed=(((8, 1), (8, 31)),))
    assert answer_by(DISCLOSURE, APPI.clock, desk, date(2026, 8, 3)) == date(2026, 8, 17)


# --- GDPR: a month, and the law's own calendar -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("received_on", "expected"),
    [
        (date(2026, 8, 31), date(2026, 9, 30)),
        (date(2027, 1, 29), date(2027, 3, 1)),  # 28 February 2027 is a Sunday
        (date(2028, 1, 29), date(2028, 2, 29)),
        (date(2028, 1, 31), date(2028, 2, 29)),
        (date(2026, 3, 3), date(2026, 4, 7)),  # Good Friday to Easter Monday
        (date(2026, 9, 3), date(2026, 10, 5)),  # German Unity Day, a Saturday
        (date(2026, 11, 25), date(2026, 12, 28)),  # Christmas Day, a Friday; Boxing Day; Sunday
    ],
)
def test_an_answer_under_the_gdpr_in_germany(received_on: date, expected: date) -> None:
    assert answer_by(ACCESS, GDPR.clock, office("DE"), received_on) == expected


def test_that_only_the_company_is_closed_moves_no_law() -> None:
    """Reg. 1182/71 Art. 3(4) knows public holidays, Sundays and Saturdays: a closed Wednesday is a working day."""
    open_days = (Weekday.MONDAY, Weekday.TUESDAY, Weekday.THURSDAY, Weekday.FRIDAY)
    desk = office("DE", open_days=open_days, closed=(((12, 24), (1, 1)),))
    assert answer_by(ACCESS, GDPR.clock, desk, date(2026, 10, 11)) == date(
        2026, 11, 10
    )  # 11 November, Wednesday
    assert answer_by(ACCESS, GDPR.clock, desk, date(2026, 11, 28)) == date(
        2026, 12, 22
    )  # 28 December; 23rd a Wednesday


def test_an_office_that_opens_on_saturdays_may_use_the_law_s_monday_all_the_same() -> None:
    desk = office("DE", open_days=tuple(Weekday)[:6])
    assert answer_by(ACCESS, GDPR.clock, desk, date(2026, 5, 13)) == date(2026, 6, 15)


# --- Extension, and days that stay --------------------------------------------------------------------------------


def test_an_extension_is_counted_from_the_receipt_and_told_within_the_first_period() -> None:
    desk = office("DE")
    assert extended_by(ACCESS, GDPR.clock, desk, date(2026, 2, 14)) == date(
        2026, 5, 15
    )  # Ascension is the 14th
    assert tell_by(ACCESS, GDPR.clock, desk, date(2026, 2, 14)) == date(2026, 3, 16)
    assert extended_by(DISCLOSURE, APPI.clock, office(), date(2026, 11, 2)) == date(2026, 11, 30)


@pytest.mark.parametrize("asked", [tell_by, extended_by])
def test_where_the_law_knows_no_extension_there_is_none(asked: object) -> None:
    assert callable(asked)
    rule = replace(DISCLOSURE, extension=None)
    with pytest.raises(InvalidInput, match="no extension for a request of the kind `disclosure`"):
        asked(rule, APPI.clock, office(), date(2026, 11, 2))


def test_days_that_stay_stay() -> None:
    clock = replace(APPI.clock, closed_days=ClosedDays.STAY)
    assert answer_by(DISCLOSURE, clock, office(), date(2026, 4, 22)) == date(2026, 5, 6)


def test_the_first_day_counts_where_the_rulebook_says_so() -> None:
    clock = replace(APPI.clock, count_first_day=True)
    assert last_day(Period(days=14), clock, office(), date(2026, 11, 2)) == date(2026, 11, 15)


def test_an_office_is_a_value() -> None:
    assert office() == office()
    assert isinstance(office(), Office)
