"""What media's workers and tools complain about, while a test runs: their standard error, all of it.

The worker that looks into what arrives says nothing there: it has none.
"""

from types import TracebackType

import pytest

from media import process

ENOUGH_BYTES = 64 << 20


def overhear(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What each of those says that are started from now on by this process; it grows as they end."""
    heard: list[str] = []
    leave = process._Watched.__exit__

    def listen(
        self: process._Watched,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        leave(self, kind, error, trace)
        heard.append(self.tail())

    monkeypatch.setattr(process, "STDERR_TAIL_BYTES", ENOUGH_BYTES)
    monkeypatch.setattr(process._Watched, "__exit__", listen)
    return heard
