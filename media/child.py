"""Do one long job on a stranger's file in a child process, and bring back values.

`ask_child` is the parent's side, `answer_parent` the child's. A request is one
line of JSON and, where it is large, raw bytes after it. The child answers in
lines of JSON: `progress` as often as it likes, and one of `done`, `unreadable`,
`failed` at the end. Whatever else happens to it (a crash, a hang, memory that
runs out) is an error of ours that says so; nothing it says is believed without
being parsed.

The child has bounded memory, few files, no core dump and no terminal, and dies
with its parent. It reads the program and what it is given, writes what it is
given, and reaches nothing else, as far as the kernel has the means: see
`media.confine`.
"""

import ctypes
import errno
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from media.confine import confine
from media.errors import (
    MediaToolError,
    ModelMissing,
    NotReleased,
    ToolFailed,
    Unreadable,
    UnsupportedCodec,
)
from media.inspection import printable
from media.models import models_folder
from media.process import python_module, run

DEFAULT_MEMORY_BYTES = 6 * 1024**3  #: address space; 4K on two cores takes 3 GiB
MEMORY_VARIABLE = "MEDIA_MEMORY_GIB"  #: of the environment: how much every job may use instead
MAX_ANSWER_CHARACTERS = 512 * 1024**2  #: what a day of a busy street comes to, and it is held in memory
NO_SENSE = "the worker gave an answer that makes no sense; try again, and report it if it stays so"
MESSAGE_CHARACTERS = 1000  #: of what a child says went wrong, and what to do about it
_OPEN_FILES = 64
_PART_CHARACTERS = 16 * 1024  #: escaped once more it is less than a line may be
_IN_PARTS = "in parts"
_DESCRIPTORS = "/proc/"
_PR_SET_PDEATHSIG = 1
_PROGRESS_SECONDS = 0.25
_FOR_EVER_SECONDS = 31 * 24 * 3600.0  #: a job is judged by its progress, not by its length
_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)

OnProgress: TypeAlias = Callable[[int, int], None]  #: done and total, in the job's own unit
Job: TypeAlias = Callable[[dict[str, Any], bytes, OnProgress], dict[str, Any]]


