"""What a change of the schedule is made of, and how far a plan is. Pure.

Dates are local dates at the recording's site; sizes are bytes.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from retention.kernel.errors import IllegalTransition
from retention.schedule.model import Facts, Schedule

#: Marks the class of a cohort whose recordings wait to be sorted. No schedule can have a class of such a name, so
#: they are kept.
MARK = "moving~"
#: Marks the class of a purpose that no class provides for: kept likewise, and alarmed.
UNCLASSIFIED = "unclassified~"


class PlanState(StrEnum):
    """How far a plan is."""

    PLANNED = "planned"  #: printed; nobody has agreed yet
    APPROVED = "approved"  #: a second person has agreed; cooling off
    MOVING = "moving"  #: in force; recordings are being brought to their classes
    APPLIED = "applied"
    CANCELLED = "cancelled"


TRANSITIONS: dict[tuple[PlanState, str], PlanState] = {
    (PlanState.PLANNED, "approve"): PlanState.APPROVED,
    (PlanState.PLANNED, "cancel"): PlanState.CANCELLED,
    (PlanState.APPROVED, "cancel"): PlanState.CANCELLED,
    (PlanState.APPROVED, "apply"): PlanState.MOVING,
    (PlanState.MOVING, "finish"): PlanState.APPLIED,
}


def step(digest: str, state: PlanState, action: str) -> PlanState:
    """The state of plan `digest` after `action`.

    Raises:
        IllegalTransition: The action is not possible in this state.
    """
    try:
        return TRANSITIONS[state, action]
    except KeyError:
        raise IllegalTransition(
            f"plan {digest} is {state}; it is too late, or too early, to {action} it",
            hint="`retention schedule list` shows every plan and what it waits for.",
        ) from None


class Place(NamedTuple):
    """Where a reason to keep stands: what makes a cohort, but for the zone."""

    class_name: str
    trigger_on: date | None  #: None while the trigger is open
    reference: str = ""  #: the case or contract an open trigger waits for


class Member(NamedTuple):
    """A living reason to keep the recordings of a lot."""

    purpose: str
    cohort_id: int
    place: Place
    mark: str | None = (
        None  #: where the cohort waits to be sorted, the event its day is of; "" if nobody knows
    )


@dataclass(frozen=True, eq=False, slots=True)
class Reasons:
    """Why recordings are kept. Equal only to itself: made once for all lots that have them."""

    members: tuple[Member, ...]  #: living; by purpose and cohort
    expired: frozenset[str] = frozenset()  #: purposes of floors whose use is over


class Lot(NamedTuple):
    """Recordings that share facts, reasons and holds; made by the ten thousand."""

    id: int
    facts: Facts
    is_held: bool
    recordings: int
    size_bytes: int
    reasons: Reasons

    @property
    def members(self) -> tuple[Member, ...]:
        """The living reasons, by purpose and cohort."""
        return self.reasons.members

    @property
    def expired(self) -> frozenset[str]:
        """Purposes of floors whose use is over."""
        return self.reasons.expired


@dataclass(frozen=True, slots=True)
class Days:
    """The local dates on which a recording started and ended."""

    started_on: date
    ended_on: date


@dataclass(slots=True)
class Sums:
    """Recordings and bytes that would go, and recordings that only a hold keeps."""

    recordings: int = 0
    size_bytes: int = 0
    held: int = 0

    @property
    def total(self) -> int:
        """All recordings, whether they would go or only a hold keeps them."""
        return self.recordings + self.held

    def add(self, lot: Lot) -> None:
        """Count a lot."""
        if lot.is_held:
            self.held += lot.recordings
        else:
            self.recordings += lot.recordings
            self.size_bytes += lot.size_bytes

    def plus(self, other: "Sums") -> None:
        """Count what another counted."""
        self.recordings += other.recordings
        self.size_bytes += other.size_bytes
        self.held += other.held


def due_on(schedule: Schedule, place: Place) -> date | None:
    """The first date on which the reason no longer keeps; None where that has no date, or the class is unknown."""
    if place.trigger_on is None or place.class_name not in schedule.classes:
        return None
    return schedule.due_on(place.class_name, place.trigger_on)


def marked(place: Place, trigger: str | None) -> Place:
    """The place of a cohort while its recordings wait to be sorted; remembers which event its day is of."""
    return place._replace(class_name=f"{MARK}{trigger or ''}~{place.class_name}")


def unmarked(class_name: str) -> tuple[str, str | None]:
    """The class that a cohort had, and its mark; no mark where it has none."""
    if not class_name.startswith(MARK):
        return class_name, None
    _, trigger, name = class_name.split("~", 2)
    return name, trigger


def unclassified(purpose: str, trigger: str) -> str:
    """The class of what carries `purpose` and finds no class; remembers which event its day is of."""
    return f"{UNCLASSIFIED}{purpose}~{trigger}"


def purpose_without_class(class_name: str) -> str | None:
    """The purpose for which there is no class, if `class_name` says that."""
    return class_name.split("~")[1] if class_name.startswith(UNCLASSIFIED) else None


def trigger_of(schedule: Schedule, class_name: str) -> str | None:
    """The event that a cohort's trigger day is of; None when nobody knows any more."""
    if class_name.startswith(UNCLASSIFIED):
        return class_name.split("~")[2]
    rule = schedule.classes.get(class_name)
    return rule.trigger if rule else None
