"""Read holds, and tell which ones a recording that arrives falls under."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import func, insert, select
from sqlmodel import Session, col

from retention.audit.record import Act, record_all
from retention.audit.tags import Tag
from retention.catalogue.model import NewRecording
from retention.catalogue.register import HeldBy
from retention.database import table_of
from retention.holds.model import Criteria, Hold, HoldKind
from retention.holds.tables import HoldMatchRow, HoldRow
from retention.kernel.errors import NotFound


def hold_of(row: HoldRow) -> Hold:
    """The value behind `row`."""
    found = row.criteria
    return Hold(
        id=row.id,
        kind=HoldKind(row.kind),
        reason=row.reason,
        owner=row.owner,
        review_on=row.review_on,
        key_id=row.key_id,
        suspends_use=row.suspends_use,
        criteria=Criteria(
            recording_ids=tuple(found["recording_ids"]),
            blinds=frozenset(bytes.fromhex(blind) for blind in found["blinds"]),
            source_id=found["source_id"],
            from_at=datetime.fromisoformat(found["from_at"]) if found["from_at"] else None,
            until_at=datetime.fromisoformat(found["until_at"]) if found["until_at"] else None,
        ),
        placed_at=row.placed_at,
        placed_by=row.placed_by,
        lifted_at=row.lifted_at,
    )


def find_hold(session: Session, hold_id: str) -> Hold:
    """The hold called `hold_id`.

    Raises:
        NotFound: There is none.
    """
    row = session.get(HoldRow, hold_id)
    if row is None:
        raise NotFound(f"there is no hold {hold_id!r}", hint="`retention hold list` shows them.")
    return hold_of(row)


def holds_in_force(session: Session) -> list[Hold]:
    """Every hold that has not been lifted, oldest first."""
    rows = session.execute(select(HoldRow).where(col(HoldRow.lifted_at).is_(None)).order_by(col(HoldRow.id)))
    return [hold_of(row) for row in rows.scalars()]


def all_holds(session: Session) -> list[Hold]:
    """Every hold there ever was, oldest first."""
    return [hold_of(row) for row in session.execute(select(HoldRow).order_by(col(HoldRow.id))).scalars()]


def holds_by_id(session: Session, hold_ids: Iterable[str]) -> dict[str, Hold]:
    """The named holds."""
    ids = list(hold_ids)
    if not ids:
        return {}
    rows = session.execute(select(HoldRow).where(col(HoldRow.id).in_(ids))).scalars()
    return {row.id: hold_of(row) for row in rows}


def match_counts(session: Session) -> dict[str, int]:
    """How many recordings each hold in force covers now."""
    rows = session.execute(
        select(col(HoldMatchRow.hold_id), func.count()).group_by(col(HoldMatchRow.hold_id))
    )
    return {row[0]: row[1] for row in rows}


class Arrivals:
    """Tells, inside one registering transaction, which holds arriving recordings fall under."""

    def __init__(self, session: Session) -> None:
        self._waiting = [hold for hold in holds_in_force(session) if not hold.criteria.recording_ids]
        self._found: list[tuple[str, str]] = []

    def holds_for(self, new: NewRecording) -> Sequence[HeldBy]:
        """The holds `new` falls under."""
        matching = [
            hold
            for hold in self._waiting
            if hold.matches(new.source.id, new.started_at, new.ended_at, new.source.clock_error_s, new.blinds)
        ]
        self._found += [(hold.id, new.id) for hold in matching]
        return [HeldBy(hold.id, hold.key_id, hold.suspends_use) for hold in matching]

    @property
    def held(self) -> frozenset[str]:
        """The arrivals that fell under a hold."""
        return frozenset(new for _, new in self._found)

    def note(self, session: Session, at: datetime, actor: str) -> None:
        """Keep the matches, and put them on record."""
        if not self._found:
            return
        session.execute(
            insert(table_of(HoldMatchRow)),
            [{"hold_id": hold, "recording_id": new} for hold, new in self._found],
        )
        record_all(
            session,
            at,
            [Act(Tag.HOLD_EXTENDED, actor, hold, detail={"recording": new}) for hold, new in self._found],
        )
