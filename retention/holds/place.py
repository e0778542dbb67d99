"""Place a hold: from the commit on, nothing it covers can be disposed of.

Every match's data key is wrapped under the hold's own key, so the hold is a
reason to keep by itself: no purge, no race and no restored backup can take the
recording away. The journal is told before the commit (`place`): after a crash
in between a restored backup knows one hold too many, never one too few. After
the commit it is told again (`confirm`): from then on a night trips when the
catalogue no longer knows the hold.
"""

from base64 import b64encode
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, insert, select
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.audit.witness import SignedJournal
from retention.catalogue.lots import move_recordings
from retention.catalogue.sources import overlapping
from retention.catalogue.states import State
from retention.catalogue.tables import IdentifierRow, LotRow, RecordingRow, WrapRow
from retention.database import in_batches, table_of
from retention.holds.model import Criteria, Hold, HoldKind
from retention.holds.tables import HoldMatchRow, HoldRow
from retention.kernel.errors import InvalidInput, NotFound
from retention.kernel.ids import new_id
from retention.vault.model import KeyService
from retention.vault.reasons import data_keys

JOURNAL_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Placed:
    """A hold that was placed, and what it covers."""

    hold: Hold
    recording_ids: tuple[str, ...]
    too_late: tuple[str, ...]  #: their disposal had begun or ended before


def new_hold(
    keys: KeyService,
    at: datetime,
    actor: str,
    *,
    kind: HoldKind,
    reason: str,
    review_on: date,
    criteria: Criteria,
    suspends_use: bool = False,
    owner: str = "",
) -> Hold:
    """A hold with its key, not yet placed.

    Raises:
        InvalidInput: There is no reason, or the review date has passed.
    """
    if not reason.strip():
        raise InvalidInput("a hold needs a reason", hint="Give --reason TEXT.")
    if review_on < at.date():
        raise InvalidInput(f"the review date {review_on} has passed", hint="Give a date to come.")
    return Hold(
        id=new_id(at),
        kind=kind,
        reason=reason.strip(),
        owner=owner or actor,
        review_on=review_on,
        key_id=keys.new_key(),
        suspends_use=suspends_use,
        criteria=criteria,
        placed_at=at,
        placed_by=actor,
    )


def place(session: Session, keys: KeyService, journal: SignedJournal, hold: Hold) -> Placed:
    """Place `hold`, in the caller's writing transaction.

    Raises:
        NotFound: A named recording or source does not exist.
    """
    matches = _matches(session, hold.criteria)
    held = [recording_id for recording_id, gone in matches if not gone]
    too_late = tuple(recording_id for recording_id, gone in matches if gone)
    wraps = [
        {
            "recording_id": recording_id,
            "key_id": hold.key_id,
            "wrapped": keys.wrap(hold.key_id, key, recording_id.encode()),
        }
        for recording_id, key in data_keys(session, keys, held)
    ]
    session.add(_row(hold))
    session.flush()
    cover(session, hold, wraps)
    _tell_journal(journal, hold, wraps)
    record(
        session,
        hold.placed_at,
        Act(
            Tag.HOLD_PLACED,
            hold.placed_by,
            hold.id,
            detail={
                "kind": hold.kind,
                "recordings": len(held),
                "too_late": len(too_late),
                "review_on": hold.review_on,
                "suspends_use": hold.suspends_use,
            },
        ),
    )
    return Placed(hold, tuple(held), too_late)


def confirm(journal: SignedJournal, hold: Hold) -> None:
    """Tell the journal that `hold` was committed."""
    journal.write("hold-confirmed", hold.placed_at, {"hold": hold.id})


def cover(session: Session, hold: Hold, wraps: list[dict[str, Any]]) -> None:
    """Bring recordings under `hold`, given their data keys wrapped under its key."""
    ids = [row["recording_id"] for row in wraps]
    in_batches(wraps, JOURNAL_AT_ONCE, lambda some: session.execute(insert(table_of(WrapRow)), some))
    in_batches(ids, JOURNAL_AT_ONCE, lambda some: _match(session, hold.id, some))
    move_recordings(
        session,
        ids,
        lambda lot: replace(lot, holds=lot.holds | {hold.id}, restricted=lot.restricted or hold.suspends_use),
    )


