"""Find a plan; approve it as a second person; cancel it.

The cool-off is the one of the schedule in force, so that no change shortens its own.
"""

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from retention.amendment.model import PlanState, step
from retention.amendment.tables import SchedulePlanRow
from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.catalogue.schedules import schedule_in_force, schedule_row
from retention.kernel.errors import NotFound, NotPermitted, StaleApproval
from retention.kernel.people import is_same_person

SHORTEST_DIGEST = 8  #: characters of a digest that name a plan


def find_plan(session: Session, digest: str) -> SchedulePlanRow:
    """The plan called `digest`; a beginning of at least eight characters is enough.

    Raises:
        NotFound: There is none, or several begin so.
    """
    rows: list[SchedulePlanRow] = []
    if len(digest) >= SHORTEST_DIGEST:
        rows = list(
            session.execute(
                select(SchedulePlanRow).where(col(SchedulePlanRow.digest).startswith(digest, autoescape=True))
            ).scalars()
        )
    if len(rows) != 1:
        raise NotFound(
            f"no plan, or more than one, has the digest {digest}",
            hint="`retention schedule list` shows every plan; `retention schedule plan FILE` makes one.",
        )
    return rows[0]


def all_plans(session: Session) -> list[SchedulePlanRow]:
    """Every plan there ever was, oldest first."""
    return list(session.execute(select(SchedulePlanRow).order_by(col(SchedulePlanRow.planned_at))).scalars())


def still_for_the_schedule_in_force(session: Session, row: SchedulePlanRow) -> None:
    """Refuse a plan that was made for another version.

    Raises:
        StaleApproval: Another version is in force by now.
    """
    version = schedule_row(session).version
    if row.base_version != version:
        raise StaleApproval(
            f"plan {row.digest} was made to replace version {row.base_version}, but version {version} is in force"
        )


def approve(session: Session, digest: str, at: datetime, actor: str) -> SchedulePlanRow:
    """Approve a plan: its cool-off begins.

    Raises:
        NotFound: There is no such plan.
        IllegalTransition: It was approved, applied or cancelled before.
        NotPermitted: The approver made the plan.
        StaleApproval: Another version is in force by now.
    """
    row = find_plan(session, digest)
    state = step(row.digest, PlanState(row.state), "approve")
    if is_same_person(row.planned_by, actor):
        raise NotPermitted(
            f"{actor} made plan {row.digest} and cannot approve it", hint="A second person must: --as NAME."
        )
    still_for_the_schedule_in_force(session, row)
    row.state, row.approved_at, row.approved_by = state, at, actor
    row.cool_off_until = at + schedule_in_force(session).changes.cool_off
    session.add(row)
    detail = {"planned_by": row.planned_by, "cool_off_until": row.cool_off_until}
    record(session, at, Act(Tag.SCHEDULE_APPROVED, actor, row.digest, detail=detail))
    return row


def cancel(session: Session, digest: str, at: datetime, actor: str) -> SchedulePlanRow:
    """Cancel a plan that is not in force yet; anybody may.

    Raises:
        NotFound: There is no such plan.
        IllegalTransition: It is in force, or was cancelled before.
    """
    row = find_plan(session, digest)
    row.state = step(row.digest, PlanState(row.state), "cancel")
    row.cancelled_at, row.cancelled_by = at, actor
    session.add(row)
    record(session, at, Act(Tag.SCHEDULE_CANCELLED, actor, row.digest, detail={"planned_by": row.planned_by}))
    return row
