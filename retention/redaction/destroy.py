"""Destroy spans of an original: a new version in which they are silent, and nothing left of the old one.

    1  start    no hold, no disposal, approved; a number for the new version
    2  open     through the door, on record, into a file without a name
    3  silence  by the toolbox, which decodes what it wrote
    4  seal     content, derivatives and particulars, under a new data key; read back
    5  commit   tell the journal, then one transaction: rows, wraps, ledger, trail
    6  confirm  tell the journal that it is so
    7  renew    the cohorts' keys, for all they hold: the old ones, which a backup's wraps need, are destroyed
    8  erase    every byte and every version of the old objects, and prove them gone

Killed before the commit, the old version is as it was, and what was written of
the new one has no key; killed after it, the new one is in force. `finish`
clears up either way, and comes first whenever this is run again.

The plain sound lies in files that have no name in any folder: they end with
the process, however it ends.
"""

import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import func, select
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.audit.witness import SignedJournal
from retention.catalogue.find import Recording, find_recording
from retention.catalogue.journal import Moving
from retention.catalogue.model import ORIGINAL, SealedObject
from retention.catalogue.schedules import schedule_in_force
from retention.catalogue.tables import RecordingRow, WrapRow
from retention.database import Database
from retention.ingest.model import Inspector, Seen
from retention.kernel.clock import Clock
from retention.kernel.errors import (
    DependencyError,
    KeyMissing,
    NotPermitted,
    NotReleased,
    StaleApproval,
)
from retention.redaction.at_work import about
from retention.redaction.model import Progress, Silencer, Span, raw_format_of, refuse
from retention.redaction.plan import find_destruction
from retention.redaction.tables import DestructionRow
from retention.redaction.version import Version, confirm, other_names, put_in_place, tell, version_of
from retention.vault.door import Door, Way, sealed_object
from retention.vault.erase import erase_for_good
from retention.vault.model import KeyService, ObjectStore, Sealed
from retention.vault.note import open_note, seal_note
from retention.vault.open import read_all
from retention.vault.reasons import data_keys, destroy_for_good
from retention.vault.seal import new_data_key, seal, seal_file
from retention.vault.single_out import emptied_cohorts, renew_cohorts
from retention.vault.unseal import path_of, unsealed_file

LOCK = "redaction"


@dataclass(frozen=True, slots=True)
class Tools:
    """What clearing up needs."""

    database: Database
    store: ObjectStore
    keys: KeyService
    journal: SignedJournal
    clock: Clock


@dataclass(frozen=True, slots=True)
class Means:
    """What destroying needs besides."""

    door: Door
    inspector: Inspector
    silencer: Silencer
    folder: Path  #: on a disk with room for two copies of a recording


def destroy(
    tools: Tools,
    means: Means,
    digest: str,
    actor: str,
    progress: Progress = lambda _done, _total: None,
) -> DestructionRow:
    """Destroy what the plan `digest` names; done before, it is returned as it is.

    Raises:
        NotFound: No such plan was made.
        NotPermitted: A second person has not approved it.
        HoldInForce: The recording is under a hold.
        IllegalTransition: It is not sealed, or a disposal is letting it go.
        StaleApproval: It is not what it was when this was planned.
        MediaError: The spans cannot be silenced; nothing was changed.
        StoreUnavailable: The new version is in force, and bytes of the old one are left: `finish` erases them.
        DatabaseBusy: Another process is destroying.
    """
    with tools.database.exclusive(LOCK):
        _finish_all(tools, actor)
        with tools.database.write() as session:
            row = _start(session, digest, actor)
        if row.state == "finished":
            return row
        try:
            row = _renew(tools, means, row, actor, progress)
        except BaseException:
            # What cannot be cleared up now is cleared up by the next.
            with suppress(DependencyError):
                _finish_all(tools, actor)
            raise
        confirm(tools.journal, tools.clock.now(), row)
        _renew_keys(tools, row)
        return _erase(tools, row, actor)


def finish(tools: Tools, actor: str) -> int:
    """Finish or clear up what was interrupted; how many.

    Raises:
        StoreUnavailable: Bytes are left.
        DatabaseBusy: Another process is destroying.
    """
    with tools.database.exclusive(LOCK):
        return _finish_all(tools, actor)


def unfinished(session: Session) -> list[DestructionRow]:
    """Destructions that were begun and not finished."""
    begun = col(DestructionRow.state).in_(("started", "destroyed"))
    return list(session.execute(select(DestructionRow).where(begun)).scalars())


def _finish_all(tools: Tools, actor: str) -> int:
    with tools.database.read() as session:
        rows = unfinished(session)
    for row in rows:
        if row.state == "destroyed":
            confirm(tools.journal, tools.clock.now(), row)
            _renew_keys(tools, row)
        _erase(tools, row, actor)
    return len(rows)


def _start(session: Session, digest: str, actor: str) -> DestructionRow:
    row = find_destruction(session, digest)
    if row.state == "finished":
        return row
    recording = find_recording(session, schedule_in_force(session), row.recording_id)
    refuse(recording)
    if sealed_object(session, recording.id, ORIGINAL).sha256 != row.old_sha256:
        raise StaleApproval(
            f"recording {recording.id} was changed since plan {digest} was made", hint="Plan it again."
        )
    if row.needs_approval and not row.approved_at:
        raise NotPermitted(
            f"plan {digest} waits for a second person",
            hint=f"`retention redaction approve {digest} --as NAME`, then this again.",
        )
    row.state, row.destroyed_by = "started", actor
    # A number is used once: what an earlier attempt wrote never passes for this one's.
    row.version = _latest(session, recording.id) + 1
    session.add(row)
    return row


