"""Take files in: look, decide, seal, and register a batch at a time.

One pass over each file: hashed while it is read, encrypted while it is read,
in constant memory. Objects of a batch are made durable together, then one
transaction registers the batch. Before a byte is written its recording's id
stands in the catalogue as an intake, so whatever a killed process left behind
is known by name and swept by the next (`intake.py`).

Idempotent on source, the recorder's own id and SHA-256: the same file again is
a duplicate, and one that was disposed of does not come back.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from sqlalchemy import insert, select
from sqlmodel import Session

from retention.audit.record import Act, record_all
from retention.audit.tags import Tag
from retention.catalogue.model import NewRecording
from retention.catalogue.register import known_already, register
from retention.catalogue.schedules import schedule_in_force
from retention.catalogue.sources import all_sources
from retention.catalogue.states import State
from retention.catalogue.tables import DoNotRecordRow, RecordingRow
from retention.database import Database, table_of
from retention.holds.find import Arrivals
from retention.ingest.intake import Intake, forget
from retention.ingest.model import Candidate, Code, Fault, Inspector, Outcome, Seen, Status
from retention.ingest.prepare import Aside, Here, Lookups, Prepared, Preparer, Refused, Register
from retention.ingest.quarantine import already_waiting, put_aside
from retention.kernel.clock import Clock
from retention.kernel.errors import MediaError, ToolTimedOut
from retention.vault.model import KeyService, ObjectName, ObjectStore, object_name

BATCH_FILES = 64
BATCH_BYTES = 256 * 1024 * 1024
LOOK_AHEAD = 8
INDEX_NAME = "blind-index"


@dataclass(frozen=True, slots=True)
class Tools:
    """What taking in needs."""

    database: Database
    store: ObjectStore
    keys: KeyService
    inspector: Inspector
    clock: Clock
    locks: Path  #: a local folder for the locks that show which writers live


@dataclass(frozen=True, slots=True)
class _Item:
    candidate: Candidate
    id: str
    prepared: Prepared


class Receiver:
    """Takes files in, batch by batch."""

    def __init__(self, tools: Tools, actor: str) -> None:
        self._tools = tools
        self._actor = actor
        with tools.database.read() as session:
            known = Register(
                schedule=schedule_in_force(session),
                sources={source.id: source for source in all_sources(session)},
                do_not_record=frozenset(session.execute(select(table_of(DoNotRecordRow).c.blind)).scalars()),
                index_key=tools.keys.secret(INDEX_NAME),
            )
        self._sources = known.sources
        lookups = Lookups(self._probably_here, self._state_of, self._is_held)
        self._preparer = Preparer(known, tools.store, tools.keys, lookups)

    def receive(self, candidates: Iterable[Candidate]) -> Iterator[Outcome]:
        """The outcome of every candidate, in order; each is durable when it is yielded."""
        with Intake(self._tools.database, self._tools.store, self._tools.clock, self._tools.locks) as intake:
            batch: list[_Item] = []
            size_bytes = 0
            for candidate, seen in self._look_ahead(candidates):
                recording_id = intake.next_id()
                prepared = self._preparer.prepare(candidate, seen, recording_id, self._tools.clock.now())
                batch.append(_Item(candidate, recording_id, prepared))
                size_bytes += _size(prepared)
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
                needless = candidate.fault is not None or candidate.source_id not in self._sources
                waiting.append((candidate, None if needless else pool.submit(self._look, candidate)))
                if len(waiting) > LOOK_AHEAD:
                    yield waiting.popleft()
            while waiting:
                yield waiting.popleft()

    def _look(self, candidate: Candidate) -> Seen | Fault:
        try:
            if not S_ISREG(candidate.path.stat().st_mode):
                return Fault(Code.UNREADABLE, "it is not a regular file")
            return self._tools.inspector.inspect(
                candidate.path, self._sources[candidate.source_id].raw_format
            )
        except (MediaError, ToolTimedOut) as error:
            return Fault(Code.UNREADABLE, error.message)
        except OSError as error:
            return Fault(Code.NO_FILE, f"it cannot be read: {error.strerror or error}")

    def _probably_here(self, source_id: str, started_at: object, size_bytes: int) -> bool:
        table = table_of(RecordingRow)
        statement = select(table.c.id).where(
            table.c.source_id == source_id, table.c.started_at == started_at, table.c.size_bytes == size_bytes
        )
        with self._tools.database.read() as session:
            return session.execute(statement.limit(1)).first() is not None

    def _state_of(self, source_id: str, native_index: bytes, sha256: bytes) -> tuple[str, str] | None:
        key = (source_id, native_index, sha256)
        with self._tools.database.read() as session:
            return known_already(session, [key]).get(key)

    def _is_held(self, new: NewRecording) -> bool:
        with self._tools.database.read() as session:
            return bool(Arrivals(session).holds_for(new))

    def _commit(self, batch: list[_Item], intake: Intake) -> Iterator[Outcome]:
        names = [name for item in batch for name in _names(item)]
        self._tools.store.sync(names)
        needless: list[ObjectName] = []
        with self._tools.database.write() as session:
            outcomes = self._register(session, batch, needless)
            forget(session, [item.id for item in batch if not set(_names(item)) & set(needless)])
            intake.reserve(session)
        if needless:
            self._tools.store.erase_many(needless)
            with self._tools.database.write() as session:
                forget(session, [item.id for item in batch])
        yield from outcomes

    def _register(self, session: Session, batch: list[_Item], needless: list[ObjectName]) -> list[Outcome]:
        """Rows for the whole batch; names whose bytes turned out to be needless are added to `needless`."""
        now = self._tools.clock.now()
        arrivals = Arrivals(session)
        fresh: list[NewRecording] = []
        refused: list[NewRecording] = []
        acts: list[Act] = []
        outcomes: list[Outcome] = []
        known = known_already(session, [_identity(item.prepared) for item in batch if _is_new(item.prepared)])
        for item in batch:
            outcome = self._outcome(session, item, known)
            if outcome.id != item.id:
                needless += _names(item)
            elif isinstance(item.prepared, NewRecording):
                fresh.append(item.prepared)
            elif isinstance(item.prepared, Refused):
                refused.append(item.prepared.new)
            acts += self._acts(item, outcome)
            outcomes.append(outcome)
        register(
            session,
            fresh,
            new_key=self._tools.keys.new_key,
            wrap=self._tools.keys.wrap,
            holds_for=arrivals.holds_for,
        )
        _refuse(session, refused)
        record_all(session, now, acts)
        arrivals.note(session, now, self._actor)
        return outcomes

    def _outcome(
        self, session: Session, item: _Item, known: dict[tuple[str, bytes, bytes], tuple[str, str]]
    ) -> Outcome:
        label, prepared = item.candidate.label, item.prepared
        if isinstance(prepared, Here):
            return _here(item, prepared.recording_id, prepared.state)
        if isinstance(prepared, Aside):
            waiting = already_waiting(session, item.candidate.source_id, prepared)
            if waiting is None:
                put_aside(
                    session,
                    self._tools.keys,
                    item.id,
                    item.candidate.source_id,
                    prepared,
                    self._tools.clock.now(),
                )
            found = waiting.id if waiting else item.id
            return Outcome(
                label, found, Status.QUARANTINED, prepared.fault.reason, _size(prepared), item.candidate.path
            )
        identity = _identity(prepared)
        if identity in known:
            return _here(item, *known[identity])
        new = prepared.new if isinstance(prepared, Refused) else prepared
        known[identity] = (item.id, str(State.SEALED if prepared is new else State.DISPOSED))
        status = Status.DISPOSED if isinstance(prepared, Refused) else Status.SEALED
        reason = "it must not be recorded" if status is Status.DISPOSED else ""
        return Outcome(label, item.id, status, reason, new.original.size_bytes, item.candidate.path)

    def _acts(self, item: _Item, outcome: Outcome) -> list[Act]:
        if outcome.id != item.id:
            return []
        tag = {
            Status.SEALED: Tag.RECORDING_SEALED,
            Status.QUARANTINED: Tag.QUARANTINED,
            Status.DISPOSED: Tag.RECORDING_REFUSED,
        }[outcome.status]
        detail: dict[str, object] = {"source": item.candidate.source_id}
        if isinstance(item.prepared, NewRecording):
            detail |= {"sha256": item.prepared.original.sha256.hex(), "size_bytes": outcome.size_bytes}
        if isinstance(item.prepared, Aside):
            detail |= {"code": item.prepared.fault.code}
        return [Act(tag, self._actor, item.id, detail=detail)]


def _is_new(prepared: Prepared) -> bool:
    return isinstance(prepared, NewRecording | Refused)


def _identity(prepared: Prepared) -> tuple[str, bytes, bytes]:
    new = prepared.new if isinstance(prepared, Refused) else prepared
    assert isinstance(new, NewRecording)
    return new.source.id, new.native_index, new.original.sha256


def _size(prepared: Prepared) -> int:
    if isinstance(prepared, NewRecording):
        return prepared.original.size_bytes
    return prepared.sealed.size_bytes if isinstance(prepared, Aside) and prepared.sealed else 0


def _names(item: _Item) -> list[ObjectName]:
    if isinstance(item.prepared, NewRecording):
        return [object_name(item.id, each.role) for each in item.prepared.objects]
    if isinstance(item.prepared, Aside) and item.prepared.sealed:
        return [item.prepared.sealed.name]
    return []


def _here(item: _Item, recording_id: str, state: str) -> Outcome:
    gone = state in {State.DISPOSING, State.DISPOSED}
    status = Status.DISPOSED if gone else Status.DUPLICATE
    reason = "it was disposed of before and does not come back" if gone else "it is here already"
    return Outcome(item.candidate.label, recording_id, status, reason, file=item.candidate.path)


def _refuse(session: Session, refused: list[NewRecording]) -> None:
    """Rows for what must not be recorded: no bytes, no key; the disposal gives them their certificate."""
    rows = [
        {
            "id": new.id,
            "source_id": new.source.id,
            "kind": str(new.source.kind),
            "native_index": new.native_index,
            "sha256": new.original.sha256,
            "size_bytes": new.original.size_bytes,
            "started_at": new.started_at,
            "ended_at": new.ended_at,
            "received_at": new.received_at,
            "claimed_start": "",
            "time_basis": new.time_basis,
            "state": str(State.DISPOSING),
            "lot_id": None,
            "facts": {"why": "do not record"},
            "personal": None,
        }
        for new in refused
    ]
    if rows:
        session.execute(insert(table_of(RecordingRow)), rows)
