"""An inspector that believes what a test wrote into the file's first line.

`call 60` is sixty seconds of sound, `footage 10` ten seconds of pictures; a
third word is the start that the container claims. Anything else is no
recording. What follows the line makes the content unique.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from retention.ingest.model import Seen
from retention.kernel.errors import Unreadable
from retention.schedule.model import Kind

DERIVATIVES = {Kind.CALL: {"peaks": b"peaks of the call"}, Kind.FOOTAGE: {"thumbnail": b"a small picture"}}

STREAMS = {Kind.CALL: {"type": "audio", "channels": 2}, Kind.FOOTAGE: {"type": "video"}}


def media(
    kind: Kind = Kind.CALL, *, duration_s: float = 60, started_at: str = "", content: str = ""
) -> bytes:
    """The bytes of a file that the inspector can read."""
    return f"{kind} {duration_s} {started_at}\n{content}".encode()


class ScriptedInspector:
    """Reads the first line. `before(path)` may raise, wait, or change the file."""

    def __init__(self) -> None:
        self.before: Callable[[Path], None] = lambda _path: None
        self.raw_formats: list[str] = []
        self.is_closed = False
        self._lock = threading.Lock()

    def inspect(self, path: Path, raw_format: str) -> Seen:
        self.before(path)
        with self._lock:
            self.raw_formats.append(raw_format)
        with path.open("rb") as file:
            words = file.readline().decode("utf-8", "replace").split()
        try:
            kind, duration_s = Kind(words[0]), float(words[1])
        except (IndexError, ValueError):
            raise Unreadable("it holds no recording") from None
        started = words[2] if len(words) > 2 else ""
        return Seen(
            kind=kind,
            container="script",
            duration_us=round(duration_s * 1_000_000),
            facts={
                "container": "script",
                "duration_us": round(duration_s * 1_000_000),
                "streams": [STREAMS[kind]],
            },
            started_at=datetime.fromisoformat(started) if started else None,
            started_at_text=started,
            derivatives=DERIVATIVES[kind],
        )

    def close(self) -> None:
        self.is_closed = True
