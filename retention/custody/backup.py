"""One file with everything the catalogue knows, and with no key and no recording in it.

The file is of one instant, whatever goes on meanwhile; it is complete and
durable, or it is not there. What must outlive it (holds, disposals, changes of
the schedule) goes on in the journal, and a restore brings both together.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from retention import __version__
from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.audit.verify import head_of
from retention.audit.witness import SignedJournal
from retention.catalogue.states import State
from retention.catalogue.tables import RecordingRow, StoreRow
from retention.custody.archive import Head, Member, write_archive
from retention.custody.tables import columns_of_all, count_rows, dump_tables
from retention.custody.tools import Progress, Tools, silent
from retention.kernel.canonical import isoformat
from retention.kernel.errors import InvalidInput, StoreUnavailable

LOCK = "backup"
SECRET = "backup"  # noqa: S105 - its name
SETTINGS = "settings.toml"


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made."""

    path: Path
    made_at: datetime
    size_bytes: int
    sha256: str
    recordings: int
    rows: int
    audit_seq: int


def make_backup(
    tools: Tools,
    path: Path,
    actor: str,
    *,
    settings: str = "",
    force: bool = False,
    progress: Progress = silent,
) -> Backup:
    """Write a backup to `path`.

    Args:
        tools: The store.
        path: The file to make.
        actor: Who asks.
        settings: The text of the store's settings file.
        force: Replace a file of that name.
        progress: Told how many parts of tables are written.

    Raises:
        InvalidInput: The file exists, or its folder does not.
        StoreUnavailable: It could not be written.
        DatabaseBusy: Another backup is being made.
    """
    if path.exists() and not force:
        raise InvalidInput(f"{path} exists already", hint="Name another file, or replace it with --force.")
    if not path.parent.is_dir():
        raise InvalidInput(f"there is no folder {path.parent}", hint="Make it first.")
    with tools.database.exclusive(LOCK):
        made = _write(tools, path, settings, force, progress)
    detail = {
        "made_at": made.made_at,
        "sha256": made.sha256,
        "size_bytes": made.size_bytes,
        "recordings": made.recordings,
        "head": made.audit_seq,
    }
    with tools.database.write() as session:
        record(session, tools.clock.now(), Act(Tag.BACKED_UP, actor, path.name, detail=detail))
    return made


def _write(tools: Tools, path: Path, settings: str, force: bool, progress: Progress) -> Backup:
    partial = path.with_name(f".{path.name}.partial")
    try:
        file = _Hashed(partial)
        try:
            with tools.database.read() as session:
                made_at, manifest = _dump(tools, session, file, settings, progress)
            file.close()
            _give_name(partial, path, force=force)
        finally:
            file.close()
            with suppress(FileNotFoundError):
                partial.unlink()
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be written: {error.strerror}") from error
    return Backup(
        path=path,
        made_at=made_at,
        size_bytes=file.size_bytes,
        sha256=file.sha256.hexdigest(),
        recordings=manifest["recordings"],
        rows=sum(manifest["rows"].values()),
        audit_seq=manifest["audit"]["seq"],
    )


def _dump(
    tools: Tools, session: Session, file: "_Hashed", settings: str, progress: Progress
) -> tuple[datetime, dict[str, Any]]:
    made_at = tools.clock.now()
    journal = journal_digest(tools.journal)
    manifest = _manifest(session, made_at) | {"journal": {"lines": journal[0], "sha256": journal[1]}}
    head = Head(manifest["store"], manifest["made_at"])
    members = _members(session, settings, progress)
    key = tools.keys.secret(SECRET)
    write_archive(file.write, key, tools.signer, head, members, lambda: manifest)
    return made_at, manifest


def _manifest(session: Session, made_at: datetime) -> dict[str, Any]:
    store = session.execute(select(StoreRow)).scalar_one()
    head = head_of(session)
    sealed = select(func.count()).where(col(RecordingRow.state) == State.SEALED)
    return {
        "store": store.id,
        "object_store": store.object_store_id,
        "made_at": isoformat(made_at),
        "version": __version__,
        "audit": {"seq": head.seq, "digest": head.digest},
        "columns": columns_of_all(),
        "rows": count_rows(session),
        "recordings": int(session.execute(sealed).scalar_one()),
    }


def _members(session: Session, settings: str, progress: Progress) -> Iterator[Member]:
    if settings:
        yield SETTINGS, settings.encode()
    for done, member in enumerate(dump_tables(session), start=1):
        yield member
        progress(done)


def journal_digest(journal: SignedJournal, lines: int | None = None) -> tuple[int, str]:
    """How many lines the journal has, and their SHA-256; of its first `lines` where that is given."""
    digest, count = hashlib.sha256(), 0
    for line in journal.documents.lines():
        if count == lines:
            break
        digest.update(line + b"\n")
        count += 1
    return count, digest.hexdigest()


class _Hashed:
    """A new file that is hashed while it is written and durable when it is closed."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._file = os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb"
        )
        self.sha256 = hashlib.sha256()
        self.size_bytes = 0

    def write(self, piece: bytes) -> None:
        self._file.write(piece)
        self.sha256.update(piece)
        self.size_bytes += len(piece)

    def close(self) -> None:
        if not self._file.closed:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()


def _give_name(partial: Path, path: Path, *, force: bool) -> None:
    if force:
        partial.replace(path)
    else:
        # A link fails where the name is taken, even by a race; a rename would replace the file.
        path.hardlink_to(partial)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
