"""Samples as they lie in files, and how to silence them.

A form knows how many bytes a sample takes, which bytes are silent, and how to
turn bytes into numbers between -1 and 1 and back. G.711 follows ITU-T G.711
(the nearest code wins; A-law has no zero, its quietest code is 8/32768).

`Painter` edits one block after the other of a recording of any length. Outside
spans and fades it does not touch a byte.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from media.sound.spans import Plan, Spans, touched

Bytes = NDArray[np.uint8]
Levels = NDArray[np.float64]  #: -1 to 1

TONE_HZ = 1000
TONE_LEVEL = 0.1  #: -20 dBFS: below speech, so nobody is startled


class Style(StrEnum):
    """What is heard instead."""

    SILENCE = "silence"
    TONE = "tone"


@dataclass(frozen=True, slots=True)
class Form:
    """How one sample is written."""

    name: str  #: FFmpeg's name of the codec
    width: int  #: bytes
    silence: bytes
    to_levels: Callable[[Bytes], Levels]  #: (n, width) -> (n,)
    from_levels: Callable[[Levels], Bytes]  #: (n,) -> (n, width)


def _whole(name: str, dtype: str, scale: float, zero: int = 0) -> Form:
    kind = np.dtype(dtype)
    low, high = -scale, scale - 1

    def to_levels(raw: Bytes) -> Levels:
        return (np.ascontiguousarray(raw).view(kind)[:, 0].astype(np.float64) - zero) / scale

    def from_levels(levels: Levels) -> Bytes:
        rounded = np.clip(np.round(levels * scale), low, high) + zero
        return rounded.astype(kind).view(np.uint8).reshape(-1, kind.itemsize)

    return Form(name, kind.itemsize, np.array([zero], kind).tobytes(), to_levels, from_levels)


def _twenty_four_bits() -> Form:
    wide = _whole("", "<i4", 2.0**31)

    def to_levels(raw: Bytes) -> Levels:
        return wide.to_levels(np.concatenate([np.zeros((len(raw), 1), np.uint8), raw], axis=1))

    def from_levels(levels: Levels) -> Bytes:
        steps = np.clip(np.round(levels * 2.0**23), -(2.0**23), 2.0**23 - 1)
        return wide.from_levels(steps / 2.0**23)[:, 1:]

    return Form("pcm_s24le", 3, bytes(3), to_levels, from_levels)


def _floating(name: str, dtype: str) -> Form:
    kind = np.dtype(dtype)

    def to_levels(raw: Bytes) -> Levels:
        return np.ascontiguousarray(raw).view(kind)[:, 0].astype(np.float64)

    def from_levels(levels: Levels) -> Bytes:
        return levels.astype(kind).view(np.uint8).reshape(-1, kind.itemsize)

    return Form(name, kind.itemsize, bytes(kind.itemsize), to_levels, from_levels)


def _companded(name: str, table: Levels, silence: int) -> Form:
    """A form of 8 bits by the table of its 256 levels."""
    codes = np.argsort(table, kind="stable")
    bounds = (table[codes][1:] + table[codes][:-1]) / 2

    def to_levels(raw: Bytes) -> Levels:
        return table[raw[:, 0]]

    def from_levels(levels: Levels) -> Bytes:
        return codes[np.searchsorted(bounds, levels)].astype(np.uint8)[:, None]

    return Form(name, 1, bytes([silence]), to_levels, from_levels)


def _mulaw_table() -> Levels:
    code = ~np.arange(256) & 0xFF
    magnitude = ((((code & 0x0F) << 3) + 132) << ((code >> 4) & 7)) - 132
    return np.where(code & 0x80, -magnitude, magnitude) / 32768.0


def _alaw_table() -> Levels:
    code = np.arange(256) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, (code & 0x0F) << 4
    magnitude = np.where(exponent == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude) / 32768.0


MULAW = _companded("pcm_mulaw", _mulaw_table(), 0xFF)
ALAW = _companded("pcm_alaw", _alaw_table(), 0xD5)
FORMS = {
    form.name: form
    for form in (
        *(_whole("pcm_u8", "u1", 128.0, 128), _whole("pcm_s8", "i1", 128.0)),
        *(_whole("pcm_s16le", "<i2", 2.0**15), _whole("pcm_s16be", ">i2", 2.0**15)),
        *(_twenty_four_bits(), _whole("pcm_s32le", "<i4", 2.0**31), _whole("pcm_s32be", ">i4", 2.0**31)),
        *(_floating("pcm_f32le", "<f4"), _floating("pcm_f64le", "<f8"), _floating("pcm_f32be", ">f4")),
        *(MULAW, ALAW),
    )
}


class Painter:
    """Silences the spans of a plan, block by block."""

    def __init__(self, plan: Plan, form: Form, style: Style = Style.SILENCE) -> None:
        self._plan = plan
        self._form = form
        self._style = style
        self._reach = [_with_fades(spans, plan.fade, plan.total) for spans in plan.channels]

    def touches(self, start: int, end: int) -> bool:
        """Whether anything between these samples changes."""
        return any(len(touched(reach, start, end)) for reach in self._reach)

    def paint(self, block: Bytes, start: int) -> None:
        """Edit a block in place.

        Args:
            block: (samples, channels, width) uint8.
            start: Position of its first sample.
        """
        end = start + len(block)
        for channel, (spans, reach) in enumerate(zip(self._plan.channels, self._reach, strict=True)):
            first = int(np.searchsorted(reach[:, 1], start, side="right"))
            last = int(np.searchsorted(reach[:, 0], end, side="left"))
            for span, faded in zip(spans[first:last].tolist(), reach[first:last].tolist(), strict=True):
                self._fade(block[:, channel], start, (faded[0], span[0]), is_out=True)
                self._fill(block[:, channel], start, (span[0], span[1]))
                self._fade(block[:, channel], start, (span[1], faded[1]), is_out=False)

    def fill(self, block: Bytes, start: int) -> None:
        """As `paint`, without the fades."""
        for channel, spans in enumerate(self._plan.channels):
            for span in touched(spans, start, start + len(block)).tolist():
                self._fill(block[:, channel], start, (span[0], span[1]))

    def _fill(self, block: Bytes, start: int, span: tuple[int, int]) -> None:
        low, high = max(span[0], start), min(span[1], start + len(block))
        if low >= high:
            return
        if self._style is Style.SILENCE:
            for place, value in enumerate(
                self._form.silence
            ):  # whole rows of so few bytes take ten times as long
                block[low - start : high - start, place] = value
        else:
            block[low - start : high - start] = self._form.from_levels(
                tone(np.arange(low, high), span, self._plan.rate)
            )

    def _fade(self, block: Bytes, start: int, span: tuple[int, int], *, is_out: bool) -> None:
        low, high = max(span[0], start), min(span[1], start + len(block))
        if low >= high:
            return
        positions = np.arange(low, high)
        distance = span[1] - positions if is_out else positions - span[0] + 1
        part = block[low - start : high - start]
        with np.errstate(invalid="ignore"):  # a float that is no number stays one, and nobody is told so
            part[:] = self._form.from_levels(self._form.to_levels(part) * (distance / (self._plan.fade + 1)))


def tone(positions: NDArray[np.int64], span: tuple[int, int], rate: int) -> Levels:
    """The tone that stands for `span`, at these positions, with its own short fades inside."""
    frequency = min(TONE_HZ, rate / 8)
    ramp = max(1, rate // 200)
    edge = np.minimum(positions - span[0] + 1, span[1] - positions) / ramp
    wave = np.sin(2 * np.pi * frequency / rate * (positions - span[0]))
    return np.asarray(TONE_LEVEL * np.minimum(edge, 1.0) * wave)


def _with_fades(spans: Spans, fade: int, total: int) -> Spans:
    """Spans and their fades. Where two fades meet, each ends halfway: the nearest span decides."""
    if len(spans) == 0:
        return spans
    reach = np.stack([spans[:, 0] - fade, spans[:, 1] + fade], axis=1).clip(0, total)
    middle = (spans[:-1, 1] + spans[1:, 0]) // 2
    reach[1:, 0] = np.maximum(reach[1:, 0], middle)
    reach[:-1, 1] = np.minimum(reach[:-1, 1], middle)
    return reach
