"""Ends a process by SIGKILL just before its n-th effect on the machine.

An effect is a call by which something outside the process changes: a file
opened for writing, written, cut, synced, linked, renamed, removed, locked away
or given another mode, a folder made, a transaction committed (just before, and
just after). What reads is none.
"""

import io
import os
import signal
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

EFFECTS = (
    "write", "pwrite", "ftruncate", "fsync", "link", "replace", "rename", "unlink", "remove", "rmdir", "mkdir",
    "fchmod", "chmod",
)  # fmt: skip
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
NEVER = 0


class Death:
    """Counts effects, and ends the process at the one it was given; at none with `NEVER`."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.trace: list[str] = []

    def install(self) -> None:
        """Watch this process from now on; there is no way back."""
        for name in EFFECTS:
            setattr(os, name, self._watched(name, getattr(os, name)))
        os.open = self._watched("open", os.open, lambda _, flags, *__: bool(flags & WRITING))
        io.open = self._watched("open", io.open, _writes)
        commit: Callable[..., None] = DefaultDialect.do_commit

        def do_commit(dialect: Any, connection: Any) -> None:
            self.come("commit")
            commit(dialect, connection)
            self.come("committed")

        DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]

    def come(self, effect: str) -> None:
        """The effect is about to happen."""
        self.trace.append(effect)
        if len(self.trace) == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def _watched(
        self, name: str, real: Callable[..., Any], counts: Callable[..., bool] = lambda *_: True
    ) -> Callable[..., Any]:
        def effect(*arguments: Any, **named: Any) -> Any:
            if counts(*arguments, *named.values()):
                self.come(_spoken(name, arguments[0]))
            return real(*arguments, **named)

        return effect


def _writes(_: Any, mode: Any = "r", *__: Any) -> bool:
    return not isinstance(mode, str) or bool(set("wax+") & set(mode))


def _spoken(name: str, target: Any) -> str:
    return f"{name} {Path(target).name}" if isinstance(target, str | Path) else name


def in_child(act: Callable[[], object]) -> int:
    """Do `act` in a forked process; its exit code, or -9 when it was killed."""
    return ended(fork(act))


def ended(child: int) -> int:
    """Wait for a child; its exit code, or -9 when it was killed."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def fork(act: Callable[[], object]) -> int:
    """Do `act` in a forked process, whose id this is."""
    child = os.fork()
    if child:
        return child
    try:
        act()
        os._exit(0)
    except BaseException:  # noqa: BLE001 - told on stderr, where the test reads it
        traceback.print_exc()
        os._exit(1)
