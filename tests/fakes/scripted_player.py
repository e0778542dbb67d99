"""A player that believes what a test wrote into the file's first line, as the scripted inspector does."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from retention.kernel.errors import Unreadable
from retention.schedule.model import Kind


class ScriptedPlayer:
    """Plays what starts with a kind. `before(content)` may raise; `damage` is what it says of everything."""

    def __init__(self) -> None:
        self.before: Callable[[bytes], None] = lambda _content: None
        self.damage: tuple[str, ...] = ()
        self.played: list[bytes] = []

    def play(self, path: Path, facts: Mapping[str, Any], timeout_s: float) -> tuple[str, ...]:
        content = path.read_bytes()
        self.before(content)
        if content.split(b" ")[0].decode("utf-8", "replace") not in set(Kind) or not facts or timeout_s <= 0:
            raise Unreadable("it holds no recording")
        self.played.append(content)
        return self.damage

    def close(self) -> None:
        pass
