"""What could not be taken in: kept encrypted, shown to a person, released or rejected.

Each day's quarantine has one key; when the day's last item has left, the next
night destroys it. Nothing in quarantine can be played: release takes it in again, with
corrections, through the same door as any file.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.catalogue.model import ORIGINAL
from retention.catalogue.states import State
from retention.catalogue.tables import ObjectRow, RecordingRow, WrapRow
from retention.database import table_of
from retention.ingest.prepare import Aside
from retention.ingest.tables import QuarantineRow
from retention.kernel.errors import IllegalTransition, KeyDestroyed, NotFound
from retention.vault.model import KeyService, ObjectStore, Sealed, object_name
from retention.vault.note import open_note, seal_note
from retention.vault.open import read_all
from retention.vault.unseal import path_of


def already_waiting(session: Session, source_id: str, aside: Aside) -> QuarantineRow | None:
    """The item that holds, or misses, the same thing for the same reason already."""
    return session.execute(
        select(QuarantineRow)
        .where(
            col(QuarantineRow.fingerprint) == aside.fingerprint,
            col(QuarantineRow.source_id) == source_id,
            col(QuarantineRow.code) == str(aside.fault.code),
            col(QuarantineRow.state) == "waiting",
        )
        .limit(1)
    ).scalar_one_or_none()


def put_aside(
    session: Session, keys: KeyService, item_id: str, source_id: str, aside: Aside, at: datetime
) -> None:
    """Keep `aside` in quarantine, in the caller's transaction."""
    key_id = keys.new_key()
    session.add(
        QuarantineRow(
            id=item_id,
            code=str(aside.fault.code),
            reason=aside.fault.reason,
            source_id=source_id,
            received_at=at,
            key_id=key_id,
            wrapped=keys.wrap(key_id, aside.data_key, item_id.encode()),
            note=seal_note(aside.data_key, item_id, aside.note),
            size_bytes=aside.sealed.size_bytes if aside.sealed else 0,
            stored_bytes=aside.sealed.stored_bytes if aside.sealed else None,
            sha256=aside.sealed.sha256 if aside.sealed else b"",
            fingerprint=aside.fingerprint,
            commitment=aside.sealed.commitment if aside.sealed else b"",
        )
    )
    session.flush()


def items(session: Session, state: str = "waiting") -> Sequence[QuarantineRow]:
    """What is in quarantine, oldest first."""
    return (
        session.execute(
            select(QuarantineRow).where(col(QuarantineRow.state) == state).order_by(col(QuarantineRow.id))
        )
        .scalars()
        .all()
    )


def find_item(session: Session, item_id: str) -> QuarantineRow:
    """The item called `item_id`.

    Raises:
        NotFound: There is none.
    """
    row = session.get(QuarantineRow, item_id)
    if row is None:
        raise NotFound(
            f"nothing in quarantine is called {item_id!r}", hint="`retention quarantine list` shows it."
        )
    return row


def note_of_item(keys: KeyService, row: QuarantineRow) -> dict[str, Any]:
    """The item's file name and manifest entry, as the source gave them.

    Raises:
        KeyDestroyed: It has left the quarantine.
    """
    if row.state != "waiting" and row.key_id not in keys.key_ids():
        raise KeyDestroyed(f"quarantined item {row.id} was {row.state}; what was said about it is gone")
    found: dict[str, Any] = json.loads(open_note(_data_key(keys, row), row.id, row.note))
    return found


def _data_key(keys: KeyService, row: QuarantineRow) -> bytes:
    return keys.unwrap(row.key_id, row.wrapped, row.id.encode())


def check_waiting(row: QuarantineRow) -> None:
    """Refuse to decide twice.

    Raises:
        IllegalTransition: It was released or rejected before.
    """
    if row.state != "waiting":
        raise IllegalTransition(f"quarantined item {row.id} was {row.state} by {row.decided_by} before")


