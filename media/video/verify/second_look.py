"""Search the finished copy with another detector: whoever it finds outside the masks was forgotten.

The picture is searched upright and turned, as a detector of upright faces finds
none that lie down. A hit counts as hidden where a mask covers most of it, and as
kept where the decision was that this person stays visible.
"""

from collections.abc import Callable, Sequence
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


class Searcher(Protocol):
    """The part of a detector that is needed here; `media.video.detect` has several."""

    @property
    def facts(self) -> Facts:
        """Who looks."""

    def find(self, picture: Grey) -> Sequence[Found]:
        """Everything it finds in (height, width) of brightness."""


@dataclass(frozen=True, slots=True)
class SecondLook:
    """How to search.

    Attributes:
        make: Makes the detector, in the worker: a function of a module, or a `functools.partial` of one. It
            should be another detector than the first, at a lower threshold.
        every_frames: 1 for all of them. The first one and the last one are looked at in any case.
        angles: Clockwise degrees, multiples of 90, by which the picture is turned before it is searched.
    """

    make: Callable[[], Searcher]
    every_frames: int = 6
    angles: tuple[int, ...] = (0, 90, 180, 270)


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
