"""Take files in: look, decide, seal, and register a batch at a time.

One pass over each file: hashed while it is read, encrypted while it is read,
in constant memory. Objects of a batch are made durable together, then one
transaction registers the batch; before a single byte is written, the batch's
ids stand in the catalogue as intakes, so that whatever a killed process left
behind is known by name and swept by the next.

Idempotent on source, the recorder's own id and SHA-256: the same file again is
a duplicate, and one that was disposed of does not come back.
"""

import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISREG
from typing import Any, BinaryIO

from sqlalchemy import select
from sqlmodel import Session

from retention.audit.record import Act, record_all
from retention.audit.tags import Tag
from retention.catalogue.identifiers import Identifier, blind_all, blind_index
from retention.catalogue.model import NewRecording, SealedObject, Source
from retention.catalogue.register import known_already, register
from retention.catalogue.schedules import schedule_in_force
from retention.catalogue.sources import all_sources
from retention.catalogue.states import State
from retention.catalogue.tables import DoNotRecordRow, RecordingRow
from retention.database import Database, table_of
from retention.holds.find import Arrivals
from retention.ingest.admit import admit, identifiers_of, must_not_be_recorded
from retention.ingest.intake import Intake
from retention.ingest.model import Admission, Candidate, Code, Fault, Inspector, Outcome, Seen, Status
from retention.ingest.quarantine import Kept, find_waiting, keep_aside, quarantine_key
from retention.kernel.canonical import canonical_json
from retention.kernel.clock import Clock
from retention.kernel.errors import MediaError, ToolTimedOut
from retention.schedule.model import Schedule
from retention.vault.model import KeyService, ObjectName, ObjectStore, Sealed, object_name
from retention.vault.note import seal_note
from retention.vault.seal import new_data_key, seal, seal_file

BATCH_FILES = 64
BATCH_BYTES = 256 * 1024 * 1024
LOOK_AHEAD = 8
READ_BYTES = 1024 * 1024
INDEX_SECRET = "blind-index"  # noqa: S105 - the name of a secret, not a secret
NO_ACTS: tuple[Act, ...] = ()


@dataclass(frozen=True, slots=True)
class Tools:
    """What taking in needs."""

    database: Database
    store: ObjectStore
    keys: KeyService
    inspector: Inspector
    clock: Clock
    locks: Path  #: a local folder for the locks that show which writers live


@dataclass(slots=True)
class _Prepared:
    """A file whose bytes are in the vault, not yet in the catalogue."""

    candidate: Candidate
    id: str
    data_key: bytes
    objects: list[Sealed] = field(default_factory=list)
    new: NewRecording | None = None
    kept: Kept | None = None
    outcome: Outcome | None = None


class Receiver:
    """Takes files in, batch by batch."""

    def __init__(self, tools: Tools, actor: str) -> None:
        self._tools = tools
        self._actor = actor
        self._index_key = tools.keys.secret(INDEX_SECRET)
        with tools.database.read() as session:
            self._schedule: Schedule = schedule_in_force(session)
            self._sources = {source.id: source for source in all_sources(session)}
            blinds = session.execute(select(table_of(DoNotRecordRow).c.blind)).scalars()
            self._do_not_record = frozenset(blinds)

    def receive(self, candidates: Iterable[Candidate]) -> Iterator[Outcome]:
        """The outcome of every candidate, in order; each is durable when it is yielded."""
        with Intake(self._tools.database, self._tools.store, self._tools.clock, self._tools.locks) as intake:
            batch: list[_Prepared] = []
            size_bytes = 0
            for candidate, seen in self._look_ahead(candidates):
                prepared = self._prepare(candidate, seen, intake)
                batch.append(prepared)
                size_bytes += sum(each.size_bytes for each in prepared.objects)
                if len(batch) >= BATCH_FILES or size_bytes >= BATCH_BYTES:
                    yield from self._commit(batch, intake)
                    batch, size_bytes = [], 0
            if batch:
                yield from self._commit(batch, intake)

    def _look_ahead(
        self, candidates: Iterable[Candidate]
    ) -> Iterator[tuple[Candidate, Future[Seen | Fault] | None]]:
        """Inspect the next files while the present one is sealed."""
        waiting: deque[tuple[Candidate, Future[Seen | Fault] | None]] = deque()
        with ThreadPoolExecutor(max_workers=2, thread_name_prefix="inspect") as pool:
            for candidate in candidates:
                source = self._sources.get(candidate.source_id)
                needless = candidate.fault is not None or source is None
                waiting.append((candidate, None if needless else pool.submit(self._look, candidate, source)))
                if len(waiting) > LOOK_AHEAD:
                    yield waiting.popleft()
            while waiting:
                yield waiting.popleft()

    def _look(self, candidate: Candidate, source: Source) -> Seen | Fault:
        try:
            if not S_ISREG(candidate.path.stat().st_mode):
                return Fault(Code.UNREADABLE, "it is not a regular file")
            return self._tools.inspector.inspect(candidate.path, source.raw_format)
        except (MediaError, ToolTimedOut) as error:
            return Fault(Code.UNREADABLE, error.message)
        except OSError as error:
            return Fault(Code.UNREADABLE, f"it cannot be read: {error.strerror}")

    def _prepare(self, candidate: Candidate, seen: Future[Seen | Fault] | None, intake: Intake) -> _Prepared:
        prepared = _Prepared(candidate, intake.next_id(), new_data_key())
        try:
            with ExitStack() as stack:
                file = stack.enter_context(_open(candidate.path))
                before = os.fstat(file.fileno())
                self._decide(prepared, file, before, seen)
                after = os.fstat(file.fileno())
                if _changed(before, after):
                    self._aside(prepared, Fault(Code.CHANGED, "it changed while it was being read"), None)
        except OSError as error:
            fault = candidate.fault or Fault(Code.NO_FILE, f"it cannot be read: {error.strerror or error}")
            self._aside(prepared, fault, None)
        return prepared

    def _decide(
        self, prepared: _Prepared, file: BinaryIO, stat: os.stat_result, seen: Future[Seen | Fault] | None
    ) -> None:
        candidate = prepared.candidate
        source = self._sources.get(candidate.source_id)
        if source is None and candidate.fault is None:
            known = ", ".join(sorted(self._sources)) or "none"
            fault = Fault(
                Code.UNKNOWN_SOURCE, f"source {candidate.source_id!r} is not registered (registered: {known})"
            )
            return self._aside(prepared, fault, file)
        if candidate.fault or source is None or seen is None:
            return self._aside(prepared, candidate.fault, file)
        found = identifiers_of(candidate.entry, self._schedule.jurisdiction)
        if isinstance(found, Fault):
            return self._aside(prepared, found, file)
        blinds = blind_all(self._index_key, found)
        looked = seen.result()
        if isinstance(looked, Fault):
            return self._aside(prepared, looked, file)
        modified_at = datetime.fromtimestamp(stat.st_mtime, UTC)
        admission = admit(
            self._schedule,
            source,
            candidate.entry,
            candidate.started_at,
            looked,
            modified_at,
            self._tools.clock.now(),
        )
        if isinstance(admission, Fault):
            return self._aside(prepared, admission, file)
        refused = must_not_be_recorded(self._schedule, candidate.entry) or not blinds.isdisjoint(
            self._do_not_record
        )
        return self._seal(prepared, source, admission, looked, file, stat, blinds, found, refused=refused)
