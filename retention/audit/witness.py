"""What must survive the database, kept where the database's owner does not reach.

`Witness` keeps the heads of the audit trail; `Journal` keeps holds, disposals
and certificates, so that a backup restored months later brings back nothing
that was disposed of and loses no hold. Every journal line carries an HMAC
under the store's journal key: a line that was changed is refused, not ignored.
"""

import hmac
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Protocol

from retention.audit.chain import Head
from retention.kernel.canonical import canonical_json
from retention.kernel.errors import AuditChainBroken


class Witness(Protocol):
    """Keeps the trail's heads."""

    def publish(self, head: Head, at: datetime) -> None:
        """Keep `head`. The same or an older head again changes nothing."""

    def heads(self) -> Iterator[Head]:
        """Every head that still binds, oldest first."""

    def restart(self, after: Head, at: datetime) -> None:
        """A backup was restored: heads past `after` no longer bind, and that is kept on record."""


class Journal(Protocol):
    """Keeps lines and documents, in order, for good."""

    def append(self, line: bytes) -> None:
        """Add one line; durable on return. A torn last line of a killed writer is dropped first."""

    def lines(self) -> Iterator[bytes]:
        """Every whole line, oldest first."""

    def keep(self, name: str, chunks: Iterable[bytes]) -> None:
        """Store a document under `name`, replacing it whole; durable on return."""

    def kept(self, name: str) -> Iterator[bytes]:
        """The lines of the document called `name`. NotFound if absent."""


class SignedJournal:
    """A journal whose lines carry an HMAC."""

    def __init__(self, journal: Journal, key: bytes) -> None:
        self.documents = journal
        self._key = key

    def write(self, kind: str, at: datetime, entry: dict[str, Any]) -> None:
        """Add one entry; durable on return."""
        body = canonical_json({"kind": kind, "at": at, **entry})
        self.documents.append(self._mac(body).encode() + b" " + body)

    def entries(self) -> Iterator[dict[str, Any]]:
        """Every entry, oldest first.

        Raises:
            AuditChainBroken: A line is not as it was written.
        """
        for number, line in enumerate(self.documents.lines(), start=1):
            mac, _, body = line.partition(b" ")
            if not hmac.compare_digest(mac, self._mac(body).encode()):
                raise AuditChainBroken(f"line {number} of the journal of holds and disposals was changed")
            yield json.loads(body)

    def _mac(self, body: bytes) -> str:
        return hmac.new(self._key, body, "sha256").hexdigest()
