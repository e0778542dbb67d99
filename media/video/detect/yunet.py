"""YuNet through OpenCV's FaceDetectorYN, and from a file of the operator's own.

Any model of the family will do that OpenCV reads (Wu, Peng and Yu, 2023; the
OpenCV zoo has several). Nothing is fetched here, and nothing is trusted: the
file is read once, must have the SHA-256 that the operator names, and what was
read is what is used. FaceDetectorYN reads the outputs through bare pointers, so
their names and shapes are checked before it is given the model.
"""

import hashlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from media.errors import ToolFailed
from media.video.detect.network import COLUMNS, STRIDES
from media.video.detect.port import Detection, DetectorFacts, Grey, in_order, with_margin
from media.video.masks import Box

THRESHOLD = 0.3  #: recall per millisecond is best here; tracks weed out what is alone and weak
_OVERLAP = 0.3  #: IoU above which two hits are the same face; OpenCV's default
_MOST = 5000  #: hits before overlapping ones are dropped; OpenCV's default
_TRIAL_PX = 320
_MULTIPLE_PX = 32  #: the network halves five times
_MAX_NETS = 8  #: sizes remembered: a net that changes its size takes half as long again
_SCORE = 14  #: after the box and five landmarks


class YuNet:
    """Faces by a model that the operator supplies.

    Args:
        path: An ONNX file.
        sha256: That it must have, in hexadecimal.
        threshold: Least confidence.

    Raises:
        ToolFailed: It is missing, another file, or no YuNet.
    """

    def __init__(self, path: Path, sha256: str, threshold: float = THRESHOLD) -> None:
        self._nets = FaceNets(str(path), _read(path, sha256), threshold)
        self._facts = DetectorFacts(f"YuNet, {path.name}", cv2.__version__, sha256.lower(), "face", threshold)

    @property
    def facts(self) -> DetectorFacts:
        """See `Detector`."""
        return self._facts

    def find(self, picture: Grey) -> list[Detection]:
        """See `Detector`."""
        return self._nets.find(picture)


class FaceNets:
    """A network of the family, ready for several sizes of picture.

    Args:
        name: For errors.
        model: The content of an ONNX file.
        threshold: Least confidence.

    Raises:
        ToolFailed: It is no YuNet.
    """

    def __init__(self, name: str, model: bytes, threshold: float) -> None:
        self._name, self._threshold = name, threshold
        self._model = np.frombuffer(model, np.uint8)
        self._nets: dict[tuple[int, int], cv2.FaceDetectorYN] = {}
        _check_outputs(name, self._model)

    def find(self, picture: Grey) -> list[Detection]:
        """See `Detector`."""
        bgr = cv2.cvtColor(with_margin(picture, _MULTIPLE_PX), cv2.COLOR_GRAY2BGR)
        try:
            _, rows = self._net_for((bgr.shape[1], bgr.shape[0])).detect(bgr)
        except cv2.error as error:
            raise ToolFailed(f"{self._name} failed on a picture of {picture.shape}: {error}") from error
        if rows is None:
            return []
        if not np.isfinite(rows).all():
            raise ToolFailed(f"{self._name} answered with what are no numbers; it is broken")
        return in_order([_detection(row) for row in rows if min(row[2:4]) > 0], picture)

    def _net_for(self, size: tuple[int, int]) -> cv2.FaceDetectorYN:
        if size not in self._nets:
            if len(self._nets) == _MAX_NETS:
                self._nets.pop(next(iter(self._nets)))
            nothing = np.empty(0, np.uint8)
            self._nets[size] = cv2.FaceDetectorYN.create(
                "onnx", self._model, nothing, size, self._threshold, _OVERLAP, _MOST
            )
        return self._nets[size]


def _read(path: Path, sha256: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ToolFailed(f"{path} cannot be read: {error}") from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256.lower():
        raise ToolFailed(
            f"{path} has the SHA-256 {digest}, not the expected {sha256}; it is not used."
            " Get the right file, or find out who changed it"
        )
    return content


def _check_outputs(name: str, model: Any) -> None:
    """Let the model look at an empty picture: it must answer in the shapes that FaceDetectorYN reads."""
    expected = {
        f"{kind}_{stride}": (1, (_TRIAL_PX // stride) ** 2, columns)
        for kind, columns in COLUMNS.items()
        for stride in STRIDES
    }
    try:
        net = cv2.dnn.readNetFromONNX(model)
        if missing := sorted(expected.keys() - set(net.getUnconnectedOutLayersNames())):
            raise ToolFailed(
                f"{name} is no YuNet that OpenCV's FaceDetectorYN reads: it lacks the outputs {', '.join(missing)}"
            )
        net.setInput(np.zeros((1, 3, _TRIAL_PX, _TRIAL_PX), np.float32))
        answers = net.forward(list(expected))
    except cv2.error as error:
        raise ToolFailed(f"{name} cannot be used as a YuNet model: {error}") from error
    for output, answer in zip(expected, answers, strict=True):
        if answer.shape != expected[output] or not np.isfinite(answer).all():
            raise ToolFailed(
                f"{name} is no YuNet that OpenCV's FaceDetectorYN reads: its output {output} has the shape"
                f" {answer.shape}, expected numbers of {expected[output]}"
            )


def _detection(row: Any) -> Detection:
    left, top, width, height = (float(value) for value in row[:4])
    return Detection(Box(left, top, left + width, top + height), min(1.0, float(row[_SCORE])))
