"""A real PostgreSQL for the tests: Debian's package, started once, thrown away at the end.

The server refuses to run as root, so under root it runs as the user `postgres`
that the package made. Nothing is durable (`fsync=off`): what a power cut does
is PostgreSQL's own business; what a killed process of ours leaves is tested.
"""

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import closing
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

UNPRIVILEGED = "postgres"
MISSING = "PostgreSQL is not installed: `apt-get install postgresql` brings it"
SETTINGS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=50",
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
)


def binaries() -> Path | None:
    """Where initdb, pg_ctl and postgres are: on the PATH, or where Debian puts them."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


class PostgresServer:
    """A server of our own, with as many databases as tests ask for."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._user = UNPRIVILEGED if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="retention-postgres-"))
        self._port = _free_port()
        self._names = (f"t{number}" for number in count(1))
        if self._user:
            shutil.chown(self._folder, self._user)

    def start(self) -> None:
        """Make the cluster and start the server; returns when it answers."""
        self._run(
            "initdb", "--no-sync", "--no-instructions", "-A", "trust", "-U", "tests", "-E", "UTF8",
            "--locale=C", "-D", str(self._data),
        )  # fmt: skip
        options = " ".join(f"-c {setting}" for setting in (*SETTINGS, f"port={self._port}"))
        self._run("pg_ctl", "start", "-w", "-D", str(self._data), "-l", str(self._log), "-o", options)

    def stop(self) -> None:
        """Stop it and leave nothing behind."""
        try:
            self._run("pg_ctl", "stop", "-m", "immediate", "-w", "-D", str(self._data))
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def new_database(self, template: str = "template0") -> str:
        """A new database, like the one named; its name."""
        name = next(self._names)
        self._execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return name

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected."""
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def url(self, name: str) -> str:
        """The URL that a setting names."""
        return f"postgresql+psycopg://tests@127.0.0.1:{self._port}/{name}"

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            user=self._user,
            group=self._user,
            extra_groups=[] if self._user else None,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the server inherits it: a pipe would never end
            stderr=subprocess.STDOUT,
            check=False,
            timeout=60,
        )
        if done.returncode:
            log = self._log.read_text() if self._log.exists() else ""
            pytest.fail(f"{program} ended with {done.returncode}\n{log}", pytrace=False)

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(
            host="127.0.0.1", port=self._port, user="tests", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement)


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
