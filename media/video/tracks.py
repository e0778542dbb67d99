"""Turn sightings in single frames into tracks: what to cover, in every frame.

Nothing is decided frame by frame: all sightings are known before the first
track is made, so a face seen weakly at first and well later is one track from
its first weak sighting. Between sightings the mask is interpolated; before the
first and after the last it goes on for `EXTEND_FRAMES`. A scene cut ends every
track, and no mask crosses it.

Boxes are in stored pixels, frames count from 0. Nothing here touches a picture.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from media.video.masks import Box
from media.video.views import LOOK_EVERY_FRAMES

EXTEND_FRAMES = 12  #: a face is there before it is recognised, and after: a head turns in half a second
MAX_GAP_FRAMES = 24  #: without a sighting before a track ends
_SIZE_RATIO = 2.2  #: between consecutive sightings of one thing
_REACH = 1.2  #: sizes that a thing may be off from where it is expected, at once
_REACH_PER_FRAME = (
    0.15  #: and more for every frame that has passed: who strides past moves half a face a frame
)
_MAX_REACH = 2.5
_SPEED_SIGHTINGS = 4


@dataclass(frozen=True, slots=True)
class Margin:
    """How much larger than a sighting its mask is."""

    grow_share: float  #: of its longer side, on every side
    size_frames: int  #: a mask is as large as the largest box within so many frames


#: Detectors' boxes end at the brow and the jaw, and in profile at the cheek: hair, ears and the back of the
#: head lie up to two fifths of the face's height beyond. Boxes flicker, and a mask that does would leak.
FACE_MARGIN = Margin(0.4, 25)
BODY_MARGIN = Margin(0.06, LOOK_EVERY_FRAMES)  #: a blob changes its shape for good when people meet


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something seen in one frame."""

    frame: int
    box: Box
    confidence: float


@dataclass(frozen=True, slots=True)
class Trail:
    """Sightings of one thing, in order, at most one a frame."""

    sightings: tuple[Sighting, ...]

    @property
    def first(self) -> int:
        """The frame of the first sighting."""
        return self.sightings[0].frame

    @property
    def last(self) -> int:
        """The frame of the last sighting."""
        return self.sightings[-1].frame

    @property
    def best(self) -> Sighting:
        """The surest sighting, the larger one of equals."""
        return max(self.sightings, key=lambda one: (round(one.confidence, 1), one.box.area))


def link(sightings: Iterable[Sighting], cuts: Sequence[int] = ()) -> list[Trail]:
    """Sightings of the same thing, linked through time.

    Args:
        sightings: In any order.
        cuts: Frames at which a new scene begins, ascending.

    Returns:
        Trails by their first frame, then from left to right. Every sighting is in exactly one.
    """
    by_frame: dict[int, list[Sighting]] = {}
    for one in sightings:
        by_frame.setdefault(one.frame, []).append(one)
    done: list[list[Sighting]] = []
    active: list[list[Sighting]] = []
    for frame in sorted(by_frame):
        ended = [trail for trail in active if _is_over(trail[-1].frame, frame, cuts)]
        done += ended
        active = [trail for trail in active if trail not in ended]
        _assign(active, by_frame[frame], frame)
    trails = [Trail(tuple(trail)) for trail in done + active]
    return sorted(trails, key=lambda trail: (trail.first, trail.sightings[0].box.left))


def cover(trail: Trail, margin: Margin, frames: int, cuts: Sequence[int] = ()) -> dict[int, Box]:
    """The mask of every frame from a little before the first sighting to a little after the last.

    Args:
        trail: What was seen.
        margin: How much to cover around it.
        frames: Number of frames of the footage.
        cuts: As for `link`.
    """
    start, end = scene_of(trail.first, frames, cuts)
    first, last = max(start, trail.first - EXTEND_FRAMES), min(end, trail.last + EXTEND_FRAMES)
    middles = {frame: _middle(trail, frame) for frame in range(first, last + 1)}
    sizes = _sizes(trail)
    return {
        frame: _around(middle, _largest_near(sizes, frame, margin.size_frames)).widened(margin.grow_share)
        for frame, middle in middles.items()
    }


def scene_of(frame: int, frames: int, cuts: Sequence[int]) -> tuple[int, int]:
    """First and last frame of the scene that `frame` belongs to."""
    place = bisect_right(cuts, frame)
    start = cuts[place - 1] if place else 0
    end = cuts[place] - 1 if place < len(cuts) else frames - 1
    return start, end


