"""What is painted over, where, and in which frame.

Frames count from 0 in presentation order. Boxes lie in stored pixels, before
the rotation that a player applies; the origin is the upper left corner, and
the right and lower edges are outside. Nothing here touches a picture.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in stored pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if not (self.left < self.right and self.top < self.bottom):
            raise ValueError(f"a box needs width and height: {self}")

    @property
    def width(self) -> float:
        """Pixels from left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Pixels from top to bottom."""
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """Square pixels."""
        return self.width * self.height

    def grown(self, share: float) -> "Box":
        """The same centre, and `share` of the width and height more on every side."""
        across, down = self.width * share, self.height * share
        return Box(self.left - across, self.top - down, self.right + across, self.bottom + down)

    def widened(self, share: float) -> "Box":
        """The same centre, and `share` of the longer side more on every side."""
        more = share * max(self.width, self.height)
        return Box(self.left - more, self.top - more, self.right + more, self.bottom + more)

    def moved(self, right: float, down: float) -> "Box":
        """The same size elsewhere."""
        return Box(self.left + right, self.top + down, self.right + right, self.bottom + down)

    def scaled(self, factor: float) -> "Box":
        """The same in a picture of another size."""
        return Box(self.left * factor, self.top * factor, self.right * factor, self.bottom * factor)

    def overlap(self, other: "Box") -> float:
        """Square pixels that both cover."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(across, 0.0) * max(down, 0.0)

    def iou(self, other: "Box") -> float:
        """Intersection over union, 0 to 1."""
        both = self.overlap(other)
        return both / (self.area + other.area - both)

    def within(self, width: int, height: int) -> "Box | None":
        """What of it lies inside a picture; None where nothing does."""
        left, top = max(self.left, 0.0), max(self.top, 0.0)
        right, bottom = min(self.right, float(width)), min(self.bottom, float(height))
        return Box(left, top, right, bottom) if left < right and top < bottom else None


class Style(StrEnum):
    """How the pixels under a mask are destroyed."""

    FILL = "fill"  #: one colour: nothing is left
    MOSAIC = "mosaic"  #: at most 8 × 8 cells: weaker, and the report says so
    COSMETIC = "cosmetic"  #: filled, then softened at the edges: nothing is left either


@dataclass(frozen=True, slots=True)
class Mask:
    """One painted rectangle of one frame."""

    box: Box
    style: Style = Style.FILL


@dataclass(frozen=True, slots=True)
class MaskPlan:
    """Every mask of a video.

    Attributes:
        frames: Masks by frame number; a frame that is not named has none.
    """

    frames: Mapping[int, Sequence[Mask]] = field(default_factory=lambda: MappingProxyType({}))

    def at(self, frame: int) -> Sequence[Mask]:
        """The masks of one frame."""
        return self.frames.get(frame, ())
