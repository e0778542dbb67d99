"""A clock that stands still until a test moves it."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

BEGINNING = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # a Monday, ten in the morning in Tokyo


class HandClock:
    """Tells the time that it was set to."""

    def __init__(self, now: datetime = BEGINNING) -> None:
        self._now = now
        self._monotonic_s = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic_s

    def set(self, now: datetime) -> None:
        """Put the wall clock to an instant; the monotonic clock does not notice."""
        self._now = now.astimezone(UTC)

    def move(self, *, days: float = 0, hours: float = 0, seconds: float = 0) -> None:
        """Let time pass."""
        passed = timedelta(days=days, hours=hours, seconds=seconds)
        self._now += passed
        self._monotonic_s += passed.total_seconds()

    def move_to(self, on: date, zone: str = "Asia/Tokyo", at: time = time(2, 0)) -> None:
        """Let time pass until it is `at` on the local date `on`."""
        then = datetime.combine(on, at, ZoneInfo(zone)).astimezone(UTC)
        self._monotonic_s += max(0.0, (then - self._now).total_seconds())
        self._now = then
