"""What a night would dispose of: sums over the lots of the cohorts that are due.

Reads cohorts and lots only, never recordings: its cost grows with the lots
that are due, not with the archive.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select, text
from sqlmodel import Session

from retention.catalogue.tables import CohortRow, LotCohortRow, LotRow
from retention.database import table_of
from retention.disposal.model import DisposalPlan, PlannedCohort
from retention.kernel.clock import local_date
from retention.schedule.model import Approval, Schedule

#: The last date, in a zone, that counts: a night never runs ahead of a site's own calendar.
EffectiveDate = Callable[[str], date]
NO_COHORT: frozenset[int] = frozenset()
#: So many columns, the first, tell of a lot in a cohort; the others describe the cohort.
_COUNTED = 7


def not_ahead_of(now: datetime, on: date) -> EffectiveDate:
    """`on`, but never a date that has not begun at the site."""
    return lambda zone: min(on, local_date(now, zone))


@dataclass(slots=True)
class _Lot:
    recordings: int
    size_bytes: int
    holds: int
    living: int
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


@dataclass(slots=True)
class _Found:
    """Lots and cohorts that have to do with the date, and their sums."""

    lots: dict[int, _Lot] = field(default_factory=dict)
    cohorts: dict[int, Any] = field(default_factory=dict)

    def learn(self, row: Any) -> None:
        cohort_id, state, lot_id, *counts = row[:_COUNTED]
        if cohort_id not in self.cohorts:
            self.cohorts[cohort_id] = row
        if lot_id is None:
            return
        lot = self.lots.get(lot_id)
        if lot is None:
            lot = self.lots[lot_id] = _Lot(*counts)
        lot.cohorts.add(cohort_id)
        if state == "active":
            lot.due.add(cohort_id)

    def sums(self, cohort_id: int) -> _Sums:
        into = _Sums()
        for lot in self._of(cohort_id):
            into.purpose_ends += lot.recordings
            if lot.ends and lot.holds:
                into.held += lot.recordings
            elif lot.ends:
                into.recordings += lot.recordings
                into.size_bytes += lot.size_bytes
        return into

    def _of(self, cohort_id: int) -> Iterator[_Lot]:
        if not self._by_cohort:
            for lot in self.lots.values():
                for each in lot.cohorts:
                    self._by_cohort[each].append(lot)
        return iter(self._by_cohort.get(cohort_id, ()))

    _by_cohort: dict[int, list[_Lot]] = field(default_factory=lambda: defaultdict(list))


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
        for row in _due_members(session, due):
            if row.cohort_id not in leave:
                found.learn(row)
    for row in _members_without_reason(session):
        found.learn(row)
    cohorts = (_cohort(schedule, row, found.sums(row.cohort_id), approved) for row in found.cohorts.values())
    ending = {lot_id: lot for lot_id, lot in found.lots.items() if lot.ends and lot.recordings}
    going = {lot_id: lot for lot_id, lot in ending.items() if not lot.holds}
    return DisposalPlan(
        on=on,
        cohorts=tuple(sorted(cohorts, key=lambda c: (c.due_on, c.name))),
        lot_ids=tuple(sorted(going)),
        recordings=sum(lot.recordings for lot in going.values()),
        size_bytes=sum(lot.size_bytes for lot in going.values()),
        held=sum(lot.recordings for lot in ending.values() if lot.holds),
        spent=sum(lot.recordings for lot in going.values() if not lot.living),
        unknown_classes=unknown,
    )


def _due_condition(
    session: Session, schedule: Schedule, effective: EffectiveDate
) -> tuple[ColumnElement[bool] | None, tuple[str, ...]]:
    table = table_of(CohortRow)
    pairs = session.execute(
        select(table.c.class_name, table.c.zone).where(table.c.state == "active").distinct()
    ).all()
    known = [(name, zone) for name, zone in pairs if name in schedule.classes]
    unknown = tuple(sorted({name for name, _ in pairs} - set(schedule.classes)))
    clauses = [
        and_(
            table.c.state == "active",
            table.c.class_name == name,
            table.c.zone == zone,
            table.c.trigger_on <= schedule.cutoff(name, effective(zone)),
        )
        for name, zone in known
    ]
    return (or_(*clauses) if clauses else None), unknown


def _due_members(session: Session, due: ColumnElement[bool]) -> Any:
    """The lots of the cohorts that are due; a cohort that was never filled comes without a lot."""
    cohort, member, lot = table_of(CohortRow), table_of(LotCohortRow), table_of(LotRow)
    joined = cohort.outerjoin(member, member.c.cohort_id == cohort.c.id).outerjoin(
        lot, lot.c.id == member.c.lot_id
    )
    return session.execute(_columns().select_from(joined).where(due))


def _members_without_reason(session: Session) -> Any:
    """Lots whose cohorts expired earlier: a hold keeps them, or their last hold has been lifted since."""
    cohort, member, lot = table_of(CohortRow), table_of(LotCohortRow), table_of(LotRow)
    joined = lot.join(member, lot.c.id == member.c.lot_id).join(cohort, member.c.cohort_id == cohort.c.id)
    # Written out, not bound: only then does the database see that its partial index serves.
    ended = and_(text("lot.living = 0 AND lot.recordings > 0"), lot.c.run_id.is_(None))
    return session.execute(_columns().select_from(joined).where(ended))


def _columns() -> Select[Any]:
    cohort, lot = table_of(CohortRow), table_of(LotRow)
    return select(
        cohort.c.id.label("cohort_id"),
        cohort.c.state,
        lot.c.id.label("lot_id"),
        lot.c.recordings,
        lot.c.size_bytes,
        lot.c.holds,
        lot.c.living,
        cohort.c.name,
        cohort.c.class_name,
        cohort.c.zone,
        cohort.c.trigger_on,
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
