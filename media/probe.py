"""Ask what a file holds, without letting it near this process.

Files come from recorders, from strangers and from broken disks, and decoders of
media have a long history of holes. So a child process looks (`inspect_worker`),
with little memory, no network protocol and a time limit, and is reused, as
starting it takes longer than most files. Whatever happens to it (a crash, a
hang, memory that runs out) is a fact about the file: `Unreadable`, with a reason.

A worker that cannot even start is a fact about this machine: `ToolFailed`.
"""

import json
import os
import queue
import select
import signal
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from media.answer import HEAD, MAX_SIZES, Outcome
from media.arrival import from_json
from media.errors import MediaToolError, ToolFailed, Unreadable, UnsupportedCodec
from media.files import descriptor_of
from media.inspection import Inspection, printable
from media.process import kill_group, python_module, run
from media.raw_format import parse_raw_format

DEFAULT_TIMEOUT_SECONDS = 60.0
DEFAULT_MEMORY_BYTES = 2 * 1024**3  #: address space, of which the libraries alone take 0.4 GiB
_START_TIMEOUT_SECONDS = 60.0
_STOP_TIMEOUT_SECONDS = 2.0
_WORKER = "media.inspect_worker"


class Inspector:
    """Looks into files, one per worker at a time. Safe to share between threads.

    Workers start when there are files for them, the first one with `get_ready` if the caller likes, and stop
    with `close` or at the end of the `with` block.
    """

    def __init__(self, *, workers: int = 1, memory_bytes: int = DEFAULT_MEMORY_BYTES) -> None:
        self._places: queue.LifoQueue[_Place] = queue.LifoQueue()  # the last one used is the warm one
        for _ in range(workers):
            self._places.put(_Place(memory_bytes))
        self._workers = workers

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def get_ready(self) -> None:
        """Start a worker already, beside what the caller does before its first file. Trouble shows with that file."""
        place = self._places.get()
        with suppress(ToolFailed):
            place.fill()
        self._places.put(place)

    def close(self) -> None:
        """Stop all workers, after what they are doing. Safe to repeat; a later file starts them again."""
        places = [self._places.get() for _ in range(self._workers)]
        for place in places:
            place.hang_up()
        for place in places:
            place.empty()
            self._places.put(place)

    def inspect(
        self,
        path: Path,
        *,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        want_thumbnail: bool = False,
        want_peaks: bool = False,
        is_thorough: bool = False,
        raw_format: str | None = None,
    ) -> Inspection:
        """Say what `path` holds. Its name and extension do not matter.

        Args:
            path: A regular file. It is only read: the worker gets it open, and cannot open another one.
            timeout_seconds: Wall time for one look, once a worker is free. Only where a worker dies there
                is a second look, by a fresh one.
            want_thumbnail: Make a JPEG, for footage.
            want_peaks: Decode all of the sound and draw its waveform, for calls.
            is_thorough: Decode everything, so that damage anywhere is a warning; else only the beginning.
            raw_format: What a headerless file is, such as "mulaw 8000 1ch": see `raw_format`.

        Raises:
            Unreadable: It cannot be used as a recording; `UnsupportedCodec` where only the decoder is missing.
            ToolFailed: No worker can be started on this machine.
            ValueError: The raw format is none that is known.
        """
        if raw_format is not None:
            parse_raw_format(raw_format)
        request = {
            "want_thumbnail": want_thumbnail,
            "want_peaks": want_peaks,
            "is_thorough": is_thorough,
            "raw_format": raw_format,
        }
        file = descriptor_of(path)
        place = self._places.get()
        try:
            return place.ask(request, file, timeout_seconds)
        finally:
            self._places.put(place)
            os.close(file)


def what_it_holds(path: Path) -> tuple[bool, bool]:
    """Whether there are pictures that move, and whether there is sound.

    Raises:
        Unreadable: It is no recording.
        ToolFailed: No worker can be started on this machine.
    """
    with Inspector(workers=1) as inspector:
        streams = inspector.inspect(path).streams
    moving = any(stream.type == "video" and not stream.is_cover for stream in streams)
    return moving, any(stream.type == "audio" for stream in streams)


class _Place:
    """Room for one worker, filled when it is needed."""

    def __init__(self, memory_bytes: int) -> None:
        self._memory_bytes = memory_bytes
        self._worker: _Worker | None = None

    def ask(self, request: dict[str, Any], file: int, timeout_seconds: float) -> Inspection:
        """Ask a worker of the file behind a descriptor; a second, fresh one where the first one dies."""
        with suppress(_WorkerDied):
            return self._ask_once(request, file, timeout_seconds)
        try:
            return self._ask_once(request, file, timeout_seconds)
        except _WorkerDied as death:
            raise Unreadable(f"looking into it crashes the decoder ({death})") from death

    def fill(self) -> "_Worker":
        """The worker, started if there is none. ToolFailed where that cannot be done."""
        self._worker = self._worker or _Worker(self._memory_bytes)
        return self._worker

    def hang_up(self) -> None:
        """Let the worker end, if there is one, without waiting for it."""
        if self._worker:
            self._worker.hang_up()

    def empty(self) -> None:
        """Stop the worker, if there is one."""
        if self._worker:
            self._worker.stop()
            self._worker = None

    def _ask_once(self, request: dict[str, Any], file: int, timeout_seconds: float) -> Inspection:
        worker = self.fill()
        try:
            return worker.ask(request, file, timeout_seconds)
        finally:
            if worker.is_spent:
                self.empty()


