"""Read the whole trail and say whether anything was changed, removed or inserted.

Three witnesses, from weak to strong: the chain itself, the daily roots signed
with the store's key, and the heads that a Witness keeps outside the database
(without them a trail cut off at its end would still look whole).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from retention.audit.chain import GENESIS, Entry, Head, entry_digest
from retention.audit.tables import AuditHeadRow, AuditRootRow, AuditRow
from retention.database import table_of
from retention.kernel.canonical import canonical_json

READ_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verification found."""

    ok: bool
    entries: int
    first_bad: int | None  #: seq of the first entry that is not as it was written
    reason: str


def root_message(on: date, seq: int, digest: str, store_id: str) -> bytes:
    """What a daily root signs."""
    return canonical_json(
        {"format": "retention-audit-root/1", "on": on, "seq": seq, "digest": digest, "store": store_id}
    )


def head_of(session: Session) -> Head:
    """The trail's present end."""
    row = session.get(AuditHeadRow, 1)
    return Head(row.seq, row.digest) if row else Head(0, GENESIS)


def entries(session: Session, after: int = 0) -> Iterator[tuple[Entry, str]]:
    """Every entry after seq `after` with its stored digest, in order, streamed."""
    table = table_of(AuditRow)
    statement = select(table).where(table.c.seq > after).order_by(table.c.seq)
    with session.execute(statement.execution_options(yield_per=READ_AT_ONCE)) as rows:
        for row in rows:
            yield (
                Entry(
                    row.seq, row.at, row.tag, row.actor, row.subject, row.purpose, row.detail, row.previous
                ),
                row.digest,
            )


def verify_trail(
    session: Session,
    heads: Iterable[Head],
    store_id: str,
    signature_ok: Callable[[bytes, bytes], bool],
) -> Verdict:
    """Check every entry, root and witnessed head.

    Args:
        session: A reading transaction.
        heads: What the Witness kept.
        store_id: The store that the roots were signed for.
        signature_ok: Tells whether (message, signature) is the store's.
    """
    roots = list(session.execute(select(AuditRootRow).order_by(col(AuditRootRow.on))).scalars())
    witnessed: dict[int, str] = {root.seq: root.digest for root in roots}
    for head in heads:
        if witnessed.setdefault(head.seq, head.digest) != head.digest:
            return Verdict(
                ok=False,
                entries=0,
                first_bad=head.seq,
                reason=f"two heads were witnessed for entry {head.seq}",
            )
    broken, last = _walk(session, witnessed)
    if broken:
        return broken
    end = head_of(session)
    if (end.seq, end.digest) != (last.seq, last.digest):
        return Verdict(
            ok=False,
            entries=last.seq,
            first_bad=min(end.seq, last.seq) + 1,
            reason="entries were removed from, or added at, the end",
        )
    missing = sorted(seq for seq in witnessed if seq > last.seq)
    if missing:
        return Verdict(
            ok=False,
            entries=last.seq,
            first_bad=last.seq + 1,
            reason=f"entries up to {missing[-1]} were witnessed and are gone",
        )
    return _check_roots(roots, last.seq, store_id, signature_ok)


def _walk(session: Session, witnessed: dict[int, str]) -> tuple[Verdict | None, Head]:
    last = Head(0, GENESIS)
    for entry, stored in entries(session):
        fault = _fault(entry, stored, last, witnessed)
        if fault:
            bad = min(entry.seq, last.seq + 1)
            return Verdict(ok=False, entries=last.seq, first_bad=bad, reason=fault), last
        last = Head(entry.seq, stored)
    return None, last


def _fault(entry: Entry, stored: str, last: Head, witnessed: dict[int, str]) -> str:
    if entry.seq != last.seq + 1:
        return f"entry {last.seq + 1} was removed"
    if entry.previous != last.digest:
        return f"entry {entry.seq} does not follow entry {last.seq}"
    if entry_digest(entry) != stored:
        return f"entry {entry.seq} was changed"
    if witnessed.get(entry.seq, stored) != stored:
        return f"entry {entry.seq} is not the one that was witnessed"
    return ""


def _check_roots(
    roots: Sequence[Any], count: int, store_id: str, signature_ok: Callable[[bytes, bytes], bool]
) -> Verdict:
    for root in roots:
        if not signature_ok(root_message(root.on, root.seq, root.digest, store_id), root.signature):
            return Verdict(
                ok=False,
                entries=count,
                first_bad=root.seq,
                reason=f"the root of {root.on} is not signed by this store",
            )
    return Verdict(ok=True, entries=count, first_bad=None, reason="")
