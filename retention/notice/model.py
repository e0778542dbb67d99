"""What the public notice is made from. Pure."""

from dataclasses import dataclass
from datetime import date

from retention.catalogue.model import Source
from retention.requests.rules.model import Rulebook
from retention.schedule.model import Schedule


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the schedule; dates are local to the controller."""

    number: int
    schedule: Schedule
    book: Rulebook  #: the last that was in force beside it
    since: date
    until: date | None  #: None while it is in force


@dataclass(frozen=True, slots=True)
class State:
    """All that the notice tells of."""

    versions: tuple[Version, ...]  #: oldest first; the last is in force
    sources: tuple[Source, ...]  #: recorders only; the office's own papers come from none
