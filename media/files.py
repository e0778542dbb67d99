"""Write a file so that it is there whole, or not at all; open one to read without waiting for it."""

import errno
import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from media.errors import ToolFailed, Unreadable

_TAIL = ".part"
_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


@contextmanager
def trouble_in_words(target: Path) -> Iterator[None]:
    """What the disk refuses while `target` is written, said with what to do.

    Raises:
        ToolFailed: The disk is full, or the folder cannot be written to.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            why = f"there is no room left for {target.name} in {target.parent}; free some disk space"
        else:
            why = f"{target.name} cannot be written to {target.parent}: {error.strerror or error}; see to the folder"
        raise ToolFailed(f"{why} and try again") from error


@contextmanager
def draft_of(target: Path, suffix: str = "") -> Iterator[Path]:
    """An empty file beside `target`, for its owner alone; whatever is left under its name in the end is removed.

    Drafts of the same target whose process was killed are removed first: a draft is locked for as long as
    its process lives.

    Args:
        target: What it is to become.
        suffix: Of its name, where a library goes by that.

    Raises:
        OSError: Nothing can be written there.
    """
    _sweep(target)
    draft, number = _locked(target, suffix)
    try:
        yield draft
    finally:
        os.close(number)
        with suppress(FileNotFoundError):
            draft.unlink()


def _locked(target: Path, suffix: str) -> tuple[Path, int]:
    """A new draft, and the descriptor that holds its lock."""
    while True:
        draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}{_TAIL}{suffix}")
        number = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        fcntl.flock(number, fcntl.LOCK_EX)
        # Between the two, a sweeper may have taken it for a dead one's.
        if os.fstat(number).st_nlink:
            return draft, number
        os.close(number)


def settle(draft: Path, target: Path) -> None:
    """Give a finished file its name, once it is on the disk.

    Raises:
        OSError: The disk does not take it.
    """
    _sync(draft, os.O_RDONLY)
    draft.replace(target)
    _sync(target.parent, os.O_RDONLY | os.O_DIRECTORY)


def descriptor_of(path: Path) -> int:
    """A descriptor to read `path` by, without waiting: a pipe or a device of that name must not hang anybody.

    Raises:
        Unreadable: It cannot be opened.
    """
    try:
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Unreadable(f"the file cannot be opened: {error.strerror}") from error


def write_whole(path: Path, content: bytes) -> None:
    """Put `content` under `path`: written beside it, synced, then renamed over what was there.

    Raises:
        OSError: The disk is full or the folder cannot be written; nothing changed under `path`.
    """
    with draft_of(path) as draft:
        draft.write_bytes(content)
        settle(draft, path)


def _sweep(target: Path) -> None:
    for left in target.parent.glob(f".{_plain(target.name)}.????????{_TAIL}*"):
        with suppress(OSError):
            number = os.open(left, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink()
            finally:
                os.close(number)


def _plain(name: str) -> str:
    """A name in which nothing is a pattern."""
    return "".join(f"[{one}]" if one in "*?[" else one for one in name)


def _sync(path: Path, flags: int) -> None:
    number = os.open(path, flags)
    try:
        os.fsync(number)
    finally:
        os.close(number)