def _is_over(last: int, frame: int, cuts: Sequence[int]) -> bool:
    return frame - last > MAX_GAP_FRAMES or bisect_right(cuts, frame) != bisect_right(cuts, last)


def _assign(active: list[list[Sighting]], found: list[Sighting], frame: int) -> None:
    """Give each sighting to the trail that expected it most, or to a new one."""
    pairs = []
    for place, trail in enumerate(active):
        expected = _expected(trail, frame)
        for number, one in enumerate(found):
            closeness = _closeness(expected, one.box, frame - trail[-1].frame)
            if closeness is not None:
                pairs.append((closeness, -place, -number))
    taken_trails: set[int] = set()
    taken: set[int] = set()
    for _, place, number in sorted(pairs, reverse=True):
        if place not in taken_trails and number not in taken:
            active[-place].append(found[-number])
            taken_trails.add(place)
            taken.add(number)
    active += [[one] for number, one in enumerate(found) if -number not in taken]


def _expected(trail: Sequence[Sighting], frame: int) -> Box:
    right, down = _speed(trail[-_SPEED_SIGHTINGS:])
    gap = frame - trail[-1].frame
    return trail[-1].box.moved(right * gap, down * gap)


def _speed(sightings: Sequence[Sighting]) -> tuple[float, float]:
    """Pixels a frame between the first and the last of them."""
    first, last = sightings[0], sightings[-1]
    frames = last.frame - first.frame
    if frames == 0:
        return 0.0, 0.0
    (x_1, y_1), (x_2, y_2) = _centre(first.box), _centre(last.box)
    return (x_2 - x_1) / frames, (y_2 - y_1) / frames


def _closeness(expected: Box, box: Box, gap: int) -> float | None:
    """How well a box fits, the more the better; None where it cannot be the same thing."""
    ratio = box.area / expected.area
    if not 1 / _SIZE_RATIO**2 <= ratio <= _SIZE_RATIO**2:
        return None
    (x_1, y_1), (x_2, y_2) = _centre(expected), _centre(box)
    size = max(expected.width, expected.height, box.width, box.height)
    distance = math.dist((x_1, y_1), (x_2, y_2)) / size
    if distance > min(_MAX_REACH, _REACH + _REACH_PER_FRAME * gap):
        return None
    return expected.iou(box) - distance


def _centre(box: Box) -> tuple[float, float]:
    return (box.left + box.right) / 2, (box.top + box.bottom) / 2


def _middle(trail: Trail, frame: int) -> tuple[float, float]:
    """Where the thing is in a frame: interpolated between sightings, moving on beyond them."""
    sightings = trail.sightings
    place = bisect_right(sightings, frame, key=lambda one: one.frame)
    if place == 0:
        return _moved_on(sightings[0], sightings[:_SPEED_SIGHTINGS], frame)
    if place == len(sightings):
        return _moved_on(sightings[-1], sightings[-_SPEED_SIGHTINGS:], frame)
    before, after = sightings[place - 1], sightings[place]
    share = (frame - before.frame) / (after.frame - before.frame)
    (x_1, y_1), (x_2, y_2) = _centre(before.box), _centre(after.box)
    return x_1 + share * (x_2 - x_1), y_1 + share * (y_2 - y_1)


def _moved_on(end: Sighting, near: Sequence[Sighting], frame: int) -> tuple[float, float]:
    x, y = _centre(end.box)
    right, down = _speed(near)
    return x + right * (frame - end.frame), y + down * (frame - end.frame)


def _sizes(trail: Trail) -> list[tuple[int, float, float]]:
    return [(one.frame, one.box.width, one.box.height) for one in trail.sightings]


def _largest_near(sizes: list[tuple[int, float, float]], frame: int, reach: int) -> tuple[float, float]:
    """The largest width and height within `reach` frames, and of the nearest sighting on either side."""
    low = bisect_right(sizes, frame - reach - 1, key=lambda one: one[0])
    high = bisect_right(sizes, frame + reach, key=lambda one: one[0])
    near = sizes[max(0, low - 1) : high + 1]
    return max(one[1] for one in near), max(one[2] for one in near)


def _around(middle: tuple[float, float], size: tuple[float, float]) -> Box:
    (x, y), (width, height) = middle, size
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