def ask_child(
    module: str,
    request: Mapping[str, Any],
    *,
    bulk: bytes = b"",
    reads: Iterable[Path],
    writes: Iterable[Path] = (),
    stall_seconds: float,
    memory_bytes: int = DEFAULT_MEMORY_BYTES,
    unit: str = "frame",
    on_progress: OnProgress | None = None,
    is_cancelled: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """Run `module` in a child, send it `request` and `bulk`, and return what it answers.

    Args:
        module: One of ours, whose `__main__` calls `answer_parent`.
        request: JSON values. One that is the path of a file in `reads` or `writes` reaches the job as a path
            that is good there, also where the file has no name.
        bulk: Anything larger, sent as it is.
        reads: Files and folders that the job may read, beside the program and the models.
        writes: Those that it may read and write.
        stall_seconds: The child is stopped when it reports no progress for so long.
        memory_bytes: Address space that it may use, unless the environment says otherwise.
        unit: In which it counts its progress, for messages.
        on_progress: Called about four times a second, from another thread. It must not raise.
        is_cancelled: Asked about ten times a second.

    Raises:
        Unreadable: The child says that the file cannot be used.
        ToolFailed: The child failed, died, or stood still.
        Cancelled: `is_cancelled` said so.
    """
    answer = _Answer(on_progress, stall_seconds, is_cancelled, unit)
    argv, environment = python_module(module, str(_memory_in_force(memory_bytes)), str(os.getpid()))
    allowed = {"reads": [path_text(path) for path in reads], "writes": [path_text(path) for path in writes]}
    head = json.dumps({**request, "allowed": allowed, "bulk_bytes": len(bulk)}).encode() + b"\n"
    try:
        run(
            argv,
            timeout_seconds=_FOR_EVER_SECONDS,
            environment=environment,
            feed=(head, bulk),
            on_line=answer.read_line,
            is_cancelled=answer.is_over,
        )
    except ToolFailed as error:
        if not answer.is_final:
            raise ToolFailed(f"the worker {module} died at {answer.place}: {error}; try again") from error
    return answer.result()


def _memory_in_force(asked_bytes: int) -> int:
    said = os.environ.get(MEMORY_VARIABLE)
    if not said:
        return asked_bytes
    try:
        given = int(Decimal(said) * 1024**3)
    except (ArithmeticError, ValueError):
        given = 0
    if given <= 0:
        raise ToolFailed(f"{MEMORY_VARIABLE} is {said!r}; make it a number of GiB, such as 12")
    return given


def path_text(path: Path) -> str:
    """A path as it stands in a request."""
    return os.fsdecode(path.absolute())


class _Answer:
    """What a child has said so far."""

    def __init__(
        self,
        on_progress: OnProgress | None,
        stall_seconds: float,
        is_cancelled: Callable[[], bool] | None,
        unit: str,
    ) -> None:
        self._on_progress, self._is_cancelled = on_progress, is_cancelled
        self._stall_seconds = stall_seconds
        self._heard_at = time.monotonic()
        self._final: dict[str, Any] | None = None
        self._parts: list[str] = []
        self._parts_length = 0
        self._unit, self._at = unit, 0

    @property
    def is_final(self) -> bool:
        """Whether it has given its last word."""
        return self._final is not None

    @property
    def place(self) -> str:
        """How far it had come, for a person."""
        return f"{self._unit} {self._at}"

    def read_line(self, line: str) -> None:
        """Take one line of its standard output. Nonsense is no answer."""
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(said, dict):
            return
        self._heard_at = time.monotonic()
        if "part" in said:
            self._take_part(str(said["part"]))
            return
        if "progress" not in said:
            self._final = said
            return
        match said["progress"]:
            case [int(done), int(total)]:
                self._at = done
                if self._on_progress is not None:
                    self._on_progress(done, total)

    def _take_part(self, part: str) -> None:
        self._parts_length += len(part)
        if self._parts_length <= MAX_ANSWER_CHARACTERS:
            self._parts.append(part)

    def is_over(self) -> bool:
        """Whether to stop waiting. Raises where it stands still."""
        if time.monotonic() - self._heard_at > self._stall_seconds:
            raise ToolFailed(
                f"the worker made no progress for {self._stall_seconds:g} seconds at {self.place} and was stopped"
            )
        return self._is_cancelled is not None and self._is_cancelled()

    def result(self) -> dict[str, Any]:
        """Its last word, if that is good news."""
        said = self._final or {}
        if said.get("done") == _IN_PARTS:
            return self._put_together()
        if isinstance(done := said.get("done"), dict):
            return done
        if isinstance(found := said.get("not_released"), list):
            raise NotReleased(
                tuple(printable(str(one), MESSAGE_CHARACTERS) for one in found) or ("no reason was given",)
            )
        for key, kind in _BAD_NEWS.items():
            if key in said:
                raise kind(printable(str(said[key]), MESSAGE_CHARACTERS))
        raise ToolFailed("the worker ended without an answer; try again")

    def _put_together(self) -> dict[str, Any]:
        if self._parts_length > MAX_ANSWER_CHARACTERS:
            raise ToolFailed(
                "what the worker found is too much to be taken in; cut the recording, and try again with the parts"
            )
        try:
            done = json.loads("".join(self._parts))
        except (ValueError, RecursionError) as error:
            raise ToolFailed(NO_SENSE) from error
        if not isinstance(done, dict):
            raise ToolFailed(NO_SENSE)
        return done


_BAD_NEWS: dict[str, type[MediaToolError]] = {
    "unsupported": UnsupportedCodec,
    "unreadable": Unreadable,
    "model_missing": ModelMissing,
    "failed": ToolFailed,
}


def answer_parent(job: Job) -> NoReturn:
    """Limit this process, read a request, do `job` and answer.

    Its arguments are the memory limit in bytes and the parent's process id.
    """
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)  # a library that prints must not be taken for an answer
        _limit_oneself(int(sys.argv[1]), int(sys.argv[2]))
        request = json.loads(sys.stdin.buffer.readline())
        bulk = sys.stdin.buffer.read(request.pop("bulk_bytes"))
        request = _confined(request.pop("allowed"), request)
        said = _answer(job, request, bulk, _reporter(answers))
        for line in _lines(said):
            answers.write(line + "\n")
    # The answer is given: what libraries still hold dies with the process, not in an order of its own.
    os._exit(0)


