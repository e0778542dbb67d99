"""Under a mask there is what its style promises, also where the mask has hardly room for it."""

import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from media.video.masks import Box, Mask
from media.video.verify.pictures import compare

WIDTH, HEIGHT = 128, 96
BLACK, FACE = 16, 120
SLIVER = Mask(Box(40, 0, 85, 2))
FACE_SIZED = Mask(Box(40, 20, 80, 70))


def picture(luma: NDArray[np.uint8]) -> VideoFrame:
    grey = np.full((HEIGHT // 2, WIDTH), 128, np.uint8)
    return VideoFrame.from_ndarray(np.concatenate([luma, grey]), format="yuv420p")


def painted(mask: Mask, level: int) -> VideoFrame:
    luma = np.full((HEIGHT, WIDTH), FACE, np.uint8)
    box = mask.box
    luma[int(box.top) : int(box.bottom), int(box.left) : int(box.right)] = level
    return picture(luma)


SOURCE = picture(np.full((HEIGHT, WIDTH), FACE, np.uint8))


@pytest.mark.parametrize("mask", [SLIVER, FACE_SIZED])
def test_a_fill_is_black(mask: Mask) -> None:
    assert compare(SOURCE, painted(mask, BLACK), [mask]).fault is None


@pytest.mark.parametrize("mask", [SLIVER, FACE_SIZED])
@pytest.mark.parametrize("level", [FACE, BLACK + 30])
def test_what_is_left_under_a_mask_is_found_however_narrow_it_is(mask: Mask, level: int) -> None:
    assert compare(SOURCE, painted(mask, level), [mask]).fault == "fill"


def test_what_the_encoder_smears_into_a_mask_that_is_all_edge_is_no_face() -> None:
    smeared = BLACK + 8
    assert compare(SOURCE, painted(SLIVER, smeared), [SLIVER]).fault is None
    assert compare(SOURCE, painted(FACE_SIZED, smeared), [FACE_SIZED]).fault == "fill"
