"""Painting: what is under a mask is gone, in every form of picture, and what is not is untouched."""

from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from media.video.masks import Box, Mask, Style
from media.video.render.paint import MAX_CELLS, hidden_area, output_format, paint
from tests.golden.clips import decoded, luma, scene, write_clip

PIXEL_FORMATS = [
    *("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuv411p", "yuv410p", "yuv440p"),
    *("nv12", "nv16", "gray", "yuv420p10le", "yuv422p10le", "yuv444p10le", "p010le", "gray10le"),
    *("rgb24", "bgr24", "gbrp", "yuyv422", "uyvy422", "rgba", "yuva420p"),
]
BOX = Box(13.4, 9.2, 30.7, 25.9)
SIZE = (50, 38)


def _frame(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], form: str) -> VideoFrame:
    return VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=form, threads=1)


def _planes(frame: VideoFrame) -> list[bytes]:
    """Samples without the padding behind each row."""
    found = []
    for plane, component in zip(frame.planes, frame.format.components, strict=True):
        rows = np.frombuffer(memoryview(plane).cast("B"), np.uint8).reshape(plane.height, -1)
        found.append(rows[:, : component.width].tobytes())
    return found


def _copy(frame: VideoFrame) -> VideoFrame:
    copy = VideoFrame(frame.width, frame.height, frame.format.name)
    for old, new in zip(frame.planes, copy.planes, strict=True):
        new.update(bytes(old))
    return copy


def _perturbed(style: Style, form: str) -> tuple[list[bytes], list[bytes]]:
    """The planes of two painted pictures whose every hidden sample differed before."""
    shown = scene(0, *SIZE)
    rows, columns = slice(10, 25), slice(14, 30)  # the whole pixels inside BOX
    if form in {"rgb24", "bgr24", "gbrp", "rgba"}:
        other = shown.copy()
        other[rows, columns] = 255 - other[rows, columns]
        frames = [_frame(shown, form), _frame(other, form)]
    else:  # on the samples themselves, as a conversion to 10 bits spreads its rounding
        first = _frame(shown, form)
        frames = [first, _copy(first)]
        for plane, component in zip(frames[1].planes, frames[1].format.components, strict=True):
            dtype = np.uint16 if component.bits > 8 else np.uint8
            samples = np.frombuffer(memoryview(plane).cast("B"), dtype).reshape(plane.height, -1)
            samples[rows, columns] = 200 - samples[rows, columns]
    one, two = (_planes(paint(frame, [Mask(BOX, style)])) for frame in frames)
    return one, two


@pytest.mark.parametrize(
    "form", ["yuv444p", "gray", "rgb24", "bgr24", "gbrp", "rgba", "yuv444p10le", "gray10le"]
)
@pytest.mark.parametrize("style", [Style.FILL, Style.COSMETIC])
def test_hidden_pixels_leave_no_trace_in_the_whole_picture(form: str, style: Style) -> None:
    """One sample a pixel: the source's own sampling mixes nothing, so nothing at all may differ."""
    one, two = _perturbed(style, form)
    assert one == two


