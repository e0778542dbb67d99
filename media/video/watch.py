"""How a long work on footage reports, and learns that it is no longer wanted."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a search has come."""

    frames: int
    total: int | None  #: as the container says; None where it does not
    elapsed_seconds: float

    @property
    def left_seconds(self) -> float | None:
        """Time left at the speed so far; None where it cannot be said."""
        if not self.total or not self.frames:
            return None
        return self.elapsed_seconds * max(0, self.total - self.frames) / self.frames


@dataclass(frozen=True, slots=True)
class Watch:
    """How a long work reports, and learns that it is no longer wanted."""

    on_progress: Callable[[Progress], None] = lambda _: None
    is_cancelled: Callable[[], bool] = lambda: False
