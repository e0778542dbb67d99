"""Lift a hold: its key goes, and what was kept for it alone becomes due.

A recording that the hold alone kept is not erased here: it keeps its data key
under the hold's key until the next night, which disposes of it under the
guards and with a certificate like any other, and destroys the hold's key then.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.audit.witness import SignedJournal
from retention.catalogue.lots import BATCH, LotKey, move_recordings
from retention.catalogue.tables import LotRow, RecordingRow, WrapRow
from retention.database import in_batches, table_of
from retention.holds.find import find_hold, holds_by_id
from retention.holds.model import Hold
from retention.holds.tables import HoldDrillRow, HoldMatchRow, HoldRow
from retention.kernel.errors import IllegalTransition, InvalidInput


@dataclass(frozen=True, slots=True)
class Lifted:
    """A hold that was lifted."""

    hold: Hold
    released: int  #: recordings that other reasons keep
    due: int  #: recordings that nothing keeps any more: the next night's work
    unprotected: tuple[str, ...]  #: recordings under no hold any more


def lift(session: Session, hold_id: str, reason: str, at: datetime, actor: str) -> Lifted:
    """Lift the hold, in the caller's writing transaction; its key is destroyed by the caller when nothing is due.

    Raises:
        NotFound: There is no such hold.
        IllegalTransition: It was lifted before.
        InvalidInput: There is no reason.
    """
    hold = find_hold(session, hold_id)
    if hold.lifted_at is not None:
        raise IllegalTransition(
            f"hold {hold_id} was lifted before", hint="`retention hold list --all` says when."
        )
    if not reason.strip():
        raise InvalidInput("lifting a hold needs a reason", hint="Give --reason TEXT.")
    session.execute(
        update(table_of(HoldRow))
        .where(col(HoldRow.id) == hold_id)
        .values(lifted_at=at, lifted_by=actor, lift_reason=reason.strip())
    )
    ids = list(
        session.execute(
            select(col(HoldMatchRow.recording_id)).where(col(HoldMatchRow.hold_id) == hold_id)
        ).scalars()
    )
    session.execute(delete(HoldDrillRow).where(col(HoldDrillRow.hold_id) == hold_id))
    move_recordings(session, ids, lambda lot: _without(session, lot, hold))
    in_batches(ids, BATCH, lambda some: _release(session, hold, some))
    due = len(
        session.execute(
            select(col(HoldMatchRow.recording_id)).where(col(HoldMatchRow.hold_id) == hold_id)
        ).all()
    )
    record(
        session,
        at,
        Act(
            Tag.HOLD_LIFTED,
            actor,
            hold_id,
            detail={"reason": reason.strip(), "released": len(ids) - due, "due": due},
        ),
    )
    return Lifted(replace(hold, lifted_at=at), len(ids) - due, due, _unheld(session, ids))


def confirm_lift(journal: SignedJournal, hold: Hold, reason: str, actor: str) -> None:
    """Tell the journal that the lifting of `hold` was committed: only then may a restore lift it again."""
    assert hold.lifted_at is not None
    journal.write("hold-lifted", hold.lifted_at, {"hold": hold.id, "reason": reason.strip(), "by": actor})


def _unheld(session: Session, recording_ids: list[str]) -> tuple[str, ...]:
    recording, lot = table_of(RecordingRow), table_of(LotRow)
    found: list[str] = []

    def look(some: list[str]) -> None:
        joined = select(recording.c.id).join(lot, recording.c.lot_id == lot.c.id)
        found.extend(session.execute(joined.where(recording.c.id.in_(some), lot.c.holds == 0)).scalars())

    in_batches(recording_ids, BATCH, look)
    return tuple(found)


def _without(session: Session, lot: LotKey, hold: Hold) -> LotKey:
    left = lot.holds - {hold.id}
    suspends = any(other.suspends_use for other in holds_by_id(session, left).values())
    return replace(lot, holds=left, restricted=suspends)


def _release(session: Session, hold: Hold, recording_ids: list[str]) -> None:
    """Forget the match and the wrap of every recording that something else keeps."""
    recording, lot = table_of(RecordingRow), table_of(LotRow)
    kept = list(
        session.execute(
            select(recording.c.id)
            .join(lot, recording.c.lot_id == lot.c.id)
            .where(recording.c.id.in_(recording_ids), (lot.c.living > 0) | (lot.c.holds > 0))
        ).scalars()
    )
    session.execute(
        delete(HoldMatchRow).where(
            col(HoldMatchRow.hold_id) == hold.id, col(HoldMatchRow.recording_id).in_(kept)
        )
    )
    session.execute(
        delete(WrapRow).where(col(WrapRow.key_id) == hold.key_id, col(WrapRow.recording_id).in_(kept))
    )


def key_was_destroyed(session: Session, hold_id: str, at: datetime) -> None:
    """Note that a lifted hold's key is gone."""
    session.execute(update(table_of(HoldRow)).where(col(HoldRow.id) == hold_id).values(key_destroyed_at=at))
