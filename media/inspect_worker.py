"""The child process that looks into strangers' files. `probe` starts it and talks to it.

It trusts nobody and can do little: no core dump (it would hold somebody's
picture), no file written, few files open, bounded memory, an alarm that ends it
even when its parent is gone, and, as far as the kernel has the means
(`media.confine`), no file opened but the program's own, no socket, no program.
It is not told where a file lies, only given it, open to read. A crash costs one
answer.

One request is a line of JSON with a descriptor, on a socket that is standard
input; one answer is as `answer` describes it, on standard output.
"""

import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any

import av

from media.answer import Outcome, pack_answer
from media.confine import confine
from media.errors import Unreadable, UnsupportedCodec
from media.examine import Wishes, examine
from media.inspection import to_json

_ALARM_GRACE_SECONDS = 2.0  #: the parent's own time-out comes first
_OPEN_FILES = 32
_REQUEST_BYTES = 4096  #: a line has a tenth of it
#: What the loader says of a library that finds no room; OpenCV is loaded with the first picture.
_NO_ROOM = "failed to map segment"


def main() -> None:
    """Answer requests until standard input ends. The argument is the memory limit in bytes."""
    answers = _take_over_stdout()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)  # else one file's complaints are counted into the next one's
    _limit_oneself(memory_bytes=int(sys.argv[1]))
    _send(answers, pack_answer(Outcome.READY))
    for request, file in _requests():
        signal.setitimer(signal.ITIMER_REAL, request.pop("timeout_seconds") + _ALARM_GRACE_SECONDS)
        _send(answers, _answer(request, file))
        signal.setitimer(signal.ITIMER_REAL, 0)
        os.close(file)


def _requests() -> Iterator[tuple[dict[str, Any], int]]:
    """What is asked, and the descriptor of what it is asked of; nothing where nobody is there who could ask."""
    with suppress(OSError), socket.socket(fileno=0) as asker:
        while True:
            line, files, _, _ = socket.recv_fds(asker, _REQUEST_BYTES, 1)
            if not line:
                return
            yield json.loads(line), files[0]


def _answer(request: dict[str, Any], file: int) -> bytes:
    try:
        raw_format = request.pop("raw_format")
        inspection = examine(file, Wishes(**request), raw_format)
    except MemoryError:
        return pack_answer(Outcome.OUT_OF_MEMORY)
    except UnsupportedCodec as error:
        return pack_answer(Outcome.UNSUPPORTED, error.reason.encode())
    except Unreadable as error:
        return pack_answer(Outcome.UNREADABLE, error.reason.encode())
    except Exception as error:  # noqa: BLE001 - the edge of the process: whatever a file provokes is an answer
        if isinstance(error, ImportError) and _NO_ROOM in str(error):
            return pack_answer(Outcome.OUT_OF_MEMORY)
        return pack_answer(Outcome.UNREADABLE, f"looking into it failed ({type(error).__name__})".encode())
    return pack_answer(Outcome.INSPECTED, to_json(inspection), inspection.thumbnail, inspection.peaks)


def _take_over_stdout() -> IO[bytes]:
    """Keep the real output for answers; what a library prints goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return answers


def _send(answers: IO[bytes], answer: bytes) -> None:
    answers.write(answer)
    answers.flush()


def _limit_oneself(memory_bytes: int) -> None:
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_AS, memory_bytes),
    ):
        resource.setrlimit(limit, (value, value))
    confine([], [])


if __name__ == "__main__":
    main()
    os._exit(
        0
    )  # every answer is flushed; taking all the libraries down in order would keep the parent waiting
