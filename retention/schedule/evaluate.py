"""Decide what a retention schedule says about one recording at one instant.

Pure: callers hand in the reasons to keep the recording (its memberships), the
holds on it and the instant they are asking about, and get back a Decision that
carries its reasons. Printing those is how an operator, an auditor and a test
all learn why a recording was kept or became due.

Rules:
- The longest reason wins. Each purpose expires on its own.
- What is held is never due. What is in a class that the schedule does not
  have, or in none, is kept, with an alarm. So is what waits for an event.
- A ceiling never makes anything due. It is a conflict once it has passed and
  the recording is still kept.

Dates are local at each membership's zone; instants are UTC.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from retention.schedule import calendar
from retention.schedule.model import RECORDING_ENDED, Ceiling, Facts, Schedule


class Outcome(StrEnum):
    """What the schedule says should happen."""

    KEEP = "keep"  #: a reason to keep it is alive
    HELD = "held"  #: a hold suspends disposal, whatever else is true
    DUE = "due"  #: every reason has expired; disposal is allowed


@dataclass(frozen=True, slots=True)
class Membership:
    """One reason to keep a recording: its place in a cohort."""

    purpose: str
    class_name: str
    zone: str  #: IANA name of the site's time zone
    trigger_on: date | None  #: local date; None while the trigger's event has not happened


@dataclass(frozen=True, slots=True)
class PurposeDecision:
    """What became of one reason."""

    purpose: str
    class_name: str
    trigger_on: date | None
    due_on: date | None  #: None while the trigger is open, or if the class is unknown
    due_at: datetime | None  #: the same boundary as a UTC instant
    expired: bool  #: use for this purpose is over; a hold does not prolong it


@dataclass(frozen=True, slots=True)
class Decision:
    """What the schedule says about one recording, and why."""

    outcome: Outcome
    due_on: date | None  #: of the longest reason; None if that cannot be said
    due_at: datetime | None  #: the same boundary as a UTC instant
    purposes: tuple[PurposeDecision, ...]  #: by purpose and class
    ceilings_passed: tuple[str, ...]  #: names of the ceilings in conflict
    conflicts: tuple[str, ...]  #: a sentence for each
    reasons: tuple[str, ...]  #: sentences: each purpose, what is longest, each hold, each conflict


def evaluate(
    schedule: Schedule,
    memberships: Iterable[Membership],
    holds: tuple[str, ...],
    now: datetime,
    ended_on: date,
    facts: Facts,
) -> Decision:
    """Decide about one recording.

    Args:
        schedule: The schedule in force.
        memberships: Every reason to keep the recording, in any order.
        holds: Identifiers of the holds on it, in any order.
        now: The instant that is asked about; aware.
        ended_on: Local date on which the recording ended, from which ceilings count.
        facts: What the schedule may know about it.

    Raises:
        ValueError: `now` is naive.
    """
    if now.tzinfo is None:
        raise ValueError("an aware instant is needed")
    judged = sorted((_judge(schedule, each, now) for each in memberships), key=_place)
    purposes = tuple(decision for decision, _ in judged)
    longest = _longest(purposes)
    outcome = _outcome(purposes, holds)
    passed = _ceilings_passed(schedule, purposes, now, ended_on, facts) if outcome is not Outcome.DUE else ()
    conflicts = tuple(_conflict(ceiling, ended_on, purposes, holds) for ceiling in passed)
    return Decision(
        outcome=outcome,
        due_on=longest.due_on if longest else None,
        due_at=longest.due_at if longest else None,
        purposes=purposes,
        ceilings_passed=tuple(ceiling.name for ceiling in passed),
        conflicts=conflicts,
        reasons=(
            *(reason for _, reason in judged),
            _summary(purposes, longest),
            *(f"hold {hold} suspends disposal" for hold in sorted(holds)),
            *conflicts,
        ),
    )


def _judge(schedule: Schedule, each: Membership, now: datetime) -> tuple[PurposeDecision, str]:
    """What became of one reason, and the sentence that says so."""
    rule = schedule.classes.get(each.class_name)
    if rule is None or each.trigger_on is None:
        decision = PurposeDecision(each.purpose, each.class_name, each.trigger_on, None, None, expired=False)
        if rule is None:
            return (
                decision,
                f"alarm: {each.purpose}: the schedule has no class {each.class_name}; kept until it has",
            )
        return (
            decision,
            f"{each.purpose}: {rule.name} keeps {rule.period} from {rule.trigger}, which has not happened",
        )
    due_on = calendar.due_on(each.trigger_on, rule.counting)
    due_at = calendar.due_at(due_on, each.zone)
    expired = now >= due_at
    decision = PurposeDecision(each.purpose, each.class_name, each.trigger_on, due_on, due_at, expired)
    floor = "floor " if rule.is_floor else ""
    first_day = "counted" if rule.count_first_day else "not counted"
    return decision, (
        f"{each.purpose}: {floor}{rule.name} keeps {rule.period} from {rule.trigger} on {each.trigger_on}"
        f" (first day {first_day}): {'expired' if expired else 'expires'} on {due_on} at {_instant(due_at)}"
    )


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _place(judged: tuple[PurposeDecision, str]) -> tuple[str, ...]:
    """A place in the list that depends on nothing but the reason itself."""
    decision, reason = judged
    return (decision.purpose, decision.class_name, str(decision.trigger_on), reason)


def _longest(purposes: tuple[PurposeDecision, ...]) -> PurposeDecision | None:
    """The reason that expires last; None if one has no end yet, or there is none."""
    ends = [(each.due_at, each) for each in purposes if each.due_at is not None]
    if not ends or len(ends) < len(purposes):
        return None
    return max(ends, key=lambda end: end[0])[1]


def _outcome(purposes: tuple[PurposeDecision, ...], holds: tuple[str, ...]) -> Outcome:
    if holds:
        return Outcome.HELD
    return Outcome.DUE if purposes and all(each.expired for each in purposes) else Outcome.KEEP


def _summary(purposes: tuple[PurposeDecision, ...], longest: PurposeDecision | None) -> str:
    if not purposes:
        return "alarm: the recording is in no class; kept until it is"
    if longest is None:
        waiting = sorted({each.class_name for each in purposes if each.due_on is None})
        return f"no due date: {', '.join(waiting)} has no end yet"
    return f"the longest reason is {longest.class_name}: disposal is allowed from {longest.due_on}"


def _ceilings_passed(
    schedule: Schedule, purposes: tuple[PurposeDecision, ...], now: datetime, ended_on: date, facts: Facts
) -> tuple[Ceiling, ...]:
    return tuple(
        ceiling
        for ceiling in schedule.ceilings_for(facts, (each.purpose for each in purposes))
        if now >= calendar.due_at(calendar.due_on(ended_on, ceiling.counting), facts.zone)
    )


def _conflict(
    ceiling: Ceiling, ended_on: date, purposes: tuple[PurposeDecision, ...], holds: tuple[str, ...]
) -> str:
    keepers = [f"hold {hold}" for hold in sorted(holds)]
    keepers += [f"class {each.class_name}" for each in purposes if not each.expired]
    end_on = calendar.due_on(ended_on, ceiling.counting)
    return (
        f"conflict: ceiling {ceiling.name} ({ceiling.period} from {RECORDING_ENDED} on {ended_on}) passed on {end_on},"
        f" but {', '.join(keepers) or 'the lack of a class'} keeps the recording"
    )
