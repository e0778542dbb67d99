"""Put an approved plan in force.

What can say no says it first: the state of the plan, the cool-off, another
version in force, and an archive in which much more would become due than the
approver saw. Then one transaction makes the new version, and lets the cohorts
stand for their new classes. Cohorts whose recordings go different ways are
marked in the same transaction: what is in them is kept until it is sorted
(`move`).

Nothing is disposed of here: what is due by now goes the next night.
"""

from collections.abc import Mapping
from datetime import date, datetime
from math import ceil
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, col

from retention.amendment.approve import find_plan, still_for_the_schedule_in_force
from retention.amendment.archive import stand_for
from retention.amendment.impact import gone_sooner
from retention.amendment.model import Place, PlanState, step
from retention.amendment.move import sort_marked
from retention.amendment.plan import assess, lots_touched, todays
from retention.amendment.routes import Routes, rename_cohorts
from retention.amendment.tables import SchedulePlanRow
from retention.amendment.tools import Progress, Tools
from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.catalogue.journal import Moving, tell_of_schedule
from retention.catalogue.schedules import read_schedule, schedule_row
from retention.catalogue.tables import CohortRow, ScheduleRow, StoreRow
from retention.database import in_batches, table_of
from retention.kernel.canonical import isoformat
from retention.kernel.errors import IllegalTransition, StaleApproval
from retention.schedule.model import Schedule

LOCK = "schedule"
BATCH = 5_000
#: An approval covers this much more than was foretold for the day: archives grow while people decide.
SLACK_SHARE, SLACK_RECORDINGS = 0.05, 10


def apply(tools: Tools, digest: str, actor: str, progress: Progress = lambda _: None) -> SchedulePlanRow:
    """Put the plan in force and bring the recordings to their classes; or finish what was interrupted.

    Raises:
        NotFound: There is no such plan.
        IllegalTransition: It is not approved, or still cooling off, or was applied before.
        StaleApproval: Another version is in force, or much more would become due than was foretold.
        DatabaseBusy: Another process is applying a plan.
    """
    with tools.database.exclusive(LOCK):
        with tools.database.read() as session:
            plan = find_plan(session, digest)
            if plan.state != PlanState.MOVING:
                _may_apply(session, plan, tools.clock.now())
                routes = Routes(*_both(session, plan))
                _as_foretold(session, plan, routes, tools.clock.now())
        if plan.state != PlanState.MOVING:
            with tools.database.write() as session:
                _put_in_force(session, tools, plan.digest, routes, actor)
        return _finish(tools, plan.digest, actor, progress)


def finish(tools: Tools, actor: str, progress: Progress = lambda _: None) -> int:
    """Sort what is marked, whoever marked it (an interrupted plan, a restored backup); how many keys that took.

    Raises:
        DatabaseBusy: Another process is applying a plan.
    """
    with tools.database.exclusive(LOCK):
        with tools.database.read() as session:
            plan: SchedulePlanRow | None = session.execute(
                select(SchedulePlanRow).where(col(SchedulePlanRow.state) == PlanState.MOVING)
            ).scalar_one_or_none()
        if plan is None:
            return sort_marked(tools, progress)
        return _finish(tools, plan.digest, actor, progress).rewrapped - plan.rewrapped


def _finish(tools: Tools, digest: str, actor: str, progress: Progress) -> SchedulePlanRow:
    """Tell the journal what may not have reached it, sort, close the plan."""
    with tools.database.read() as session:
        plan = find_plan(session, digest)
    Moving(tools.journal, tools.clock.now(), plan.move_id).confirm()
    with tools.database.read() as session:
        tell_of_schedule(tools.journal, schedule_row(session))
    sort_marked(tools, progress, plan.digest)
    with tools.database.write() as session:
        plan = find_plan(session, digest)
        plan.state = step(digest, PlanState(plan.state), "finish")
        detail = {"version": plan.version, "rewrapped": plan.rewrapped}
        record(session, tools.clock.now(), Act(Tag.SCHEDULE_MOVED, actor, digest, detail=detail))
    return plan


def _both(session: Session, plan: SchedulePlanRow) -> tuple[Schedule, Schedule]:
    base = schedule_row(session)
    return read_schedule(base.text, base.file_name), read_schedule(plan.text, plan.file_name)


def _may_apply(session: Session, plan: SchedulePlanRow, now: datetime) -> None:
    step(plan.digest, PlanState(plan.state), "apply")
    still_for_the_schedule_in_force(session, plan)
    assert plan.cool_off_until is not None
    if now < plan.cool_off_until:
        raise IllegalTransition(
            f"plan {plan.digest} cools off until {isoformat(plan.cool_off_until)}",
            hint="Apply it after that, or cancel it: `retention schedule cancel DIGEST`.",
        )


def _as_foretold(session: Session, plan: SchedulePlanRow, routes: Routes, now: datetime) -> None:
    impact, _ = assess(session, routes, now)
    expected, found = foretold(plan.impact, now), impact.due_now.recordings
    if found > expected + ceil(expected * SLACK_SHARE) + SLACK_RECORDINGS:
        raise StaleApproval(
            f"{found} recordings would become due at once; when plan {plan.digest} was made,"
            f" {expected} were expected for today"
        )


def foretold(impact: Mapping[str, Any], now: datetime) -> int:
    """How many recordings, going by the plan, would be gone by now that the schedule in force still keeps."""
    curve = ((zone, date.fromisoformat(on), change) for zone, on, change in impact["curve"])
    return gone_sooner(curve, todays(now))


def _put_in_force(session: Session, tools: Tools, digest: str, routes: Routes, actor: str) -> None:
    now, new = tools.clock.now(), routes.new
    plan = find_plan(session, digest)
    _may_apply(session, plan, now)
    row = ScheduleRow(
        version=plan.base_version + 1,
        digest=new.digest,
        text=plan.text,
        file_name=plan.file_name,
        planned_by=plan.planned_by,
        approved_by=plan.approved_by,
        applied_at=now,
    )
    session.add(row)
    session.execute(update(table_of(StoreRow)).values(controller_zone=new.controller.zone))
    moving = Moving(tools.journal, now)
    _rename(session, moving, rename_cohorts(routes, lots_touched(session, routes)))
    plan.state = step(digest, PlanState(plan.state), "apply")
    plan.applied_at, plan.applied_by, plan.version, plan.move_id = now, actor, row.version, moving.id
    detail = {
        "version": row.version,
        "digest": row.digest,
        "planned_by": row.planned_by,
        "approved_by": row.approved_by,
    }
    record(session, now, Act(Tag.SCHEDULE_APPLIED, actor, digest, detail=detail))


def _rename(session: Session, moving: Moving, places: Mapping[int, Place]) -> None:
    def rename(some: list[int]) -> None:
        rows = list(session.execute(select(CohortRow).where(col(CohortRow.id).in_(some))).scalars())
        for row in rows:
            assert row.id is not None
            stand_for(row, places[row.id])
        moving.renamed(rows)

    in_batches(sorted(places), BATCH, rename)