def _latest(session: Session, recording_id: str) -> int:
    tried = select(func.max(col(DestructionRow.version))).where(
        col(DestructionRow.recording_id) == recording_id
    )
    return max(version_of(session, recording_id), session.execute(tried).scalar_one() or 0)


def _renew(tools: Tools, means: Means, row: DestructionRow, actor: str, progress: Progress) -> DestructionRow:
    """The new version, in force."""
    with tools.database.read() as session:
        schedule = schedule_in_force(session)
        recording = find_recording(session, schedule, row.recording_id)
    key, way = new_data_key(), Way(destruction=row.digest)
    reader = means.door.open(schedule, recording.id, way, actor, tools.clock.now())
    with (
        about(recording.id),
        unsealed_file(means.folder, reader, row.old_sha256, recording.id) as old,
        tempfile.TemporaryFile(dir=means.folder) as new,
    ):
        spans = [Span.parse(text) for text in row.spans]
        how = means.silencer.silence(old, path_of(new), spans, recording.facts, progress)
        seen = means.inspector.inspect(path_of(new), raw_format_of(recording.facts))
        objects = _seal(tools, recording, seen, row.version, key, new)
    with tools.database.write() as session:
        return _commit(session, tools, row, key, objects, {**recording.facts, **seen.facts}, how)


def _seal(
    tools: Tools, recording: Recording, seen: Seen, version: int, key: bytes, new: BinaryIO
) -> tuple[SealedObject, ...]:
    """Seal the new content and what is derived from it, and read it back."""
    if str(seen.kind) != recording.kind:
        raise NotReleased(f"what was made of {recording.id} is {seen.kind}, not {recording.kind}")
    new.seek(0)
    sealed: list[Sealed] = [seal_file(tools.store, key, recording.id, ORIGINAL, new, version=version)]
    for role, content in seen.derivatives.items():
        sealed.append(seal(tools.store, key, recording.id, role, [content], version=version))
    for each in sealed:
        for _ in read_all(tools.store, key, each):
            pass
    return tuple(
        SealedObject(each.role, each.size_bytes, each.stored_bytes, each.sha256, each.commitment)
        for each in sealed
    )


def _commit(
    session: Session,
    tools: Tools,
    row: DestructionRow,
    key: bytes,
    objects: tuple[SealedObject, ...],
    facts: Mapping[str, Any],
    how: Mapping[str, Any],
) -> DestructionRow:
    refuse(find_recording(session, schedule_in_force(session), row.recording_id))
    now = tools.clock.now()
    wraps = _wraps(session, tools.keys, row.recording_id, key)
    personal = _renewed_note(session, tools.keys, row.recording_id, key)
    new = Version(row.recording_id, row.version, objects, wraps, personal, facts)
    row = session.get_one(DestructionRow, row.digest)
    row.state, row.destroyed_at, row.how = "destroyed", now, dict(how)
    row.new_sha256, row.new_size_bytes = new.original.sha256, new.original.size_bytes
    tell(tools.journal, now, row, new)
    put_in_place(session, new)
    detail = {
        "digest": row.digest,
        "spans": row.spans,
        "version": row.version,
        "approved_by": row.approved_by,
        "old_sha256": row.old_sha256.hex(),
        "sha256": new.original.sha256.hex(),
        "size_bytes": new.original.size_bytes,
    }
    record(session, now, Act(Tag.DESTRUCTION_DONE, row.destroyed_by, row.recording_id, detail=detail))
    return row


def _wraps(session: Session, keys: KeyService, recording_id: str, key: bytes) -> dict[str, bytes]:
    """The new data key under the key of every reason that is alive."""
    reasons = select(col(WrapRow.key_id)).where(col(WrapRow.recording_id) == recording_id)
    found: dict[str, bytes] = {}
    for key_id in session.execute(reasons).scalars():
        # Destroyed by a night: that purpose has expired.
        with suppress(KeyMissing):
            found[key_id] = keys.wrap(key_id, key, recording_id.encode())
    if not found:
        raise KeyMissing(f"recording {recording_id} is kept, but no key that opens it is left")
    return found


def _renewed_note(session: Session, keys: KeyService, recording_id: str, key: bytes) -> bytes | None:
    """What the source said of the recording, under the new key."""
    personal = session.get_one(RecordingRow, recording_id).personal
    if personal is None:
        return None
    ((_, old_key),) = data_keys(session, keys, [recording_id])
    return seal_note(key, recording_id, open_note(old_key, recording_id, personal))


def _renew_keys(tools: Tools, row: DestructionRow) -> None:
    """Destroy the keys under which the old data key was wrapped: a backup may still hold those wraps."""
    now = tools.clock.now()
    moving = Moving(tools.journal, now)
    with tools.database.write() as session:
        renew_cohorts(session, tools.keys, moving, [row.recording_id])
    moving.confirm()
    with tools.database.read() as session:
        # Those of an attempt that was killed here, too.
        spent = emptied_cohorts(session) & tools.keys.key_ids()
    destroy_for_good(tools.keys, tools.journal, now, spent)


def _erase(tools: Tools, row: DestructionRow, actor: str) -> DestructionRow:
    """Erase whatever is not of the version in force; then it is finished, or as if it had not been begun."""
    with tools.database.read() as session:
        present, latest = version_of(session, row.recording_id), _latest(session, row.recording_id)
    names = other_names(row.recording_id, present, latest)
    erase_for_good(tools.store, names, locks_are_stale=True)
    with tools.database.write() as session:
        row = session.get_one(DestructionRow, row.digest)
        if row.state == "started":
            row.state = "planned"
            return row
        row.state, row.finished_at = "finished", tools.clock.now()
        detail = {"digest": row.digest, "version": row.version}
        record(
            session, row.finished_at, Act(Tag.DESTRUCTION_FINISHED, actor, row.recording_id, detail=detail)
        )
    return row
