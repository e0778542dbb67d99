"""The small picture of a track shows the frame that it is named after, wherever in the footage that lies."""

import base64
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from media.video.detect.port import Grey
from media.video.frames import open_footage
from media.video.masks import Box
from media.video.thumbnails import Wanted, cut_out
from tests.builders.footage import write_footage

FRAMES = 400
WHOLE = Box(0, 0, 64, 48)


def darkening() -> Iterator[Grey]:
    """No frame is as bright as one that is more than a second away."""
    for index in range(FRAMES):
        yield np.full((48, 64), 240 - index // 2, np.uint8)


def shown(picture: str) -> float:
    """How bright a thumbnail is."""
    pixels = cv2.imdecode(np.frombuffer(base64.b64decode(picture), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    return float(pixels.mean())


@pytest.mark.parametrize("name", ["in.mp4", "in.mkv", "in.ts", "in.avi"])
def test_frames_far_apart_are_shown_as_they_are_in_any_container(tmp_path: Path, name: str) -> None:
    """Some containers find a place in them, some come out behind it, and some not at all."""
    path = write_footage(tmp_path / name, darkening(), lossless=False)
    with open_footage(path) as footage:
        pts = [frame.pts or 0 for frame in footage.frames()]
    wanted = (390, 3, 150, 151, 280)
    pictures = cut_out(path, [Wanted(frame, WHOLE) for frame in wanted], pts)
    assert [shown(each) for each in pictures] == pytest.approx([240 - frame // 2 for frame in wanted], abs=2)


def test_where_the_times_do_not_tell_frames_apart_they_are_counted(tmp_path: Path) -> None:
    path = write_footage(tmp_path / "in.mp4", darkening(), lossless=False)
    elsewhere = [7 * index + 1 for index in range(FRAMES)]
    (picture,) = cut_out(path, [Wanted(350, WHOLE)], elsewhere)
    assert shown(picture) == pytest.approx(240 - 350 // 2, abs=2)
