"""The arithmetic of the trail. Pure.

Entry n's digest covers its own fields and entry n-1's digest, so a change, a
removal or an insertion anywhere breaks every digest after it. `FORMAT` and the
field names are a published format: see docs/formats/audit.md.
"""

from dataclasses import dataclass
from datetime import datetime

from retention.kernel.canonical import digest_of, isoformat

FORMAT = "retention-audit/1"
#: What the first entry names as its predecessor.
GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One act, as it stands in the trail."""

    seq: int  #: 1, 2, 3 … without a gap
    at: datetime  #: aware UTC
    tag: str
    actor: str  #: who
    subject: str  #: the id of what it was done to
    purpose: str  #: purpose of use, "" where nothing was used
    detail: str  #: canonical JSON text
    previous: str  #: digest of entry seq - 1


@dataclass(frozen=True, slots=True)
class Head:
    """Where the trail ended at some instant."""

    seq: int
    digest: str


def entry_digest(entry: Entry) -> str:
    """Hex SHA-256 that binds the entry to all before it."""
    return digest_of(
        {
            "format": FORMAT,
            "seq": entry.seq,
            "at": isoformat(entry.at),
            "tag": entry.tag,
            "actor": entry.actor,
            "subject": entry.subject,
            "purpose": entry.purpose,
            "detail": entry.detail,
            "previous": entry.previous,
        }
    )
