"""A picture is turned for the detector, and what is found lies where it was in the stored picture."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from media.video.detect.scaling import scaled
from media.video.detect.turned import find_in_view
from media.video.masks import Box
from tests.fakes.bright_spots import BrightSpots


@given(
    st.integers(0, 359),
    st.integers(60, 200),
    st.integers(60, 200),
    st.integers(10, 30),
    st.integers(10, 30),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_what_is_found_turned_lies_where_it_is_upright(
    angle: int, height: int, width: int, high: int, wide: int, across: float, down: float
) -> None:
    picture = np.zeros((height, width), np.uint8)
    left, top = round(across * (width - wide)), round(down * (height - high))
    picture[top : top + high, left : left + wide] = 255
    (found,) = find_in_view(BrightSpots(), picture, angle, 1.0)
    middle = (found.box.left + found.box.right) / 2, (found.box.top + found.box.bottom) / 2
    assert math.dist(middle, (left + wide / 2, top + high / 2)) < 2
    if angle % 90 == 0:
        assert found.box.iou(Box(left, top, left + wide, top + high)) > 0.95


@given(st.sampled_from([0, 90, 180, 270]), st.floats(0.4, 2.5))
def test_what_is_found_scaled_lies_where_it_is_in_the_stored_picture(angle: int, scale: float) -> None:
    picture = np.zeros((120, 200), np.uint8)
    picture[30:70, 50:90] = 255
    width = round(200 * scale)
    (found,) = find_in_view(BrightSpots(), scaled(picture, width), angle, width / 200)
    assert found.box.iou(Box(50, 30, 90, 70)) > 0.7
