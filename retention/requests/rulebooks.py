"""The jurisdiction's rules in force: every version is kept, and a request keeps the one it was filed under."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from sqlalchemy import func, select
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.catalogue.schedules import schedule_in_force
from retention.database import Database
from retention.kernel.clock import local_date
from retention.kernel.errors import NotFound
from retention.requests.rules.clock import Office, answer_by
from retention.requests.rules.model import RequestKind, Rulebook
from retention.requests.rules.parse import parse_rulebook
from retention.requests.tables import RulebookRow


@dataclass(frozen=True, slots=True)
class Rules:
    """A version of the rulebook, and the controller's calendar to count by."""

    version: int
    book: Rulebook
    office: Office
    zone: str

    def answer_by(self, kind: RequestKind, received_at: datetime) -> date:
        """The last date, in the controller's zone, on which an answer is in time."""
        rule = self.book.kinds[kind]
        return answer_by(rule, self.book.clock, self.office, local_date(received_at, self.zone))


@lru_cache(maxsize=8)
def read_rulebook(text: str, file_name: str) -> Rulebook:
    """The rulebook that `text` states; the last few are remembered.

    Raises:
        PolicyError: The text cannot be used; all findings at once.
    """
    return parse_rulebook(text, file_name)


def rules_in_force(session: Session) -> Rules:
    """The latest version.

    Raises:
        NotFound: The store has no rulebook.
    """
    row = session.execute(
        select(RulebookRow).order_by(col(RulebookRow.version).desc()).limit(1)
    ).scalar_one_or_none()
    return _rules(session, row)


def rules_of(session: Session, version: int) -> Rules:
    """A version that was in force when a request was filed.

    Raises:
        NotFound: There is none of this number.
    """
    return _rules(session, session.get(RulebookRow, version))


def _rules(session: Session, row: RulebookRow | None) -> Rules:
    if row is None:
        raise NotFound(
            "this store has no rulebook: nobody has said by which law requests are answered",
            hint="`retention request rules FILE` puts one in force; policies/jurisdictions has some.",
        )
    schedule = schedule_in_force(session)
    book = read_rulebook(row.text, row.file_name)
    return Rules(row.version, book, Office(schedule.calendar), schedule.controller.zone)


def add_version(session: Session, text: str, file_name: str, at: datetime, actor: str) -> RulebookRow:
    """Put a rulebook in force, in the caller's transaction; requests on file keep theirs.

    Raises:
        PolicyError: The text cannot be used; all findings at once.
    """
    book = read_rulebook(text, file_name)
    last = session.execute(select(func.max(col(RulebookRow.version)))).scalar_one()
    row = RulebookRow(
        version=(last or 0) + 1,
        digest=book.digest,
        text=text,
        file_name=file_name,
        applied_at=at,
        applied_by=actor,
    )
    session.add(row)
    session.flush()
    return row


def put_in_force(database: Database, text: str, file_name: str, at: datetime, actor: str) -> None:
    """Put a rulebook in force.

    Raises:
        PolicyError: The text cannot be used; all findings at once.
    """
    with database.write() as session:
        row = add_version(session, text, file_name, at, actor)
        detail = {"version": row.version, "digest": row.digest}
        record(session, at, Act(Tag.RULEBOOK_APPLIED, actor, file_name, detail=detail))
