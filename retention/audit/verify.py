"""Read the whole trail and say whether anything was changed, removed or inserted.

Three witnesses, from weak to strong: the chain itself, the daily roots signed
with the store's key, and the heads that a Witness keeps outside the database.
Without heads a trail that was cut off, or rewritten since the last root, would
still look whole: a trail for which no head vouches does not hold.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlmodel import Session, col

from retention.audit.chain import GENESIS, Entry, Head, entry_digest
from retention.audit.tables import AuditHeadRow, AuditRootRow, AuditRow
from retention.audit.witness import BEGINNING, End, Witness
from retention.database import table_of
from retention.kernel.canonical import canonical_json
from retention.kernel.errors import AuditChainBroken

READ_AT_ONCE = 2_000
START = Head(0, GENESIS)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verification found."""

    ok: bool
    entries: int
    first_bad: int | None  #: seq of the first entry that is not as it was written
    reason: str
    witnessed: int = 0  #: up to which entry a head vouches outside the database


@dataclass(frozen=True, slots=True)
class Vouched:
    """What the witness said when it was asked."""

    heads: tuple[Head, ...]
    journal: End = BEGINNING  #: where the journal ended when the newest was kept
    fault: str = ""  #: why it cannot be believed

    @property
    def latest(self) -> int:
        """The last entry that a head vouches for."""
        return max((head.seq for head in self.heads), default=0)


def ask(witness: Witness) -> Vouched:
    """What the witness says. Ask before the transaction begins: what is witnessed later is not in its view."""
    try:
        return Vouched(tuple(witness.heads()), witness.journal_end())
    except AuditChainBroken as error:
        return Vouched((), fault=error.message)


def root_message(on: date, seq: int, digest: str, store_id: str) -> bytes:
    """What a daily root signs."""
    return canonical_json(
        {"format": "retention-audit-root/1", "on": on, "seq": seq, "digest": digest, "store": store_id}
    )


def head_of(session: Session) -> Head:
    """The trail's present end."""
    row = session.get(AuditHeadRow, 1)
    return Head(row.seq, row.digest) if row else Head(0, GENESIS)


def entries(
    session: Session, after: int | None = None, at_once: int = READ_AT_ONCE
) -> Iterator[tuple[Entry, str]]:
    """Every entry, or those after seq `after`, with its stored digest, in order, streamed.

    Raises:
        ValueError: An entry among the next `at_once` holds what no entry can.
    """
    table = table_of(AuditRow)
    statement = select(table).order_by(table.c.seq)
    if after is not None:
        statement = statement.where(table.c.seq > after)
    with session.execute(statement.execution_options(yield_per=at_once)) as rows:
        for row in rows:
            yield (
                Entry(
                    row.seq, row.at, row.tag, row.actor, row.subject, row.purpose, row.detail, row.previous
                ),
                row.digest,
            )


def verify_trail(
    session: Session,
    vouched: Vouched,
    store_id: str,
    signature_ok: Callable[[bytes, bytes], bool],
) -> Verdict:
    """Check every entry, root and witnessed head.

    Args:
        session: A reading transaction.
        vouched: From `ask`, before the transaction began.
        store_id: The store that the roots were signed for.
        signature_ok: Tells whether (message, signature) is the store's.
    """
    roots = list(session.execute(select(AuditRootRow).order_by(col(AuditRootRow.on))).scalars())
    forged = next((root for root in roots if not _is_signed(root, store_id, signature_ok)), None)
    if forged is not None:
        return _bad(0, forged.seq, f"the root of {forged.on} is not signed by this store")
    witnessed: dict[int, str] = {root.seq: root.digest for root in roots}
    for head in vouched.heads:
        if witnessed.setdefault(head.seq, head.digest) != head.digest:
            return _bad(0, head.seq, f"two heads were witnessed for entry {head.seq}")
    broken, last = _walk(session, witnessed)
    return broken or _check_end(head_of(session), last, witnessed) or _check_witness(last, vouched)


def _bad(entries_before: int, first_bad: int, reason: str) -> Verdict:
    return Verdict(ok=False, entries=entries_before, first_bad=first_bad, reason=reason)


def _is_signed(root: AuditRootRow, store_id: str, signature_ok: Callable[[bytes, bytes], bool]) -> bool:
    return signature_ok(root_message(root.on, root.seq, root.digest, store_id), root.signature)


def _walk(
    session: Session,
    witnessed: dict[int, str],
    last: Head = START,
    at_once: int = READ_AT_ONCE,
) -> tuple[Verdict | None, Head]:
    try:
        # Those before the first are looked for too, so the first pass names no place to begin.
        for entry, stored in entries(session, last.seq or None, at_once):
            fault = _fault(entry, stored, last, witnessed)
            if fault:
                return _bad(last.seq, min(entry.seq, last.seq + 1), fault), last
            last = Head(entry.seq, stored)
    except ValueError:
        # SQLite keeps any text as a time. One at a time it shows which entry it was.
        if at_once > 1:
            return _walk(session, witnessed, last, at_once=1)
        return _bad(last.seq, last.seq + 1, f"entry {last.seq + 1} was changed: it cannot be read"), last
    return None, last


def _fault(entry: Entry, stored: str, last: Head, witnessed: dict[int, str]) -> str:
    if entry.seq <= last.seq:
        return f"entry {entry.seq} was put in before the first"
    if entry.seq > last.seq + 1:
        return f"entry {last.seq + 1} was removed"
    if entry.previous != last.digest:
        return f"entry {entry.seq} does not follow entry {last.seq}"
    if entry_digest(entry) != stored:
        return f"entry {entry.seq} was changed"
    if witnessed.get(entry.seq, stored) != stored:
        return f"entry {entry.seq} is not the one that was witnessed"
    return ""


def _check_end(head: Head, last: Head, witnessed: dict[int, str]) -> Verdict | None:
    latest = max(witnessed, default=0)
    if latest > last.seq:
        return _bad(last.seq, last.seq + 1, f"entries up to {latest} were witnessed and are gone")
    if head.seq != last.seq:
        return _bad(last.seq, min(head.seq, last.seq) + 1, "entries were removed from, or added at, the end")
    if head.digest != last.digest:
        return _bad(last.seq, last.seq, f"the trail's head does not name entry {last.seq}")
    return None


def _check_witness(last: Head, vouched: Vouched) -> Verdict:
    reason = vouched.fault
    if not reason and last.seq and not vouched.latest:
        reason = "no witnessed head vouches for it"
    return Verdict(
        ok=not reason,
        entries=last.seq,
        first_bad=None,
        reason=reason,
        witnessed=min(vouched.latest, last.seq),
    )
