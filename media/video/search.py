"""Search pictures for faces and people on several threads at once.

The detectors let other Python threads run while they work, so threads do what
processes would, without copies through pipes or shared memory. Each thread has
detectors of its own. Answers come back in the order in which the pictures were
handed in; at most a few wait, so memory does not grow with the footage.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self

import cv2

from media.video.detect.port import Detection, Detector, DetectorFacts, Grey
from media.video.detect.scaling import scaled
from media.video.detect.turned import find_in_view
from media.video.views import View

_WAITING_PER_WORKER = 3
_SAME_FACE = 0.35  #: IoU above which two hits in one picture are one face
_INSIDE = 0.8  #: of the smaller box: one hit within another is one face

DetectorMaker = Callable[[], Detector]


@dataclass(frozen=True, slots=True)
class Found:
    """What one look found, in stored pixels."""

    faces: tuple[Detection, ...] = ()
    persons: tuple[Detection, ...] = ()
    others: tuple[Detection, ...] = ()  #: faces again, by the other detector


@dataclass(frozen=True, slots=True)
class Task:
    """One picture to search."""

    frame: int
    pictures: Mapping[int, Grey]  #: by width; searched as they are
    views: Sequence[View]  #: for faces
    person_width: int | None  #: which picture to search for persons
    stored_width: int
    other_views: Sequence[View] = ()  #: for faces, by the other detector


class Searchers:
    """Threads that search; a context manager.

    Args:
        face: Makes a detector of faces, once a thread.
        person: Makes a detector of persons.
        workers: Threads; by default one a core.
        other: Makes another detector of faces, for `Task.other_views`.
    """

    def __init__(
        self,
        face: DetectorMaker,
        person: DetectorMaker | None = None,
        workers: int = 0,
        other: DetectorMaker | None = None,
    ) -> None:
        cv2.setNumThreads(1)  # work is spread over pictures; OpenCV's own threads would fight for the cores
        self._makers = face, person, other
        self._here = threading.local()
        self._workers = workers or os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self._workers, "search")
        self._waiting: deque[tuple[int, Future[Found]]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    @property
    def has_other(self) -> bool:
        """Whether there is another detector of faces."""
        return self._makers[2] is not None

    def facts(self) -> tuple[DetectorFacts, ...]:
        """Who looks. Raises as making a detector does, so a missing model is known before the work begins."""
        return self._pool.submit(lambda: tuple(one.facts for one in self._detectors() if one)).result()

    def submit(self, task: Task) -> list[tuple[int, Found]]:
        """Hand in a picture and take what is ready, in order; waits where too many wait already."""
        self._waiting.append((task.frame, self._pool.submit(self._search, task)))
        ready = []
        while len(self._waiting) > _WAITING_PER_WORKER * self._workers or (
            self._waiting and self._waiting[0][1].done()
        ):
            ready.append(self._take())
        return ready

    def rest(self) -> list[tuple[int, Found]]:
        """Wait for all that was handed in."""
        return [self._take() for _ in range(len(self._waiting))]

    def search_now(self, tasks: Sequence[Task]) -> list[Found]:
        """Search a few pictures and wait for them."""
        return list(self._pool.map(self._search, tasks))

    def _take(self) -> tuple[int, Found]:
        frame, future = self._waiting.popleft()
        return frame, future.result()

    def _detectors(self) -> Any:
        if not hasattr(self._here, "detectors"):
            self._here.detectors = tuple(make() if make else None for make in self._makers)
        return self._here.detectors

    def _search(self, task: Task) -> Found:
        face, person, other = self._detectors()
        body = [View(task.person_width, 0)] if person is not None and task.person_width is not None else []
        return Found(
            _find(face, task, task.views),
            _find(person, task, body),
            _find(other, task, task.other_views),
        )


def _find(detector: Any, task: Task, views: Sequence[View]) -> tuple[Detection, ...]:
    found: list[Detection] = []
    for view in views:
        picture = task.pictures[view.width_px]
        found += find_in_view(detector, picture, view.angle_deg, view.width_px / task.stored_width)
    return merged(found)


def pictures_for(luma: Grey, views: Sequence[View], further: Sequence[int] = ()) -> dict[int, Grey]:
    """The picture at every width that the views need, copied out of the decoder's memory."""
    widths = sorted({view.width_px for view in views} | set(further), reverse=True)
    return {width: luma.copy() if width == luma.shape[1] else scaled(luma, width) for width in widths}


def merged(found: Sequence[Detection]) -> tuple[Detection, ...]:
    """One detection a face, the surest one, from the hits of several views of one picture."""
    kept: list[Detection] = []
    for one in sorted(found, key=lambda hit: (-hit.confidence, -hit.box.area)):
        if not any(_is_same_face(one, other) for other in kept):
            kept.append(one)
    return tuple(kept)


def _is_same_face(one: Detection, other: Detection) -> bool:
    both = one.box.overlap(other.box)
    smaller = min(one.box.area, other.box.area)
    return both > _INSIDE * smaller or one.box.iou(other.box) > _SAME_FACE
