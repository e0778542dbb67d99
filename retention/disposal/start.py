"""Decide, guard and commit a run: the one transaction after which it must happen.

Everything that can say no says it here, under the writer's lock: approvals,
guards, holds. A tripped guard leaves a run on the ledger that did nothing.
"""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.audit.verify import ask, head_of
from retention.audit.witness import SignedJournal, Witness
from retention.catalogue.lots import lots_of
from retention.catalogue.schedules import schedule_in_force, schedule_row
from retention.catalogue.tables import CohortRow, LotRow, ReasonRow
from retention.database import in_batches, table_of
from retention.disposal.approve import approved_cohorts
from retention.disposal.model import (
    UNSCHEDULED,
    DisposalPlan,
    Limits,
    PlannedCohort,
    RunKind,
    RunState,
    tripped,
)
from retention.disposal.plan import WITHOUT_REASON, make_plan, not_ahead_of
from retention.disposal.surroundings import surroundings
from retention.disposal.tables import RunRow
from retention.kernel.errors import CatalogueDisagrees
from retention.kernel.ids import new_id

BATCH = 5_000


def start_run(
    session: Session,
    *,
    on: date,
    kind: RunKind,
    now: datetime,
    actor: str,
    limits: Limits,
    journal: SignedJournal,
    witness: Witness,
    store_id_in_store: str,
) -> RunRow:
    """Put a run on the ledger: STARTED and certain to happen, or TRIPPED and without effect.

    Must be called in a writing transaction. An unfinished run on the ledger has its own lots, and keeps them.
    """
    schedule, version = schedule_in_force(session), schedule_row(session).version
    approved = approved_cohorts(session)
    effective = not_ahead_of(now, on)
    full = make_plan(session, schedule, on, effective=effective, approved=approved)
    waiting = [cohort for cohort in full.cohorts if cohort.needs_approval]
    plan = full
    if waiting:
        leave = {cohort.id for cohort in waiting}
        # What is left was approved as it stood in the full plan; without the others it only does less.
        plan = make_plan(session, schedule, on, effective=effective, leave=leave, approved=lambda _: True)
    run = RunRow(
        id=new_id(now),
        kind=kind,
        on=on,
        attempt=attempt(session, kind, on),
        state=RunState.STARTED,
        plan=plan_json(plan),
        planned=plan.recordings,
        held=plan.held,
        awaiting_approval=sum(cohort.recordings for cohort in waiting),
        schedule_version=version,
        started_at=now,
        started_by=actor,
    )
    seen = surroundings(session, plan, limits, now, journal, ask(witness), store_id_in_store)
    stops = tripped(plan, limits, seen)
    if stops and not _was_reset(session, stops, plan):
        run.state, run.tripped, run.finished_at = RunState.TRIPPED, stops, now
        session.add(run)
        record(session, now, Act(Tag.DISPOSAL_TRIPPED, actor, run.id, detail={"on": on, "guards": stops}))
        return run
    if stops.keys() & BEGINS_ANEW:
        witness.restart(head_of(session), now)
    session.add(run)
    session.flush()
    cohort_ids = [found.id for found in plan.cohorts if not found.is_expired]
    commit_to(session, run.id, cohort_ids)
    check_going(session, run)
    record(
        session,
        now,
        Act(
            Tag.DISPOSAL_STARTED,
            actor,
            run.id,
            detail={
                "on": on,
                "digest": plan.digest,
                "recordings": plan.recordings,
                "cohorts": len(plan.cohorts),
                "held": plan.held,
            },
        ),
    )
    return run


def attempt(session: Session, kind: RunKind, on: date) -> int:
    """A night that tripped, was reset and rings again is the same night's next attempt."""
    statement = (
        select(func.count())
        .select_from(table_of(RunRow))
        .where(col(RunRow.kind) == kind, col(RunRow.on) == on)
    )
    return int(session.execute(statement).scalar_one())