def _sealed(row: QuarantineRow) -> Sealed:
    if row.stored_bytes is None:
        raise NotFound(
            f"quarantined item {row.id} holds no bytes: {row.reason}", hint="Offer the file again."
        )
    return Sealed(
        name=object_name(row.id, ORIGINAL),
        role=ORIGINAL,
        size_bytes=row.size_bytes,
        stored_bytes=row.stored_bytes,
        sha256=row.sha256,
        commitment=row.commitment,
    )


def verify_item(store: ObjectStore, keys: KeyService, row: QuarantineRow) -> None:
    """Read the item's bytes back and compare them with their digest.

    Raises:
        IntegrityError: They are not what was kept.
        NotFound: There were no bytes to keep.
    """
    for _ in read_all(store, _data_key(keys, row), _sealed(row)):
        pass


@contextmanager
def unsealed(store: ObjectStore, keys: KeyService, row: QuarantineRow, folder: Path) -> Iterator[Path]:
    """The item's bytes as a file without a name, for as long as the context lasts.

    Raises:
        NotFound: There were no bytes to keep.
    """
    sealed = _sealed(row)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryFile(dir=folder) as file:
        for chunk in read_all(store, _data_key(keys, row), sealed):
            file.write(chunk)
        file.flush()
        modified_ns = note_of_item(keys, row).get("modified_ns")
        if modified_ns is not None:
            # Where nothing else says when the recording was made, its file's own time still does.
            os.utime(file.fileno(), ns=(modified_ns, modified_ns))
        yield path_of(file)


def decided(
    session: Session, row: QuarantineRow, state: str, at: datetime, actor: str, recording_id: str | None
) -> None:
    """Note that a person decided about the item.

    Raises:
        IllegalTransition: Somebody else decided meanwhile.
    """
    check_waiting(session.get_one(QuarantineRow, row.id, populate_existing=True))
    tag = Tag.QUARANTINE_RELEASED if state == "released" else Tag.QUARANTINE_REJECTED
    session.execute(
        update(table_of(QuarantineRow))
        .where(col(QuarantineRow.id) == row.id)
        .values(state=state, decided_at=at, decided_by=actor, recording_id=recording_id)
    )
    record(session, at, Act(tag, actor, row.id, detail={"code": row.code, "recording": recording_id}))


def came_after_all(
    session: Session, taken_in: Mapping[tuple[str, bytes], str], at: datetime, actor: str
) -> None:
    """Items that wait for what was now taken in, with corrections, wait no longer.

    Args:
        session: The caller's writing transaction.
        taken_in: (source, SHA-256) → the recording it became.
        at: When.
        actor: Who took it in.
    """
    if not taken_in:
        return
    wanted = {sha256 for _, sha256 in taken_in}
    rows = session.execute(
        select(QuarantineRow).where(
            col(QuarantineRow.fingerprint).in_(wanted),
            col(QuarantineRow.state) == "waiting",
            col(QuarantineRow.stored_bytes).is_not(None),
        )
    ).scalars()
    for row in list(rows):
        recording_id = taken_in.get((row.source_id, row.sha256))
        if recording_id is not None:
            decided(session, row, "released", at, actor, recording_id)
            mark_for_disposal(session, row, f"released from quarantine as {recording_id}")


def mark_for_disposal(session: Session, row: QuarantineRow, why: str) -> None:
    """Hand the item to the disposal, which destroys its key and erases its bytes, with a certificate."""
    session.add(
        RecordingRow(
            id=row.id,
            source_id=row.source_id,
            kind="unknown",
            native_index=row.id.encode(),
            sha256=row.sha256,
            size_bytes=row.size_bytes,
            started_at=row.received_at,
            ended_at=row.received_at,
            received_at=row.received_at,
            state=str(State.DISPOSING),
            facts={"why": why},
        )
    )
    session.add(WrapRow(recording_id=row.id, key_id=row.key_id, wrapped=row.wrapped))
    if row.stored_bytes is not None:
        session.add(
            ObjectRow(
                recording_id=row.id,
                role=ORIGINAL,
                size_bytes=row.size_bytes,
                stored_bytes=row.stored_bytes,
                sha256=row.sha256,
                commitment=row.commitment,
            )
        )
    session.flush()
