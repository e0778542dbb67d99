"""A folder, best on another disk, that keeps what must survive the database.

`heads` has one line a day or a restart, `head` the newest head; `journal` has
a line per hold and disposal; certificates lie beside them. A folder that is not
there is not made anew: its disk may not be mounted.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from retention.audit.chain import Head
from retention.audit.witness import BEGINNING, End, Follow, head_chain, heads_chain, journal_chain
from retention.kernel.canonical import canonical_json
from retention.kernel.errors import AuditChainBroken, NotFound, StoreUnavailable

JOURNAL, HEADS, HEAD = "journal", "heads", "head"
STEP_BYTES = 65_536
BRING_BACK = "Bring back the witness folder from a copy of it."


class WitnessFolder:
    """Witness and Journal in one folder."""

    def __init__(self, folder: Path, key: Callable[[], bytes], *, is_new: bool = False) -> None:
        """Use `folder`; with `is_new` it is made.

        Args:
            folder: The folder.
            key: The store's journal key; asked for when heads are read or kept.
            is_new: Make the folder where there is none.

        Raises:
            StoreUnavailable: It is not there.
        """
        self._folder = folder
        self._key = key
        self._lock = FileLock(folder / ".lock")
        try:
            if is_new:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            elif not folder.is_dir():
                raise StoreUnavailable(
                    f"the witness folder {folder} is not there",
                    hint="Is its disk mounted? Correct `witness`, or bring the folder back from a copy of it.",
                )
        except OSError as error:
            raise StoreUnavailable(f"the witness folder {folder} cannot be used: {error.strerror}") from error

    def publish(self, head: Head, at: datetime) -> None:
        """See `Witness`."""
        with self._trouble("witness the audit trail's head"), self._lock:
            try:
                newest, has_any = self._newest(), any(self._backwards(HEADS))
                if newest["seq"] >= head.seq or (head.seq > 1 and not has_any):
                    return
                end = self._end_after(self.journal_end())
                body = _body({"seq": head.seq, "digest": head.digest}, at, end)
                if newest["at"][:10] != at.isoformat()[:10]:
                    self._add(HEADS, lambda last: heads_chain(self._key()).follow(last, body))
            except AuditChainBroken:
                return  # left as it is: whoever verifies finds it
            temporary = self._folder / f"{HEAD}.new"
            temporary.write_bytes(head_chain(self._key()).follow(b"", body) + b"\n")
            temporary.replace(self._folder / HEAD)

    def heads(self) -> Iterator[Head]:
        """See `Witness`."""
        found: list[Head] = []
        for entry in self._log():
            if "restarted_after" in entry:
                found = [head for head in found if head.seq <= entry["restarted_after"]]
            else:
                found.append(Head(entry["seq"], entry["digest"]))
        newest = self._newest()
        if newest["seq"] and not any(self._backwards(HEADS)):
            raise AuditChainBroken("the witnessed heads are gone, but for the newest", hint=BRING_BACK)
        return iter([*found, Head(newest["seq"], newest["digest"])] if newest["seq"] else found)

    def journal_end(self) -> End:
        """See `Witness`."""
        newest = self._newest()
        for entry in [newest] if newest["seq"] else reversed([*self._log()]):
            return End(**entry["journal"])
        return BEGINNING

    def restart(self, after: Head, at: datetime) -> None:
        """See `Witness`."""
        with self._trouble("keep on record that a backup was restored"), self._lock:
            end = journal_chain(self._key()).end_in(next(self._backwards(JOURNAL), b""))
            body = _body({"restarted_after": after.seq, "digest": after.digest}, at, end)
            self._add(HEADS, lambda last: heads_chain(self._key()).follow(last, body))
            (self._folder / HEAD).unlink(missing_ok=True)

    def append(self, follow: Follow) -> None:
        """See `Journal`."""
        with self._trouble("write the journal"), self._lock:
            self._add(JOURNAL, follow)

    def lines(self) -> Iterator[bytes]:
        """See `Journal`."""
        return self._read(JOURNAL)

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

    def _end_after(self, known: End) -> End:
        """Where the journal ends; `known` itself while that is not in it: a loss is not forgotten."""
        chain = journal_chain(self._key())
        last: End | None = None
        for line in self._backwards(JOURNAL):
            end = chain.end_in(line)
            last = last or end
            if end.lines <= known.lines:
                return last if end == known else known
        return known if known.lines else last or BEGINNING

    def _log(self) -> Iterator[dict[str, Any]]:
        return map(json.loads, heads_chain(self._key()).bodies(self._read(HEADS)))

    def _newest(self) -> dict[str, Any]:
        """The newest head; that of no entry when there is none. AuditChainBroken if it is not ours."""
        path = self._folder / HEAD
        line = path.read_bytes().strip(b"\n\0") if path.exists() else b""
        # It is not synced with every act: a power cut may leave it empty.
        for body in head_chain(self._key()).bodies([line] if line else []):
            found: dict[str, Any] = json.loads(body)
            return found
        return {"seq": 0, "at": "", "digest": "", "journal": {"lines": 0, "mac": BEGINNING.mac}}

    @contextmanager
    def _trouble(self, doing: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreUnavailable(
                f"the witness folder {self._folder} cannot {doing}: {error.strerror or error}",
                hint="Is its disk there, and not full? What was done is committed; only its witness is missing.",
            ) from error

    def _add(self, name: str, follow: Follow) -> None:
        path = self._folder / name
        with path.open("a+b") as file:
            end = _end_of_last_line(file.fileno())
            os.ftruncate(file.fileno(), end)
            line = follow(_last_line(file.fileno(), end))
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._sync_folder()

    def _backwards(self, name: str) -> Iterator[bytes]:
        """Every whole line, newest first."""
        path = self._folder / name
        if not path.exists():
            return
        with path.open("rb") as file:
            end = _end_of_last_line(file.fileno())
            while end:
                line = _last_line(file.fileno(), end)
                yield line
                end -= len(line) + 1

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


def _body(said: dict[str, Any], at: datetime, end: End) -> bytes:
    return canonical_json({**said, "at": at, "journal": {"lines": end.lines, "mac": end.mac}})


def _end_of_last_line(descriptor: int) -> int:
    """Where the last whole line ends: what a killed writer left is past it."""
    return _after_newline(descriptor, os.fstat(descriptor).st_size)


def _last_line(descriptor: int, end: int) -> bytes:
    """The line that ends at `end`, without its newline; b"" when there is none."""
    if not end:
        return b""
    start = _after_newline(descriptor, end - 1)
    return os.pread(descriptor, end - 1 - start, start)


def _after_newline(descriptor: int, at: int) -> int:
    """The offset after the last newline before `at`; 0 when there is none."""
    while at > 0:
        start = max(0, at - STEP_BYTES)
        found = os.pread(descriptor, at - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        at = start
    return 0
