"""Where long work on one recording lies: a private folder that is emptied at the end, and swept after a kill.

The original is never in it: decrypted bytes lie in a file without a name, which
ends with the process (`retention.redaction.original`). In the folder are the
copy while it is made, and how far a search was, so that it goes on after a kill.
A folder is locked for as long as its process lives.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from retention.kernel.errors import DatabaseBusy

SEARCH = "search"  #: outlives a kill: places and confidences, no picture and no sound
_LOCK = "lock"
_TRIES = 3  #: a sweeper may take the room away between its making and its locking


@dataclass(frozen=True, slots=True)
class Workroom:
    """The folder of one recording of one request."""

    path: Path

    @property
    def search(self) -> Path:
        """Where a search keeps how far it was."""
        return self.path / SEARCH

    @property
    def copies(self) -> Path:
        """Where a copy is made."""
        return self.path / "copies"


@contextmanager
def workroom(folder: Path, request_id: str, recording_id: str) -> Iterator[Workroom]:
    """The room for work on a recording; empty when the block ends well.

    When it ends otherwise, how far the search was stays.

    Raises:
        DatabaseBusy: Another process works on this recording for this request.
    """
    room = Workroom(folder / f"{request_id}.{recording_id}")
    number = None
    for _ in range(_TRIES):
        room.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        number = _locked(room.path) if number is None else number
    if number is None:
        raise DatabaseBusy(
            f"another process works on recording {recording_id} for this request", hint="Wait for it to end."
        )
    try:
        shutil.rmtree(room.copies, ignore_errors=True)
        room.copies.mkdir(mode=0o700)
        yield room
        shutil.rmtree(room.search, ignore_errors=True)
    finally:
        _leave(room)
        os.close(number)


def sweep(folder: Path, wanted: frozenset[str] = frozenset()) -> None:
    """Empty the rooms of processes that were killed.

    Args:
        folder: Of all rooms; need not be there.
        wanted: Requests of which a search may go on; of every other, nothing is kept.
    """
    for path in folder.iterdir() if folder.is_dir() else ():
        room = Workroom(path)
        number = _locked(path)
        if number is None:  # it lives
            continue
        try:
            if path.name.partition(".")[0] not in wanted:
                shutil.rmtree(room.search, ignore_errors=True)
            _leave(room)
        finally:
            os.close(number)


def _locked(path: Path) -> int | None:
    """The descriptor that holds the room's lock; None where another process has it, or is making it."""
    try:
        number = os.open(path / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(number).st_nlink:  # else a sweeper took the room away in between
            return number
    except BlockingIOError:
        pass
    os.close(number)
    return None


def _leave(room: Workroom) -> None:
    """Erase the copy; and the room, unless a search is to go on in it."""
    shutil.rmtree(room.copies, ignore_errors=True)
    if room.search.is_dir():
        return
    (room.path / _LOCK).unlink(missing_ok=True)
    with suppress(OSError):
        room.path.rmdir()
