"""Search a still picture for faces: before, to hide them, and after, by another detector, for who was forgotten.

A still has no frame before or after it, so it is searched in every angle and
at more sizes than a frame of footage is. Boxes are in pixels as they are
stored. The upright views count from a lower confidence: a picture that is
turned shows more that looks like a face.
"""

import cv2
import numpy as np

from media.video.detect.centerface import CenterFace
from media.video.detect.libface import LibFace
from media.video.detect.port import Detection, Grey
from media.video.detect.scaling import scaled
from media.video.detect.turned import find_in_view
from media.video.search import merged
from media.video.verify.looks import search
from media.video.views import ALL_ANGLES, FINE_WIDTH_PX, LARGE_FACE_WIDTH_PX, MAIN_WIDTH_PX, RIGHT_ANGLES

TILTED_LEAST = 0.6
SECOND_WIDTHS_PX = (MAIN_WIDTH_PX, FINE_WIDTH_PX)
#: CenterFace on one picture, without frames around it: below this it sees faces in leaves and cloth.
SECOND_LEAST = 0.5
_LONGEST_SIDE_PX = 4000  #: of what is searched


def first_look(picture: Grey) -> tuple[Detection, ...]:
    """Faces by libfacedetection, one each, surest first."""
    cv2.setNumThreads(1)
    detector = LibFace()
    found: list[Detection] = []
    for width in (LARGE_FACE_WIDTH_PX, MAIN_WIDTH_PX, FINE_WIDTH_PX, 2 * FINE_WIDTH_PX):
        if width > 2 * picture.shape[1]:
            break
        view = _view(picture, width)
        for angle in ALL_ANGLES if width <= FINE_WIDTH_PX else RIGHT_ANGLES:
            hits = find_in_view(detector, view, angle, view.shape[1] / picture.shape[1])
            found += [one for one in hits if angle == 0 or one.confidence >= TILTED_LEAST]
    return merged(found)


def second_look(picture: Grey) -> tuple[Detection, ...]:
    """Faces by CenterFace."""
    cv2.setNumThreads(1)
    detector = CenterFace(SECOND_LEAST)
    found: list[Detection] = []
    for width in SECOND_WIDTHS_PX:
        view = _view(picture, width)
        scale = view.shape[1] / picture.shape[1]
        for box, confidence in search(detector, view, RIGHT_ANGLES):
            found.append(Detection(box.scaled(1 / scale), confidence))
    return merged(found)


def _view(picture: Grey, width_px: int) -> Grey:
    """The picture at that width, or what of it fits the longest side; never larger than twice itself."""
    height, width = picture.shape
    wanted = min(width_px, 2 * width)
    longest = max(wanted, wanted * height // width)
    if longest > _LONGEST_SIDE_PX:
        wanted = max(1, wanted * _LONGEST_SIDE_PX // longest)
    return np.ascontiguousarray(scaled(picture, wanted))
