"""The stop of provision: what somebody asked not to be given to others, and what arrives later and matches.

Checked by every proposal and again by every hand-over, in the transaction that
puts it on record. The journal is told before the commit: a restored backup may
know one block too many, never one too few.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, or_, select
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.audit.witness import SignedJournal
from retention.catalogue.tables import IdentifierRow
from retention.kernel.errors import InvalidInput, NotFound
from retention.kernel.ids import new_id
from retention.provision.tables import ProvisionBlockRow


def block(
    session: Session,
    journal: SignedJournal,
    at: datetime,
    actor: str,
    *,
    reason: str,
    recording_ids: Collection[str] = (),
    blinds: Collection[bytes] = (),
) -> tuple[str, ...]:
    """Stop the provision of recordings, and of all that carries an identifier; the blocks' ids.

    Args:
        session: The caller's writing transaction.
        journal: Is told before the commit.
        at: Now.
        actor: Who does it.
        reason: No personal data: it stands in the journal as it is.
        recording_ids: Recordings.
        blinds: Keyed indexes of identifiers.

    Raises:
        InvalidInput: There is no reason, or nothing to block.
    """
    if not reason.strip() or not (recording_ids or blinds):
        raise InvalidInput("a stop of provision needs a reason, and recordings or a person")
    of: list[tuple[str | None, bytes | None]] = [(each, None) for each in recording_ids]
    of += [(None, each) for each in sorted(blinds)]
    rows = [
        ProvisionBlockRow(
            id=new_id(at),
            recording_id=recording_id,
            blind=blind,
            reason=reason.strip(),
            placed_at=at,
            placed_by=actor,
        )
        for recording_id, blind in of
    ]
    told = [
        {"id": row.id, "recording": row.recording_id, "blind": row.blind.hex() if row.blind else None}
        for row in rows
    ]
    session.add_all(rows)
    session.flush()
    journal.write("provision-blocked", at, {"blocks": told, "reason": reason.strip(), "by": actor})
    detail = {"recordings": sorted(recording_ids), "identifiers": len(blinds), "blocks": len(rows)}
    record(session, at, Act(Tag.PROVISION_BLOCKED, actor, reason.strip(), detail=detail))
    return tuple(row.id for row in rows)


def unblock(session: Session, at: datetime, actor: str, *, block_ids: Collection[str], reason: str) -> None:
    """Take blocks away, in the caller's writing transaction; `confirm_unblocked` follows the commit.

    Raises:
        InvalidInput: There is no reason.
        NotFound: One of them does not exist.
    """
    if not reason.strip():
        raise InvalidInput("taking a stop of provision away needs a reason", hint="Give --reason TEXT.")
    known = col(ProvisionBlockRow.id).in_(block_ids)
    found = set(session.execute(select(col(ProvisionBlockRow.id)).where(known)).scalars())
    missing = sorted(set(block_ids) - found)
    if missing:
        raise NotFound(
            f"there is no stop of provision {', '.join(missing)}",
            hint="`retention provision blocks` lists them.",
        )
    session.execute(delete(ProvisionBlockRow).where(known))
    for each in sorted(found):
        record(session, at, Act(Tag.PROVISION_UNBLOCKED, actor, each, detail={"reason": reason.strip()}))


def confirm_unblocked(journal: SignedJournal, at: datetime, actor: str, block_ids: Collection[str]) -> None:
    """Tell the journal that blocks were taken away, and that this was committed."""
    journal.write("provision-unblocked", at, {"blocks": sorted(block_ids), "by": actor})


def keep_blocked(
    session: Session,
    journal: SignedJournal,
    at: datetime,
    actor: str,
    *,
    recording_id: str,
    lost: frozenset[bytes],
    reason: str,
) -> tuple[str, ...]:
    """A recording is about to lose identifiers: what was stopped under one of them stays stopped, by itself.

    Who asked for the stop is the one to say that it is not needed; `unblock` takes it away.

    Returns:
        The new blocks; none where nothing was stopped.
    """
    under = select(col(ProvisionBlockRow.id)).where(col(ProvisionBlockRow.blind).in_(sorted(lost)))
    if not lost or session.execute(under.limit(1)).first() is None:
        return ()
    return block(session, journal, at, actor, reason=reason, recording_ids=[recording_id])


def blocked(session: Session, recording_id: str) -> tuple[str, ...]:
    """The blocks that stop the provision of a recording; none: it may be given."""
    carried = select(col(IdentifierRow.blind)).where(col(IdentifierRow.recording_id) == recording_id)
    on_it = or_(
        col(ProvisionBlockRow.recording_id) == recording_id, col(ProvisionBlockRow.blind).in_(carried)
    )
    rows = session.execute(select(col(ProvisionBlockRow.id)).where(on_it).order_by(col(ProvisionBlockRow.id)))
    return tuple(rows.scalars())


def all_blocks(session: Session) -> list[ProvisionBlockRow]:
    """Every stop of provision, oldest first."""
    return list(session.execute(select(ProvisionBlockRow).order_by(col(ProvisionBlockRow.id))).scalars())
