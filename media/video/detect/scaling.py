"""Pictures at another size, before they are searched."""

import cv2
import numpy as np

from media.video.detect.port import Grey


def scaled(picture: Grey, width_px: int) -> Grey:
    """The picture at another width and the same proportions, at least one pixel high."""
    height, width = picture.shape
    if width == width_px:
        return picture
    size = width_px, max(1, round(height * width_px / width))
    smoothly = cv2.INTER_AREA if width_px < width else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=smoothly), np.uint8)
