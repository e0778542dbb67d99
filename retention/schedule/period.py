"""A calendar period as a policy states it, and the rules for counting months.

A period is stated in years and months, or in weeks, or in days. A mixture of
months and days is refused: the laws that are counted by here disagree about
it (EU Regulation 1182/71 Art. 3(2)(d) takes parts of a month as thirtieths,
BGB § 189(2) counts the days last, Japan's Civil Code is silent), and nobody
has to promise one.

Does not count days: see `calendar`.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Self

from retention.kernel.errors import InvalidInput

_ISO_PERIOD = re.compile(
    r"P(?:(?P<years>[1-9]\d*)Y)?(?:(?P<months>[1-9]\d*)M)?(?:(?P<weeks>[1-9]\d*)W)?(?:(?P<days>[1-9]\d*)D)?",
    re.ASCII,
)
_HINT = "Write years and months (P1Y6M), or weeks (P2W), or days (P30D); at most 100 years."


class MonthRule(StrEnum):
    """How a period of months or years ends; days and weeks count alike under both."""

    CIVIL_CODE = "jp-civil-code-143"  #: on the day before the day that corresponds to the first counted day
    EU_1182_71 = "eu-1182-71"  #: on the day that has the same date as the event


@dataclass(frozen=True, slots=True)
class Period:
    """A length of calendar time, from a day to a hundred years.

    Raises:
        InvalidInput: Nothing, negative, a mixture, or longer than a hundred years.
    """

    years: int = 0
    months: int = 0
    weeks: int = 0
    days: int = 0

    MOST_MONTHS: ClassVar[int] = 1_200  #: a hundred years
    MOST_DAYS: ClassVar[int] = 36_525  #: a hundred years, rounded up

    def __post_init__(self) -> None:
        parts = (self.years, self.months, self.weeks, self.days)
        if min(parts) < 0 or not any(parts):
            raise InvalidInput(f"{self} is no length of time", hint=_HINT)
        if sum((self.total_months > 0, self.weeks > 0, self.days > 0)) > 1:
            raise InvalidInput(
                f"{self} mixes months, weeks and days, which laws count differently", hint=_HINT
            )
        if self.total_months > self.MOST_MONTHS or self.total_days > self.MOST_DAYS:
            raise InvalidInput(f"{self} is longer than a hundred years", hint=_HINT)

    @property
    def total_months(self) -> int:
        """Years and months, in months; 0 if the period is in weeks or days."""
        return 12 * self.years + self.months

    @property
    def total_days(self) -> int:
        """Weeks and days, in days; 0 if the period is in years or months."""
        return 7 * self.weeks + self.days

    @classmethod
    def parse(cls, text: str) -> Self:
        """The period that an ISO 8601 duration without a time of day states.

        Raises:
            InvalidInput: The text states no such period.
        """
        # The longest sensible text has six digits; int() must not be fed with thousands.
        stated = _ISO_PERIOD.fullmatch(text) if len(text) <= 32 else None
        if stated is None or text == "P":
            raise InvalidInput(f"{text[:32]!r} is not a calendar period", hint=_HINT)
        return cls(**{unit: int(number) for unit, number in stated.groupdict(default="0").items()})

    def __str__(self) -> str:
        parts = ((self.years, "Y"), (self.months, "M"), (self.weeks, "W"), (self.days, "D"))
        return "P" + ("".join(f"{number}{unit}" for number, unit in parts if number) or "0D")
