"""Compare a finished copy with its source, picture by picture.

Both files are decoded again, side by side. Under each mask there must be what
the mask's style promises; everywhere else there must be the source's picture,
as nearly as its compression allows. This module shares no code with the
painter. It looks at luma, where a face is a face, and at the colour under fills.

Differences are levels of 255. PSNR is that of luma.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from media.video.masks import Box, Mask, Style

Grey = NDArray[np.uint8]

#: Mean level by which the inside of a filled mask may be off after encoding. Measured over the labelled clips
#: and quantisers up to 36: 0.0 to 1.6. A face left in place is off by 30 and more.
MAX_FILL_ERROR = 5.0
#: The same of a mask that is too narrow to have an inside, such as one of two rows at the picture's edge.
MAX_SLIVER_ERROR = 15.0
#: Nothing inside may be off by more than this; single levels of ringing reach 20.
MAX_FILL_PEAK = 64
#: Mean level by which a mosaic's cells may be uneven inside.
MAX_CELL_ERROR = 4.0
#: A frame below this is not a coarse copy of the source's frame but another frame.
MIN_FRAME_PSNR_DB = 22.0
_CELLS = 8
_RIM_PX = 4  #: at the edge of a mask, where the encoder's blocks hold both sides
_HALO_PX = 8  #: around a mask, for the same reason
_FULL_RANGE = 2
_PLAIN = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "gray"})


@dataclass(slots=True)
class Compared:
    """One pair of pictures."""

    psnr_db: float | None  #: None where they are equal outside the masks
    square_error: float
    pixels: int
    fill_error: float = 0.0
    fault: str | None = None  #: what is wrong under a mask: "fill" or "mosaic", as `media.note` says it


def brightness(frame: VideoFrame) -> Grey:
    """Luma of a picture: (height, width), 8 bit, in the frame's own range. May share the frame's memory."""
    name = frame.format.name
    if name not in _PLAIN:
        is_full = frame.color_range == _FULL_RANGE and not frame.format.is_rgb
        form = "yuvj444p" if is_full else "yuv444p"
        both = _FULL_RANGE if is_full else 1
        ranges = {} if frame.format.is_rgb or frame.format.has_palette else {"src_color_range": both}
        frame = frame.reformat(format=form, dst_color_range=both, threads=1, **ranges)
    return _plane(frame, 0)


def compare(source: VideoFrame, output: VideoFrame, masks: Sequence[Mask]) -> Compared:
    """Compare two pictures of the same frame."""
    before, after = brightness(source), brightness(output)
    if before.shape != after.shape:
        return Compared(0.0, 0.0, 0, fault=None)
    places = [(mask, place) for mask in masks if (place := _place(mask.box, after.shape, 0))]
    found = _outside(before, after, [mask.box for mask, _ in places])
    for mask, place in places:
        error, fault = _under(output, after, mask, place)
        if mask.style is not Style.MOSAIC:
            found.fill_error = max(found.fill_error, error)
        found.fault = found.fault or fault
    return found


def _plane(frame: VideoFrame, number: int) -> Grey:
    plane = frame.planes[number]
    rows = np.frombuffer(memoryview(plane).cast("B"), np.uint8).reshape(plane.height, -1)
    return rows[:, : plane.width]


def _place(box: Box, shape: tuple[int, ...], grown_px: int) -> tuple[slice, slice] | None:
    """Rows and columns that lie in the box as a whole, or that it touches where it is grown."""
    height, width = shape[0], shape[1]
    inside = box.within(width, height)
    if inside is None:
        return None
    rows = slice(max(0, math.floor(inside.top) - grown_px), min(height, math.ceil(inside.bottom) + grown_px))
    columns = slice(
        max(0, math.floor(inside.left) - grown_px), min(width, math.ceil(inside.right) + grown_px)
    )
    return rows, columns


def _outside(before: Grey, after: Grey, boxes: Sequence[Box]) -> Compared:
    pixels = before.size
    if boxes:
        before = before.copy()
        visible = np.ones(before.shape, np.bool_)
        for box in boxes:
            place = _place(box, before.shape, _HALO_PX)
            assert place is not None
            before[place] = after[place]
            visible[place] = False
        pixels = int(np.count_nonzero(visible))
    error = float(cv2.norm(before, after, cv2.NORM_L2SQR))
    return Compared(_psnr(error, pixels), error, pixels)


def _psnr(square_error: float, pixels: int) -> float | None:
    return 10 * math.log10(255**2 * pixels / square_error) if square_error and pixels else None


def total_psnr(square_error: float, pixels: int) -> float | None:
    """PSNR over many pictures; None where they are equal."""
    return _psnr(square_error, pixels)


def _under(
    output: VideoFrame, after: Grey, mask: Mask, place: tuple[slice, slice]
) -> tuple[float, str | None]:
    inside = after[place]
    if mask.style is Style.MOSAIC:
        error = _unevenness(after[_even(place[0], after.shape[0]), _even(place[1], after.shape[1])])
        return error, "mosaic" if error > MAX_CELL_ERROR else None
    rim = _RIM_PX if mask.style is Style.FILL else max(_RIM_PX, min(inside.shape) // 6)
    core, allowed = inside[rim:-rim, rim:-rim], MAX_FILL_ERROR
    if not core.size:
        core, allowed = inside, MAX_SLIVER_ERROR
    black = 0 if _is_full(output) else 16
    off = np.abs(core.astype(np.int16) - black)
    error = float(off.mean())
    if error > allowed or int(off.max()) > MAX_FILL_PEAK:
        return error, "fill"
    return error, None


def _is_full(frame: VideoFrame) -> bool:
    return frame.format.name.startswith("yuvj") or frame.color_range == _FULL_RANGE


def _even(part: slice, limit: int) -> slice:
    """Widened to even numbers: cells are laid out over whole colours."""
    return slice(part.start // 2 * 2, min(limit, -(-part.stop // 2) * 2))


def _unevenness(inside: Grey) -> float:
    """Mean difference of a region from its 8 × 8 averages."""
    rows, columns = inside.shape
    cells = max(1, min(_CELLS, columns // 2)), max(1, min(_CELLS, rows // 2))
    flat = cv2.resize(
        cv2.resize(inside, cells, interpolation=cv2.INTER_AREA),
        (columns, rows),
        interpolation=cv2.INTER_NEAREST,
    )
    return float(cv2.absdiff(np.ascontiguousarray(inside), flat).mean())
