"""Bring one file's bytes into the vault, and say what it is to become.

Nothing here touches the catalogue: a prepared file becomes a recording, a
quarantined item or a refusal when its batch is committed. The file is opened
once, without following a link, and must be the same file, unchanged, when the
last byte has been read.
"""

import errno
import hashlib
import os
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISREG
from typing import Any, BinaryIO

from retention.catalogue.identifiers import blind_all, blind_index, native
from retention.catalogue.model import ORIGINAL, NewRecording, SealedObject, Source
from retention.ingest.admit import admit, identifiers_of, must_not_be_recorded
from retention.ingest.manifest import Entry
from retention.ingest.model import Admission, Candidate, Code, Fault, Seen
from retention.kernel.canonical import canonical_json
from retention.schedule.model import Kind, Schedule
from retention.vault.model import KeyService, ObjectStore, Sealed
from retention.vault.note import seal_note
from retention.vault.seal import new_data_key, seal, seal_file

READ_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Aside:
    """A file to be quarantined; its bytes, where there were any, are in the vault."""

    fault: Fault
    note: bytes
    data_key: bytes = field(repr=False)
    sealed: Sealed | None
    fingerprint: (
        bytes  #: equal for the same thing offered again: its SHA-256, or a keyed index of what was said
    )
    is_spoiled: bool = False  #: objects were written that are not to be kept


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that must not be recorded: only its digest was taken."""

    new: NewRecording


@dataclass(frozen=True, slots=True)
class Here:
    """A file that the catalogue has, or had, already."""

    recording_id: str
    state: str


Prepared = NewRecording | Aside | Refused | Here


@dataclass(frozen=True, slots=True)
class Looked:
    """What an inspector found, and in which state of the file."""

    found: Seen | Fault
    state: object  #: as `state_of_file` tells it, just before


@dataclass(frozen=True, slots=True)
class Register:
    """What is known before any file is looked at."""

    schedule: Schedule
    sources: dict[str, Source]
    do_not_record: frozenset[bytes]
    index_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Lookups:
    """What only the catalogue can tell, asked while a file is prepared."""

    probably_here: Callable[[str, datetime, int], bool]  #: (source, start, size)
    state_of: Callable[
        [str, bytes, bytes], tuple[str, str] | None
    ]  #: (source, native index, SHA-256) → (id, state)
    is_held: Callable[[NewRecording], bool]


class Preparer:
    """Prepares files for one batch after the other."""

    def __init__(self, register: Register, store: ObjectStore, keys: KeyService, lookups: Lookups) -> None:
        self._register = register
        self._store = store
        self._keys = keys
        self._lookups = lookups

    def prepare(
        self, candidate: Candidate, seen: Future[Looked] | None, recording_id: str, now: datetime
    ) -> Prepared:
        """What `candidate` is to become under the id `recording_id`."""
        try:
            with open_plain(candidate.path, follow=bool(candidate.shown_as)) as file:
                before = os.fstat(file.fileno())
                prepared = self._decide(candidate, file, before, seen, recording_id, now)
                is_same = state_of_file(before) == state_of_file(os.fstat(file.fileno()))
                return prepared if is_same else self._spoiled(candidate, CHANGED)
        except OSError as error:
            fault = Fault(Code.NO_FILE, f"it cannot be read: {error.strerror or error}")
            return self._spoiled(candidate, candidate.fault or fault)

    def _decide(
        self,
        candidate: Candidate,
        file: BinaryIO,
        stat: os.stat_result,
        seen: Future[Looked] | None,
        recording_id: str,
        now: datetime,
    ) -> Prepared:
        source = self._register.sources.get(candidate.source_id)
        fault = candidate.fault or self._unknown_source(candidate, source)
        if source is None or seen is None or fault is not None:
            return self._aside(candidate, fault or _NOTHING_SEEN, file, recording_id)
        looked, state = seen.result().found, seen.result().state
        if state != state_of_file(stat):
            return self._spoiled(candidate, CHANGED)
        if isinstance(looked, Fault):
            return self._aside(candidate, looked, file, recording_id)
        admission = admit(
            self._register.schedule,
            source,
            candidate.entry,
            candidate.started_at,
            looked,
            modified_at(stat),
            now,
        )
        blinds = self._blinds(candidate.entry)
        if isinstance(admission, Fault) or isinstance(blinds, Fault):
            worse = admission if isinstance(admission, Fault) else blinds
            assert isinstance(worse, Fault)
            return self._aside(candidate, worse, file, recording_id)
        new = self._describe(candidate, source, admission, blinds, recording_id, now)
        return self._take(candidate, new, looked, file, stat.st_size)

    def _unknown_source(self, candidate: Candidate, source: Source | None) -> Fault | None:
        if source is not None and source.kind is not Kind.CASE_FILE:
            return None
        recorders = (each.id for each in self._register.sources.values() if each.kind is not Kind.CASE_FILE)
        known = ", ".join(sorted(recorders)) or "none"
        return Fault(
            Code.UNKNOWN_SOURCE, f"source {candidate.source_id!r} is not registered (registered are: {known})"
        )

    def _blinds(self, entry: Entry | None) -> frozenset[bytes] | Fault:
        found = identifiers_of(entry, self._register.schedule.jurisdiction)
        return found if isinstance(found, Fault) else blind_all(self._register.index_key, found)

    def _describe(
        self,
        candidate: Candidate,
        source: Source,
        admission: Admission,
        blinds: frozenset[bytes],
        recording_id: str,
        now: datetime,
    ) -> NewRecording:
        key = new_data_key()
        own = native(candidate.entry.native_id) if candidate.entry else None
        return NewRecording(
            id=recording_id,
            source=source,
            native_index=blind_index(self._register.index_key, own.kind, own.value) if own else b"",
            started_at=admission.times.started_at,
            ended_at=admission.times.ended_at,
            received_at=now,
            claimed_start=admission.times.claimed,
            time_basis=admission.times.basis,
            facts=admission.facts | {"notice": source.notice},
            personal=seal_note(key, recording_id, note_of(candidate, None)),
            data_key=key,
            objects=(),
            assigned=admission.assigned,
            blinds=blinds,
        )

    def _take(
        self, candidate: Candidate, new: NewRecording, looked: Seen, file: BinaryIO, size_bytes: int
    ) -> Prepared:
        here = self._here_already(new, file, size_bytes)
        if here:
            return here
        refused = must_not_be_recorded(self._register.schedule, candidate.entry)
        if (refused or not new.blinds.isdisjoint(self._register.do_not_record)) and not self._lookups.is_held(
            new
        ):
            return Refused(_with(new, (SealedObject(ORIGINAL, size_bytes, 0, _digest(file), b""),)))
        sealed = seal_file(self._store, new.data_key, new.id, ORIGINAL, file, durable=False)
        fault = _not_as_announced(candidate.entry, sealed)
        if fault:
            note = note_of(candidate, os.fstat(file.fileno()))
            return Aside(fault, note, new.data_key, sealed, sealed.sha256)
        derivatives = [
            seal(self._store, new.data_key, new.id, role, [content], durable=False)
            for role, content in looked.derivatives.items()
        ]
        return _with(new, tuple(_object(each) for each in (sealed, *derivatives)))

    def _here_already(self, new: NewRecording, file: BinaryIO, size_bytes: int) -> Here | None:
        """Hash first what is probably here already, so that a folder offered twice is not written twice."""
        if not self._lookups.probably_here(new.source.id, new.started_at, size_bytes):
            return None
        found = self._lookups.state_of(new.source.id, new.native_index, _digest(file))
        return Here(*found) if found else None

    def _aside(self, candidate: Candidate, fault: Fault, file: BinaryIO, recording_id: str) -> Aside:
        key = new_data_key()
        sealed = seal_file(self._store, key, recording_id, ORIGINAL, file, durable=False)
        return Aside(fault, note_of(candidate, os.fstat(file.fileno())), key, sealed, sealed.sha256)

    def _spoiled(self, candidate: Candidate, fault: Fault) -> Aside:
        """Nothing of the file is kept, whatever of it was written already."""
        note = note_of(candidate, None)
        said = f"{candidate.source_id}\0{candidate.path}\0{note!r}"
        fingerprint = blind_index(self._register.index_key, "no bytes", said)
        return Aside(fault, note, new_data_key(), None, fingerprint, is_spoiled=True)


CHANGED = Fault(Code.CHANGED, "it changed while it was being read: it may still be written")
_NOTHING_SEEN = Fault(Code.UNREADABLE, "it was not looked at")


def open_plain(path: Path, *, follow: bool = False) -> BinaryIO:
    """The regular file `path` for reading, unbuffered.

    Raises:
        OSError: It cannot be opened, or is a link, a pipe or a device: something else would be read instead.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "it is a link: name the file that it leads to") from error
        raise
    if not S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file")
    return os.fdopen(descriptor, "rb", buffering=0)


