"""Decide, guard and commit a run: the one transaction after which it must happen.

Everything that can say no says it here, under the writer's lock: approvals,
guards, holds. A tripped guard leaves a run on the ledger that did nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tables import AuditRow
from retention.audit.tags import Tag
from retention.audit.witness import SignedJournal
from retention.catalogue.days import days_of_cohorts
from retention.catalogue.lots import lots_of
from retention.catalogue.schedules import schedule_in_force, schedule_row
from retention.catalogue.tables import CohortRow, LotRow, ReasonRow, StoreRow
from retention.database import in_batches, table_of
from retention.disposal.approve import approved_cohorts
from retention.disposal.model import (
    DisposalPlan,
    Limits,
    PlannedCohort,
    RunKind,
    RunState,
    Surroundings,
    tripped,
)
from retention.disposal.plan import WITHOUT_REASON, make_plan, not_ahead_of
from retention.disposal.tables import RunRow
from retention.holds.tables import HoldRow
from retention.kernel.errors import CatalogueDisagrees
from retention.kernel.ids import new_id

BATCH = 5_000
#: A reason is read by a person.
NAMED_AT_MOST = 20


def start_run(
    session: Session,
    *,
    on: date,
    kind: RunKind,
    now: datetime,
    actor: str,
    limits: Limits,
    journal: SignedJournal,
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
    seen = surroundings(session, plan, limits, now, journal, store_id_in_store)
    stops = tripped(plan, limits, seen)
    if stops and not _was_reset(session, stops, plan):
        run.state, run.tripped, run.finished_at = RunState.TRIPPED, stops, now
        session.add(run)
        record(session, now, Act(Tag.DISPOSAL_TRIPPED, actor, run.id, detail={"on": on, "guards": stops}))
        return run
    session.add(run)
    session.flush()
    cohort_ids = [found.id for found in plan.cohorts if not found.is_expired]
    commit_to(session, run.id, cohort_ids)
    _is_what_was_planned(session, run)
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


def commit_to(session: Session, run_id: str, cohort_ids: list[int]) -> None:
    """Let active cohorts expire in the run, and hand it all lots that nothing keeps then."""
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
        .where(WITHOUT_REASON, lot.c.holds == 0)
        # Another signature: what joins lots of this description later (a hold is lifted) is not this run's.
        .values(run_id=run_id, signature=lot.c.signature + f"@{run_id}")
    )


def _is_what_was_planned(session: Session, run: RunRow) -> None:
    going = select(func.coalesce(func.sum(col(LotRow.recordings)), 0)).where(col(LotRow.run_id) == run.id)
    count = int(session.execute(going).scalar_one())
    if count != run.planned:
        raise CatalogueDisagrees(
            f"the plan counts {run.planned} recordings, but nothing keeps {count}: nothing was disposed of",
            hint="`retention check` says what is wrong with the counts.",
        )


def surroundings(
    session: Session,
    plan: DisposalPlan,
    limits: Limits,
    now: datetime,
    journal: SignedJournal,
    store_id_in_store: str,
) -> Surroundings:
    """What the guards look at."""
    lot, run = table_of(LotRow), table_of(RunRow)
    watched = plan.recordings >= limits.from_recordings
    told = told_by(journal.entries())
    return Surroundings(
        now=now,
        last_audit_at=last_activity(session),
        last_run_at=session.execute(
            select(func.max(run.c.finished_at)).where(
                run.c.state == RunState.DONE, run.c.kind != RunKind.REFUSED
            )
        ).scalar_one_or_none(),
        last_backup_at=session.execute(
            select(func.max(table_of(AuditRow).c.at)).where(col(AuditRow.tag) == Tag.BACKED_UP)
        ).scalar_one_or_none(),
        total_recordings=session.execute(select(func.coalesce(func.sum(lot.c.recordings), 0))).scalar_one(),
        total_by_class=_by_class(session) if watched else {},
        holds_in_journal=told.in_force,
        holds_accounted_for=holds_accounted_for(session),
        early=_early(session, plan),
        untold=_untold(session, told),
        store_id=session.execute(select(col(StoreRow.object_store_id))).scalar_one(),
        store_id_in_store=store_id_in_store,
    )


def _early(session: Session, plan: DisposalPlan) -> tuple[str, ...]:
    """Cohorts that are due with recordings of a later day: somebody moved the cohort's day by hand."""
    found: list[str] = []
    schedule, table = schedule_in_force(session), table_of(CohortRow)

    def look(ids: list[int]) -> None:
        for days in days_of_cohorts(session, schedule, table.c.id.in_(ids)):
            if days.is_early:
                found.append(f"{days.name} from {days.trigger_on}, recordings up to {days.last_on}")

    in_batches([cohort.id for cohort in plan.cohorts if not cohort.is_expired], BATCH, look)
    return tuple(sorted(found)[:NAMED_AT_MOST])


