"""Which objects are being written, and by whom: so that nothing a killed writer left is an orphan.

Before a byte is written its recording's id stands in the catalogue as an
intake. A writer holds a lock file for as long as it lives; whoever finds the
lock free (or an intake older than a day, where the lock is on another machine)
sweeps what the dead writer left.
"""

import os
import socket
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout
from sqlalchemy import delete, insert, select
from sqlmodel import Session, col

from retention.catalogue.model import ORIGINAL
from retention.catalogue.tables import IntakeRow
from retention.database import Database, table_of
from retention.kernel.clock import Clock
from retention.kernel.ids import new_id
from retention.vault.model import ObjectStore, object_name

#: Ids reserved at a time: one short transaction for many files.
RESERVE = 64
ROLES = (ORIGINAL, "thumbnail", "peaks")
STALE = timedelta(days=1)


class Intake:
    """Hands out ids whose objects may be written; sweeps what dead writers left."""

    def __init__(self, database: Database, store: ObjectStore, clock: Clock, locks: Path) -> None:
        self._database = database
        self._store = store
        self._clock = clock
        self._locks = locks
        self._writer = f"{socket.gethostname()}:{new_id(clock.now())}"
        self._lock = FileLock(_lock_path(locks, self._writer))
        self._free: list[str] = []
        self._reserved_at = clock.now()

    def __enter__(self) -> Self:
        self._locks.mkdir(parents=True, exist_ok=True)
        self._lock.acquire()
        sweep(self._database, self._store, self._clock.now(), self._locks)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            with self._database.write() as session:
                session.execute(delete(IntakeRow).where(col(IntakeRow.recording_id).in_(self._free)))
        self._lock.release()
        # An error leaves the intakes to be swept: the lock is free, so the next writer does it.
        _lock_path(self._locks, self._writer).unlink(missing_ok=True)

    def next_id(self) -> str:
        """An id whose objects may now be written."""
        if not self._free or self._clock.now() > self._reserved_at + STALE / 2:
            # Ids that lay idle are left to the sweep: another machine may take them for dead.
            self._free = []
            with self._database.write() as session:
                self.reserve(session)
        return self._free.pop(0)

    def reserve(self, session: Session) -> None:
        """Refill the reserve, in the caller's transaction."""
        now = self._clock.now()
        wanted = [new_id(now) for _ in range(RESERVE)] if len(self._free) < RESERVE // 2 else []
        if wanted:
            rows = [{"recording_id": each, "writer": self._writer, "began_at": now} for each in wanted]
            session.execute(insert(table_of(IntakeRow)), rows)
            self._free += wanted
            self._reserved_at = now


def forget(session: Session, recording_ids: Iterable[str]) -> None:
    """These ids are no intakes any more: they are in the catalogue, or nothing of them is left."""
    session.execute(delete(IntakeRow).where(col(IntakeRow.recording_id).in_(list(recording_ids))))


def sweep(database: Database, store: ObjectStore, now: datetime, locks: Path) -> int:
    """Erase what dead writers left; how many intakes were swept."""
    with database.read() as session:
        rows = session.execute(
            select(col(IntakeRow.recording_id), col(IntakeRow.writer), col(IntakeRow.began_at))
        ).all()
    living = {writer: _lives(writer, locks) for writer in {row.writer for row in rows}}
    dead = [row.recording_id for row in rows if not living[row.writer] or row.began_at < now - STALE]
    if dead:
        store.erase_many([object_name(each, role) for each in dead for role in ROLES])
        with database.write() as session:
            forget(session, dead)
    return len(dead)


def _lock_path(locks: Path, writer: str) -> Path:
    return locks / f"writer-{writer.rpartition(':')[2]}.lock"


def _lives(writer: str, locks: Path) -> bool:
    if writer.rpartition(":")[0] != socket.gethostname():
        return True
    path = _lock_path(locks, writer)
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    os.unlink(path)  # noqa: PTH108 - the lock's file, not a path of the user's
    return False
