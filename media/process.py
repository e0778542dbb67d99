"""Run ffmpeg, and come back: always within the time, with bounded memory.

Graphs are composed elsewhere (ffmpeg-python's `compile()` is the natural form);
this is the one place where an argument list becomes a process.

Rules: nothing is read from the terminal (`-nostdin`); an input is a local file
or our own pipe, never a name that a file could turn into a network address
(`-protocol_whitelist file,pipe` before each input); paths are absolute and
carry `file:`, so one that starts with "-" or holds ":" is only a path; at most
`STDERR_TAIL_BYTES` of complaints are kept; time-out kills the whole process
group.

Durations of the medium are integer microseconds; time-outs are seconds.
"""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from media.errors import Cancelled, ToolFailed, ToolTimedOut
from media.tools import find_ffmpeg

STDERR_TAIL_BYTES = 8 * 1024  #: kept of what a tool says; the end names the cause
DEFAULT_MEMORY_BYTES = (
    4 * 1024**3
)  #: address space: x264 at 4K fits into 2 GiB on two cores, and wants more with more
PROTOCOLS = "file,pipe"
_READ_BYTES = 64 * 1024
_CANCEL_POLL_SECONDS = 0.1
_KEPT_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "MEDIA_MODELS", "HOME", "XDG_DATA_HOME")
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far ffmpeg has come."""

    frames: int  #: pictures written; 0 where there is only sound
    written_us: int  #: length of what is written so far, in microseconds
    is_last: bool


def local_url(path: Path) -> str:
    """`path` as ffmpeg must see it: absolute, and nothing but a local file."""
    return f"file:{path.absolute()}"


def run_ffmpeg(
    arguments: Sequence[str],
    *,
    timeout_seconds: float,
    memory_bytes: int = DEFAULT_MEMORY_BYTES,
    feed: Iterable[bytes] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> None:
    """Run ffmpeg on `arguments`, which start after the program's name.

    Args:
        arguments: As `ffmpeg.compile(stream)[1:]` gives them. Inputs are `local_url(path)`, `pipe:0`
            or a lavfi graph.
        timeout_seconds: Wall time, after which the process group is killed.
        memory_bytes: Address space that ffmpeg may use.
        feed: What to write to `pipe:0`.
        on_progress: Called about twice a second, from another thread. It must not raise.

    Raises:
        ToolTimedOut: It did not finish in time.
        ToolFailed: It is missing or ended with an error; the message ends with its own words.
        ValueError: An input is neither local nor ours.
    """
    argv = [
        str(find_ffmpeg().path),
        *("-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning", "-progress", "pipe:1"),
        *_with_allow_list(arguments),
    ]
    parse = _progress_parser(on_progress) if on_progress else None
    run(argv, timeout_seconds=timeout_seconds, memory_bytes=memory_bytes, feed=feed, on_line=parse)


def python_module(name: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """The argument list and environment that run one of our own modules in a child.

    The child finds what this process finds, inherits no secret from the environment, and keeps numeric
    libraries to one thread, whose stacks would count against its memory.
    """
    kept = {key: os.environ[key] for key in _KEPT_ENVIRONMENT if key in os.environ}
    root = str(Path(__file__).parent.parent)
    paths = os.pathsep.join([root, *(path for path in sys.path if path and path != root)])
    environment = {**kept, **dict.fromkeys(_ONE_THREAD, "1"), "LC_ALL": "C.UTF-8", "PYTHONPATH": paths}
    return [sys.executable, "-P", "-B", "-m", name, *arguments], environment


def run(
    argv: Sequence[str],
    *,
    timeout_seconds: float,
    environment: Mapping[str, str] | None = None,
    memory_bytes: int | None = None,
    feed: Iterable[bytes] | None = None,
    on_line: Callable[[str], None] | None = None,
    is_cancelled: Callable[[], bool] | None = None,
) -> None:
    """Run a program in its own process group; `on_line` sees its standard output.

    `is_cancelled` is asked about ten times a second, once all of `feed` is written.

    Raises:
        Cancelled: `is_cancelled` said so; the program is gone.
        ToolTimedOut: It did not finish in time.
        ToolFailed: It could not start or ended with an error.
    """
    tool = Path(argv[0]).name
    try:
        process = subprocess.Popen(  # noqa: S603 - no shell, and argv[0] is a path of ours
            argv,
            stdin=subprocess.PIPE if feed is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise ToolFailed(f"{tool} could not be started: {error}") from error
    with _Watched(process, timeout_seconds) as watched:
        _limit_memory(process.pid, memory_bytes)
        watched.read_output(on_line)
        if feed is not None:
            watched.write_input(feed)
        _wait(process, is_cancelled)
    if watched.is_timed_out:
        raise ToolTimedOut(f"{tool} did not finish within {timeout_seconds:g} seconds and was stopped")
    if process.returncode != 0:
        raise ToolFailed(f"{tool} {_how_it_ended(process.returncode)}: {watched.tail() or 'it said nothing'}")


def _wait(process: "subprocess.Popen[bytes]", is_cancelled: Callable[[], bool] | None) -> None:
    """Wait for the end; leaving early is enough, as the caller's `with` kills what still runs."""
    while is_cancelled is not None and process.poll() is None:
        if is_cancelled():
            raise Cancelled("stopped as asked")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_CANCEL_POLL_SECONDS)
    process.wait()


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process that leads its own group, and its children, and wait for it. Safe to repeat."""
    if process.poll() is None:  # a reaped process's number may belong to somebody else by now
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class _Watched:
    """A running process, its two readers and the alarm that ends it."""

    def __init__(self, process: "subprocess.Popen[bytes]", timeout_seconds: float) -> None:
        self._process = process
        self._tail = bytearray()
        self._threads: list[threading.Thread] = []
        self._alarm = threading.Timer(timeout_seconds, self._time_is_up)
        self.is_timed_out = False

    def __enter__(self) -> Self:
        self._alarm.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._alarm.cancel()
        kill_group(self._process)  # also on an exception of ours: nothing is left behind
        for thread in self._threads:
            thread.join()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def tail(self) -> str:
        """The last lines of what the tool complained about, without what a terminal would obey."""
        said = self._tail.decode(errors="replace")
        return "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in said).strip()

    def read_output(self, on_line: Callable[[str], None] | None) -> None:
        """Start to drain both outputs, so that the tool never waits for us."""
        out, err = self._process.stdout, self._process.stderr
        assert out is not None
        assert err is not None
        for target, stream in ((self._keep_tail, err), (_line_reader(on_line), out)):
            thread = threading.Thread(target=target, args=(stream,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def write_input(self, feed: Iterable[bytes]) -> None:
        """Write all of `feed`; a tool that stops reading early is judged by its exit code."""
        stdin = self._process.stdin
        assert stdin is not None
        with contextlib.suppress(BrokenPipeError):
            for chunk in feed:
                stdin.write(chunk)
            stdin.close()

    def _keep_tail(self, stream: IO[bytes]) -> None:
        while chunk := os.read(stream.fileno(), _READ_BYTES):
            self._tail += chunk
            del self._tail[:-STDERR_TAIL_BYTES]

    def _time_is_up(self) -> None:
        if self._process.poll() is None:
            self.is_timed_out = True
            kill_group(self._process)


def _line_reader(on_line: Callable[[str], None] | None) -> Callable[[IO[bytes]], None]:
    def read(stream: IO[bytes]) -> None:
        while line := stream.readline(_READ_BYTES):
            if on_line is not None:
                on_line(line.decode(errors="replace").rstrip())

    return read


def _limit_memory(pid: int, memory_bytes: int | None) -> None:
    """Set the limit from outside: nothing of ours runs between fork and exec."""
    if memory_bytes is not None and hasattr(resource, "prlimit"):  # Linux
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_AS, (memory_bytes, memory_bytes))


def _with_allow_list(arguments: Sequence[str]) -> list[str]:
    """Put the protocol allow-list before each input, and refuse an input that is neither local nor ours."""
    guarded: list[str] = []
    form = ""
    for word, following in zip(arguments, [*arguments[1:], ""], strict=True):
        if word == "-f":
            form = following
        if word == "-i":
            if form != "lavfi" and not following.startswith(("file:/", "pipe:")):
                raise ValueError(f"not a local input: {following!r}; use local_url(path)")
            guarded += ["-protocol_whitelist", PROTOCOLS]
            form = ""
        guarded.append(word)
    return guarded


def _progress_parser(on_progress: Callable[[Progress], None]) -> Callable[[str], None]:
    """Parse ffmpeg's blocks of key=value; the key `progress` ends a block."""
    block: dict[str, str] = {}

    def parse(line: str) -> None:
        key, _, value = line.partition("=")
        block[key] = value.strip()
        if key == "progress":
            on_progress(
                Progress(
                    frames=_number(block.get("frame", "")),
                    written_us=max(0, _number(block.get("out_time_us", ""))),
                    is_last=value == "end",
                )
            )
            block.clear()

    return parse


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:  # "N/A" before the first picture
        return 0


def _how_it_ended(returncode: int) -> str:
    if returncode < 0:
        return f"was killed by {signal.Signals(-returncode).name}"
    return f"ended with code {returncode}"
