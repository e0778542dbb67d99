"""The schedule in force, as the catalogue keeps it: every version, never edited."""

from functools import lru_cache

from sqlalchemy import select
from sqlmodel import Session, col

from retention.catalogue.tables import ScheduleRow
from retention.kernel.errors import NotFound
from retention.schedule.model import Schedule
from retention.schedule.parse import parse_policy


@lru_cache(maxsize=8)
def read_schedule(text: str, file_name: str) -> Schedule:
    """The schedule that `text` states; the last few are remembered.

    Raises:
        PolicyError: The text cannot be used; all findings at once.
    """
    return parse_policy(text, file_name)


def schedule_row(session: Session) -> ScheduleRow:
    """The version in force.

    Raises:
        NotFound: The store has no schedule yet.
    """
    row: ScheduleRow | None = session.execute(
        select(ScheduleRow).order_by(col(ScheduleRow.version).desc()).limit(1)
    ).scalar_one_or_none()
    if row is None:
        raise NotFound("this store has no retention schedule", hint="Run `retention init --pack NAME`.")
    return row


def schedule_in_force(session: Session) -> Schedule:
    """The retention schedule in force."""
    row = schedule_row(session)
    return read_schedule(row.text, row.file_name)
