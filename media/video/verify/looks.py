"""Search the pictures of a finished copy on several threads, in order.

The detectors let other threads run while they work, so threads do what
processes would, without copies through pipes. At most a few pictures wait, so
memory does not grow with the length of the copy.

A picture that differs in no block from the last one that was searched is not
searched again: it holds what that one held. It is compared with the one that
was searched and not with the one before, so nobody can fade in unseen; and
after `RENEW_FRAMES` it is searched whatever it looks like. What was found is
judged against the masks of each frame anew.
"""

import os
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self

import cv2
import numpy as np

from media.video.detect.port import Grey
from media.video.detect.scaling import scaled
from media.video.masks import Box
from media.video.motion import for_net, is_same
from media.video.verify.second_look import Facts, Known, Searcher, SecondLook, searched_width

RENEW_FRAMES = 250
_WAITING_PER_WORKER = 2

Hits = list[tuple[Box, float]]


class Looks:
    """Threads that search; a context manager.

    Attributes:
        searched: Pictures that were searched.
        unchanged: Pictures that were not, as they equal one that was.
    """

    def __init__(self, look: SecondLook, workers: int = 0) -> None:
        cv2.setNumThreads(1)  # work is spread over pictures; OpenCV's own threads would fight for the cores
        self.look = look
        self._workers = workers or os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self._workers, "look")
        self._here = threading.local()
        self._waiting: deque[tuple[int, Future[Hits]]] = deque()
        self._last: tuple[int, Grey, Future[Hits]] | None = None
        self.searched = self.unchanged = 0
        self.facts: Facts = self._pool.submit(lambda: self._searcher().facts).result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def is_due(self, number: int) -> bool:
        """Whether this frame is one that is looked at."""
        return number % self.look.every_frames == 0

    def known(self, source_sha256: str, size: tuple[int, int]) -> Known | None:
        """What need not be looked for again in pictures of this source, (width, height)."""
        return self.look.knows(source_sha256, self.facts, size)

    def offer(self, number: int, picture: Grey) -> Iterator[tuple[int, Hits]]:
        """Hand in the next picture, and take what is ready; waits where too many wait already."""
        self._waiting.append((number, self._answer(number, picture)))
        while len(self._waiting) > _WAITING_PER_WORKER * self._workers or (
            self._waiting and self._waiting[0][1].done()
        ):
            yield self._take()

    def rest(self) -> Iterator[tuple[int, Hits]]:
        """Wait for all that was handed in."""
        while self._waiting:
            yield self._take()

    def _answer(self, number: int, picture: Grey) -> "Future[Hits]":
        small = for_net(picture)
        if self._last is not None:
            at, searched, answer = self._last
            if number - at < RENEW_FRAMES and searched.shape == small.shape and is_same(small, searched):
                self.unchanged += 1
                return answer
        self.searched += 1
        answer = self._pool.submit(self._search, picture.copy())
        self._last = number, small, answer
        return answer

    def _take(self) -> tuple[int, Hits]:
        number, answer = self._waiting.popleft()
        return number, answer.result()

    def _search(self, picture: Grey) -> Hits:
        return search(self._searcher(), picture, self.look.angles)

    def _searcher(self) -> Any:
        if not hasattr(self._here, "searcher"):
            self._here.searcher = self.look.make()
        return self._here.searcher


def search(searcher: Searcher, picture: Grey, angles: Sequence[int]) -> list[tuple[Box, float]]:
    """Boxes in the picture as it is stored, and how sure the detector is. A large picture is searched smaller."""
    height, width = picture.shape
    narrow = searched_width(width, height)
    small = picture if narrow == width else scaled(picture, narrow)
    scale = width / narrow
    found = []
    for angle in angles:
        turned = np.ascontiguousarray(np.rot90(small, -(angle // 90)))
        for hit in searcher.find(turned):
            back = turned_back(hit.box, angle, small.shape[1], small.shape[0])
            stored = Box(*(edge * scale for edge in (back.left, back.top, back.right, back.bottom)))
            if (inside := stored.within(width, height)) is not None:
                found.append((inside, hit.confidence))
    return found


def turned_back(box: Box, angle: int, width: int, height: int) -> Box:
    """Where a box lies in the picture that was turned clockwise by `angle` and was `width` x `height` before."""
    match angle % 360:
        case 90:
            return Box(box.top, height - box.right, box.bottom, height - box.left)
        case 180:
            return Box(width - box.right, height - box.bottom, width - box.left, height - box.top)
        case 270:
            return Box(width - box.bottom, box.left, width - box.top, box.right)
    return box
