"""The only place that reads the time.

Every instant inside the service is an aware UTC datetime; local calendars
appear at the edges and in `schedule`.
"""

import time
from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes backwards."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - this is the one place

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes backwards."""
        return time.monotonic()


def local_date(at: datetime, zone: str) -> date:
    """The calendar date in `zone` at the instant `at`."""
    return at.astimezone(ZoneInfo(zone)).date()
