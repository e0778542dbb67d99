"""What a night would dispose of: sums over the lots of the cohorts that are due.

Reads cohorts and lots only, never recordings: its cost grows with the lots
that are due, not with the archive.
"""

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlmodel import Session

from retention.catalogue.tables import CohortRow, LotCohortRow, LotRow
from retention.database import table_of
from retention.disposal.model import DisposalPlan, PlannedCohort
from retention.kernel.clock import local_date
from retention.schedule.model import Approval, Schedule

#: The last date, in a zone, that counts: a night never runs ahead of a site's own calendar.
EffectiveDate = Callable[[str], date]
NO_COHORT: frozenset[int] = frozenset()


def not_ahead_of(now: datetime, on: date) -> EffectiveDate:
    """`on`, but never a date that has not begun at the site."""
    return lambda zone: min(on, local_date(now, zone))


@dataclass(slots=True)
class _Sums:
    recordings: int = 0
    size_bytes: int = 0
    held: int = 0


@dataclass(slots=True)
class _Lot:
    recordings: int
    size_bytes: int
    holds: int
    living: int
    due: set[int] = field(default_factory=set)

    @property
    def ends(self) -> bool:
        """Whether no purpose is left once the due cohorts are gone."""
        return self.living == len(self.due)


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
    lots: dict[int, _Lot] = {}
    cohorts: dict[int, Any] = {}
    sums: dict[int, _Sums] = defaultdict(_Sums)
    if due is not None:
        for row in _members(session, due):
            if row.cohort_id in leave:
                continue
            cohorts[row.cohort_id] = row
            _learn(lots, sums, row)
    planned = tuple(
        sorted(
            (_cohort(schedule, row, sums[row.cohort_id], approved) for row in cohorts.values()),
            key=lambda c: (c.due_on, c.name),
        )
    )
    ending = {lot_id: lot for lot_id, lot in lots.items() if lot.ends}
    going = {lot_id: lot for lot_id, lot in ending.items() if not lot.holds and lot.recordings}
    spent = _spent_lots(session)
    return DisposalPlan(
        on=on,
        cohorts=planned,
        lot_ids=tuple(sorted(going.keys() | spent.keys())),
        recordings=sum(lot.recordings for lot in (going | spent).values()),
        size_bytes=sum(lot.size_bytes for lot in (going | spent).values()),
        held=sum(lot.recordings for lot in ending.values() if lot.holds),
        spent=sum(lot.recordings for lot in spent.values()),
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


def _members(session: Session, due: ColumnElement[bool]) -> Any:
    cohort, member, lot = table_of(CohortRow), table_of(LotCohortRow), table_of(LotRow)
    return session.execute(
        select(
            cohort.c.id.label("cohort_id"),
            cohort.c.name,
            cohort.c.class_name,
            cohort.c.zone,
            cohort.c.trigger_on,
            lot.c.id.label("lot_id"),
            lot.c.recordings,
            lot.c.size_bytes,
            lot.c.holds,
            lot.c.living,
        )
        .select_from(cohort)
        .outerjoin(member, member.c.cohort_id == cohort.c.id)
        .outerjoin(lot, lot.c.id == member.c.lot_id)
        .where(due)
    )


def _learn(lots: dict[int, _Lot], sums: dict[int, _Sums], row: Any) -> None:
    if row.lot_id is None:
        return
    lot = lots.setdefault(row.lot_id, _Lot(row.recordings, row.size_bytes, row.holds, row.living))
    if row.cohort_id in lot.due:
        return
    lot.due.add(row.cohort_id)
    into = sums[row.cohort_id]
    if lot.holds:
        into.held += lot.recordings
    else:
        into.recordings += lot.recordings
        into.size_bytes += lot.size_bytes


def _cohort(
    schedule: Schedule, row: Any, sums: _Sums, approved: Callable[[PlannedCohort], bool]
) -> PlannedCohort:
    cohort = PlannedCohort(
        id=row.cohort_id,
        name=row.name,
        class_name=row.class_name,
        zone=row.zone,
        trigger_on=row.trigger_on,
        due_on=schedule.due_on(row.class_name, row.trigger_on),
        recordings=sums.recordings,
        size_bytes=sums.size_bytes,
        held=sums.held,
        needs_approval=schedule.classes[row.class_name].approval is Approval.EACH_RUN,
    )
    return replace(cohort, needs_approval=False) if cohort.needs_approval and approved(cohort) else cohort


def _spent_lots(session: Session) -> dict[int, _Lot]:
    """Lots whose cohorts expired earlier and whose last hold has been lifted since."""
    table = table_of(LotRow)
    rows = session.execute(
        select(table.c.id, table.c.recordings, table.c.size_bytes).where(
            table.c.living == 0, table.c.recordings > 0, table.c.holds == 0, table.c.run_id.is_(None)
        )
    )
    return {row.id: _Lot(row.recordings, row.size_bytes, 0, 0) for row in rows}
