"""Look at one picture turned and scaled, and say where in the picture something was.

Face detectors know upright faces: libfacedetection loses most of them 20° off
and nearly all at 30° (measured on the labelled footage), CenterFace likewise.
So a picture whose faces lie otherwise is turned before it is searched.

Angles are in degrees clockwise: what the picture has to be turned by for the
heads to stand upright.
"""

import math

import cv2
import numpy as np

from media.video.detect.port import Detection, Detector, Grey
from media.video.masks import Box

_QUARTERS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


def find_in_view(detector: Detector, picture: Grey, angle_deg: int, scale: float) -> list[Detection]:
    """What the detector finds in `picture` turned by `angle_deg`.

    Args:
        detector: Who looks.
        picture: Already scaled.
        angle_deg: See the module.
        scale: Pixels of `picture` per pixel of the stored picture.

    Returns:
        Detections in pixels of the stored picture.
    """
    turned = _turned(picture, angle_deg)
    middles = tuple((side - 1) / 2 for side in (*picture.shape[::-1], *turned.shape[::-1]))
    return [
        Detection(_turned_back(one.box, angle_deg, middles, scale), one.confidence)
        for one in detector.find(turned)
    ]


def _turned(picture: Grey, angle_deg: int) -> Grey:
    if angle_deg == 0:
        return picture
    if angle_deg in _QUARTERS:
        return np.asarray(cv2.rotate(picture, _QUARTERS[angle_deg]), np.uint8)
    height, width = picture.shape
    sine, cosine = _sine_cosine(angle_deg)
    across = math.ceil(abs(width * cosine) + abs(height * sine))
    down = math.ceil(abs(width * sine) + abs(height * cosine))
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -angle_deg, 1.0)
    matrix[0, 2] += (across - width) / 2
    matrix[1, 2] += (down - height) / 2
    return np.asarray(cv2.warpAffine(picture, matrix, (across, down)), np.uint8)


def _turned_back(box: Box, angle_deg: int, middles: tuple[float, ...], scale: float) -> Box:
    """The upright box around the ellipse that `box` holds, in the stored picture."""
    sine, cosine = _sine_cosine(angle_deg)
    right = (box.left + box.right) / 2 - middles[2]
    down = (box.top + box.bottom) / 2 - middles[3]
    x = (right * cosine + down * sine + middles[0]) / scale
    y = (down * cosine - right * sine + middles[1]) / scale
    half_width = math.hypot(box.width * cosine, box.height * sine) / 2 / scale
    half_height = math.hypot(box.width * sine, box.height * cosine) / 2 / scale
    return Box(x - half_width, y - half_height, x + half_width, y + half_height)


def _sine_cosine(angle_deg: int) -> tuple[float, float]:
    turn = math.radians(angle_deg)
    return math.sin(turn), math.cos(turn)