class _WorkerDied(Exception):
    """A worker ended, or talked nonsense, instead of answering; the text says how."""


class _Answer:
    """The parts of an answer, as far as they may be believed."""

    def __init__(self, outcome: Outcome, text: bytes, thumbnail: bytes, peaks: bytes) -> None:
        self.outcome = outcome
        self._text = text
        self._thumbnail = thumbnail
        self._peaks = peaks

    def inspection(self) -> Inspection:
        """The inspection. ValueError where the text is none."""
        return replace(from_json(self._text), thumbnail=self._thumbnail or None, peaks=self._peaks or None)

    def reason(self) -> str:
        """Why not, in one line."""
        return printable(self._text.decode(errors="replace"))


class _Worker:
    """A running child process. `is_spent` tells that it may not be asked again."""

    def __init__(self, memory_bytes: int) -> None:
        self._memory_bytes = memory_bytes
        self.is_spent = False
        argv, environment = python_module(_WORKER, str(memory_bytes))
        self._requests, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                    argv,
                    stdin=theirs.fileno(),
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env=environment,
                    start_new_session=True,
                )
        except OSError as error:
            self._requests.close()
            raise ToolFailed(f"the inspection worker could not be started: {error}") from error
        self._is_greeted = False

    def ask(self, request: dict[str, Any], file: int, timeout_seconds: float) -> Inspection:
        """Send `request` and the file, and wait for the answer."""
        line = json.dumps({**request, "timeout_seconds": timeout_seconds}).encode() + b"\n"
        self.is_spent = True  # until it has answered: a late answer must not meet the next question
        if not self._is_greeted:
            self._greet()
        try:
            answer = self._exchange(line, file, time.monotonic() + timeout_seconds)
            found = answer.inspection() if answer.outcome is Outcome.INSPECTED else None
        except TimeoutError:
            raise Unreadable(f"looking into it took longer than {timeout_seconds:g} seconds") from None
        except (OSError, ValueError) as error:  # it is gone, or what it says is no answer
            raise _WorkerDied(self._how_it_ended()) from error
        self.is_spent = answer.outcome is Outcome.OUT_OF_MEMORY  # what is left of its memory is in pieces
        if found is None:
            raise self._refusal(answer)
        return found

    def hang_up(self) -> None:
        """Tell the worker that nothing more will be asked. Safe to repeat."""
        self._requests.close()

    def stop(self) -> None:
        """Let the worker end, or end it."""
        self.hang_up()
        assert self._process.stdout is not None
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(0 if self.is_spent else _STOP_TIMEOUT_SECONDS)
        kill_group(self._process)
        self._process.stdout.close()

    def _refusal(self, answer: _Answer) -> Unreadable:
        if answer.outcome is Outcome.UNSUPPORTED:
            return UnsupportedCodec(answer.reason())
        if answer.outcome is Outcome.OUT_OF_MEMORY:
            return Unreadable(
                f"looking into it needs more than {self._memory_bytes / 1024**3:.1f} GiB of memory"
            )
        return Unreadable(answer.reason())

    def _greet(self) -> None:
        """Wait until the worker has imported its libraries."""
        try:
            self._answer(time.monotonic() + _START_TIMEOUT_SECONDS)
        except (OSError, ValueError) as error:
            how = self._how_it_ended()
            self.stop()
            why = _last_words(self._memory_bytes)
            raise ToolFailed(f"the inspection worker does not start ({how}): {why}") from error
        self._is_greeted = True

    def _exchange(self, line: bytes, file: int, deadline: float) -> _Answer:
        socket.send_fds(self._requests, [line], [file])
        return self._answer(deadline)

    def _answer(self, deadline: float) -> _Answer:
        outcome, *sizes = HEAD.unpack(self._read(HEAD.size, deadline))
        if any(size > most for size, most in zip(sizes, MAX_SIZES, strict=True)):
            raise ValueError("the answer is too long")
        text, thumbnail, peaks = (self._read(size, deadline) for size in sizes)
        return _Answer(Outcome(outcome), text, thumbnail, peaks)

    def _read(self, size_bytes: int, deadline: float) -> bytes:
        """Exactly so many bytes. TimeoutError past the deadline, ConnectionError at the end."""
        assert self._process.stdout is not None
        got = bytearray()
        number = self._process.stdout.fileno()
        poll = select.poll()
        poll.register(number, select.POLLIN)
        while len(got) < size_bytes:
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise TimeoutError
            chunk = os.read(number, size_bytes - len(got))
            if not chunk:
                raise ConnectionError("the worker ended")
            got += chunk
        return bytes(got)

    def _how_it_ended(self) -> str:
        with suppress(subprocess.TimeoutExpired):  # its pipes close a moment before it can be waited for
            self._process.wait(0.2)
        code = self._process.poll()
        if code is None:
            return "it gave no answer that makes sense"
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _last_words(memory_bytes: int) -> str:
    """Start a worker that has nothing to do, for the sake of what it says when it cannot."""
    argv, environment = python_module(_WORKER, str(memory_bytes))
    try:
        run(argv, timeout_seconds=_START_TIMEOUT_SECONDS, environment=environment)
    except MediaToolError as error:
        return printable(str(error).rpartition("\n")[2])
    return "it starts when tried again"
