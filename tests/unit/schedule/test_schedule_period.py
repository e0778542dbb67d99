"""A period is stated in calendar units, one sort at a time."""

import pytest

from retention.kernel.errors import InvalidInput
from retention.schedule.model import Period


@pytest.mark.parametrize("text", ["P1D", "P30D", "P2W", "P6M", "P18M", "P7Y", "P8Y2M", "P100Y", "P36525D"])
def test_a_period_prints_as_it_was_written(text: str) -> None:
    assert str(Period.parse(text)) == text


def test_twelve_months_are_not_rewritten_as_a_year() -> None:
    assert str(Period.parse("P12M")) == "P12M"
    assert Period.parse("P12M").total_months == Period.parse("P1Y").total_months


@pytest.mark.parametrize(
    "text",
    [
        *("", "P", "6M", "P6", "p6m", "P-1D", "P0D", "P0Y", "P06M", "PT5H", "P1DT5H", "P1.5Y", "P1M2Y"),
        *(" P6M", "P6M\n", "P٣D", "P1Y-1M", "-P1D", "six months", "P" + "9" * 5000 + "D"),
    ],
)
def test_what_is_no_calendar_period_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Period.parse(text)
    assert "P30D" in refused.value.hint


@pytest.mark.parametrize("text", ["P1M15D", "P1Y1D", "P1W1D", "P1M1W"])
def test_a_mixture_is_refused_because_laws_count_it_differently(text: str) -> None:
    with pytest.raises(InvalidInput, match="mixes"):
        Period.parse(text)


@pytest.mark.parametrize("text", ["P101Y", "P100Y1M", "P1201M", "P36526D", "P5218W", "P9999999Y"])
def test_nobody_promises_more_than_a_hundred_years(text: str) -> None:
    with pytest.raises(InvalidInput, match="hundred years"):
        Period.parse(text)


def test_a_period_built_in_code_keeps_the_same_rules() -> None:
    with pytest.raises(InvalidInput):
        Period()
    with pytest.raises(InvalidInput):
        Period(days=-1)
    with pytest.raises(InvalidInput):
        Period(months=1, days=1)
