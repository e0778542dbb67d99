"""A second person approves a printed plan, or resets a guard that tripped.

An approval covers cohorts as they stood: one that has changed since, by a
recording or a byte, asks again.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.disposal.model import DisposalPlan, PlannedCohort, RunState
from retention.disposal.tables import DisposalApprovalRow, RunRow
from retention.kernel.errors import IllegalTransition, NotFound, NotPermitted
from retention.kernel.people import is_same_person


def keep_plan(session: Session, plan: DisposalPlan, at: datetime, actor: str) -> None:
    """Remember a printed plan, so that its digest can be approved; the first who printed it stays its author."""
    if session.get(DisposalApprovalRow, plan.digest) is not None:
        return
    session.add(
        DisposalApprovalRow(
            digest=plan.digest,
            on=plan.on,
            cohorts={str(c.id): list(c.extent) for c in plan.cohorts if c.needs_approval},
            planned_at=at,
            planned_by=actor,
        )
    )
    record(
        session,
        at,
        Act(Tag.DISPOSAL_PLANNED, actor, plan.digest, detail={"on": plan.on, "recordings": plan.recordings}),
    )


def approve(session: Session, digest: str, at: datetime, actor: str) -> None:
    """Approve the plan called `digest`.

    Raises:
        NotFound: No such plan was printed.
        NotPermitted: The approver made the plan.
        IllegalTransition: It was approved before.
    """
    row = session.get(DisposalApprovalRow, digest)
    if row is None:
        raise NotFound(f"no plan has the digest {digest}", hint="Print one with `retention disposal plan`.")
    if row.approved_at is not None:
        raise IllegalTransition(f"plan {digest} was approved by {row.approved_by} before")
    if is_same_person(row.planned_by, actor):
        raise NotPermitted(
            f"{actor} made plan {digest} and cannot approve it", hint="A second person must: --as NAME."
        )
    row.approved_at, row.approved_by = at, actor
    session.add(row)
    record(session, at, Act(Tag.DISPOSAL_APPROVED, actor, digest, detail={"planned_by": row.planned_by}))


def approved_cohorts(session: Session) -> Callable[[PlannedCohort], bool]:
    """Tells whether a cohort, as it stands, is in an approved plan."""
    known: set[tuple[int, tuple[int, ...]]] = set()
    for row in session.execute(
        select(DisposalApprovalRow).where(col(DisposalApprovalRow.approved_at).is_not(None))
    ).scalars():
        known |= {(int(cohort), tuple(extent)) for cohort, extent in row.cohorts.items()}
    return lambda cohort: (cohort.id, cohort.extent) in known


def reset(session: Session, run_id: str, at: datetime, actor: str) -> int:
    """Agree that a tripped run may go on the next time; two different people must. How many have.

    Raises:
        NotFound: There is no such run.
        IllegalTransition: It did not trip.
        NotPermitted: This person agreed before.
    """
    run = session.get(RunRow, run_id)
    if run is None:
        raise NotFound(f"there is no run {run_id!r}", hint="`retention disposal list` shows them.")
    if run.state != RunState.TRIPPED:
        raise IllegalTransition(f"run {run_id} is {run.state}; only a tripped run is reset")
    if any(is_same_person(actor, each) for each in run.resets):
        raise NotPermitted(f"{actor} has reset run {run_id} before", hint="A second person must: --as NAME.")
    run.resets = [*run.resets, actor]
    session.add(run)
    record(session, at, Act(Tag.DISPOSAL_RESET, actor, run_id, detail={"guards": run.tripped}))
    return len(run.resets)
