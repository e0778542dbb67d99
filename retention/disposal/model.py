"""What a night would do, and whether it may. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from retention.kernel.canonical import digest_of


class RunKind(StrEnum):
    """Why a run was started."""

    NIGHT = "night"  #: the bell; one a business date
    MANUAL = "manual"
    REFUSED = "refused"  #: what must not be recorded, or was rejected from quarantine
    ERASURE = "erasure"  #: what a person asked to have erased, and two people granted


#: Kinds that look at what they were given and at nothing that is due: they say nothing of whether nights are run.
UNSCHEDULED = frozenset({RunKind.REFUSED, RunKind.ERASURE})


class RunState(StrEnum):
    """How far a run is."""

    STARTED = "started"
    INCOMPLETE = "incomplete"  #: some bytes could not be erased yet; resume
    DONE = "done"
    TRIPPED = "tripped"  #: a guard stood in the way; nothing was disposed of


@dataclass(frozen=True, slots=True)
class PlannedCohort:
    """A cohort whose purpose ends."""

    id: int
    name: str
    class_name: str
    zone: str
    trigger_on: date
    due_on: date
    recordings: int  #: have no other reason left, and go
    size_bytes: int  #: of those that go
    held: int  #: have no other reason left but a hold, and stay
    purpose_ends: int  #: lose this purpose, whether they go or stay
    needs_approval: bool
    is_expired: bool = False  #: an earlier night ended it; holds kept some of it, or still do

    @property
    def extent(self) -> tuple[int, int, int]:
        """What a second person approves: one that has changed by a recording or a byte is another."""
        return self.recordings, self.size_bytes, self.purpose_ends


@dataclass(frozen=True, slots=True)
class DisposalPlan:
    """What a night on `on` would do."""

    on: date
    cohorts: tuple[PlannedCohort, ...]
    recordings: int  #: to be disposed of
    size_bytes: int
    held: int  #: would be, but for a hold
    spent: int  #: of the recordings: those whose last hold was lifted
    unknown_classes: tuple[str, ...]  #: kept, and alarmed: the schedule does not know them

    @property
    def needs_approval(self) -> bool:
        """Whether a second person must approve some of it."""
        return any(cohort.needs_approval for cohort in self.cohorts)

    @property
    def digest(self) -> str:
        """Equal exactly for plans that do the same."""
        return digest_of(
            {
                "on": self.on,
                "cohorts": [
                    [c.name, c.recordings, c.size_bytes, c.held, c.purpose_ends] for c in self.cohorts
                ],
                "recordings": self.recordings,
                "size_bytes": self.size_bytes,
                "held": self.held,
            }
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """From which size on a night is suspicious."""

    class_fraction: float
    overall_fraction: float
    from_recordings: int
    size_bytes: int
    clock_forward: timedelta
    backup_age: timedelta  #: zero: not watched


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the guards look at besides the plan."""

    now: datetime
    last_audit_at: datetime | None
    last_run_at: datetime | None
    last_backup_at: datetime | None
    total_recordings: int
    total_by_class: Mapping[str, int]
    holds_in_journal: frozenset[str]  #: in force, going by the journal outside the database
    holds_accounted_for: frozenset[str]  #: in force, or lifted on record
    early: tuple[str, ...]  #: cohorts that are due, with recordings whose day lies after theirs
    untold: frozenset[str]  #: holds in force, and the last run, of which the journal knows nothing
    journal_lost: str  #: what is gone of the journal, going by who remembers its end
    trail_astray: str  #: how the audit trail is not the one that was witnessed
    store_id: str  #: the object store that the catalogue was made for
    store_id_in_store: str  #: the object store that is there


#: Clocks of two machines that share a database may differ by this much.
CLOCK_BACKWARD = timedelta(minutes=5)


def tripped(plan: DisposalPlan, limits: Limits, seen: Surroundings) -> dict[str, str]:
    """The guards that stand in the way, by name, each with its reason; empty when none does."""
    found = {
        "overall-fraction": _overall(plan, limits, seen),
        "class-fraction": _classes(plan, limits, seen),
        "size": f"{plan.size_bytes} bytes would go, more than the limit of {limits.size_bytes}"
        if plan.size_bytes > limits.size_bytes
        else "",
        "clock": _clock(limits, seen),
        "trail": seen.trail_astray,
        "trigger": _trigger(seen),
        "holds": _holds(seen),
        "journal": _journal(seen),
        "backup": _backup(limits, seen),
        "store": ""
        if seen.store_id == seen.store_id_in_store
        else f"the catalogue belongs to object store {seen.store_id}, not to {seen.store_id_in_store}",
    }
    return {name: reason for name, reason in found.items() if reason}


def _overall(plan: DisposalPlan, limits: Limits, seen: Surroundings) -> str:
    if (
        plan.recordings < limits.from_recordings
        or plan.recordings <= limits.overall_fraction * seen.total_recordings
    ):
        return ""
    return (
        f"{plan.recordings} of {seen.total_recordings} recordings would go,"
        f" more than the share of {limits.overall_fraction:.0%} of the archive"
    )


def _classes(plan: DisposalPlan, limits: Limits, seen: Surroundings) -> str:
    due: dict[str, int] = {}
    for cohort in plan.cohorts:
        due[cohort.class_name] = due.get(cohort.class_name, 0) + cohort.recordings
    over = [
        f"{count} of {seen.total_by_class.get(name, 0)} of {name}"
        for name, count in sorted(due.items())
        if count >= limits.from_recordings
        and count > limits.class_fraction * seen.total_by_class.get(name, 0)
    ]
    return f"more than {limits.class_fraction:.0%} of a class would go: {', '.join(over)}" if over else ""


def _clock(limits: Limits, seen: Surroundings) -> str:
    if seen.last_audit_at and seen.now < seen.last_audit_at - CLOCK_BACKWARD:
        return f"the clock says {seen.now:%Y-%m-%d %H:%M} UTC, but something was done at {seen.last_audit_at:%Y-%m-%d %H:%M}"
    if seen.last_run_at and seen.now > seen.last_run_at + limits.clock_forward:
        return (
            f"the clock says {seen.now:%Y-%m-%d}, more than {limits.clock_forward.days} days"
            f" after the last run on {seen.last_run_at:%Y-%m-%d}"
        )
    return ""


def _trigger(seen: Surroundings) -> str:
    wrong = ", ".join(seen.early)
    return f"cohorts count from an earlier day than recordings in them: {wrong}" if wrong else ""


def _holds(seen: Surroundings) -> str:
    gone = sorted(seen.holds_in_journal - seen.holds_accounted_for)
    return f"holds that the journal knows are not in the catalogue: {', '.join(gone)}" if gone else ""


def _journal(seen: Surroundings) -> str:
    lost = ", ".join(filter(None, [seen.journal_lost, *sorted(seen.untold)]))
    return f"the journal outside the database has lost what it was told: {lost}" if lost else ""


def _backup(limits: Limits, seen: Surroundings) -> str:
    if (
        not limits.backup_age
        or seen.last_backup_at is None
        or seen.now <= seen.last_backup_at + limits.backup_age
    ):
        return ""
    return f"the last backup is of {seen.last_backup_at:%Y-%m-%d}, older than {limits.backup_age.days} days"