def modified_at(stat: os.stat_result) -> datetime | None:
    """When the file was last changed, as its folder says; None when that is no date."""
    try:
        return datetime.fromtimestamp(stat.st_mtime, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def state_of_file(stat: os.stat_result) -> object:
    """Equal as long as the file is the same and unchanged."""
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns


def _digest(file: BinaryIO) -> bytes:
    digest = hashlib.sha256()
    while chunk := file.read(READ_BYTES):
        digest.update(chunk)
    file.seek(0)
    return digest.digest()


def _not_as_announced(entry: Entry | None, sealed: Sealed) -> Fault | None:
    if entry is None:
        return None
    if entry.sha256 and bytes.fromhex(entry.sha256) != sealed.sha256:
        return Fault(
            Code.DIGEST_MISMATCH, "its SHA-256 is not the one the manifest names: the copy may be incomplete"
        )
    if entry.size_bytes is not None and entry.size_bytes != sealed.size_bytes:
        return Fault(
            Code.DIGEST_MISMATCH, f"it has {sealed.size_bytes} bytes, the manifest names {entry.size_bytes}"
        )
    return None


def _object(sealed: Sealed) -> SealedObject:
    return SealedObject(sealed.role, sealed.size_bytes, sealed.stored_bytes, sealed.sha256, sealed.commitment)


def _with(new: NewRecording, objects: tuple[SealedObject, ...]) -> NewRecording:
    return replace(new, objects=objects)


def note_of(candidate: Candidate, stat: os.stat_result | None) -> bytes:
    """What the source said, for the encrypted note: the file's name, its manifest entry, its time."""
    entry: dict[str, Any] = candidate.entry.model_dump(mode="json") if candidate.entry else {}
    note = {
        "name": candidate.path.name if not candidate.shown_as else candidate.shown_as,
        "entry": _stringly(entry),
    }
    return canonical_json(note | ({"modified_ns": stat.st_mtime_ns} if stat else {}))


def _stringly(value: Any) -> Any:
    """Floats have no canonical form; a note keeps them as text."""
    if isinstance(value, dict):
        return {key: _stringly(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_stringly(item) for item in value]
    return str(value) if isinstance(value, float) else value