def _match(session: Session, hold_id: str, recording_ids: list[str]) -> None:
    # A lifted hold on which one of them still depended is no longer needed.
    lifted = select(col(HoldRow.id)).where(col(HoldRow.lifted_at).is_not(None))
    session.execute(
        delete(HoldMatchRow).where(
            col(HoldMatchRow.recording_id).in_(recording_ids), col(HoldMatchRow.hold_id).in_(lifted)
        )
    )
    session.execute(
        insert(table_of(HoldMatchRow)),
        [{"hold_id": hold_id, "recording_id": found} for found in recording_ids],
    )


def _matches(session: Session, criteria: Criteria) -> list[tuple[str, bool]]:
    """(recording id, whether it is too late for it)."""
    recording, lot = table_of(RecordingRow), table_of(LotRow)
    statement = (
        select(recording.c.id, recording.c.state, lot.c.run_id)
        .select_from(recording.outerjoin(lot, recording.c.lot_id == lot.c.id))
        .order_by(recording.c.id)
    )
    if criteria.recording_ids:
        rows = session.execute(statement.where(recording.c.id.in_(criteria.recording_ids))).all()
        missing = set(criteria.recording_ids) - {row.id for row in rows}
        if missing:
            raise NotFound(f"there is no recording {', '.join(sorted(missing))}")
    elif criteria.blinds:
        identifier = table_of(IdentifierRow)
        found = select(identifier.c.recording_id).where(identifier.c.blind.in_(criteria.blinds))
        rows = session.execute(statement.where(recording.c.id.in_(found))).all()
    else:
        assert criteria.from_at is not None
        assert criteria.until_at is not None
        within = overlapping(session, criteria.source_id, criteria.from_at, criteria.until_at)
        rows = session.execute(statement.where(within)).all()
    return [(row.id, row.state != State.SEALED or row.run_id is not None) for row in rows]


def criteria_json(criteria: Criteria) -> dict[str, Any]:
    """The criteria as the catalogue keeps them."""
    return {
        "recording_ids": list(criteria.recording_ids),
        "blinds": sorted(blind.hex() for blind in criteria.blinds),
        "source_id": criteria.source_id,
        "from_at": criteria.from_at.isoformat() if criteria.from_at else None,
        "until_at": criteria.until_at.isoformat() if criteria.until_at else None,
    }


def _row(hold: Hold) -> HoldRow:
    return HoldRow(
        id=hold.id,
        kind=str(hold.kind),
        reason=hold.reason,
        owner=hold.owner,
        review_on=hold.review_on,
        key_id=hold.key_id,
        suspends_use=hold.suspends_use,
        criteria=criteria_json(hold.criteria),
        placed_at=hold.placed_at,
        placed_by=hold.placed_by,
    )


def _tell_journal(journal: SignedJournal, hold: Hold, wraps: list[dict[str, Any]]) -> None:
    journal.write(
        "hold-placed",
        hold.placed_at,
        {
            "hold": hold.id,
            "hold_kind": hold.kind,
            "reason": hold.reason,
            "owner": hold.owner,
            "review_on": hold.review_on,
            "key_id": hold.key_id,
            "suspends_use": hold.suspends_use,
            "criteria": criteria_json(hold.criteria),
            "placed_by": hold.placed_by,
        },
    )
    in_batches(
        wraps, JOURNAL_AT_ONCE, lambda some: tell_journal_of_wraps(journal, hold.id, hold.placed_at, some)
    )


def tell_journal_of_wraps(
    journal: SignedJournal, hold_id: str, at: datetime, wraps: list[dict[str, Any]]
) -> None:
    """Keep, outside the database, the data keys wrapped under a hold's key."""
    journal.write(
        "hold-wraps",
        at,
        {"hold": hold_id, "wraps": [[w["recording_id"], b64encode(w["wrapped"]).decode()] for w in wraps]},
    )
