"""The net: what is the same, what moves, whether the camera does."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from media.video.detect.port import Grey
from media.video.detect.scaling import scaled
from media.video.masks import Box
from media.video.motion import NET_WIDTH_PX, MotionNet, Steadiness, is_cut, is_same
from tests.builders.footage import room, with_spot

SMALL = scaled(room(), NET_WIDTH_PX)


def noisy(picture: Grey, seed: int, levels: float = 4.0) -> Grey:
    noise = np.random.default_rng(seed).normal(0, levels, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def test_a_noisy_picture_of_the_same_room_is_the_same() -> None:
    assert is_same(noisy(SMALL, 1), noisy(SMALL, 2))


@pytest.mark.parametrize("level", [20, 160, 255])
def test_a_small_face_that_appears_is_not_the_same(level: int) -> None:
    assert not is_same(with_spot(SMALL, 100, 60, 6, level), SMALL)


def test_something_that_walks_through_is_the_only_thing_that_moves() -> None:
    net = MotionNet()
    for step in range(30):
        net.look(noisy(SMALL, step))
    for step in range(10):
        place = 20 + 8 * step
        moved = net.look(noisy(with_spot(SMALL, place, 60, 20), 100 + step))
        assert max(box.iou(Box(place, 60, place + 20, 80)) for box in moved.boxes) > 0.4
    assert len(moved.boxes) <= 2


def test_who_stands_there_from_the_start_is_seen_once_the_room_is_known() -> None:
    net = MotionNet()
    net.warm(noisy(with_spot(SMALL, 20 * step, 60, 20), step) for step in range(12))
    assert any(box.iou(Box(100, 60, 120, 80)) > 0.4 for box in net.look(with_spot(SMALL, 100, 60, 20)).boxes)


def test_a_light_that_goes_on_blinds_the_net_and_it_says_so() -> None:
    net = MotionNet()
    for step in range(30):
        net.look(noisy(SMALL, step))
    moved = net.look(np.clip(SMALL.astype(int) + 90, 0, 255).astype(np.uint8))
    assert moved.is_blind
    assert moved.boxes == ()


def test_another_scene_is_a_cut_and_a_walker_is_none() -> None:
    assert is_cut(255 - SMALL, SMALL)
    assert not is_cut(with_spot(SMALL, 100, 20, 60), SMALL)


@given(st.integers(0, 2**32 - 1), st.floats(0, 12), st.floats(0, 12))
def test_two_pictures_that_are_the_same_as_a_third_are_no_cut(
    seed: int, lighter: float, darker: float
) -> None:
    """So nobody asks whether they are."""
    middle = np.random.default_rng(seed).integers(0, 256, SMALL.shape).astype(np.uint8)
    one, other = noisy(middle, seed + 1, lighter), noisy(middle, seed + 2, darker)
    light, dark = (np.clip(middle + by, 0, 255).astype(np.uint8) for by in (lighter, -darker))
    for pair in ((one, other), (light, dark)):
        assume(all(is_same(picture, middle) for picture in pair))
        assert not is_cut(*pair)


def test_a_camera_that_stands_still_is_told_from_one_that_pans() -> None:
    wide = scaled(room(7), 1280)
    fixed, panning = Steadiness(), Steadiness()
    for look in range(60):
        fixed.look(noisy(with_spot(SMALL, 4 * look, 60, 60), look))
        panning.look(noisy(np.ascontiguousarray(wide[:180, 5 * look : 5 * look + NET_WIDTH_PX]), look))
    assert fixed.verdict[0]
    assert not panning.verdict[0]
    assert "of 7 comparisons" in panning.verdict[1]
