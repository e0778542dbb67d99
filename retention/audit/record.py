"""Append to the trail, in the transaction of the act itself.

If the act is not committed, neither is its entry; if the entry cannot be
written, the act fails. Personal data never goes in: ids only, and what proves
the act.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlmodel import Session

from retention.audit.chain import GENESIS, Entry, Head, entry_digest
from retention.audit.tables import AuditHeadRow, AuditRow
from retention.audit.tags import Tag
from retention.database import table_of
from retention.kernel.canonical import canonical_json

#: Where a transaction leaves the head it wrote, for the Witness to publish once it is committed.
WRITTEN = "retention.audit.head"


@dataclass(frozen=True, slots=True)
class Act:
    """Something that was done and must be on record."""

    tag: Tag
    actor: str
    subject: str
    purpose: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


def start_trail(session: Session) -> None:
    """Make the trail's first head; once, when the store is made."""
    session.add(AuditHeadRow(seq=0, digest=GENESIS))
    session.flush()


def record(session: Session, at: datetime, *acts: Act) -> None:
    """Append `acts`, in order, to the trail."""
    record_all(session, at, acts)


def record_all(session: Session, at: datetime, acts: Iterable[Act]) -> None:
    """Append many acts with one statement."""
    head = table_of(AuditHeadRow)
    seq, digest = session.execute(select(head.c.seq, head.c.digest).where(head.c.id == 1)).one()
    rows: list[dict[str, Any]] = []
    for act in acts:
        seq += 1
        entry = Entry(
            seq, at, act.tag, act.actor, act.subject, act.purpose, canonical_json(act.detail).decode(), digest
        )
        digest = entry_digest(entry)
        rows.append(
            {
                "seq": seq,
                "at": at,
                "tag": str(act.tag),
                "actor": act.actor,
                "subject": act.subject,
                "purpose": act.purpose,
                "detail": entry.detail,
                "previous": entry.previous,
                "digest": digest,
            }
        )
    if rows:
        session.execute(insert(table_of(AuditRow)), rows)
        session.execute(update(head).where(head.c.id == 1).values(seq=seq, digest=digest))
        session.info[WRITTEN] = Head(seq, digest)
