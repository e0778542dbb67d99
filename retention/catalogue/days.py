"""Does a cohort count from the day on which its recordings started or ended?

A class that counts from the recording puts each into the cohort of its own
local day; so do triggers that are told, restores and changes of the schedule.
Where the two differ, somebody moved the cohort's day by hand. A cohort that
waits for an event, or whose class the schedule does not know, has no such day.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, case, func, select, true
from sqlmodel import Session

from retention.catalogue.tables import CohortRow, LotRow, ReasonRow, RecordingRow
from retention.database import table_of
from retention.kernel.clock import local_date
from retention.schedule.model import RECORDING_STARTED, Schedule

READ_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class CohortDays:
    """The day that a living cohort counts from, and those of the recordings in it."""

    name: str
    trigger_on: date
    first_on: date
    last_on: date

    @property
    def agree(self) -> bool:
        """Whether it is the day of every one of them."""
        return self.first_on == self.trigger_on == self.last_on

    @property
    def is_early(self) -> bool:
        """Whether one of them would go sooner than was promised."""
        return self.last_on > self.trigger_on


def days_of_cohorts(
    session: Session, schedule: Schedule, which: ColumnElement[bool] | None = None
) -> Iterator[CohortDays]:
    """Living cohorts that count from their recordings and have any; all, or those of which `which` holds.

    Reads the recordings of those cohorts, and no others.
    """
    started = [name for name, rule in schedule.classes.items() if rule.trigger == RECORDING_STARTED]
    counted = [name for name, rule in schedule.classes.items() if not rule.has_open_trigger]
    cohort, member, lot, recording = (table_of(t) for t in (CohortRow, ReasonRow, LotRow, RecordingRow))
    at = case((cohort.c.class_name.in_(started), recording.c.started_at), else_=recording.c.ended_at)
    statement = (
        select(cohort.c.name, cohort.c.zone, cohort.c.trigger_on, func.min(at), func.max(at))
        .select_from(cohort)
        .join(member, member.c.cohort_id == cohort.c.id)
        .join(lot, lot.c.reasons_id == member.c.reasons_id)
        .join(recording, recording.c.lot_id == lot.c.id)
        .where(
            cohort.c.state == "active",
            cohort.c.trigger_on.is_not(None),
            cohort.c.class_name.in_(counted),
            true() if which is None else which,
        )
        .group_by(cohort.c.id)
        .order_by(cohort.c.id)
    )
    with session.execute(statement.execution_options(yield_per=READ_AT_ONCE)) as rows:
        for name, zone, trigger_on, first_at, last_at in rows:
            yield CohortDays(name, trigger_on, local_date(first_at, zone), local_date(last_at, zone))