@pytest.mark.parametrize("form", PIXEL_FORMATS)
def test_the_inside_of_a_mask_is_exactly_the_fill_in_every_form_of_picture(form: str) -> None:
    frame = _frame(scene(0, *SIZE), form)
    done = paint(frame, [Mask(BOX)])
    black = 0 if done.format.name.startswith("yuvj") else 16
    area = hidden_area(BOX, done)
    assert area is not None
    left, top, right, bottom = area
    assert (luma(done)[top:bottom, left:right] == black).all()
    for plane in done.planes[1:]:
        rows = np.frombuffer(memoryview(plane).cast("B"), np.uint8).reshape(plane.height, -1)
        assert (rows[top // 2 : bottom // 2, left // 2 : right // 2] == 128).all()


@pytest.mark.parametrize("form", PIXEL_FORMATS)
def test_the_same_picture_is_painted_the_same_way_every_time(form: str) -> None:
    frame = _frame(scene(0, *SIZE), form)
    first, *others = (_planes(paint(_copy(frame), [Mask(BOX)])) for _ in range(20))
    assert all(other == first for other in others)


@pytest.mark.parametrize("form", PIXEL_FORMATS)
def test_what_lies_away_from_the_mask_is_what_it_was(form: str) -> None:
    frame = _frame(scene(0, *SIZE), form)
    plain = luma(paint(_copy(frame), [])).astype(int)
    painted = luma(paint(frame, [Mask(BOX)])).astype(int)
    far = np.ones(plain.shape, bool)
    far[4:30, 8:36] = False
    assert np.abs(painted - plain)[far].max() == 0


@pytest.mark.parametrize("form", PIXEL_FORMATS)
def test_every_form_becomes_one_that_every_player_shows(form: str) -> None:
    assert paint(_frame(scene(0, *SIZE), form), [Mask(BOX)]).format.name in {"yuv420p", "yuvj420p"}


@pytest.mark.parametrize("size", [(51, 38), (50, 37), (51, 37), (1, 1), (3, 2)])
def test_an_odd_side_is_kept_in_444(size: tuple[int, int]) -> None:
    done = paint(_frame(scene(0, *size), "yuv420p"), [Mask(Box(0, 0, 2, 2))])
    assert (done.width, done.height, done.format.name) == (*size, "yuv444p")
    assert output_format(*size, is_full_range=True) == "yuvj444p"


def test_painting_a_picture_does_not_reach_those_that_refer_to_it(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", frames=16, options={"bf": "2"})
    plain = [luma(frame).copy() for frame in decoded(clip)]
    with av.open(clip) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % 2 == 0:
                paint(frame, [Mask(Box(0, 0, 96, 64))])
            else:
                assert (luma(frame) == plain[number]).all()


@settings(max_examples=60)
@given(
    st.floats(-60, 60),
    st.floats(-60, 60),
    st.floats(0.1, 120),
    st.floats(0.1, 120),
    st.sampled_from(["yuv420p", "yuv422p", "yuv420p10le", "yuv411p"]),
    st.tuples(st.integers(2, 60), st.integers(2, 60)),
)
def test_every_pixel_that_a_box_touches_is_painted_and_none_further_than_its_grain(
    left: float, top: float, width: float, height: float, form: str, size: tuple[int, int]
) -> None:
    box = Box(left, top, left + width, top + height)
    frame = _frame(np.full((size[1], size[0], 3), 200, np.uint8), form)
    done = luma(paint(frame, [Mask(box)])) == 16
    rows, columns = np.mgrid[0 : size[1], 0 : size[0]]
    touched = (columns + 1 > box.left) & (columns < box.right) & (rows + 1 > box.top) & (rows < box.bottom)
    near = (
        (columns + 4 > box.left) & (columns - 3 < box.right) & (rows + 2 > box.top) & (rows - 1 < box.bottom)
    )
    assert done[touched].all()
    assert not done[~near].any()


def test_a_mosaic_shows_at_most_sixty_four_values() -> None:
    box = Box(2, 2, 48, 36)
    done = luma(paint(_frame(scene(0, *SIZE), "yuv444p"), [Mask(box, Style.MOSAIC)]))[2:36, 2:48]
    rows = np.unique(done, axis=0).shape[0]
    columns = np.unique(done, axis=1).shape[1]
    assert rows <= MAX_CELLS
    assert columns <= MAX_CELLS


def test_a_mosaic_does_not_average_what_a_filled_mask_hides() -> None:
    """Perturb what only the filled mask hides; the mosaic over it must not move."""
    plain = scene(0, *SIZE)
    other = plain.copy()
    other[10:20, 10:20] = 255 - other[10:20, 10:20]
    masks = [Mask(Box(10, 10, 20, 20)), Mask(Box(4, 4, 40, 30), Style.MOSAIC)]
    one, two = (_planes(paint(_frame(picture, "yuv444p"), masks)) for picture in (plain, other))
    assert one == two


def test_the_middle_of_a_softened_mask_is_still_the_fill() -> None:
    done = luma(paint(_frame(scene(0, *SIZE), "yuv420p"), [Mask(Box(6, 4, 44, 34), Style.COSMETIC)]))
    assert (done[12:26, 16:34] == 16).all()
    assert (done[4:34, 6] > 16).any(), "the edge fades"


def test_interlaced_colours_are_covered_in_both_fields() -> None:
    frame = _frame(scene(0, 48, 48), "yuv420p")
    area = hidden_area(Box(10, 10, 20, 21), frame)
    assert area == (10, 10, 20, 22)
