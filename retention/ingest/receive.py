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
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG

from sqlalchemy import bindparam, insert, select
from sqlmodel import Session

from retention.audit.record import Act, record_all
from retention.audit.tags import Tag
from retention.catalogue.model import ORIGINAL, NewRecording
from retention.catalogue.register import known_already, register
from retention.catalogue.schedules import schedule_in_force
from retention.catalogue.sources import all_sources
from retention.catalogue.states import State
from retention.catalogue.tables import DoNotRecordRow, RecordingRow
from retention.database import Database, table_of
from retention.holds.find import Arrivals
from retention.ingest.model import Candidate, Code, Fault, Inspector, Outcome, Status
from retention.ingest.prepare import (
    Aside,
    Here,
    Looked,
    Lookups,
    Prepared,
    Preparer,
    Refused,
    Register,
    state_of_file,
)
from retention.ingest.quarantine import already_waiting, came_after_all, put_aside
from retention.kernel.clock import Clock
from retention.kernel.errors import MediaError, ToolTimedOut
from retention.vault.intake import Intake, erase_all, forget
from retention.vault.model import KeyService, ObjectName, ObjectStore, object_name

BATCH_FILES = 64
BATCH_BYTES = 256 * 1024 * 1024
LOOK_AHEAD = 8
INDEX_NAME = "blind-index"
_RECORDING = table_of(RecordingRow)
#: Asked for every file, so composed once.
_LIKE_THIS = (
    select(_RECORDING.c.id)
    .where(
        _RECORDING.c.source_id == bindparam("source"),
        _RECORDING.c.started_at == bindparam("start"),
        _RECORDING.c.size_bytes == bindparam("size"),
    )
    .limit(1)
)


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
    seen: Future[Looked] | None
    prepared: Prepared


