"""A small file of secret lines that forgets: what is taken out of it is overwritten where it lay.

Lines are added in place and fsynced. Taking lines out writes a new file
beside the old, and only then overwrites and removes the old one:

    1  write NAME.new, fsync         a crash leaves NAME.new: shredded at the next opening
    2  link NAME to NAME.old, fsync  a crash leaves two names of one file: NAME.old is unlinked, not shredded
    3  rename NAME.new to NAME, fsync    here the change becomes true
    4  overwrite NAME.old, fsync     a crash leaves NAME.old: shredded at the next opening
    5  unlink NAME.old, fsync

Overwriting cannot promise anything on flash memory that levels its wear, on
file systems that copy on write, or in snapshots and backups (NIST SP
800-88r2): docs/formats/vault.md says what to do there.

A line that a crash cut short was never acknowledged, and is cut off by the
next writer. Readers need no lock: they notice every change by the file's
identity and length. Only one process writes at a time.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from retention.kernel.errors import FixityMismatch, KeyServiceUnavailable

_LOCK_TIMEOUT_SECONDS = 30.0
_LOCK_POLL_SECONDS = 0.005
_MODE = 0o600
_PIECE_BYTES = 1 << 20


class Snapshot:
    """The complete lines of the file at one moment, and the means to tell whether they still are.

    Holds the file open: its inode cannot be given to another file meanwhile,
    so an equal inode means the same file.
    """

    def __init__(self, fd: int, inode: tuple[int, int]) -> None:
        self._fd = fd
        self._inode = inode
        self._read_bytes = 0
        self._seen_bytes = 0

    def __del__(self) -> None:
        os.close(self._fd)

    def is_current(self, found: os.stat_result) -> bool:
        """Whether the file at the path is still this one, with nothing added."""
        return self.is_same_file(found) and found.st_size == self._seen_bytes

    def is_same_file(self, found: os.stat_result) -> bool:
        """Whether the file at the path is still this one, perhaps with lines added."""
        return (found.st_dev, found.st_ino) == self._inode

    def new_lines(self) -> list[str]:
        """The complete lines that were not read before."""
        try:
            content = _read_from(self._fd, self._read_bytes)
        except OSError as error:
            raise KeyServiceUnavailable(f"cannot read the keyring: {error.strerror}") from error
        complete = content.rfind(b"\n") + 1
        self._seen_bytes = self._read_bytes + len(content)
        self._read_bytes += complete
        return content[:complete].decode("ascii").splitlines()


class SecretFile:
    """One such file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._old = path.with_name(path.name + ".old")
        self._new = path.with_name(path.name + ".new")
        self._lock = FileLock(path.with_name(path.name + ".lock"), thread_local=False)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """The only writer among all processes; what a crash left is cleared away first.

        Raises:
            KeyServiceUnavailable: Another process kept the lock too long.
        """
        try:
            self._lock.acquire(_LOCK_TIMEOUT_SECONDS, poll_interval=_LOCK_POLL_SECONDS)
        except Timeout:
            raise KeyServiceUnavailable(
                f"another process has been writing {self.path} for too long"
            ) from None
        except OSError as error:
            raise self._unavailable("lock", error) from error
        try:
            self.recover()
            yield
        finally:
            self._lock.release()

    def recover(self) -> None:
        """Clear away what a crash left. Only for the one writer."""
        with self._trouble("clear up beside"):
            if self._new.exists():
                self._shred(self._new)
            if self._old.exists():
                if self.path.exists() and self._old.samefile(self.path):
                    self._forget(self._old)
                else:
                    self._shred(self._old)

    def stat(self) -> os.stat_result | None:
        """The file's identity and length; None if there is none."""
        try:
            return os.stat(self.path)  # noqa: PTH116 - asked before every use of a key: a Path costs as much again
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unavailable("look at", error) from error

    def open(self) -> Snapshot:
        """A snapshot of the file as it is now, nothing of it read yet.

        Raises:
            KeyServiceUnavailable: There is no such file, or it cannot be read.
        """
        with self._trouble("open"):
            fd = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        found = os.fstat(fd)
        return Snapshot(fd, (found.st_dev, found.st_ino))

    def append(self, line: str) -> None:
        """Add one line, durably. Only for the one writer."""
        with self._trouble("add to"):
            fd = os.open(self.path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                end = _complete_bytes(fd)
                os.ftruncate(fd, end)
                os.lseek(fd, end, os.SEEK_SET)
                _write_all(fd, line.encode("ascii") + b"\n")
                os.fsync(fd)
            finally:
                os.close(fd)

    def replace(self, lines: list[str]) -> None:
        """Make these the file's lines, durably, and leave nothing of those it had. Only for the one writer."""
        with self._trouble("write"):
            self._write_new("".join(f"{line}\n" for line in lines).encode("ascii"))
            had_one = self.path.exists()
            if had_one:
                os.link(self.path, self._old)
                self._sync_folder()
            os.replace(self._new, self.path)  # noqa: PTH105 - one os-level effect a line, as the crash tests count them
            self._sync_folder()
            if had_one:
                self._shred(self._old)

    def _write_new(self, content: bytes) -> None:
        fd = os.open(self._new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, _MODE)
        try:
            _write_all(fd, content)
            os.fsync(fd)
        finally:
            os.close(fd)

    def _shred(self, path: Path) -> None:
        """Overwrite a file where it lies, then remove it."""
        fd = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            remaining = os.fstat(fd).st_size
            while remaining:
                remaining -= os.write(fd, bytes(min(remaining, _PIECE_BYTES)))
            os.fsync(fd)
        finally:
            os.close(fd)
        self._forget(path)

    def _forget(self, path: Path) -> None:
        os.unlink(path)  # noqa: PTH108 - as above
        self._sync_folder()

    def _sync_folder(self) -> None:
        fd = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    @contextmanager
    def _trouble(self, doing: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._unavailable(doing, error) from error

    def _unavailable(self, doing: str, error: OSError) -> KeyServiceUnavailable:
        return KeyServiceUnavailable(f"cannot {doing} {self.path}: {error.strerror}")


def _write_all(fd: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(fd, rest) :]


def _read_from(fd: int, start: int) -> bytes:
    pieces = []
    while piece := os.pread(fd, _PIECE_BYTES, start):
        pieces.append(piece)
        start += len(piece)
    return b"".join(pieces)


def _complete_bytes(fd: int) -> int:
    """The length of the file's complete lines; nobody adds to a file of which not even one is left."""
    size = os.fstat(fd).st_size
    at = size
    while at:
        start = max(0, at - 4096)
        found = os.pread(fd, at - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        at = start
    if size:
        raise FixityMismatch("the file to add to has no whole line any more: it was cut")
    return 0
