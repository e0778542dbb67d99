"""What a night would dispose of: sums over the lots of the cohorts that are due.

Reads cohorts and lots only, never recordings: its cost grows with the lots
that are due, not with the archive.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, text
from sqlmodel import Session

from retention.catalogue.tables import CohortRow, LotRow, ReasonRow
from retention.database import table_of
from retention.disposal.model import DisposalPlan, PlannedCohort
from retention.kernel.clock import local_date
from retention.schedule.model import Approval, Schedule

#: The last date, in a zone, that counts: a night never runs ahead of a site's own calendar.
EffectiveDate = Callable[[str], date]
NO_COHORT: frozenset[int] = frozenset()
COHORT, MEMBER, LOT = (table_of(t) for t in (CohortRow, ReasonRow, LotRow))
#: Lots that no purpose keeps. Written out, not bound: only then does the database see that its partial index serves.
WITHOUT_REASON = and_(text("lot.living = 0 AND lot.recordings > 0"), LOT.c.run_id.is_(None))


def not_ahead_of(now: datetime, on: date) -> EffectiveDate:
    """`on`, but never a date that has not begun at the site."""
    return lambda zone: min(on, local_date(now, zone))


@dataclass(slots=True)
class _Set:
    """The lots of a set of reasons."""

    living: int
    recordings: int  #: under no hold
    size_bytes: int
    held: int
    due: set[int] = field(default_factory=set)  #: living cohorts that are due
    cohorts: set[int] = field(default_factory=set)  #: those, and the expired ones that were looked at

    @property
    def ends(self) -> bool:
        """Whether no purpose is left once the due cohorts are gone."""
        return self.living == len(self.due)


@dataclass(slots=True)
class _Sums:
    recordings: int = 0
    size_bytes: int = 0
    held: int = 0
    purpose_ends: int = 0

    def add(self, lots: _Set) -> None:
        self.purpose_ends += lots.recordings + lots.held
        if lots.ends:
            self.recordings += lots.recordings
            self.size_bytes += lots.size_bytes
            self.held += lots.held


@dataclass(slots=True)
class _Found:
    """Sets of reasons and cohorts that have to do with the date."""

    sets: dict[int, _Set] = field(default_factory=dict)
    cohorts: dict[int, Any] = field(default_factory=dict)
    sums: defaultdict[int, _Sums] = field(default_factory=lambda: defaultdict(_Sums))  #: by cohort

    def learn(self, lots: Iterable[Any], members: Iterable[Any]) -> None:
        for reasons_id, *counts in lots:
            living, recordings, size_bytes, held = (
                int(each) for each in counts
            )  # PostgreSQL sums to decimals
            self.sets[reasons_id] = _Set(living, recordings, size_bytes, held)
        for row in members:
            self.cohorts.setdefault(row.cohort_id, row)
            lots_of_set = self.sets.get(row.reasons_id)
            if lots_of_set is None:
                continue
            lots_of_set.cohorts.add(row.cohort_id)
            if row.state == "active":
                lots_of_set.due.add(row.cohort_id)

    def sum_up(self) -> None:
        for lots in self.sets.values():
            for cohort_id in lots.cohorts:
                self.sums[cohort_id].add(lots)


def make_plan(
    session: Session,
    schedule: Schedule,
    on: date,
    *,
    effective: EffectiveDate | None = None,
    leave: Collection[int] = NO_COHORT,
    approved: Callable[[PlannedCohort], bool] = lambda _: False,
) -> DisposalPlan:
    """The plan for `on`.

    Args:
        session: A reading or writing transaction.
        schedule: The schedule to apply; another than the one in force previews a change.
        on: The date, in each site's own calendar.
        effective: Cuts the date back per zone; None trusts `on` (a preview may lie in the future).
        leave: Cohorts to leave out, because nobody approved them.
        approved: Whether a second person has approved this cohort as it stands.
    """
    effective = effective or (lambda _: on)
    due, unknown = _due_condition(session, schedule, effective)
    found = _Found()
    if due is not None:
        found.learn(*_due(session, due, leave))
    found.learn(*_without_reason(session))
    found.sum_up()
    cohorts = (
        _cohort(schedule, row, found.sums[cohort_id], approved) for cohort_id, row in found.cohorts.items()
    )
    ending = [lots for lots in found.sets.values() if lots.ends]
    return DisposalPlan(
        on=on,
        cohorts=tuple(sorted(cohorts, key=lambda c: (c.due_on, c.name))),
        recordings=sum(lots.recordings for lots in ending),
        size_bytes=sum(lots.size_bytes for lots in ending),
        held=sum(lots.held for lots in ending),
        spent=sum(lots.recordings for lots in ending if not lots.living),
        unknown_classes=unknown,
    )


def _due_condition(
    session: Session, schedule: Schedule, effective: EffectiveDate
) -> tuple[ColumnElement[bool] | None, tuple[str, ...]]:
    living = COHORT.c.state == "active"
    pairs = session.execute(select(COHORT.c.class_name, COHORT.c.zone).where(living).distinct()).all()
    known = [(name, zone) for name, zone in pairs if name in schedule.classes]
    unknown = tuple(sorted({name for name, _ in pairs} - set(schedule.classes)))
    clauses = [
        and_(
            living,
            COHORT.c.class_name == name,
            COHORT.c.zone == zone,
            COHORT.c.trigger_on <= schedule.cutoff(name, effective(zone)),
        )
        for name, zone in known
    ]
    return (or_(*clauses) if clauses else None), unknown


def _due(session: Session, due: ColumnElement[bool], leave: Collection[int]) -> tuple[Any, Any]:
    """The lots and the members of the sets that have a cohort that is due; a cohort may be in none."""
    concerned = and_(due, COHORT.c.id.not_in(list(leave))) if leave else due
    sets = select(MEMBER.c.reasons_id).join(COHORT, COHORT.c.id == MEMBER.c.cohort_id).where(concerned)
    joined = COHORT.outerjoin(MEMBER, MEMBER.c.cohort_id == COHORT.c.id)
    members = _MEMBERS.select_from(joined).where(concerned)
    return _counted(session, LOT.c.reasons_id.in_(sets)), session.execute(members)


def _without_reason(session: Session) -> tuple[Any, Any]:
    """Of sets whose cohorts expired earlier: a hold keeps the lots, or their last hold has been lifted since."""
    sets = select(LOT.c.reasons_id).where(WITHOUT_REASON)
    joined = MEMBER.join(COHORT, MEMBER.c.cohort_id == COHORT.c.id)
    members = _MEMBERS.select_from(joined).where(MEMBER.c.reasons_id.in_(sets))
    return _counted(session, WITHOUT_REASON), session.execute(members)


def _counted(session: Session, condition: ColumnElement[bool]) -> Any:
    held = LOT.c.holds > 0
    return session.execute(
        select(
            LOT.c.reasons_id,
            func.max(LOT.c.living),
            func.sum(case((held, 0), else_=LOT.c.recordings)),
            func.sum(case((held, 0), else_=LOT.c.size_bytes)),
            func.sum(case((held, LOT.c.recordings), else_=0)),
        )
        .where(condition, LOT.c.run_id.is_(None))
        .group_by(LOT.c.reasons_id)
    )


_MEMBERS = select(
    COHORT.c.id.label("cohort_id"),
    COHORT.c.state,
    COHORT.c.name,
    COHORT.c.class_name,
    COHORT.c.zone,
    COHORT.c.trigger_on,
    MEMBER.c.reasons_id,
)


def _cohort(
    schedule: Schedule, row: Any, sums: _Sums, approved: Callable[[PlannedCohort], bool]
) -> PlannedCohort:
    cohort = PlannedCohort(
        id=row.cohort_id,
        name=row.name,
        class_name=row.class_name,
        zone=row.zone,
        trigger_on=row.trigger_on,
        due_on=schedule.due_on(row.class_name, row.trigger_on)
        if row.class_name in schedule.classes
        else row.trigger_on,
        recordings=sums.recordings,
        size_bytes=sums.size_bytes,
        held=sums.held,
        purpose_ends=sums.purpose_ends,
        needs_approval=row.state == "active"
        and schedule.classes[row.class_name].approval is Approval.EACH_RUN,
        is_expired=row.state != "active",
    )
    return replace(cohort, needs_approval=False) if cohort.needs_approval and approved(cohort) else cohort
