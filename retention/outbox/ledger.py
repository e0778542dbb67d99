"""What the public app remembers: tries and downloads of each link, in a small SQLite file of its own.

Rules:
- A try is counted, durably, before its passphrase is looked at. So no number of
  parallel tries gets more than `TRIES`, and a crash uses tries up, never makes some.
- One download runs at a time, and one comes to its end.
- A download that broke off may be started again within `AGAIN_FOR` of the first
  start, `STARTS` times in all: long enough for a poor connection, short enough
  that whoever finds the passphrase next week finds nothing.
- What has ended has ended: no state leads back to `waiting`.

One process works on an outbox (`exclusive`). Instants are aware UTC.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from threading import Lock
from typing import Any, Final

from filelock import FileLock, Timeout

from retention.kernel.canonical import isoformat
from retention.kernel.errors import DatabaseBusy
from retention.outbox.folder import Receipt

FILE_NAME: Final = "served.db"
TRIES: Final = 5
STARTS: Final = 3
AGAIN_FOR: Final = timedelta(hours=1)
FORGOTTEN_AFTER: Final = timedelta(days=90)
"""After its last day nothing of a link is needed here: the office has read its receipt, or never will."""
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS link (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL DEFAULT 'waiting',
    expires_at TEXT NOT NULL,
    tried INTEGER NOT NULL DEFAULT 0,
    wrong INTEGER NOT NULL DEFAULT 0,
    starts INTEGER NOT NULL DEFAULT 0,
    sending INTEGER NOT NULL DEFAULT 0,
    started_at TEXT,
    ended_at TEXT,
    told INTEGER NOT NULL DEFAULT 0
) STRICT
"""


class State(StrEnum):
    """What became of a link."""

    WAITING = "waiting"
    DOWNLOADED = "downloaded"
    DIED = "died"  #: too many wrong passphrases
    INTERRUPTED = "interrupted"  #: a download began, and none came to its end
    EXPIRED = "expired"


