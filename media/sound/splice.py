"""Mute uncompressed sound by replacing bytes: PCM and G.711, in a WAV or without any header.

One pass, a block at a time: what must not be heard is replaced before it is
written, so it never reaches the new file, not for a moment. Every sample
outside spans and fades, and every other channel, is bit-identical.

Nothing is decoded: of a stranger's bytes this reads a header, in Python, and
moves the rest as numbers. So it needs no process of its own (docs/adr/0015).
"""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from media.errors import NotReleased, Unreadable
from media.raw_format import HEADER_BYTES, has_certain_header, parse_raw_format
from media.sound.report import Redacted, Request, muted_of
from media.sound.samples import FORMS, Painter, Style
from media.sound.spans import Plan, make_plan
from media.sound.wave import Wave, WaveFormat, read_wave, wave_header

Progress = Callable[[int, int], None]
"""Called with what is done and what there is to do, in any one unit. What it raises ends the work."""

_BLOCK_BYTES = 1 << 20
_AHEAD_BLOCKS = 8  #: after which the disk is asked to begin
_ENCODED = (".flac",)
_RAW_FORMS = {"mulaw": "pcm_mulaw", "alaw": "pcm_alaw", "s16le": "pcm_s16le"}


def write_spliced(
    source: Path, out: Path, suffix: str, request: Request, progress: Progress
) -> Redacted | None:
    """Write a muted copy, read it again and find it silent; None where a decoder is needed, and `out` is as it was.

    Args:
        source: A regular file; only read.
        out: A file that is there, and may be one without a name.
        suffix: Of the result: ".wav"; of bare samples, anything but what has to be encoded.
        request: What to mute.
        progress: Called with bytes done and bytes in all.

    Raises:
        Unreadable: The source is such a file, but damaged.
        NotReleased: What was written is not silent.
        ValueError: A mute lies outside the recording, or the raw format is none that is known.
        OSError: The disk is full.
    """
    with source.open("rb") as file:
        found = _samples_of(file, suffix.lower(), request.raw_format)
        if found is None:
            return None
        wave, container = found
        plan = make_plan(request.mutes, wave.format.rate, wave.format.channels, wave.total)
        with out.open("w+b") as written:
            header = wave_header(wave.format, wave.total) if container == "wav" else b""
            written.write(header)
            _splice(file, wave, plan, written, request.style, progress)
            if header and wave.total * wave.format.frame_bytes % 2:
                written.write(b"\0")
            _check(written, header, wave, plan, request.style)
    return _result(wave, plan, request.style, container)


def _samples_of(file: BinaryIO, suffix: str, raw_format: str | None) -> tuple[Wave, str] | None:
    """Where the samples lie that can be replaced there, and what the result is: "wav" or "raw"."""
    size_bytes = os.fstat(file.fileno()).st_size
    raw = raw_wave(raw_format, size_bytes) if raw_format else None
    if raw_format and not has_certain_header(file.read(HEADER_BYTES)):
        return None if raw is None or suffix in _ENCODED else (raw, "wav" if suffix == ".wav" else "raw")
    wave = read_wave(file, size_bytes) if suffix == ".wav" else None
    return (wave, "wav") if wave else None


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


def _splice(
    source: BinaryIO, wave: Wave, plan: Plan, out: BinaryIO, style: Style, progress: Progress
) -> None:
    """Write the samples of `source` to `out`, muted."""
    painter = Painter(plan, wave.format.form, style)
    frame_bytes = wave.format.frame_bytes
    frames = max(1, _BLOCK_BYTES // frame_bytes)
    buffer = bytearray(frames * frame_bytes)
    source.seek(wave.offset_bytes)
    for number, start in enumerate(range(0, wave.total, frames), 1):
        count = min(frames, wave.total - start)
        block = memoryview(buffer)[: count * frame_bytes]
        if source.readinto(block) != len(block):  # type: ignore[attr-defined]  # every file of ours has it
            raise Unreadable("the file became shorter while it was read")
        if painter.touches(start, start + count):
            shape = count, wave.format.channels, wave.format.form.width
            painter.paint(np.frombuffer(block, np.uint8).reshape(shape), start)
        out.write(block)
        if not number % _AHEAD_BLOCKS:
            _begin_on_disk(out)
        progress(start + count, wave.total)


def _begin_on_disk(file: BinaryIO) -> None:
    """Have the disk begin with what was written, so that it works while we do: whoever flushes it waits less."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _check(result: BinaryIO, header: bytes, source: Wave, plan: Plan, style: Style) -> None:
    """Read what was written from its first byte, and look at every sample that was to be muted."""
    size_bytes = result.seek(0, os.SEEK_END)
    wave = read_wave(result, size_bytes) if header else replace(source, offset_bytes=0)
    if wave is None or wave.format != source.format or wave.total != source.total:
        raise NotReleased("the written WAV is not what was to be written")
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
