"""Paint over rectangles of a decoded picture, on its own planes.

Two things keep hidden pixels from surviving. First, a box is widened to whole
chroma samples (of both fields, where lines are interlaced), so that no colour
of a hidden pixel is shared with a visible one. Second, where the picture must
change its form to be encoded, it is painted before the change, which mixes
neighbours, and again after it, so that the fill is exact.

FFmpeg converts with one thread: with several, some conversions come out
another way each time (libswscale 9, of 10 bits), and nothing could be compared.

Nothing here knows why a box is hidden. Sizes are pixels of the stored picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from media.video.masks import Box, Mask, Style

MAX_CELLS = 8  #: of a mosaic, across and down: a face of 64 numbers
FULL_RANGE = 2  #: FFmpeg's AVCOL_RANGE_JPEG: black is 0, not 16
_LIMITED_RANGE = 1
_SEMI_PLANAR = {
    "nv12": "yuv420p",
    "nv21": "yuv420p",
    "nv16": "yuv422p",
    "nv24": "yuv444p",
    "p010le": "yuv420p10le",
}
_ANY_OTHER = "yuv444p"  #: RGB, palettes, packed and big-endian forms: one sample a pixel, so nothing is mixed
_SMOOTH_SHARE = 8  #: a soft edge reaches this part of the box's shorter side inwards

Plane = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class _Layer:
    """One plane of a picture: its samples, and how many pixels one of them covers."""

    samples: Plane
    across_px: int
    down_px: int
    fill: int

    def cut(self, area: tuple[int, int, int, int]) -> tuple[slice, slice]:
        """Rows and columns of an area in pixels that is aligned to whole samples."""
        left, top, right, bottom = area
        return (
            slice(top // self.down_px, ceil(bottom / self.down_px)),
            slice(left // self.across_px, ceil(right / self.across_px)),
        )


def paint(frame: VideoFrame, masks: Sequence[Mask]) -> VideoFrame:
    """`frame` in the form of the output (see `output_format`), painted. Times and colour tags are kept; the frame handed in may be changed.

    A decoder that still needs its picture keeps it: what is shared is copied first.
    """
    is_full = has_full_range(frame)
    own = _in_planes(frame)
    if masks:
        own.make_writable()
        _paint_layers(own, masks, is_full=is_full)
    target = output_format(frame.width, frame.height, is_full_range=is_full)
    if own.format.name == target:
        return own
    form = own.reformat(format=target, threads=1, **_same_range(is_full=is_full))
    if masks:
        _paint_layers(form, masks, is_full=is_full)
    return form


def output_format(width: int, height: int, *, is_full_range: bool) -> str:
    """4:2:0, which everything plays; 4:4:4 where a side is odd, as H.264 has no odd 4:2:0."""
    form = "444" if width % 2 or height % 2 else "420"
    return f"yuvj{form}p" if is_full_range else f"yuv{form}p"


def has_full_range(frame: VideoFrame) -> bool:
    """Whether black is 0 and white all ones."""
    return frame.format.name.startswith("yuvj") or (
        frame.color_range == FULL_RANGE and not frame.format.is_rgb
    )


def hidden_area(box: Box, frame: VideoFrame) -> tuple[int, int, int, int] | None:
    """The pixels that a box hides once it is painted: left, top, right, bottom; None where it misses the picture."""
    inside = box.within(frame.width, frame.height)
    if inside is None:
        return None
    across, down = _grain(frame)
    return (
        floor(inside.left / across) * across,
        floor(inside.top / down) * down,
        min(ceil(inside.right / across) * across, frame.width),
        min(ceil(inside.bottom / down) * down, frame.height),
    )


def _same_range(*, is_full: bool) -> dict[str, int]:
    wanted = FULL_RANGE if is_full else _LIMITED_RANGE
    return {"src_color_range": wanted, "dst_color_range": wanted}


def _in_planes(frame: VideoFrame) -> VideoFrame:
    """The same samples, each component in a plane of its own."""
    form = frame.format
    is_plain = not (form.is_rgb or form.has_palette or form.is_bit_stream or form.is_big_endian)
    if is_plain and len(form.components) in {1, 3} and len(frame.planes) == len(form.components):
        return frame
    if form.is_rgb or form.has_palette:
        return frame.reformat(format=_ANY_OTHER, dst_color_range=_LIMITED_RANGE, threads=1)
    return frame.reformat(
        format=_SEMI_PLANAR.get(form.name, _ANY_OTHER),
        threads=1,
        **_same_range(is_full=has_full_range(frame)),
    )


def _grain(frame: VideoFrame) -> tuple[int, int]:
    """Pixels across and down that share a colour, here or in 4:2:0."""
    across, down = 2, 2
    for component in frame.format.components:
        across = max(across, _step(frame.width, component.width))
        down = max(down, _step(frame.height, component.height))
    return across, down * 2 if frame.interlaced_frame else down


def _step(pixels: int, samples: int) -> int:
    """The power of two that turns so many pixels into so many samples."""
    step = 1
    while ceil(pixels / step) > samples:
        step *= 2
    return step


def _layers(frame: VideoFrame, *, is_full: bool) -> list[_Layer]:
    found = []
    for number, (plane, component) in enumerate(zip(frame.planes, frame.format.components, strict=True)):
        deep = component.bits - 8
        samples = memoryview(plane).cast("B")
        rows: Plane = np.frombuffer(samples, np.uint16) if deep else np.frombuffer(samples, np.uint8)
        rows = rows.reshape(plane.height, -1)[:, : plane.width]
        fill = 128 << deep if number else 0 if is_full else 16 << deep
        found.append(_Layer(rows, _step(frame.width, plane.width), _step(frame.height, plane.height), fill))
    return found


def _paint_layers(frame: VideoFrame, masks: Sequence[Mask], *, is_full: bool) -> None:
    areas = [(area, mask.style) for mask in masks if (area := hidden_area(mask.box, frame))]
    filled = [area for area, style in areas if style is not Style.MOSAIC]
    cells = [area for area, style in areas if style is Style.MOSAIC]
    soft = [area for area, style in areas if style is Style.COSMETIC]
    for layer in _layers(frame, is_full=is_full):
        _fill(layer, filled)
        for area in cells:  # over the fill, so that no cell averages what a filled box hides
            _pixelate(layer.samples[layer.cut(area)])
        _fill(layer, filled if cells else [])
        for area in soft:
            _soften(layer, area)


def _fill(layer: _Layer, areas: Sequence[tuple[int, int, int, int]]) -> None:
    for area in areas:
        layer.samples[layer.cut(area)] = layer.fill


def _pixelate(samples: Plane) -> None:
    """Replace samples by the averages of at most 8 × 8 cells, none of them smaller than 2 × 2."""
    rows, columns = samples.shape
    cells = max(1, min(MAX_CELLS, columns // 2)), max(1, min(MAX_CELLS, rows // 2))
    averages = cv2.resize(samples, cells, interpolation=cv2.INTER_AREA)
    samples[...] = cv2.resize(averages, (columns, rows), interpolation=cv2.INTER_NEAREST)


def _soften(layer: _Layer, area: tuple[int, int, int, int]) -> None:
    """Let the edge of a filled area fade into what lies around it. Reads only what is visible or destroyed."""
    rows, columns = layer.cut(area)
    reach = max(1, min(rows.stop - rows.start, columns.stop - columns.start) // _SMOOTH_SHARE)
    top, left = max(0, rows.start - reach), max(0, columns.start - reach)
    around = layer.samples[top : rows.stop + reach, left : columns.stop + reach]
    blurred = cv2.blur(around, (2 * reach + 1, 2 * reach + 1), borderType=cv2.BORDER_REPLICATE)
    layer.samples[rows, columns] = blurred[
        rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
    ]
