"""A detector of bright spots, so that a test knows exactly what there is to be found."""

import threading
from collections.abc import Callable

import cv2
import numpy as np

from media.video.detect.port import Detection, DetectorFacts, Grey
from media.video.masks import Box

BRIGHT = 235


class BrightSpots:
    """Finds whatever is nearly white; its size decides how sure it is.

    Args:
        on_find: Called before every search, with the number of searches so far in all threads.
        top: Confidence of a large spot.
    """

    searches = 0
    _lock = threading.Lock()

    def __init__(self, on_find: Callable[[int], None] = lambda _: None, top: float = 0.9) -> None:
        self._on_find, self._top = on_find, top

    @property
    def facts(self) -> DetectorFacts:
        return DetectorFacts("bright spots", "1", "0" * 64, "face")

    def find(self, picture: Grey) -> list[Detection]:
        with BrightSpots._lock:
            BrightSpots.searches += 1
            number = BrightSpots.searches
        self._on_find(number)
        _, _, stats, _ = cv2.connectedComponentsWithStats((picture >= BRIGHT).astype(np.uint8))
        found = [
            Detection(
                Box(float(left), float(top), float(left + width), float(top + height)),
                min(self._top, 0.5 + area / 1000),
            )
            for left, top, width, height, area in stats[1:].tolist()
        ]
        return sorted(found, key=lambda one: -one.confidence)
