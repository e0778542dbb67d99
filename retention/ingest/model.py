"""What comes in, and what becomes of it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from retention.catalogue.model import Assigned
from retention.ingest.manifest import Entry
from retention.schedule.model import Kind


@dataclass(frozen=True, slots=True)
class Seen:
    """What an inspector found in a file."""

    kind: Kind
    container: str
    duration_us: int
    facts: Mapping[str, Any]  #: streams and warnings; no personal data
    started_at: datetime | None  #: as the container claims it, if it names a zone
    started_at_text: str
    derivatives: Mapping[str, bytes]  #: role → bytes: "thumbnail" (JPEG), "peaks" (audiowaveform data)


class Inspector(Protocol):
    """Looks into files that may be broken or hostile, without being harmed."""

    def inspect(self, path: Path, raw_format: str) -> Seen:
        """What the file holds, going by its content and never by its name.

        Unreadable, with a reason a person understands, when it holds no recording.
        Never hangs, never harms the caller's process, never reaches for the network.
        """

    def close(self) -> None:
        """Let go of every resource. Safe to repeat."""


class Status(StrEnum):
    """What became of a file."""

    SEALED = "sealed"
    DUPLICATE = "duplicate"  #: it is here already
    QUARANTINED = "quarantined"
    DISPOSED = "disposed"  #: it must not be recorded, or was disposed of before


class Code(StrEnum):
    """Why something is quarantined."""

    UNREADABLE = "unreadable"
    NO_FILE = "no-file"
    BROKEN_MANIFEST = "broken-manifest"
    UNKNOWN_SOURCE = "unknown-source"
    WRONG_KIND = "wrong-kind"
    UNKNOWN_PURPOSE = "unknown-purpose"
    NO_CLASS = "no-class"
    BAD_TIME = "bad-time"
    BAD_IDENTIFIER = "bad-identifier"
    CHANGED = "changed"
    DIGEST_MISMATCH = "digest-mismatch"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a file cannot be taken in as it is, and what a person can do."""

    code: Code
    reason: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that is offered, with what is said about it."""

    path: Path
    source_id: str
    entry: Entry | None = None
    fault: Fault | None = None  #: found before the file was even opened
    started_at: str = ""  #: given by the operator: ISO 8601
    shown_as: str = ""  #: the name to report, where the path is not it
    sidecar: Path | None = None  #: describes this file, and goes with it
    manifest: Path | None = None  #: describes this file among others

    @property
    def label(self) -> str:
        """How the file is called in reports; a byte that is no UTF-8 is written as an escape."""
        return (self.shown_as or str(self.path)).encode("utf-8", "backslashreplace").decode()


@dataclass(frozen=True, slots=True)
class Times:
    """When the recording was made, and how we know."""

    started_at: datetime
    ended_at: datetime
    claimed: str  #: the source's own text, untouched
    basis: str  #: "manifest", "operator", "container" or "file"


@dataclass(frozen=True, slots=True)
class Admission:
    """A file that may be sealed."""

    times: Times
    assigned: tuple[Assigned, ...]
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file."""

    path: str
    id: str | None
    status: Status
    reason: str = ""
    size_bytes: int = 0
    candidate: Candidate | None = field(default=None, compare=False, repr=False)  #: where it still lies