def refusing(job: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """In the child: what `job` answers, or that it refuses what was asked for; `media.job.do` understands both."""
    try:
        return job()
    except ValueError as error:
        return {"refused": str(error)}


def _confined(allowed: dict[str, list[str]], request: dict[str, Any]) -> dict[str, Any]:
    """Confine this process to what is allowed; the request, in paths that it can still open then.

    A descriptor of another process is out of reach then, so a file without a name becomes one of this process.
    """
    own: dict[str, str] = {}
    for kind, flags in (("reads", os.O_RDONLY), ("writes", os.O_RDWR)):
        for path in allowed[kind]:
            if path.startswith(_DESCRIPTORS):
                own[path] = f"/proc/self/fd/{os.open(path, flags | os.O_CLOEXEC)}"
    reads, writes = ([Path(own.get(path, path)) for path in allowed[kind]] for kind in ("reads", "writes"))
    confine([*reads, models_folder()], writes)
    return {key: own.get(value, value) if isinstance(value, str) else value for key, value in request.items()}


def _lines(said: dict[str, Any]) -> Iterator[str]:
    """An answer in lines that a reader with a bounded line takes."""
    text = json.dumps(said)
    if len(text) <= _PART_CHARACTERS or "done" not in said:
        yield text
        return
    text = json.dumps(said["done"])
    for start in range(0, len(text), _PART_CHARACTERS):
        yield json.dumps({"part": text[start : start + _PART_CHARACTERS]})
    yield json.dumps({"done": _IN_PARTS})


def _reporter(answers: Any) -> OnProgress:
    last = 0.0

    def report(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _PROGRESS_SECONDS or done == total:
            last = now
            answers.write(json.dumps({"progress": [done, total]}) + "\n")
            answers.flush()

    return report


def _answer(job: Job, request: dict[str, Any], bulk: bytes, report: OnProgress) -> dict[str, Any]:
    try:
        return {"done": job(request, bulk, report)}
    except Exception as error:  # noqa: BLE001 - the edge of the process: whatever a file provokes is an answer
        return _bad_news(error)


def _bad_news(error: Exception) -> dict[str, Any]:
    match error:
        case MemoryError():
            return {"failed": _too_little_memory()}
        case NotReleased():
            return {"not_released": list(error.findings)}
        case MediaToolError():
            return {
                next((key for key, kind in _BAD_NEWS.items() if isinstance(error, kind)), "failed"): str(
                    error
                )
            }
        case OSError():
            return {"failed": what_the_disk_said(error)}
    return {"failed": f"the work broke off ({type(error).__name__}: {error}); please report this"}


def _too_little_memory() -> str:
    given = resource.getrlimit(resource.RLIMIT_AS)[0] / 1024**3
    return (
        f"more memory is needed than the {given:.1f} GiB that this job may use; "
        f"set the variable {MEMORY_VARIABLE} to more, if the machine has it, and try again"
    )


def what_the_disk_said(error: OSError) -> str:
    """Why something could not be read or written, and what to do."""
    if error.errno in _FULL:
        return "there is no room left for the output; free some disk space and try again"
    return f"reading or writing failed: {error.strerror or error}; try again"


def _limit_oneself(memory_bytes: int, parent: int) -> None:
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_AS, memory_bytes),
    ):
        resource.setrlimit(limit, (value, value))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died in the meantime
            os._exit(1)
