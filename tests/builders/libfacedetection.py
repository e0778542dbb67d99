"""libfacedetection's own code, as the oracle for the network that is made of its weights.

`int* facedetect_cnn(buffer, bgr, width, height, step)` leaves at `buffer` an
int32 count and then, for each face, sixteen int16: confidence in per cent, x, y,
width, height, five landmarks, and one unused (facedetectcnn.h).
"""

import ctypes

import cv2
import numpy as np

from media.models import LIBFACE, find_model
from media.video.detect.port import Detection, Grey
from media.video.masks import Box

_SYMBOL = "_Z14facedetect_cnnPhS_iii"  # C++ without extern "C"
_BUFFER_BYTES = 0x9000
_SHORTS = 16


def found_by_the_library(picture: Grey) -> list[Detection]:
    """Every face that the library finds, surest first; boxes in whole pixels."""
    function = getattr(ctypes.CDLL(str(find_model(LIBFACE).path)), _SYMBOL)
    function.restype = ctypes.c_void_p
    function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, *[ctypes.c_int] * 3]
    bgr = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
    buffer = np.zeros(_BUFFER_BYTES, np.uint8)
    function(buffer.ctypes.data, bgr.ctypes.data, bgr.shape[1], bgr.shape[0], bgr.strides[0])
    count = int(buffer[:4].view(np.int32)[0])
    rows = buffer[4 : 4 + 2 * _SHORTS * count].view(np.int16).reshape(count, _SHORTS).astype(float)
    found = [
        Detection(Box(left, top, left + width, top + height), percent / 100)
        for percent, left, top, width, height in rows[:, :5].tolist()
    ]
    return sorted(found, key=lambda one: -one.confidence)