def last_activity(session: Session) -> datetime | None:
    """When something was last put on record."""
    last = select(col(AuditRow.at)).order_by(col(AuditRow.seq).desc()).limit(1)
    found: datetime | None = session.execute(last).scalar_one_or_none()
    return found


def holds_accounted_for(session: Session) -> frozenset[str]:
    """The holds that the catalogue has, or knows to have been lifted."""
    lifted = session.execute(
        select(col(AuditRow.subject)).where(col(AuditRow.tag) == Tag.HOLD_LIFTED)
    ).scalars()
    return _in_force(session) | frozenset(lifted)


def _in_force(session: Session) -> frozenset[str]:
    return frozenset(
        session.execute(select(col(HoldRow.id)).where(col(HoldRow.lifted_at).is_(None))).scalars()
    )


@dataclass(frozen=True, slots=True)
class Told:
    """What the journal outside the database was told."""

    in_force: frozenset[str]  #: holds that were confirmed and not lifted
    holds: frozenset[str]  #: every hold it ever heard of
    runs: frozenset[str]


def told_by(entries: Iterator[dict[str, Any]]) -> Told:
    """What the journal's entries say of holds and runs."""
    in_force: set[str] = set()
    holds: set[str] = set()
    runs: set[str] = set()
    for entry in entries:
        match entry["kind"]:
            case "hold-placed":
                holds.add(entry["hold"])
            case "hold-confirmed":
                in_force.add(entry["hold"])
            case "hold-lifted":
                in_force.discard(entry["hold"])
            case "cohorts-expired":
                runs.add(entry["run"])
    return Told(frozenset(in_force), frozenset(holds), frozenset(runs))


def _untold(session: Session, told: Told) -> frozenset[str]:
    """What the journal must have been told, and was not: it was lost, or another one lies in its place.

    One run is enough: the next that is carried out makes the journal whole for the nights to come.
    """
    destroyed = col(RunRow.keys_destroyed_at).is_not(None)
    last = select(col(RunRow.id)).where(destroyed).order_by(col(RunRow.id).desc()).limit(1)
    runs = {f"run {run_id}" for run_id in session.execute(last).scalars() if run_id not in told.runs}
    return frozenset(runs | {f"hold {hold_id}" for hold_id in _in_force(session) - told.holds})


def _by_class(session: Session) -> dict[str, int]:
    cohort, member, lot = table_of(CohortRow), table_of(ReasonRow), table_of(LotRow)
    rows = session.execute(
        select(cohort.c.class_name, func.sum(lot.c.recordings))
        .select_from(lot)
        .join(member, member.c.reasons_id == lot.c.reasons_id)
        .join(cohort, cohort.c.id == member.c.cohort_id)
        .where(lot.c.recordings > 0)
        .group_by(cohort.c.class_name)
    )
    return {row[0]: row[1] for row in rows}


#: A reset agrees to what was seen; this much more may have become due meanwhile.
RESET_SLACK = 1.05
#: Their reasons name what is lost or in the wrong place: agreeing to one loss is not agreeing to the next.
WORD_FOR_WORD = {"trigger", "holds", "journal", "store"}


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
        col(RunRow.state) == RunState.DONE, col(RunRow.kind) != RunKind.REFUSED
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
