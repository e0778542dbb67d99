"""A YuNet model that the operator supplies, through OpenCV's FaceDetectorYN.

Neither OpenCV's wheel nor any other that Retention installs brings these
weights, so the operator names a file and its SHA-256, which is checked at each
load. The model must have YuNet's inputs and outputs (OpenCV's model zoo,
`face_detection_yunet`).
"""

from pathlib import Path

import cv2

from media.errors import ToolFailed
from media.models import check_digest
from media.video.detect.port import Detection, DetectorFacts, Grey, in_order, with_margin
from media.video.masks import Box

THRESHOLD = 0.3
_NMS_OVERLAP = 0.3
_TOP = 5000  #: hits kept before suppression, OpenCV's default


class YuNet:
    """Faces by a YuNet in an ONNX file."""

    def __init__(self, path: Path, sha256: str, threshold: float = THRESHOLD) -> None:
        check_digest(path, sha256)
        try:
            self._net = cv2.FaceDetectorYN.create(str(path), "", (320, 320), threshold, _NMS_OVERLAP, _TOP)
        except cv2.error as error:
            raise ToolFailed(f"{path} cannot be used as a YuNet model: {error}") from error
        self._path = path
        self._facts = DetectorFacts(f"YuNet ({path.name})", "operator's", sha256.lower(), "face")

    @property
    def facts(self) -> DetectorFacts:
        """See `Detector`."""
        return self._facts

    def find(self, picture: Grey) -> list[Detection]:
        """See `Detector`."""
        bgr = cv2.cvtColor(with_margin(picture), cv2.COLOR_GRAY2BGR)
        try:
            self._net.setInputSize((bgr.shape[1], bgr.shape[0]))
            rows = self._net.detect(bgr)[1]
        except cv2.error as error:
            raise ToolFailed(f"{self._path} failed as a YuNet model: {error}") from error
        found = [] if rows is None else [row for row in rows if row[2] > 0 and row[3] > 0]
        return in_order([_detection([float(value) for value in row]) for row in found], picture)


def _detection(row: list[float]) -> Detection:
    left, top, width, height = row[:4]
    return Detection(Box(left, top, left + width, top + height), row[-1])
