"""Put an approved plan in force.

What can say no says it first: the state of the plan, the cool-off, another
version in force, and an archive in which much more would become due than the
approver saw. Then one transaction makes the new version, and names the cohorts
by their new classes. A cohort whose recordings go different ways is marked as
moving in the same transaction: no schedule knows that class, so what is in it
is kept until it has been sorted (`move`).

Nothing is disposed of here: what is due by now goes the next night.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from math import ceil
from typing import Any

from sqlalchemy import bindparam, literal, update
from sqlmodel import Session

from retention.amendment.approve import find_plan, still_for_the_schedule_in_force
from retention.amendment.archive import COHORT
from retention.amendment.impact import gone_sooner
from retention.amendment.model import MOVING, Place, PlanState, step
from retention.amendment.move import finish
from retention.amendment.plan import assess, lots_touched, todays
from retention.amendment.routes import Routes, sort_cohorts
from retention.amendment.tables import SchedulePlanRow
from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.audit.witness import SignedJournal
from retention.catalogue.schedules import read_schedule
from retention.catalogue.tables import ScheduleRow, StoreRow
from retention.database import Database, in_batches, table_of
from retention.kernel.canonical import isoformat
from retention.kernel.clock import Clock
from retention.kernel.errors import IllegalTransition, StaleApproval
from retention.vault.model import KeyService

LOCK = "schedule"
BATCH = 5_000
#: An approval covers this much more than was previewed for the day: archives grow while people decide.
SLACK_SHARE, SLACK_RECORDINGS = 0.05, 10

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Tools:
    """What applying needs."""

    database: Database
    keys: KeyService
    journal: SignedJournal
    clock: Clock


def apply(tools: Tools, digest: str, actor: str, progress: Progress = lambda _: None) -> SchedulePlanRow:
    """Put the plan in force, and bring the recordings to their classes; or finish what was interrupted.

    Raises:
        NotFound: There is no such plan.
        IllegalTransition: It is not approved, or still cooling off.
        StaleApproval: Another version is in force, or much more would become due than was previewed.
        DatabaseBusy: Another process is applying a plan.
    """
    with tools.database.exclusive(LOCK):
        with tools.database.read() as session:
            plan = find_plan(session, digest)
            routes = _routes(session, plan)
            if plan.state != PlanState.MOVING:
                _may_apply(session, plan, tools.clock.now())
                _as_previewed(session, plan, routes, tools.clock.now())
        if plan.state != PlanState.MOVING:
            with tools.database.write() as session:
                _put_in_force(session, tools, plan.digest, routes, actor)
        finish(tools.database, tools.keys, tools.clock, plan.digest, routes, actor, progress)
        with tools.database.read() as session:
            return find_plan(session, plan.digest)


def _routes(session: Session, plan: SchedulePlanRow) -> Routes:
    base = session.get_one(ScheduleRow, plan.base_version)
    return Routes(read_schedule(base.text, base.file_name), read_schedule(plan.text, plan.file_name))


def _may_apply(session: Session, plan: SchedulePlanRow, now: datetime) -> None:
    step(plan.digest, PlanState(plan.state), "apply")
    still_for_the_schedule_in_force(session, plan)
    assert plan.cool_off_until is not None
    if now < plan.cool_off_until:
        raise IllegalTransition(
            f"plan {plan.digest} cools off until {isoformat(plan.cool_off_until)}",
            hint="Apply it after that, or cancel it: `retention schedule cancel DIGEST`.",
        )


def _as_previewed(session: Session, plan: SchedulePlanRow, routes: Routes, now: datetime) -> None:
    impact, _ = assess(session, routes, now)
    expected, found = previewed(plan.impact, now), impact.due_now.recordings
    if found > expected + ceil(expected * SLACK_SHARE) + SLACK_RECORDINGS:
        raise StaleApproval(
            f"{found} recordings would become due at once; when plan {plan.digest} was made,"
            f" {expected} were expected for today"
        )


def previewed(impact: Mapping[str, Any], now: datetime) -> int:
    """How many recordings the plan said would be gone by now that the schedule in force still keeps."""
    curve = ((zone, date.fromisoformat(on), change) for zone, on, change in impact["curve"])
    return gone_sooner(curve, todays(now))


def _put_in_force(session: Session, tools: Tools, digest: str, routes: Routes, actor: str) -> None:
    now = tools.clock.now()
    plan = find_plan(session, digest)
    _may_apply(session, plan, now)
    new = routes.new
    sorting = sort_cohorts(routes, lots_touched(session, routes))
    plan.state = step(digest, PlanState(plan.state), "apply")
    plan.applied_at, plan.applied_by, plan.version = now, actor, plan.base_version + 1
    session.add(plan)
    session.add(
        ScheduleRow(
            version=plan.version,
            digest=new.digest,
            text=plan.text,
            file_name=plan.file_name,
            planned_by=plan.planned_by,
            approved_by=plan.approved_by,
            applied_at=now,
        )
    )
    session.flush()
    _rename(session, sorting.renamed.items())
    _mark(session, sorted(sorting.sorted))
    session.execute(update(table_of(StoreRow)).values(controller_zone=new.controller.zone))
    _tell(session, tools.journal, plan, new.digest, now, actor)


def _rename(session: Session, places: Iterable[tuple[int, Place]]) -> None:
    rows = [
        {"cohort": cohort, "class": p.class_name, "day": p.trigger_on, "of": p.reference}
        for cohort, p in places
    ]
    statement = (
        update(COHORT)
        .where(COHORT.c.id == bindparam("cohort"))
        .values(class_name=bindparam("class"), trigger_on=bindparam("day"), reference=bindparam("of"))
    )
    in_batches(rows, BATCH, lambda some: session.execute(statement, some))


def _mark(session: Session, cohort_ids: list[int]) -> None:
    label = literal(MOVING).concat(COHORT.c.class_name)
    in_batches(
        cohort_ids,
        BATCH,
        lambda some: session.execute(update(COHORT).where(COHORT.c.id.in_(some)).values(class_name=label)),
    )


def _tell(
    session: Session,
    journal: SignedJournal,
    plan: SchedulePlanRow,
    text_digest: str,
    now: datetime,
    actor: str,
) -> None:
    """Put it on record, and outside the database: a restored backup must not go back to earlier periods unnoticed."""
    who = {"planned_by": plan.planned_by, "approved_by": plan.approved_by}
    version = {"version": plan.version, "plan": plan.digest, "digest": text_digest, **who}
    journal.write("schedule-applied", now, {**version, "text": plan.text, "file_name": plan.file_name})
    record(session, now, Act(Tag.SCHEDULE_APPLIED, actor, plan.digest, detail=version))