class Receiver:
    """Takes files in, batch by batch."""

    def __init__(self, tools: Tools, actor: str) -> None:
        self._tools = tools
        self._actor = actor
        self._index_key = tools.keys.secret(INDEX_NAME)
        with tools.database.read() as session:
            self._learn(self._ask(session))

    def _ask(self, session: Session) -> Register:
        return Register(
            schedule=schedule_in_force(session),
            sources={source.id: source for source in all_sources(session)},
            do_not_record=frozenset(session.execute(select(table_of(DoNotRecordRow).c.blind)).scalars()),
            index_key=self._index_key,
        )

    def _learn(self, known: Register) -> None:
        self._known = known
        lookups = Lookups(self._probably_here, self._state_of, self._is_held)
        self._preparer = Preparer(known, self._tools.store, self._tools.keys, lookups)

    def receive(self, candidates: Iterable[Candidate]) -> Iterator[Outcome]:
        """The outcome of every candidate, in order; each is durable when it is yielded."""
        with Intake(self._tools.database, self._tools.store, self._tools.clock, self._tools.locks) as intake:
            batch: list[_Item] = []
            size_bytes = 0
            for candidate, seen in self._look_ahead(candidates):
                batch.append(self._prepare(candidate, seen, intake))
                size_bytes += _size(batch[-1].prepared)
                if len(batch) >= BATCH_FILES or size_bytes >= BATCH_BYTES:
                    yield from self._commit(batch, intake)
                    batch, size_bytes = [], 0
            if batch:
                yield from self._commit(batch, intake)

    def _prepare(self, candidate: Candidate, seen: Future[Looked] | None, intake: Intake) -> _Item:
        recording_id = intake.next_id()
        prepared = self._preparer.prepare(candidate, seen, recording_id, self._tools.clock.now())
        return _Item(candidate, recording_id, seen, prepared)

    def _look_ahead(
        self, candidates: Iterable[Candidate]
    ) -> Iterator[tuple[Candidate, Future[Looked] | None]]:
        """Inspect the next files while the present one is sealed."""
        waiting: deque[tuple[Candidate, Future[Looked] | None]] = deque()
        with ThreadPoolExecutor(max_workers=2, thread_name_prefix="inspect") as pool:
            for candidate in candidates:
                source = self._known.sources.get(candidate.source_id)
                is_wanted = candidate.fault is None and source is not None
                seen = pool.submit(self._look, candidate, source.raw_format) if is_wanted and source else None
                waiting.append((candidate, seen))
                if len(waiting) > LOOK_AHEAD:
                    yield waiting.popleft()
            while waiting:
                yield waiting.popleft()

    def _look(self, candidate: Candidate, raw_format: str) -> Looked:
        try:
            # What a link leads to is not looked at; the file of a released item has no other name than a link.
            stat = candidate.path.stat(follow_symlinks=bool(candidate.shown_as))
        except OSError as error:
            return Looked(Fault(Code.NO_FILE, f"it cannot be read: {error.strerror or error}"), None)
        if not S_ISREG(stat.st_mode):
            return Looked(Fault(Code.NO_FILE, "it is not a regular file"), None)
        try:
            return Looked(self._tools.inspector.inspect(candidate.path, raw_format), state_of_file(stat))
        except (MediaError, ToolTimedOut) as error:
            return Looked(Fault(Code.UNREADABLE, error.message), state_of_file(stat))
        except OSError as error:
            return Looked(Fault(Code.NO_FILE, f"it cannot be read: {error.strerror or error}"), None)

    def _probably_here(self, source_id: str, started_at: object, size_bytes: int) -> bool:
        asked = {"source": source_id, "start": started_at, "size": size_bytes}
        with self._tools.database.read() as session:
            return session.execute(_LIKE_THIS, asked).first() is not None

    def _state_of(self, source_id: str, native_index: bytes, sha256: bytes) -> tuple[str, str] | None:
        key = (source_id, native_index, sha256)
        with self._tools.database.read() as session:
            return known_already(session, [key]).get(key)

    def _is_held(self, new: NewRecording) -> bool:
        with self._tools.database.read() as session:
            return bool(Arrivals(session).holds_for(new))

    def _commit(self, batch: list[_Item], intake: Intake) -> Iterator[Outcome]:
        self._tools.store.sync([name for item in batch for name in _names(item)])
        with self._tools.database.write() as session:
            intake.check(session, [item.id for item in batch])
            outdated = self._outdated(session, batch)
            done = _Done() if outdated else self._register(session, batch)
            if not outdated:
                forget(session, [item.id for item in batch if item.id not in done.needless])
                intake.reserve(session)
        if outdated:
            self._learn(outdated)
            self._clear(item.id for item in batch)
            yield from self._commit(
                [self._prepare(item.candidate, item.seen, intake) for item in batch], intake
            )
            return
        self._clear(done.needless)
        self._tools.store.protect([object_name(each, ORIGINAL) for each in sorted(done.held)], held=True)
        yield from done.outcomes

    def _outdated(self, session: Session, batch: list[_Item]) -> Register | None:
        """What is known now, when it is no longer what the batch was prepared by, or a hold forbids a refusal."""
        now = self._ask(session)
        refused = [item.prepared.new for item in batch if isinstance(item.prepared, Refused)]
        arrivals = Arrivals(session) if refused else None
        is_held = arrivals is not None and any(arrivals.holds_for(new) for new in refused)
        return now if is_held or now != self._known else None

    def _clear(self, recording_ids: Iterable[str]) -> None:
        """Erase what was written under these ids and is not needed; what cannot be erased stays an intake."""
        ids = list(recording_ids)
        if ids:
            gone = erase_all(self._tools.store, ids)
            with self._tools.database.write() as session:
                forget(session, gone)

    def _register(self, session: Session, batch: list[_Item]) -> "_Done":
        """Rows for the whole batch."""
        now = self._tools.clock.now()
        arrivals = Arrivals(session)
        fresh: list[NewRecording] = []
        taken_in: dict[tuple[str, bytes], str] = {}
        refused: list[NewRecording] = []
        acts: list[Act] = []
        done = _Done()
        known = known_already(session, [_identity(item.prepared) for item in batch if _is_new(item.prepared)])
        for item in batch:
            outcome = self._outcome(session, item, known)
            if _is_spoiled(item) or (outcome.id != item.id and _names(item)):
                done.needless.add(item.id)
            elif outcome.id != item.id:
                pass
            elif isinstance(item.prepared, NewRecording):
                fresh.append(item.prepared)
                if not item.candidate.shown_as:  # who releases an item says so
                    taken_in[item.prepared.source.id, item.prepared.original.sha256] = item.id
            elif isinstance(item.prepared, Refused):
                refused.append(item.prepared.new)
            acts += self._acts(item, outcome)
            done.outcomes.append(outcome)
        register(
            session,
            fresh,
            new_key=self._tools.keys.new_key,
            wrap=self._tools.keys.wrap,
            holds_for=arrivals.holds_for,
        )
        _refuse(session, refused)
        record_all(session, now, acts)
        came_after_all(session, taken_in, now, self._actor)
        arrivals.note(session, now, self._actor)
        done.held = arrivals.held
        return done

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
                label, found, Status.QUARANTINED, prepared.fault.reason, _size(prepared), item.candidate
            )
        identity = _identity(prepared)
        if identity in known:
            return _here(item, *known[identity])
        new = prepared.new if isinstance(prepared, Refused) else prepared
        known[identity] = (item.id, str(State.SEALED if prepared is new else State.DISPOSED))
        status = Status.DISPOSED if isinstance(prepared, Refused) else Status.SEALED
        reason = "it must not be recorded" if status is Status.DISPOSED else ""
        return Outcome(label, item.id, status, reason, new.original.size_bytes, item.candidate)

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


@dataclass(slots=True)
class _Done:
    """What a batch's transaction came to."""

    outcomes: list[Outcome] = field(default_factory=list)
    needless: set[str] = field(default_factory=set)  #: ids whose objects are not wanted after all
    held: frozenset[str] = frozenset()


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


def _is_spoiled(item: _Item) -> bool:
    return isinstance(item.prepared, Aside) and item.prepared.is_spoiled


def _here(item: _Item, recording_id: str, state: str) -> Outcome:
    gone = state in {State.DISPOSING, State.DISPOSED}
    status = Status.DISPOSED if gone else Status.DUPLICATE
    reason = "it was disposed of before and does not come back" if gone else "it is here already"
    return Outcome(item.candidate.label, recording_id, status, reason, candidate=item.candidate)


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
