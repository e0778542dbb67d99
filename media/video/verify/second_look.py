"""Search the finished copy with another detector: whoever it finds outside the masks was forgotten.

The picture is searched upright and turned, as a detector of upright faces finds
none that lie down. A hit counts as hidden where a mask covers most of it, and as
kept where the decision was that this person stays visible.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from media.video.detect.port import Grey
from media.video.masks import Box

MAX_SIDE_PX = 1280  #: as wide as the first look searches, for faces of 15 pixels and more
HIDDEN_SHARE = (
    0.5  #: of a hit that must lie under masks: detectors find ears and collars around a filled face
)
KEPT_GROWTH = 0.3  #: a kept person's box is widened by this share: two detectors draw two boxes


class Found(Protocol):
    """What a detector found."""

    @property
    def box(self) -> Box:
        """In pixels of the picture that was searched."""

    @property
    def confidence(self) -> float:
        """0 to 1."""


class Facts(Protocol):
    """Which detector it is."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def version(self) -> str:
        """Of its program."""

    @property
    def sha256(self) -> str:
        """Of its weights."""

    @property
    def threshold(self) -> float | None:
        """The confidence from which it reports; None where it does not say."""


class Searcher(Protocol):
    """The part of a detector that is needed here; `media.video.detect` has several."""

    @property
    def facts(self) -> Facts:
        """Who looks."""

    def find(self, picture: Grey) -> Sequence[Found]:
        """Everything it finds in (height, width) of brightness."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen in every frame that was looked at, from `first` to `last`."""

    first: int
    last: int
    hits: tuple[tuple[Box, float], ...]  #: and how sure the detector was


@dataclass(frozen=True, slots=True)
class Known:
    """What the detector of the second look saw in the source, whatever became of it.

    It counts for pictures of the copy that are proved to be the source's own, and only where it was this
    source, and the detector, its size and its angles were those of the second look, at no higher threshold.

    Attributes:
        source_sha256: Of the file that was searched.
        frames: It was decoded to so many.
        by: Which detector looked.
        every_frames: Frames of which the number is a multiple of this were looked at, and the last one.
        width_px: The width at which a picture was searched.
        angles: As in `SecondLook`.
        sights: In order, without those in which nobody was seen.
    """

    source_sha256: str
    frames: int
    by: Facts
    every_frames: int
    width_px: int
    angles: tuple[int, ...]
    sights: tuple[Sight, ...]

    def hits_in(self, frames: Sequence[int]) -> Iterator[tuple[int, list[tuple[Box, float]]]]:
        """What was seen in these frames, which ascend and were looked at."""
        sights = iter(self.sights)
        here = next(sights, None)
        for frame in frames:
            while here is not None and here.last < frame:
                here = next(sights, None)
            yield frame, list(here.hits) if here is not None and here.first <= frame else []


@dataclass(frozen=True, slots=True)
class SecondLook:
    """How to search.

    Attributes:
        make: Makes the detector, in the worker: a function of a module, or a `functools.partial` of one. It
            should be another detector than the first, at a lower threshold.
        every_frames: 1 for all of them. The first one and the last one are looked at in any case.
        angles: Clockwise degrees, multiples of 90, by which the picture is turned before it is searched.
        known: What it need not look for again; without it every picture of the copy is decoded and compared.
    """

    make: Callable[[], Searcher]
    every_frames: int = 6
    angles: tuple[int, ...] = (0, 90, 180, 270)
    known: Known | None = None

    def knows(self, source_sha256: str, facts: Facts, size: tuple[int, int]) -> Known | None:
        """What is known of pictures of this source, (width, height), as this look would find it; else None."""
        known = self.known
        if known is None or known.source_sha256 != source_sha256:
            return None
        is_same = all(
            (
                _who(known.by) == _who(facts),
                known.by.threshold is not None and facts.threshold is not None,
                (known.by.threshold or 0) <= (facts.threshold or 0),
                set(self.angles) <= set(known.angles),
                self.every_frames % known.every_frames == 0,
                known.width_px == searched_width(*size),
            )
        )
        return known if is_same else None


def searched_width(width: int, height: int) -> int:
    """The width at which a picture is searched: a large one is made smaller."""
    return round(width / max(1.0, max(width, height) / MAX_SIDE_PX))


def _who(facts: Facts) -> tuple[str, str, str]:
    return facts.name, facts.version, facts.sha256


def is_hidden(hit: Box, masks: Sequence[Box]) -> bool:
    """Whether masks cover enough of a hit. Masks that lie over each other count once."""
    return covered_share(hit, masks) >= HIDDEN_SHARE


def is_kept(hit: Box, kept: Sequence[Box]) -> bool:
    """Whether a hit is on somebody who stays visible by decision."""
    return any(one.grown(KEPT_GROWTH).overlap(hit) >= HIDDEN_SHARE * hit.area for one in kept)


def covered_share(hit: Box, masks: Sequence[Box]) -> float:
    """Share of a hit's area that lies under at least one mask."""
    edges_x = sorted(
        {hit.left, hit.right, *(x for m in masks for x in (m.left, m.right) if hit.left < x < hit.right)}
    )
    edges_y = sorted(
        {hit.top, hit.bottom, *(y for m in masks for y in (m.top, m.bottom) if hit.top < y < hit.bottom)}
    )
    covered = 0.0
    for left, right in pairwise(edges_x):
        for top, bottom in pairwise(edges_y):
            x, y = (left + right) / 2, (top + bottom) / 2
            if any(m.left <= x < m.right and m.top <= y < m.bottom for m in masks):
                covered += (right - left) * (bottom - top)
    return covered / hit.area
