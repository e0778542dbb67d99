"""Which of the witness's heads bind a catalogue that was restored.

Heads past the backup cannot: those entries are not in it. A head before its
end that names another digest means that the backup is of a past that was
abandoned by an earlier restore, or was tampered with: that is said, and
everything from there on is taken not to bind.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from retention.audit.chain import GENESIS, Head
from retention.audit.tables import AuditRow
from retention.audit.verify import head_of
from retention.audit.witness import End, Witness
from retention.custody.tools import Tools


def common_head(session: Session, witness: Witness) -> tuple[Head, int | None]:
    """The last entry up to which trail and witness agree, and the first witnessed one on which they do not."""
    end = head_of(session)
    for head in sorted(witness.heads(), key=lambda each: each.seq):
        if head.seq > end.seq:
            break
        if _digest(session, head.seq) != head.digest:
            return Head(head.seq - 1, _digest(session, head.seq - 1)), head.seq
    return end, None


def _digest(session: Session, seq: int) -> str:
    if seq == 0:
        return GENESIS
    found = session.execute(select(col(AuditRow.digest)).where(col(AuditRow.seq) == seq)).scalar_one_or_none()
    return found or ""


@dataclass(frozen=True, slots=True)
class Bound:
    """A witness of which only the heads up to an entry are heard; it keeps nothing."""

    witness: Witness
    seq: int

    @classmethod
    def of(cls, tools: Tools, after: Head) -> Tools:
        """The tools, with their witness bound."""
        return replace(tools, witness=cls(tools.witness, after.seq))

    def heads(self) -> Iterator[Head]:
        """The heads that bind."""
        return (head for head in self.witness.heads() if head.seq <= self.seq)

    def journal_end(self) -> End:
        """Where the journal ended: a restore does not shorten it."""
        return self.witness.journal_end()

    def publish(self, head: Head, at: datetime) -> None:
        """Nothing: what is not live yet is not witnessed."""

    def restart(self, after: Head, at: datetime) -> None:
        """Nothing."""
