"""What every finder of faces or people promises.

A picture is luma alone: brightness finds a face as well as colour does
(measured on the labelled footage), and a video's luma plane costs nothing to
reach. Boxes are in pixels of the picture handed in; confidence is 0 to 1 and
means nothing across finders.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from media.video.masks import Box

Grey = NDArray[np.uint8]  #: (height, width), brightness

#: A picture with a shorter side is searched as if it lay on grey of this size. OpenCV 4.14 answers at random
#: where a layer is one pixel high, as the last one of YuNet is at 32.
MIN_SIDE_PX = 64
_GREY = 127


@dataclass(frozen=True, slots=True)
class Detection:
    """Something found."""

    box: Box
    confidence: float


@dataclass(frozen=True, slots=True)
class DetectorFacts:
    """Which finder looked, for the record."""

    name: str
    version: str
    sha256: str  #: of the weights or of the library that holds them
    finds: Literal["face", "person"]
    threshold: float | None = None  #: the confidence from which it reports; None where it does not say


class Detector(Protocol):
    """Finds faces, or people, in one picture.

    An instance serves one thread at a time; several instances may work at once,
    and none starts threads of its own. `find` lets other Python threads run.
    """

    @property
    def facts(self) -> DetectorFacts:
        """Who looked: constant over the life of the instance."""

    def find(self, picture: Grey) -> list[Detection]:
        """Everything at or above the detector's threshold, surest first.

        The picture may have any size of at least one pixel and any strides, and is not changed. The same
        picture gives the same answer. A box's middle lies in the picture; its edges may lie outside. It raises ToolFailed when the finder is broken,
        never an empty list.
        """


def in_order(found: list[Detection], picture: Grey) -> list[Detection]:
    """Surest first, without what lies in the margin that an adapter had put around the picture."""
    height, width = picture.shape
    inside = [one for one in found if _is_inside(one.box, width, height)]
    return sorted(inside, key=lambda one: -one.confidence)


def with_margin(picture: Grey, multiple_px: int = 1) -> Grey:
    """The picture with grey below and to the right, so that no side is too short or no such multiple."""
    below, beside = (max(MIN_SIDE_PX - side, -side % multiple_px) for side in picture.shape)
    if below <= 0 and beside <= 0:
        return picture
    return np.pad(picture, ((0, max(below, 0)), (0, max(beside, 0))), constant_values=_GREY)


def _is_inside(box: Box, width: int, height: int) -> bool:
    return 0 <= box.left + box.right < 2 * width and 0 <= box.top + box.bottom < 2 * height
