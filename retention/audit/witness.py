"""What must survive the database, kept where the database's owner does not reach.

`Witness` keeps the heads of the audit trail; `Journal` keeps holds, disposals
and certificates, so that a backup restored months later brings back nothing
that was disposed of and loses no hold. Both carry HMACs under the store's
journal key, and each line's covers that of the line before: a line that was
changed, dropped, moved or repeated is refused, not ignored. What was cut off at
the end is told by whoever remembers an `End`.
"""

import hmac
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from retention.audit.chain import Head
from retention.kernel.canonical import canonical_json
from retention.kernel.errors import AuditChainBroken

#: Makes the next line of the last whole one, b"" where there is none.
Follow = Callable[[bytes], bytes]
JOURNAL_FORMAT, HEADS_FORMAT, HEAD_FORMAT = "retention-journal/1", "retention-heads/1", "retention-head/1"


@dataclass(frozen=True, slots=True)
class End:
    """Where a chain of lines ended at some instant."""

    lines: int
    mac: str  #: of the last line, 64 hex digits


#: What the first line names as its predecessor.
BEGINNING = End(0, "0" * 64)


class Witness(Protocol):
    """Keeps the trail's heads."""

    def publish(self, head: Head, at: datetime) -> None:
        """Keep `head`. The same or an older head again changes nothing.

        Nothing is kept while what is there is not ours, and a witness that is empty keeps no head but
        the trail's first: what was lost or changed must not be made good by the next act.
        """

    def heads(self) -> Iterator[Head]:
        """Every head that still binds, oldest first. AuditChainBroken if they are not as they were written."""

    def journal_end(self) -> End:
        """Where the journal ended when a head was last kept; a loss since then is not forgotten until `restart`.

        AuditChainBroken, as `heads`.
        """

    def restart(self, after: Head, at: datetime) -> None:
        """A backup was restored, or people agreed to begin anew: heads past `after` no longer bind.

        The journal is remembered as it is now. All this is kept on record.
        """


class Journal(Protocol):
    """Keeps lines and documents, in order, for good."""

    def append(self, follow: Follow) -> None:
        """Add the line that `follow` makes of the last one, no other writer in between; durable on return.

        A torn last line of a killed writer is dropped first.
        """

    def lines(self) -> Iterator[bytes]:
        """Every whole line, oldest first."""

    def keep(self, name: str, chunks: Iterable[bytes]) -> None:
        """Store a document under `name`, replacing it whole; durable on return."""

    def kept(self, name: str) -> Iterator[bytes]:
        """The lines of the document called `name`. NotFound if absent."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Lines of a MAC, a number and a text, each bound to the one before. `FORMAT` is a published format."""

    key: bytes
    format: str
    name: str  #: what the lines are, for people

    def follow(self, last: bytes, body: bytes) -> bytes:
        """The line that says `body` after line `last`.

        Raises:
            AuditChainBroken: `last` is no line of a chain.
        """
        before = self.end_in(last)
        return self._line(before.mac.encode(), before.lines + 1, body)

    def end_in(self, last: bytes) -> End:
        """Where the chain ends whose last line is `last`; it is not verified.

        Raises:
            AuditChainBroken: It is no line of a chain.
        """
        if not last:
            return BEGINNING
        mac, number, _ = _parts(last)
        if not number.isdigit() or len(mac) != len(BEGINNING.mac):
            raise AuditChainBroken(f"the last line of {self.name} was changed")
        return End(int(number), mac.decode("ascii", "replace"))

    def bodies(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """What each line says.

        Raises:
            AuditChainBroken: A line is not as it was written, or not where it was written.
        """
        previous = BEGINNING.mac.encode()
        for number, line in enumerate(lines, start=1):
            mac, _, body = _parts(line)
            if not hmac.compare_digest(line, self._line(previous, number, body)):
                raise AuditChainBroken(
                    f"line {number} of {self.name} was changed, or lines were dropped, moved or put in before it",
                    hint="Bring back the witness folder from a copy of it.",
                )
            previous = mac
            yield body

    def _line(self, previous: bytes, number: int, body: bytes) -> bytes:
        rest = b"%d %b" % (number, body)
        mac = hmac.new(self.key, b"%b %b %b" % (self.format.encode(), previous, rest), "sha256")
        return mac.hexdigest().encode() + b" " + rest


def _parts(line: bytes) -> tuple[bytes, bytes, bytes]:
    mac, _, rest = line.partition(b" ")
    number, _, body = rest.partition(b" ")
    return mac, number, body


class SignedJournal:
    """A journal whose lines are a chain."""

    def __init__(self, journal: Journal, key: bytes) -> None:
        self.documents = journal
        self._chain = journal_chain(key)

    def write(self, kind: str, at: datetime, entry: dict[str, Any]) -> None:
        """Add one entry; durable on return."""
        body = canonical_json({"kind": kind, "at": at, **entry})
        self.documents.append(lambda last: self._chain.follow(last, body))

    def entries(self) -> Iterator[dict[str, Any]]:
        """Every entry, oldest first.

        Raises:
            AuditChainBroken: A line is not as it was written, or not where it was written.
        """
        return map(json.loads, self._chain.bodies(self.documents.lines()))

    def end(self) -> End:
        """Where it ends now."""
        last = b""
        for line in self.documents.lines():
            last = line
        return self._chain.end_in(last)

    def lost(self, known: Iterable[End]) -> str:
        """What is gone of the journal, given where it was known to have ended; "" when nothing is."""
        wanted = {end.lines: end.mac for end in known if end.lines}
        count = 0
        for count, line in enumerate(self.documents.lines(), start=1):
            if wanted.pop(count, "") not in {"", _parts(line)[0].decode("ascii", "replace")}:
                return f"line {count} of the journal is not the one that is remembered"
        return f"the journal had {max(wanted)} lines and has {count}" if wanted else ""


def journal_chain(key: bytes) -> Chain:
    """The chain of the journal of holds and disposals."""
    return Chain(key, JOURNAL_FORMAT, "the journal of holds and disposals")


def heads_chain(key: bytes) -> Chain:
    """The chain of witnessed heads."""
    return Chain(key, HEADS_FORMAT, "the witnessed heads")


def head_chain(key: bytes) -> Chain:
    """The chain of one line that the newest head is."""
    return Chain(key, HEAD_FORMAT, "the newest witnessed head")