def commit_to(session: Session, run_id: str, cohort_ids: list[int], kind: RunKind = RunKind.NIGHT) -> None:
    """Let active cohorts expire in the run, and hand it the lots that nothing keeps then: all, or only its own."""
    cohort, member, lot = table_of(CohortRow), table_of(ReasonRow), table_of(LotRow)

    def expire(ids: list[int]) -> None:
        session.execute(update(cohort).where(cohort.c.id.in_(ids)).values(state="expiring", run_id=run_id))
        lost = (
            select(func.count(func.distinct(member.c.cohort_id)))
            .where(member.c.reasons_id == lot.c.reasons_id, member.c.cohort_id.in_(ids))
            .scalar_subquery()
        )
        session.execute(update(lot).where(lots_of(ids)).values(living=lot.c.living - lost))

    in_batches(cohort_ids, BATCH, expire)
    session.execute(
        update(lot)
        .where(WITHOUT_REASON, lot.c.holds == 0, *([lots_of(cohort_ids)] if kind is RunKind.ERASURE else []))
        # Another signature: what joins lots of this description later (a hold is lifted) is not this run's.
        .values(run_id=run_id, signature=lot.c.signature + f"@{run_id}")
    )


def check_going(session: Session, run: RunRow) -> None:
    """Refuse to go on when the run has been handed another number of recordings than was planned.

    Raises:
        CatalogueDisagrees: The counts are wrong; nothing is committed.
    """
    going = select(func.coalesce(func.sum(col(LotRow.recordings)), 0)).where(col(LotRow.run_id) == run.id)
    count = int(session.execute(going).scalar_one())
    if count != run.planned:
        raise CatalogueDisagrees(
            f"the plan counts {run.planned} recordings, but nothing keeps {count}: nothing was disposed of",
            hint="`retention check` says what is wrong with the counts.",
        )


#: A reset agrees to what was seen; this much more may have become due meanwhile.
RESET_SLACK = 1.05
#: What the witness folder lost is lost when two people say so; from there on it is watched again.
BEGINS_ANEW = {"trail", "journal"}
#: Their reasons name what is lost or in the wrong place: agreeing to one loss is not agreeing to the next.
WORD_FOR_WORD = {"trail", "trigger", "holds", "journal", "store"}


def _was_reset(session: Session, stops: dict[str, str], plan: DisposalPlan) -> bool:
    """Whether two people agreed to a run that tripped for the same reasons and was no smaller.

    An agreement is used once, and lapses when a run has gone through without it.
    """
    rows = session.execute(
        select(RunRow)
        .where(
            col(RunRow.state) == RunState.TRIPPED,
            col(RunRow.reset_used).is_(False),
            col(RunRow.started_at) >= (_last_start(session) or datetime.min.replace(tzinfo=UTC)),
        )
        .order_by(col(RunRow.id).desc())
    ).scalars()
    for row in rows:
        if len(set(row.resets)) > 1 and _covers(row, stops, plan):
            row.reset_used = True
            session.add(row)
            return True
    return False


def _covers(agreed: RunRow, stops: dict[str, str], plan: DisposalPlan) -> bool:
    same = all(stops[guard] == agreed.tripped.get(guard) for guard in WORD_FOR_WORD & set(stops))
    return (
        same
        and set(stops) <= set(agreed.tripped)
        and plan.recordings <= agreed.planned * RESET_SLACK
        and plan.size_bytes <= agreed.plan["bytes"] * RESET_SLACK
    )


def _last_start(session: Session) -> datetime | None:
    """When the last run started that went through."""
    done = select(func.max(col(RunRow.started_at))).where(
        col(RunRow.state) == RunState.DONE, col(RunRow.kind).not_in(UNSCHEDULED)
    )
    found: datetime | None = session.execute(done).scalar_one_or_none()
    return found


def plan_json(plan: DisposalPlan) -> dict[str, Any]:
    """The plan as the ledger keeps it and the command line prints it."""
    return {
        "digest": plan.digest,
        "on": plan.on.isoformat(),
        "recordings": plan.recordings,
        "bytes": plan.size_bytes,
        "held": plan.held,
        "needs_approval": plan.needs_approval,
        "spent": plan.spent,
        "unknown_classes": list(plan.unknown_classes),
        "cohorts": [cohort_json(cohort) for cohort in plan.cohorts],
    }


def cohort_json(cohort: PlannedCohort) -> dict[str, Any]:
    """A cohort of a plan or a due list."""
    return {
        "cohort": cohort.name,
        "class": cohort.class_name,
        "zone": cohort.zone,
        "trigger_on": cohort.trigger_on.isoformat(),
        "due_on": cohort.due_on.isoformat(),
        "recordings": cohort.recordings,
        "bytes": cohort.size_bytes,
        "held": cohort.held,
        "purpose_ends": cohort.purpose_ends,
        "needs_approval": cohort.needs_approval,
    }
