"""A recording's identifiers were corrected: what it now matches holds it, and what held it still does.

A hold that a person's former identifier brought about is not let go: its owner
took the recording for that person's, and only the owner can say that it is not
needed. Whoever carries the correction out is told which holds these are.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.audit.witness import SignedJournal
from retention.holds.find import holds_in_force
from retention.holds.model import Hold
from retention.holds.place import cover, tell_journal_of_wraps
from retention.holds.tables import HoldMatchRow
from retention.vault.model import KeyService


def extend_to(
    session: Session,
    keys: KeyService,
    journal: SignedJournal,
    at: datetime,
    actor: str,
    recording_id: str,
    data_key: bytes,
    gained: frozenset[bytes],
) -> tuple[str, ...]:
    """Bring a recording under every hold on the identifiers it gained, in the caller's transaction; their ids.

    The journal is told before the commit: a restore may know one recording too
    many under a hold, never one too few.
    """
    already = _holding(session, recording_id)
    found = [each for each in _on(session, gained) if each.id not in already]
    for hold in found:
        wrapped = keys.wrap(hold.key_id, data_key, recording_id.encode())
        row = {"recording_id": recording_id, "key_id": hold.key_id, "wrapped": wrapped}
        tell_journal_of_wraps(journal, hold.id, at, [row])
        cover(session, hold, [row])
        record(session, at, Act(Tag.HOLD_EXTENDED, actor, hold.id, detail={"recording": recording_id}))
    return tuple(each.id for each in found)


def kept_by_former(session: Session, recording_id: str, lost: frozenset[bytes]) -> tuple[str, ...]:
    """The holds that keep a recording because of an identifier that it does not carry any more."""
    already = _holding(session, recording_id)
    return tuple(each.id for each in _on(session, lost) if each.id in already)


def _on(session: Session, blinds: frozenset[bytes]) -> Iterable[Hold]:
    return [each for each in holds_in_force(session) if not each.criteria.blinds.isdisjoint(blinds)]


def _holding(session: Session, recording_id: str) -> frozenset[str]:
    rows = select(col(HoldMatchRow.hold_id)).where(col(HoldMatchRow.recording_id) == recording_id)
    return frozenset(session.execute(rows).scalars())
