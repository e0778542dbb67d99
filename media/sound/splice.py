"""Mute uncompressed sound by replacing bytes: PCM and G.711, in a WAV or without any header.

One pass, a block at a time: what must not be heard is replaced before it is
written, so it never reaches the new file, not for a moment. Every sample
outside spans and fades, and every other channel, is bit-identical.
"""

from collections.abc import Callable
from typing import BinaryIO

import numpy as np

from media.errors import NotReleased, Unreadable
from media.raw_format import parse_raw_format
from media.sound.report import Redacted, muted_of
from media.sound.samples import FORMS, Painter, Style
from media.sound.spans import Plan
from media.sound.wave import Wave, WaveFormat, read_wave, wave_header

Progress = Callable[[int, int], None]
"""Called with what is done and what there is to do, in any one unit. What it raises ends the work."""

_BLOCK_BYTES = 1 << 20
_RAW_FORMS = {"mulaw": "pcm_mulaw", "alaw": "pcm_alaw", "s16le": "pcm_s16le"}


def raw_wave(raw_format: str, size_bytes: int) -> Wave | None:
    """The samples of a headerless file; None where its form is a codec with a memory.

    Raises:
        Unreadable: It holds no whole sample.
    """
    name, options = parse_raw_format(raw_format)
    if name not in _RAW_FORMS:
        return None
    layout = options["ch_layout"]
    channels = {"mono": 1, "stereo": 2}.get(layout) or int(layout.removesuffix("c"))
    form = FORMS[_RAW_FORMS[name]]
    found = WaveFormat(form, channels, int(options["sample_rate"]), 8 * form.width, None)
    if size_bytes < found.frame_bytes:
        raise Unreadable("the file is empty")
    return Wave(found, 0, size_bytes // found.frame_bytes)


def splice(source: BinaryIO, wave: Wave, plan: Plan, out: BinaryIO, style: Style, progress: Progress) -> None:
    """Write the samples of `source` to `out`, muted. The header is the caller's."""
    painter = Painter(plan, wave.format.form, style)
    frame_bytes = wave.format.frame_bytes
    frames = max(1, _BLOCK_BYTES // frame_bytes)
    buffer = bytearray(frames * frame_bytes)
    source.seek(wave.offset_bytes)
    for start in range(0, wave.total, frames):
        count = min(frames, wave.total - start)
        block = memoryview(buffer)[: count * frame_bytes]
        if source.readinto(block) != len(block):  # type: ignore[attr-defined]  # every file of ours has it
            raise Unreadable("the file became shorter while it was read")
        if painter.touches(start, start + count):
            shape = count, wave.format.channels, wave.format.form.width
            painter.paint(np.frombuffer(block, np.uint8).reshape(shape), start)
        out.write(block)
        progress(start + count, wave.total)


def write_wave(
    source: BinaryIO, wave: Wave, plan: Plan, out: BinaryIO, style: Style, progress: Progress
) -> Redacted:
    """Write a muted WAV; `out` starts empty."""
    out.write(wave_header(wave.format, wave.total))
    splice(source, wave, plan, out, style, progress)
    if wave.total * wave.format.frame_bytes % 2:
        out.write(b"\0")
    return _result(wave, plan, style, "wav")


def write_raw(
    source: BinaryIO, wave: Wave, plan: Plan, out: BinaryIO, style: Style, progress: Progress
) -> Redacted:
    """Write muted samples without a header, as they came."""
    splice(source, wave, plan, out, style, progress)
    return _result(wave, plan, style, "raw")


def check_wave(result: BinaryIO, size_bytes: int, source: Wave, plan: Plan, style: Style) -> None:
    """Read a finished WAV from its first byte, and look at every sample that was to be muted.

    Raises:
        NotReleased: It is no WAV, not as long as its source, or not silent.
    """
    found = read_wave(result, size_bytes)
    if found is None or found.format != source.format or found.total != source.total:
        raise NotReleased("the written WAV is not what was to be written")
    check_samples(result, found, plan, style)


def check_samples(result: BinaryIO, wave: Wave, plan: Plan, style: Style) -> None:
    """Look at every sample that was to be muted.

    Raises:
        NotReleased: One of them is something else than silence, or the tone.
    """
    painter = Painter(plan, wave.format.form, style)
    frames = max(1, _BLOCK_BYTES // wave.format.frame_bytes)
    for start, end in plan.every.tolist():
        for low in range(start, end, frames):
            count = min(frames, end - low)
            result.seek(wave.offset_bytes + low * wave.format.frame_bytes)
            raw = bytearray(result.read(count * wave.format.frame_bytes))
            block = np.frombuffer(raw, np.uint8).reshape(count, wave.format.channels, -1)
            expected = block.copy()
            painter.fill(expected, low)
            if not np.array_equal(block, expected):
                raise NotReleased(f"the result is not silent between samples {low} and {low + count}")


def _result(wave: Wave, plan: Plan, style: Style, container: str) -> Redacted:
    return Redacted(
        method="splice",
        container=container,
        codec=wave.format.form.name,
        rate=wave.format.rate,
        channels=wave.format.channels,
        total_samples=wave.total,
        style=style,
        fade_samples=plan.fade,
        muted=muted_of(plan),
        checked="the finished file was read again and every sample to be muted compared with silence"
        if style is Style.SILENCE
        else "the finished file was read again and every sample to be muted compared with the tone",
    )
