"""Whole persons by OpenCV's HOG detector (Dalal and Triggs, CVPR 2005).

Weights come with OpenCV. It knows people who stand or walk, seen from the side
of a street or a room; not sitting, lying, from above, or cut off. So it is a
help beside the motion net and the face, never the only look.
"""

import hashlib

import cv2
import numpy as np

from media.errors import ToolFailed
from media.video.detect.port import Detection, DetectorFacts, Grey, in_order
from media.video.masks import Box

THRESHOLD = 0.3  #: margin of the classifier, as OpenCV's samples draw it
_UPSCALE = 1.6  #: the window is 64 x 128 and people in footage are smaller
_STEP_PX = (8, 8)
_SCALE = 1.1
_BODY = (0.14, 0.06)  #: of the window's width and height: the margin around the person it was trained with


class People:
    """Persons by HOG."""

    def __init__(self, threshold: float = THRESHOLD) -> None:
        weights = np.asarray(cv2.HOGDescriptor.getDefaultPeopleDetector(), np.float32)
        self._hog = cv2.HOGDescriptor()
        self._hog.setSVMDetector(weights)
        self._threshold = threshold
        sha256 = hashlib.sha256(weights.tobytes()).hexdigest()
        self._facts = DetectorFacts("OpenCV HOG people", cv2.__version__, sha256, "person")

    @property
    def facts(self) -> DetectorFacts:
        """See `Detector`."""
        return self._facts

    def find(self, picture: Grey) -> list[Detection]:
        """See `Detector`."""
        large = cv2.resize(picture, None, fx=_UPSCALE, fy=_UPSCALE)
        padded = cv2.copyMakeBorder(large, 16, 128, 16, 64, cv2.BORDER_REPLICATE)
        try:
            boxes, weights = self._hog.detectMultiScale(
                padded, hitThreshold=self._threshold, winStride=_STEP_PX, scale=_SCALE, groupThreshold=1
            )
        except cv2.error as error:
            raise ToolFailed(f"OpenCV's HOG failed on a picture of {picture.shape}: {error}") from error
        found = [
            _detection([float(value) for value in box], float(weight))
            for box, weight in zip(boxes, np.ravel(weights), strict=True)
        ]
        return in_order(found, picture)


def _detection(box: list[float], weight: float) -> Detection:
    left, top, width, height = (
        (value - shift) / _UPSCALE for value, shift in zip(box, (16, 16, 0, 0), strict=True)
    )
    across, down = width * _BODY[0], height * _BODY[1]
    inner = Box(left + across, top + down, left + width - across, top + height - down)
    return Detection(inner, min(1.0, weight / 2))
