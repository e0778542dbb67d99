"""Cut a small picture of each track out of footage, for the person who decides.

The file is read a second time, only where a picture is wanted: by seeking where
the frame's time tells it apart from all others, else by decoding on.
"""

import base64
from bisect import bisect_left
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
from av.video.frame import VideoFrame

from media.decode import DAMAGE
from media.video.frames import open_footage
from media.video.masks import Box

HEIGHT_PX = 128
_MAX_WIDTH_PX = 256
_QUALITY = 80
_AROUND = 0.5  #: of the box, on every side: a face is recognised by what is around it
_WORTH_SEEKING_FRAMES = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to show: a place in a frame."""

    frame: int
    box: Box


def cut_out(path: Path, wanted: Sequence[Wanted], pts: Sequence[int]) -> list[str]:
    """A JPEG in base64 for each place wanted.

    Args:
        path: The footage.
        wanted: In any order.
        pts: Of every frame, as the search saw them.
    """
    pictures: dict[int, str] = {}
    order = sorted(range(len(wanted)), key=lambda place: wanted[place].frame)
    with ExitStack() as opened:
        frames = _Reader(path, pts, opened)
        for place in order:
            frame = frames.at(wanted[place].frame)
            pictures[place] = _jpeg(frame, wanted[place].box)
    return [pictures[place] for place in range(len(wanted))]


class _Reader:
    """Frames of a file in ascending order, not all of them."""

    def __init__(self, path: Path, pts: Sequence[int], opened: ExitStack) -> None:
        self._path, self._pts, self._opened = path, pts, opened
        self._can_seek = min(pts) >= 0 and all(before < after for before, after in pairwise(pts))
        self._begin()

    def _begin(self) -> None:
        self._footage = self._opened.enter_context(open_footage(self._path))
        self._frames = self._footage.frames()
        self._next = 0
        self._last: VideoFrame | None = None

    def at(self, index: int) -> VideoFrame:
        if self._can_seek and index - self._next > _WORTH_SEEKING_FRAMES:
            self._seek(index)
        while self._last is None or self._next <= index:
            self._last = next(self._frames)
            self._next += 1
        return self._last

    def _seek(self, index: int) -> None:
        """Go near a frame; where that overshoots or leads nowhere, decode from the start and never seek again."""
        target = self._pts[index]
        try:
            self._footage.container.seek(target, stream=self._footage.stream)
            frames = self._footage.frames()
            found = next(frames)
            place = bisect_left(self._pts, found.pts or 0)
            if self._next <= place <= index and self._pts[place] == found.pts:
                self._frames, self._last, self._next = frames, found, place + 1
                return
        except (StopIteration, *DAMAGE):
            pass
        self._can_seek = False
        self._begin()  # opened anew: where seeking fails, seeking to the start may fail as well


def _jpeg(frame: VideoFrame, box: Box) -> str:
    pixels = frame.reformat(format="bgr24", threads=1).to_ndarray()
    inside = box.grown(_AROUND).within(frame.width, frame.height) or Box(0, 0, frame.width, frame.height)
    left, top = int(inside.left), int(inside.top)
    right, bottom = max(left + 1, round(inside.right)), max(top + 1, round(inside.bottom))
    part = pixels[top:bottom, left:right]
    scale = min(HEIGHT_PX / part.shape[0], _MAX_WIDTH_PX / part.shape[1])
    size = max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale))
    smoothly = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = cv2.resize(part, size, interpolation=smoothly)
    data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
    return base64.b64encode(data.tobytes()).decode("ascii")
