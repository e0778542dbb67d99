"""Which objects are being written, and by whom: so that nothing a killed writer left is an orphan.

Before a byte is written its recording's id stands in the catalogue as an
intake. A writer holds a lock file for as long as it lives; whoever finds the
lock free (or an intake older than a day, where the lock is on another machine)
takes the writer for dead, claims its intakes and sweeps what it left. A writer
that was only asleep finds at its commit that its intakes are no longer its own,
and keeps nothing of the batch.
"""

import socket
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout
from sqlalchemy import delete, func, insert, select, update
from sqlmodel import Session, col

from retention.catalogue.model import ORIGINAL
from retention.catalogue.tables import IntakeRow
from retention.database import Database, in_batches, table_of
from retention.kernel.clock import Clock
from retention.kernel.errors import DependencyError
from retention.kernel.ids import new_id
from retention.vault.model import ObjectStore, object_name

#: Ids reserved at a time: one short transaction for many files.
RESERVE = 64
ROLES = (ORIGINAL, "thumbnail", "peaks")
STALE = timedelta(days=1)
#: Intakes swept with one statement and one call to the store.
SWEEP = 500
#: Stands in the place of a writer whose intakes are being swept.
SWEEPER = "sweeper"


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
        try:
            sweep(self._database, self._store, self._clock.now(), self._locks)
        except BaseException:
            self._let_go()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            with self._database.write() as session:
                session.execute(delete(IntakeRow).where(col(IntakeRow.recording_id).in_(self._free)))
        # An error leaves the intakes to be swept: the lock is free, so the next writer does it.
        self._let_go()

    def _let_go(self) -> None:
        self._lock.release()
        _lock_path(self._locks, self._writer).unlink(missing_ok=True)

    def next_id(self) -> str:
        """An id whose objects may now be written."""
        if not self._free or self._clock.now() > self._reserved_at + STALE / 2:
            # Ids that lay idle are left to the sweep: another machine may take them for dead.
            self._free = []
            with self._database.write() as session:
                self.reserve(session)
        return self._free.pop(0)

    def check(self, session: Session, recording_ids: Collection[str]) -> None:
        """Refuse to register what was written under ids that another process has claimed to sweep.

        Raises:
            DependencyError: This writer was taken for dead.
        """
        mine = select(func.count()).where(
            col(IntakeRow.recording_id).in_(recording_ids), col(IntakeRow.writer) == self._writer
        )
        if session.execute(mine).scalar_one() != len(recording_ids):
            raise DependencyError(
                "this process slept so long that another took it for dead and swept what it had written",
                hint="Take the files in again: nothing of this batch was kept.",
            )

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
    """Erase what dead writers left; how many intakes were swept. What cannot be erased stays an intake."""
    store.sweep(now - STALE)
    with database.read() as session:
        rows = session.execute(
            select(col(IntakeRow.recording_id), col(IntakeRow.writer), col(IntakeRow.began_at))
        ).all()
    living = {writer: _lives(writer, locks) for writer in {row.writer for row in rows}}
    dead = [
        row.recording_id
        for row in rows
        if living[row.writer] is False or (living[row.writer] is None and row.began_at < now - STALE)
    ]
    swept: list[str] = []
    in_batches(dead, SWEEP, lambda some: swept.extend(_sweep(database, store, some)))
    return len(swept)


def _sweep(database: Database, store: ObjectStore, dead: list[str]) -> list[str]:
    table = table_of(IntakeRow)
    with database.write() as session:
        # Row first: from this commit on the writer, should it wake up, can register none of them.
        session.execute(update(table).where(table.c.recording_id.in_(dead)).values(writer=SWEEPER))
        claimed = list(
            session.execute(select(table.c.recording_id).where(table.c.recording_id.in_(dead))).scalars()
        )
    gone = erase_all(store, claimed)
    with database.write() as session:
        forget(session, gone)
    return gone


def erase_all(store: ObjectStore, recording_ids: Iterable[str]) -> list[str]:
    """Erase whatever was written under these ids; the ids of which nothing is left."""
    ids = list(recording_ids)
    names = {object_name(each, role): each for each in ids for role in ROLES}
    left = {names[name] for name in store.erase_many(list(names))} if names else set()
    return [each for each in ids if each not in left]


def _lock_path(locks: Path, writer: str) -> Path:
    return locks / f"writer-{writer.rpartition(':')[2]}.lock"


def _lives(writer: str, locks: Path) -> bool | None:
    """Whether the writer lives; None for one on another machine, whose lock cannot be seen."""
    if writer == SWEEPER:
        return False
    if writer.rpartition(":")[0] != socket.gethostname():
        return None
    path = _lock_path(locks, writer)
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    path.unlink(missing_ok=True)
    return False
