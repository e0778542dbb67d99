"""How a decoded picture says it wants to be shown. Only values; read before anything is painted."""

import struct
from dataclasses import dataclass
from typing import Any

from av.video.frame import VideoFrame

from media.video.render.paint import has_full_range

_UNSPECIFIED = 2
_RGB = 0  #: as a matrix: none. Black-and-white forms claim it too
_BT470BG = 5  #: what the conversion from RGB makes
_MATRIX = struct.Struct("=9i")
_ONE = 1 << 16  #: 1.0 in the matrix, whose entries are 16.16 fixed point
_DEEP_ONE = 1 << 30


@dataclass(frozen=True, slots=True)
class Look:
    """What an output must say to look like its source."""

    width: int
    height: int
    pixel_format: str
    is_full_range: bool
    is_interlaced: bool
    colour: tuple[int, int, int]  #: space, primaries and transfer, as H.264 numbers them
    matrix: (
        tuple[int, ...] | None
    )  #: turned and mirrored by quarter turns, as FFmpeg has it; None for upright
    is_askew: bool  #: turned by some other angle, which is not kept

    @property
    def size(self) -> str:
        """For a person."""
        return f"{self.width} x {self.height}, {self.pixel_format}"


def look_of(frame: VideoFrame) -> Look:
    """How `frame` looks, as its decoder gave it."""
    matrix, is_askew = _orientation(frame)
    return Look(
        frame.width,
        frame.height,
        frame.format.name,
        has_full_range(frame),
        frame.interlaced_frame,
        _colour(frame),
        matrix,
        is_askew,
    )


def _colour(frame: VideoFrame) -> tuple[int, int, int]:
    if frame.format.is_rgb or frame.format.has_palette or frame.colorspace == _RGB:
        return _BT470BG, _UNSPECIFIED, _UNSPECIFIED
    return int(frame.colorspace), int(frame.color_primaries), int(frame.color_trc)


def _orientation(frame: VideoFrame) -> tuple[tuple[int, ...] | None, bool]:
    """One of the eight ways to lay a rectangle down, rebuilt from its signs: no other number passes."""
    stored: Any = frame.side_data.get("DISPLAYMATRIX")
    if stored is None:
        return None, False
    a, b, _, c, d, *_ = _MATRIX.unpack(bytes(stored)[: _MATRIX.size])
    signs = tuple((value > 0) - (value < 0) for value in (a, b, c, d))
    if signs == (1, 0, 0, 1):
        return None, False
    if not (
        signs[1] == signs[2] == 0 != signs[0] * signs[3] or signs[0] == signs[3] == 0 != signs[1] * signs[2]
    ):
        return None, True
    a, b, c, d = (sign * _ONE for sign in signs)
    return (a, b, 0, c, d, 0, 0, 0, _DEEP_ONE), False
