"""Say what in a video a person should decide about, in a child process: the footage is a stranger's.

    propose(path, wish) -> ReviewDocument

`proposal` is what the child does: it decodes, searches on threads of its own,
and keeps how far it was, so that a search that was stopped, or whose process
was killed, goes on from there. Here its document is parsed, and nothing else of
what it says is believed.
"""

import os
import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media.child import DEFAULT_MEMORY_BYTES, NO_SENSE, path_text
from media.errors import ToolFailed, Unreadable
from media.job import do
from media.review.document import ReviewDocument, from_json
from media.video.detect.later import LIBFACE, PEOPLE, files_of
from media.video.detect.port import Detector
from media.video.extent import Extent
from media.video.views import Mount
from media.video.watch import Progress, Watch

_WORKER = "media.video.propose_worker"
_BYTES_A_THREAD = 512 * 1024**2  #: of address space, for detectors of its own


@dataclass(frozen=True, slots=True)
class Wish:
    """What to look for."""

    mount: Mount = Mount.UNKNOWN
    extent: Extent = Extent.FACE


@dataclass(frozen=True, slots=True)
class Means:
    """What to look with.

    Attributes:
        face: Makes the detector of faces.
        person: Makes the detector of persons.
        other: Makes another detector of faces, which looks now and then, so that a person decides about those
            whom it alone sees before a copy is made; None leaves them to the look at the finished copy.
        workers: Threads; 0 is one a core.
        work: A folder in which what is found is kept until the work is done; None keeps nothing.

    What makes a detector is a function or class of a module, or a `Later`, as it is called in a child process.
    """

    face: Callable[[], Detector] = LIBFACE
    person: Callable[[], Detector] = PEOPLE
    other: Callable[[], Detector] | None = None
    workers: int = 0
    work: Path | None = None


def propose(
    path: Path,
    wish: Wish = Wish(),
    means: Means = Means(),
    watch: Watch = Watch(),  # noqa: B008 - frozen
    *,
    memory_bytes: int = 0,
) -> ReviewDocument:
    """Search a file and propose tracks, all undecided.

    `watch` is called in this thread, and what it raises ends the search. The address space of the child is
    bounded by `memory_bytes`; 0 is what as many threads need.

    Raises:
        Unreadable: It is damaged or no footage.
        ModelMissing: A detector's weights have not been fetched.
        Cancelled: `watch` said so; with `means.work`, the next call goes on from there.
        ToolFailed: The child process died or stood still; the same goes for the next call.
        ValueError: A detector cannot be sent to a child process.
    """
    if not path.is_file():
        raise Unreadable("the file cannot be opened: there is no such file")
    if means.work is not None:
        means.work.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()

    def progress(done: int, total: int) -> None:
        watch.on_progress(Progress(done, total or None, time.monotonic() - started))

    answer = do(
        _WORKER,
        {
            "path": path_text(path),
            "mount": wish.mount.value,
            "extent": wish.extent.value,
            "workers": means.workers,
            "work": None if means.work is None else path_text(means.work),
        },
        bulk=_pickled(means),
        reads=[path, *(file for make in _makers(means) for file in files_of(make))],
        writes=[] if means.work is None else [means.work],
        unit="frame",
        memory_bytes=memory_bytes or memory_for(means.workers),
        progress=progress,
        is_cancelled=watch.is_cancelled,
    )
    try:
        return from_json(str(answer.get("document")))
    except ValueError as error:
        raise ToolFailed(NO_SENSE) from error


def memory_for(workers: int) -> int:
    """Address space for a search on so many threads; 0 is one a core."""
    return DEFAULT_MEMORY_BYTES + (workers or os.cpu_count() or 1) * _BYTES_A_THREAD


def _makers(means: Means) -> tuple[Callable[[], Any] | None, ...]:
    return means.face, means.person, means.other


def _pickled(means: Means) -> bytes:
    """From us to the child, and never back."""
    try:
        return pickle.dumps(_makers(means))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ValueError("a detector must be made by a function of a module, not by a lambda") from error
