"""A folder, best on another disk, that keeps what must survive the database.

`heads.jsonl` has one line a day or a restart, `head.json` the newest head;
`journal` has a line per hold and disposal; certificates lie beside them.
"""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from retention.audit.chain import Head
from retention.kernel.errors import NotFound, StoreUnavailable


class WitnessFolder:
    """Witness and Journal in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = FileLock(folder / ".lock")
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StoreUnavailable(f"the witness folder {folder} cannot be used: {error.strerror}") from error

    def publish(self, head: Head, at: datetime) -> None:
        """Keep `head`. The same or an older head again changes nothing."""
        with self._trouble("witness the audit trail's head"), self._lock:
            newest = self._newest()
            if newest is not None and head.seq <= newest["seq"]:
                return
            line = json.dumps({"seq": head.seq, "digest": head.digest, "at": at.isoformat()})
            if newest is None or newest["at"][:10] != at.isoformat()[:10]:
                self._append("heads.jsonl", line.encode())
            temporary = self._folder / "head.json.new"
            temporary.write_text(line, encoding="utf-8")
            temporary.replace(self._folder / "head.json")

    def heads(self) -> Iterator[Head]:
        """Every head that still binds, oldest first."""
        found: list[Head] = []
        for line in self._read("heads.jsonl"):
            entry = json.loads(line)
            if "restarted_after" in entry:
                found = [head for head in found if head.seq <= entry["restarted_after"]]
            else:
                found.append(Head(entry["seq"], entry["digest"]))
        newest = self._newest()
        return iter([*found, Head(newest["seq"], newest["digest"])] if newest else found)

    def restart(self, after: Head, at: datetime) -> None:
        """A backup was restored: heads past `after` no longer bind, and that is kept on record."""
        with self._trouble("keep on record that a backup was restored"), self._lock:
            line = {"restarted_after": after.seq, "digest": after.digest, "at": at.isoformat()}
            self._append("heads.jsonl", json.dumps(line).encode())
            (self._folder / "head.json").unlink(missing_ok=True)

    def append(self, line: bytes) -> None:
        """Add one line; durable on return. A torn last line of a killed writer is dropped first."""
        with self._trouble("write the journal"), self._lock:
            self._append("journal", line)

    def lines(self) -> Iterator[bytes]:
        """Every whole line, oldest first."""
        return self._read("journal")

    def keep(self, name: str, chunks: Iterable[bytes]) -> None:
        """Store a document under `name`, replacing it whole; durable on return."""
        temporary = self._folder / f"{name}.new"
        with self._trouble(f"keep {name}"):
            with temporary.open("wb") as file:
                file.writelines(chunks)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._folder / name)
            self._sync_folder()

    def kept(self, name: str) -> Iterator[bytes]:
        """The lines of the document called `name`. NotFound if absent."""
        path = self._folder / name
        if not path.exists():
            raise NotFound(f"the witness folder holds no {name}")
        return self._lines_of(path)

    def _newest(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads((self._folder / "head.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None  # it is not synced with every act: a power cut may leave it empty
        return found

    @contextmanager
    def _trouble(self, doing: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreUnavailable(
                f"the witness folder {self._folder} cannot {doing}: {error.strerror or error}",
                hint="Is its disk there, and not full? What was done is committed; only its witness is missing.",
            ) from error

    def _append(self, name: str, line: bytes) -> None:
        path = self._folder / name
        with path.open("a+b") as file:
            _drop_torn_line(file.fileno())
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._sync_folder()

    def _read(self, name: str) -> Iterator[bytes]:
        path = self._folder / name
        return self._lines_of(path) if path.exists() else iter(())

    @staticmethod
    def _lines_of(path: Path) -> Iterator[bytes]:
        with path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield line[:-1]

    def _sync_folder(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _drop_torn_line(descriptor: int) -> None:
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        step = 65_536
        at = size
        while at > 0:
            start = max(0, at - step)
            found = os.pread(descriptor, at - start, start).rfind(b"\n")
            if found >= 0:
                os.ftruncate(descriptor, start + found + 1)
                return
            at = start
        os.ftruncate(descriptor, 0)
