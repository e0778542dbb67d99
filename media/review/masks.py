"""From a decided document to the masks that are painted. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from media.errors import Undecided
from media.review.document import Gap, Position, ReviewDocument, Track, Verdict
from media.video.masks import Box, Mask, MaskPlan


@dataclass(frozen=True, slots=True)
class Coverage:
    """Whether everything is decided."""

    open_points: tuple[str, ...]  #: what is not, one sentence each

    @property
    def is_complete(self) -> bool:
        """Nothing is undecided."""
        return not self.open_points


def coverage(document: ReviewDocument) -> Coverage:
    """Name every track and every gap, and the sound, that nobody has decided about."""
    tracks = [
        f"track {track.id} ({track.reason}) is undecided: frames {track.first} to {track.last}"
        for track in document.tracks
        if track.decision.verdict is Verdict.UNDECIDED
    ]
    gaps = [
        f"gap {gap.id} is undecided: {gap.reason}, frames {gap.first} to {gap.last}"
        for gap in document.gaps
        if gap.decision.verdict is Verdict.UNDECIDED
    ]
    is_open = document.sound is not None and document.sound.decision.verdict is Verdict.UNDECIDED
    sound = ["the sound is undecided: everybody's voice is on it"] if is_open else []
    return Coverage(tuple(tracks + gaps + sound))


def to_mask_plan(document: ReviewDocument) -> MaskPlan:
    """The masks of every frame.

    A mask that a person keeps never removes another that hides: where both lie, it is hidden.

    Raises:
        Undecided: `coverage` has open points.
    """
    covered = coverage(document)
    if not covered.is_complete:
        raise Undecided(covered.open_points)
    frames: dict[int, list[Mask]] = {}
    for track in document.tracks:
        if track.decision.verdict is Verdict.HIDE:
            for frame, box in boxes_of(track.positions):
                inside = box.within(document.source.width, document.source.height)
                if inside is not None:
                    frames.setdefault(frame, []).append(Mask(inside, track.style))
    whole = Box(0.0, 0.0, float(document.source.width), float(document.source.height))
    for frame in _hidden_frames(document.gaps):
        frames[frame] = [Mask(whole)]
    return MaskPlan({frame: tuple(masks) for frame, masks in sorted(frames.items())})


def boxes_of(positions: Sequence[Position]) -> Iterator[tuple[int, Box]]:
    """The mask of each frame from the first position to the last, moving evenly between two."""
    for one, other in pairwise(positions):
        frames = other.frame - one.frame
        for step in range(frames):
            yield one.frame + step, _between(one, other, step / frames)
    yield positions[-1].frame, box_of(positions[-1])


def box_at(track: Track, frame: int) -> Box:
    """The mask of a track in one of its frames; KeyError outside."""
    for number, box in boxes_of(track.positions):
        if number == frame:
            return box
    raise KeyError(f"track {track.id} has no frame {frame}")


def box_of(position: Position) -> Box:
    """A position as a box."""
    return Box(position.left, position.top, position.right, position.bottom)


def _between(one: Position, other: Position, share: float) -> Box:
    first, second = box_of(one), box_of(other)
    edges = zip(_edges(first), _edges(second), strict=True)
    return Box(*(begin + share * (end - begin) for begin, end in edges))


def _edges(box: Box) -> tuple[float, float, float, float]:
    return box.left, box.top, box.right, box.bottom


def _hidden_frames(gaps: Sequence[Gap]) -> Iterator[int]:
    for gap in gaps:
        if gap.decision.verdict is Verdict.HIDE:
            yield from range(gap.first, gap.last + 1)
