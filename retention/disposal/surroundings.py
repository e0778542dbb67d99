"""What the guards of a night look at besides its plan. Reads; decides nothing."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from retention.audit.tables import AuditRow
from retention.audit.tags import Tag
from retention.audit.verify import Vouched, head_of
from retention.audit.witness import BEGINNING, End, SignedJournal
from retention.catalogue.days import days_of_cohorts
from retention.catalogue.schedules import schedule_in_force
from retention.catalogue.tables import CohortRow, LotRow, ReasonRow, StoreRow
from retention.database import in_batches, table_of
from retention.disposal.model import UNSCHEDULED, DisposalPlan, Limits, RunState, Surroundings
from retention.disposal.tables import RunRow
from retention.holds.tables import HoldRow

BATCH = 5_000
#: A reason is read by a person.
NAMED_AT_MOST = 20


def surroundings(
    session: Session,
    plan: DisposalPlan,
    limits: Limits,
    now: datetime,
    journal: SignedJournal,
    vouched: Vouched,
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
                run.c.state == RunState.DONE, run.c.kind.not_in(UNSCHEDULED)
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
        journal_lost=lost_of_journal(session, journal, vouched),
        trail_astray=_trail_astray(session, vouched),
        store_id=session.execute(select(col(StoreRow.object_store_id))).scalar_one(),
        store_id_in_store=store_id_in_store,
    )


def _early(session: Session, plan: DisposalPlan) -> tuple[str, ...]:
    """Cohorts that are due with recordings of a later day: somebody moved the cohort's day by hand."""
    found: list[str] = []
    schedule, table = schedule_in_force(session), table_of(CohortRow)

    def look(ids: list[int]) -> None:
        found.extend(
            f"{days.name} from {days.trigger_on}, recordings up to {days.last_on}"
            for days in days_of_cohorts(session, schedule, table.c.id.in_(ids))
            if days.is_early
        )

    in_batches([cohort.id for cohort in plan.cohorts if not cohort.is_expired], BATCH, look)
    return tuple(sorted(found)[:NAMED_AT_MOST])


def lost_of_journal(session: Session, journal: SignedJournal, vouched: Vouched) -> str:
    """What is gone of the journal, going by what the last run and the newest head remember; "" when nothing is."""
    return journal.lost([_journal_of_last_run(session), vouched.journal])


def _journal_of_last_run(session: Session) -> End:
    """Where the journal ended when the last run did."""
    finished = select(col(AuditRow.detail)).where(col(AuditRow.tag) == Tag.DISPOSAL_FINISHED)
    detail = session.execute(finished.order_by(col(AuditRow.seq).desc()).limit(1)).scalar_one_or_none()
    said = json.loads(detail or "{}").get("journal")
    return End(**said) if said else BEGINNING


def _trail_astray(session: Session, vouched: Vouched) -> str:
    """How the trail is not the one whose heads were witnessed; "" when it is."""
    end, table = head_of(session).seq, table_of(AuditRow)
    if vouched.fault or not vouched.latest:
        return vouched.fault or "no witnessed head vouches for the audit trail"
    if vouched.latest > end:
        return f"entries up to {vouched.latest} were witnessed, but the audit trail ends at entry {end}: an old copy"
    there: dict[int, str] = {}

    def look(some: list[int]) -> None:
        rows = session.execute(select(table.c.seq, table.c.digest).where(table.c.seq.in_(some)))
        there.update((row.seq, row.digest) for row in rows)

    in_batches([head.seq for head in vouched.heads], BATCH, look)
    wrong = (head.seq for head in vouched.heads if there.get(head.seq) != head.digest)
    first = next(wrong, None)
    return "" if first is None else f"entry {first} of the audit trail is not the one that was witnessed"


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
