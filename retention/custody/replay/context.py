"""What every replayed entry may look at and add to."""

from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from retention.catalogue.states import State
from retention.catalogue.tables import LotRow, RecordingRow
from retention.custody.tools import Tools
from retention.database import table_of

#: Who is on record for what only the journal remembers.
ACTOR = "restore"
Entry = dict[str, Any]


@dataclass(slots=True)
class Ahead:
    """What must be known before the first entry is replayed."""

    documents: dict[str, str] = field(default_factory=dict)  #: run → its certificate's document
    missing: list[str] = field(default_factory=list)  #: runs whose certificate is not there
    confirmed: set[str] = field(default_factory=set)  #: moves that were committed
    destroyed: set[tuple[str, int]] = field(default_factory=set)  #: (plan, version) of spans that are gone
    dead: set[str] = field(default_factory=set)  #: keys that were destroyed


@dataclass(slots=True)
class Replayed:
    """What the journal added to the backup."""

    holds_placed: int = 0
    holds_lifted: int = 0
    cohorts_expired: int = 0
    recordings_moved: int = 0
    recordings_disposed: int = 0  #: whose rows the backup had
    recordings_unknown: int = 0  #: taken in and disposed of after it
    runs: list[str] = field(default_factory=list)  #: that came with their certificates
    unfinished_runs: list[str] = field(default_factory=list)  #: for `disposal resume`
    certificates_missing: list[str] = field(default_factory=list)
    schedules: int = 0
    sources: int = 0
    do_not_record: int = 0
    requests_lost: list[str] = field(default_factory=list)  #: filed after it: their receipt numbers
    requests_closed: int = 0
    deliveries: int = 0  #: answers that arrived after it
    spans_destroyed: int = 0
    corrections: int = 0
    entrustees: int = 0
    provisions: int = 0
    provision_blocks: int = 0
    dead_keys: frozenset[str] = frozenset()  #: must not exist, whatever brought them back


@dataclass(slots=True)
class Replaying:
    """One replay: where it writes, what it knows, what it did."""

    session: Session
    tools: Tools
    ahead: Ahead
    alive: frozenset[str]  #: keys that are there and may be
    done: Replayed


def instant_of(entry: Entry) -> datetime:
    """When it happened."""
    return datetime.fromisoformat(entry["at"])


def wraps_of(entry: Entry) -> dict[str, bytes]:
    """Recording id → wrapped data key."""
    return {recording_id: b64decode(wrapped) for recording_id, wrapped in entry["wraps"]}


def kept(session: Session, recording_ids: Iterable[str]) -> frozenset[str]:
    """Those that the catalogue holds and no disposal has claimed."""
    recording, lot = table_of(RecordingRow), table_of(LotRow)
    statement = (
        select(recording.c.id)
        .join(lot, lot.c.id == recording.c.lot_id)
        .where(
            recording.c.id.in_(list(recording_ids)), recording.c.state == State.SEALED, lot.c.run_id.is_(None)
        )
    )
    return frozenset(session.execute(statement).scalars())
