"""One engine, one way to hold a transaction, append-only triggers.

The database is no port: SQLite (embedded) and PostgreSQL (scale-out) are two
URLs of the same tables, and the whole suite runs on both.

There is one writer at a time, on both: on SQLite a writing transaction begins
IMMEDIATE, on PostgreSQL it takes an advisory lock first. So a hold and a
disposal, an arriving recording and a hold, two nights: whichever comes first is
complete before the other starts, and there is one argument for both databases
(docs/adr/0003). Writing transactions are short; readers never wait.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from importlib import import_module
from typing import Any, TypeVar

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, Table, create_engine, event, inspect, text
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlmodel import Session, SQLModel

from retention.kernel.errors import DatabaseBusy, IntegrityError, InvalidInput

BUSY_TIMEOUT_MS = 60_000
#: The key of the advisory lock that makes PostgreSQL's writers queue; any constant of our own.
WRITER_LOCK = 0x5245_5445_4E54
#: SQLite's words for a disk that is full, gone, or cannot be written.
DAMAGED = ("file is not a database", "database disk image is malformed")
DISK_SAYS = ("disk I/O error", "disk is full", "unable to open database file", "readonly database")
Item = TypeVar("Item")


class Row(SQLModel):
    """What every table's rows are. They validate nothing, so Pydantic need not build what would: 10 ms a table."""

    model_config = {"defer_build": True}


class Database:
    """The catalogue's database and its transactions."""

    def __init__(self, url: str, after_commit: Callable[[Session], None] | None = None) -> None:
        """Open the database at `url`; `after_commit` is told of every committed transaction."""
        self._after_commit = after_commit
        try:
            self.engine = _engine(url)
        except Exception as error:
            raise InvalidInput(f"the database URL cannot be used: {error}") from error
        self._writer = self.engine.execution_options(retention_writes=True)
        # On PostgreSQL a reader sees one instant only where it says so; on SQLite it always does.
        self._reader = (
            self.engine
            if self.is_sqlite
            else self.engine.execution_options(isolation_level="REPEATABLE READ")
        )

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is SQLite."""
        return self.engine.dialect.name == "sqlite"

    def sorting_on_disk(self) -> "Database":
        """The same database; where SQLite must sort what grows with the archive, it does so on disk."""
        other = copy(self)
        vars(other).update(
            {
                name: vars(self)[name].execution_options(retention_sorts_on_disk=True)
                for name in ("_writer", "_reader")
            }
        )
        return other

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A view of one instant, that of the first statement; nothing is kept of what is changed in it."""
        with plain_errors(), Session(self._reader, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction: all of it is durable on a normal exit, nothing of it otherwise.

        Raises:
            DatabaseBusy: Another writer held the database for too long, or it is out of reach.
        """
        with plain_errors(), Session(self._writer, expire_on_commit=False) as session, session.begin():
            # At once, not at the first statement: what is read from elsewhere in between is read by the one writer.
            if self.is_sqlite:
                session.connection()
            else:
                session.execute(text(f"SET LOCAL lock_timeout = {BUSY_TIMEOUT_MS}"))
                session.execute(text(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})"))
            yield session
        if self._after_commit:
            self._after_commit(session)

    @contextmanager
    def exclusive(self, name: str) -> Iterator[None]:
        """Be the only process that does `name`; the lock goes with the process, however it ends.

        Raises:
            DatabaseBusy: Another process is doing it.
        """
        with self._file_lock(name) if self.is_sqlite else self._session_lock(name) as free:
            if not free:
                raise DatabaseBusy(
                    f"another process is busy with {name}", hint="Wait until it has ended, then try again."
                )
            yield

    @contextmanager
    def _file_lock(self, name: str) -> Iterator[bool]:
        lock = FileLock(f"{self.engine.url.database}.{name}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            yield False
        else:
            try:
                yield True
            finally:
                lock.release()

    @contextmanager
    def _session_lock(self, name: str) -> Iterator[bool]:
        taken = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
        # Outside any transaction: one that stayed open as long as a disposal would hold up vacuuming.
        outside = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        with plain_errors(), outside.connect() as connection:
            try:
                yield bool(connection.execute(taken, {"name": name}).scalar_one())
            finally:
                # The lock is the connection's, and the connection goes back to the pool.
                connection.execute(text("SELECT pg_advisory_unlock_all()"))

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _engine(url: str) -> Engine:
    engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own transaction handling begins DEFERRED and too late.
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "cache_size = -65536",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    writes, on_disk = options.get("retention_writes", False), options.get("retention_sorts_on_disk", False)
    wanted = "FILE" if on_disk else "MEMORY"
    if connection.info.get("temp_store") != wanted:
        connection.exec_driver_sql(f"PRAGMA temp_store = {wanted}")
        connection.info["temp_store"] = wanted
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def plain_errors() -> Iterator[None]:
    """What a database says of itself, in words of ours.

    Raises:
        DatabaseBusy: It did not answer, or its disk is full or cannot be written.
        IntegrityError: Its file is damaged.
    """
    try:
        yield
    except OperationalError as error:
        raise DatabaseBusy(
            f"the database did not answer: {str(error.orig).strip()}", hint=_hint(str(error.orig))
        ) from error
    except DatabaseError as error:
        if not any(words in str(error.orig) for words in DAMAGED):
            raise
        raise IntegrityError(
            f"the catalogue's file is damaged: {error.orig}",
            hint="Keep it as it is, and bring back the last backup with `retention restore FILE`.",
        ) from error


def _hint(said: str) -> str | None:
    """What to do about what SQLite says of its disk; None leaves the usual advice."""
    if any(words in said for words in DISK_SAYS):
        return "Is the disk full, or mounted read-only? Nothing was kept; make room, or make it writable, and try again."
    return None


def insert_or_ignore(session: Session, table: Any, rows: list[dict[str, Any]]) -> None:
    """Insert the rows that are not there yet; leave the others as they are."""
    if not rows:
        return
    dialect = import_module(f"sqlalchemy.dialects.{session.get_bind().dialect.name}")
    session.execute(dialect.insert(table).on_conflict_do_nothing(), rows)


def in_batches(rows: list[Item], size: int, use: Callable[[list[Item]], object]) -> None:
    """Hand `rows` on in batches of at most `size`."""
    for start in range(0, len(rows), size):
        use(rows[start : start + size])


def table_of(model: type[SQLModel]) -> Table:
    """The Core table behind `model`, for rows that come in thousands."""
    return SQLModel.metadata.tables[str(model.__tablename__)]


def append_only_statements(table: str, key: str, dialect: str) -> list[str]:
    """DDL that makes the database refuse to change or remove rows of `table`, whose primary key is `key`."""
    if dialect == "sqlite":
        is_there = f'EXISTS (SELECT 1 FROM {table} WHERE "{key}" = NEW."{key}")'  # noqa: S608 - names of our own
        refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        return [
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse}",
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}",
            # INSERT OR REPLACE takes the old row away without asking the trigger for DELETE.
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {is_there} {refuse}",
        ]
    refuse = f"{table}_append_only()"
    return [
        f"CREATE FUNCTION {refuse} RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$",
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {refuse}",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {refuse}",
    ]


def make_append_only(connection: Connection, table: str) -> None:
    """Let the database itself refuse to change, replace or remove rows of `table`."""
    (key,) = inspect(connection).get_pk_constraint(table)["constrained_columns"]
    for statement in append_only_statements(table, key, connection.dialect.name):
        connection.execute(text(statement))
