"""A detector whose truth is known: it finds bright spots, whichever way the picture is turned."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from media.video.masks import Box


@dataclass(frozen=True)
class Spot:
    box: Box
    confidence: float


@dataclass(frozen=True)
class BrightFacts:
    name: str = "bright spots"
    version: str = "1"
    sha256: str = "0" * 64
    threshold: float | None = 0.5


class BrightFinder:
    """Finds connected pixels above a level, larger than 30 of them."""

    def __init__(self, level: int) -> None:
        self._level = level

    @property
    def facts(self) -> BrightFacts:
        return BrightFacts()

    def find(self, picture: NDArray[np.uint8]) -> list[Spot]:
        _, _, stats, _ = cv2.connectedComponentsWithStats((picture > self._level).astype(np.uint8))
        return [
            Spot(Box(float(x), float(y), float(x + w), float(y + h)), 0.9)
            for x, y, w, h, area in stats[1:].tolist()
            if area > 30
        ]