class Ledger:
    """The memory of one outbox."""

    def __init__(self, folder: Path) -> None:
        """Open it, and settle what an earlier process left unfinished. `exclusive` is held."""
        self._lock = Lock()
        self._database = sqlite3.connect(
            folder / FILE_NAME, isolation_level=None, check_same_thread=False, timeout=30
        )
        self._database.row_factory = sqlite3.Row
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.execute(_SCHEMA)
        with self._transaction():
            # Whoever was at a try or a download is gone: the try counts as a wrong one.
            self._database.execute(
                "UPDATE link SET sending = 0, wrong = tried, told = 0 WHERE state = 'waiting'"
            )

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def is_live(self, link_id: str, expires_at: datetime, now: datetime) -> bool:
        """Whether a passphrase would be looked at."""
        with self._transaction():
            row = self._row(link_id, expires_at, now)
        return row is not None and row["tried"] < TRIES

    def admit(self, link_id: str, expires_at: datetime, now: datetime) -> bool:
        """Count a try, before anything is known about it; whether it may be made."""
        with self._transaction():
            row = self._row(link_id, expires_at, now)
            if row is None or row["tried"] >= TRIES:
                return False
            self._set(link_id, tried=row["tried"] + 1)
            return True

    def wrong(self, link_id: str, now: datetime) -> int:
        """The try was a wrong one; how many are left."""
        with self._transaction():
            row = self._known(link_id)
            self._set(link_id, wrong=row["wrong"] + 1)
            if row["state"] == State.WAITING and row["wrong"] + 1 >= TRIES:
                self._end(link_id, State.DIED, now)
            return max(0, TRIES - int(row["wrong"]) - 1)

    def begin(self, link_id: str, now: datetime) -> bool:
        """The try was right, so it does not count; whether this download may begin."""
        with self._transaction():
            row = self._known(link_id)
            self._set(link_id, tried=row["tried"] - 1)
            if row["state"] != State.WAITING or row["sending"]:
                return False
            started_at = row["started_at"] or isoformat(now)
            self._set(link_id, sending=1, starts=row["starts"] + 1, started_at=started_at)
            return True

    def complete(self, link_id: str, now: datetime) -> None:
        """The last byte was sent."""
        with self._transaction():
            self._end(link_id, State.DOWNLOADED, now)

    def break_off(self, link_id: str, now: datetime) -> None:
        """The download ended before its last byte."""
        with self._transaction():
            self._set(link_id, sending=0)
            self._outlive(self._known(link_id), now)

    def sweep(self, now: datetime) -> None:
        """End what has had its time."""
        with self._transaction():
            for row in self._database.execute("SELECT * FROM link WHERE state = 'waiting'").fetchall():
                self._outlive(row, now)

    def untold(self) -> list[Receipt]:
        """What has changed since it was last told."""
        with self._lock:
            rows = self._database.execute("SELECT * FROM link WHERE told = 0 ORDER BY id").fetchall()
        return [_receipt(row) for row in rows]

    def mark_told(self, receipt: Receipt) -> None:
        """This much was told; what changed meanwhile is told again."""
        told = (
            "UPDATE link SET told = 1 WHERE id = ? AND state = ? AND tried = ? AND wrong = ? AND starts = ?"
        )
        with self._transaction():
            self._database.execute(
                told, (receipt.id, receipt.state, receipt.tried, receipt.wrong, receipt.starts)
            )

    def ended(self) -> list[str]:
        """The links whose content is to go."""
        with self._lock:
            rows = self._database.execute("SELECT id FROM link WHERE state <> 'waiting'").fetchall()
        return [row["id"] for row in rows]

    def forget(self, now: datetime) -> list[str]:
        """Forget what has long had its time; the links that are forgotten."""
        before = isoformat(now - FORGOTTEN_AFTER)
        with self._transaction():
            rows = self._database.execute(
                "DELETE FROM link WHERE state <> 'waiting' AND told = 1 AND expires_at < ? RETURNING id",
                (before,),
            ).fetchall()
        return [row["id"] for row in rows]

    def _row(self, link_id: str, expires_at: datetime, now: datetime) -> sqlite3.Row | None:
        """A link that waits; None where it has ended, which it may do right now."""
        self._database.execute(
            "INSERT OR IGNORE INTO link (id, expires_at) VALUES (?, ?)", (link_id, isoformat(expires_at))
        )
        self._outlive(self._known(link_id), now)
        row = self._known(link_id)
        return row if row["state"] == State.WAITING else None

    def _outlive(self, row: sqlite3.Row, now: datetime) -> None:
        if row["state"] != State.WAITING or row["sending"]:
            return
        started = row["started_at"] and datetime.fromisoformat(row["started_at"])
        if started and (now >= started + AGAIN_FOR or row["starts"] >= STARTS):
            self._end(row["id"], State.INTERRUPTED, now)
        elif now >= datetime.fromisoformat(row["expires_at"]):
            self._end(row["id"], State.INTERRUPTED if started else State.EXPIRED, now)
        elif row["wrong"] >= TRIES:
            self._end(row["id"], State.DIED, now)

    def _known(self, link_id: str) -> sqlite3.Row:
        found: sqlite3.Row = self._database.execute("SELECT * FROM link WHERE id = ?", (link_id,)).fetchone()
        return found

    def _end(self, link_id: str, state: State, now: datetime) -> None:
        self._set(link_id, state=state.value, sending=0, ended_at=isoformat(now))

    def _set(self, link_id: str, **values: Any) -> None:
        columns = ", ".join(f"{name} = ?" for name in values)
        self._database.execute(
            f"UPDATE link SET {columns}, told = 0 WHERE id = ?",  # noqa: S608 - the names are those of this module
            (*values.values(), link_id),
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Be the one process that serves an outbox.

    Raises:
        DatabaseBusy: Another one does.
    """
    lock = FileLock(folder / f"{FILE_NAME}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise DatabaseBusy(
            f"another process serves the outbox {folder}", hint="Stop it first, or name another outbox."
        ) from None
    try:
        yield
    finally:
        lock.release()


def _receipt(row: sqlite3.Row) -> Receipt:
    started, ended = (
        datetime.fromisoformat(row[name]) if row[name] else None for name in ("started_at", "ended_at")
    )
    return Receipt(row["id"], row["state"], row["tried"], row["wrong"], row["starts"], started, ended)
