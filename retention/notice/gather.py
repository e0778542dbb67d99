"""What is and was in force, from the catalogue: every version of the schedule, with the rulebook of its time.

Sources are those of today: the catalogue keeps no earlier list of them.
"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import Session, col

from retention.catalogue.schedules import read_schedule, schedule_in_force
from retention.catalogue.sources import all_sources
from retention.catalogue.tables import ScheduleRow
from retention.kernel.clock import local_date
from retention.notice.model import State, Version
from retention.requests.rulebooks import read_rulebook, rules_in_force
from retention.requests.tables import RulebookRow
from retention.schedule.model import Kind


def gather(session: Session) -> State:
    """What is and was in force.

    Raises:
        NotFound: The store has no schedule, or no rulebook.
    """
    schedule_in_force(session)
    rules_in_force(session)
    rows = list(session.execute(select(ScheduleRow).order_by(col(ScheduleRow.version))).scalars())
    books = list(session.execute(select(RulebookRow).order_by(col(RulebookRow.version))).scalars())
    versions = (_version(row, after, books) for row, after in zip(rows, [*rows[1:], None], strict=True))
    sources = (source for source in all_sources(session) if source.kind is not Kind.CASE_FILE)
    return State(tuple(versions), tuple(sources))


def _version(row: ScheduleRow, after: ScheduleRow | None, books: Sequence[RulebookRow]) -> Version:
    schedule = read_schedule(row.text, row.file_name)
    beside = [book for book in books if after is None or book.applied_at < after.applied_at]
    book = (beside or books[:1])[-1]
    zone = schedule.controller.zone
    return Version(
        row.version,
        schedule,
        read_rulebook(book.text, book.file_name),
        local_date(row.applied_at, zone),
        local_date(after.applied_at, zone) if after else None,
    )
