"""What the jobs have in common: progress reaches the thread that waits, and refusals come back as such."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter

from media.child import DEFAULT_MEMORY_BYTES, MESSAGE_CHARACTERS, NO_SENSE, ask_child
from media.errors import ToolFailed
from media.inspection import printable

#: Without a word of progress: who goes through a long file to its end before the work begins says nothing.
STALL_SECONDS = 1800.0

Progress = Callable[[int, int], None]
T = TypeVar("T")


def ignore(_done: int, _total: int) -> None:
    """Nobody watches."""


def never() -> bool:
    """Nobody asks to stop."""
    return False


def do(
    module: str,
    request: Mapping[str, Any],
    *,
    bulk: bytes = b"",
    reads: Iterable[Path],
    writes: Iterable[Path] = (),
    unit: str,
    memory_bytes: int = DEFAULT_MEMORY_BYTES,
    progress: Progress = ignore,
    is_cancelled: Callable[[], bool] = never,
) -> dict[str, Any]:
    """As `media.child.ask_child`, but `progress` is called in this thread; what it raises ends the child.

    Raises:
        ValueError: The job refused what was asked for.
        MediaToolError: As `ask_child` raises them.
    """
    relay = _Relay(progress)

    def is_over() -> bool:
        relay.tell()
        return is_cancelled()

    answer = ask_child(
        module,
        request,
        bulk=bulk,
        reads=reads,
        writes=writes,
        unit=unit,
        stall_seconds=STALL_SECONDS,
        memory_bytes=memory_bytes,
        on_progress=relay.note,
        is_cancelled=is_over,
    )
    relay.tell()
    if "refused" in answer:
        raise ValueError(printable(str(answer["refused"]), MESSAGE_CHARACTERS))
    return answer


def parsed(form: TypeAdapter[T], value: object) -> T:
    """A value that a child sent.

    Raises:
        ToolFailed: It is not of this form.
    """
    try:
        return form.validate_python(value)
    except ValueError as error:
        raise ToolFailed(NO_SENSE) from error


class _Relay:
    """What one thread notes last, told once by another."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._noted: tuple[int, int] | None = None
        self._told: tuple[int, int] | None = None

    def note(self, done: int, total: int) -> None:
        self._noted = done, total

    def tell(self) -> None:
        noted = self._noted
        if noted is not None and noted != self._told:
            self._told = noted
            self._progress(*noted)
