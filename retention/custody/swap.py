"""Put a restored catalogue in the place of the present one, which is kept aside.

SQLite: the new catalogue is a file of its own until one rename makes it the
live one. No other process may have the present one open meanwhile; its file
gets a second name before it loses the first.

PostgreSQL: everything happens in one transaction; the present tables move to a
schema of their own.
"""

import os
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import chain, count
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlmodel import SQLModel

from retention.audit.tables import APPEND_ONLY
from retention.custody.backup import sync_folder
from retention.kernel.errors import DatabaseBusy

BUILDING = ".restoring"
ASIDE = ".before-restore-"
_SIDECARS = ("-wal", "-shm", "-journal")
_LOCK_TIMEOUT_S = 2.0
_PRIMARY_CODE = 0xFF


def new_file_beside(live: Path) -> Path:
    """Where the new catalogue is built; what a crash left of an earlier attempt is removed."""
    new = live.with_name(live.name + BUILDING)
    discard(new)
    for path in live.parent.glob(f"{live.name}{ASIDE}*"):
        # A crash between the second name and the swap leaves two names of one file.
        if live.exists() and path.samefile(live):
            path.unlink()
    return new


def discard(file: Path) -> None:
    """Remove a SQLite database that is not wanted, with everything beside it."""
    for each in ("", *_SIDECARS):
        file.with_name(file.name + each).unlink(missing_ok=True)


def seal_file(new: Path) -> None:
    """Make a finished SQLite catalogue one file, without its log beside it."""
    with closing(sqlite3.connect(new, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


def swap_in(new: Path, live: Path, stamp: str, step: Callable[[str], None]) -> Path | None:
    """Make `new` the live catalogue; where the present one is kept, None when there was none.

    Raises:
        DatabaseBusy: Another process has the present one open.
    """
    names = [path.name for path in live.parent.iterdir()]
    aside = live.with_name(_free(f"{live.name}{ASIDE}{stamp}", names))
    with _alone_with(live, aside):
        had_one = live.exists()
        if had_one:
            os.link(live, aside)
            sync_folder(live.parent)
            step("kept aside")
        new.replace(live)
        sync_folder(live.parent)
    return aside if aside.exists() else None


def _free(wanted: str, taken: Collection[str]) -> str:
    names = chain([wanted], (f"{wanted}_{number}" for number in count(2)))
    return next(name for name in names if name not in taken)


@contextmanager
def _alone_with(live: Path, aside: Path) -> Iterator[None]:
    """Hold the present catalogue, whole in one file, so that nobody writes to it any more."""
    if not live.exists():
        for each in _SIDECARS:
            live.with_name(live.name + each).unlink(missing_ok=True)
        yield
        return
    with closing(sqlite3.connect(live, timeout=_LOCK_TIMEOUT_S, isolation_level=None)) as connection:
        try:
            mode = connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & _PRIMARY_CODE in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise _in_use(live) from error
            _put_broken_aside(live, aside)
            mode = "delete"
        if mode != "delete":
            raise _in_use(live)
        yield


def _in_use(live: Path) -> DatabaseBusy:
    return DatabaseBusy(
        f"another process has the catalogue {live} open",
        hint="Stop `retention serve` and every other process of this store, then restore again.",
    )


def _put_broken_aside(live: Path, aside: Path) -> None:
    """What SQLite cannot open any more is kept as it is, its log with it."""
    for each in ("", *_SIDECARS):
        with suppress(FileNotFoundError):
            live.with_name(live.name + each).rename(aside.with_name(aside.name + each))


def has_tables(connection: Connection) -> bool:
    """Whether the database holds any table of ours."""
    return bool(set(inspect(connection).get_table_names()) & set(SQLModel.metadata.tables))


def move_aside(connection: Connection, stamp: str) -> str:
    """Move our tables to a schema of their own, in the caller's transaction; the schema's name. PostgreSQL only."""
    here = connection.execute(text("SELECT current_schema()")).scalar_one()
    schema = _free(f"before_restore_{stamp}", inspect(connection).get_schema_names())
    connection.execute(text(f'CREATE SCHEMA "{schema}"'))
    ours = {*SQLModel.metadata.tables, "alembic_version"}
    for name in sorted(ours & set(inspect(connection).get_table_names())):
        connection.execute(text(f'ALTER TABLE "{here}"."{name}" SET SCHEMA "{schema}"'))
    for name in APPEND_ONLY:
        connection.execute(text(f'ALTER FUNCTION "{here}".{name}_append_only() SET SCHEMA "{schema}"'))
    return schema
