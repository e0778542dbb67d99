"""Cut a part out of uncompressed sound: PCM and G.711, in a WAV or without any header.

The part holds whole samples that lie inside the span asked for, and nothing
outside it: the bytes of the samples are copied as they are, and the header is
written anew, so no chunk of the source gets through. What was written is read
again and compared before it is released. A codec with a memory, or footage,
would carry something of what lies before: that is refused.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import BinaryIO

from media.errors import NotReleased, Unreadable, UnsupportedCodec
from media.sound.splice import raw_wave
from media.sound.wave import Wave, read_wave, wave_header

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What was cut out, in samples of one channel from the beginning of the recording; the end is exclusive."""

    start_sample: int
    end_sample: int
    rate: int


def cut(
    source: BinaryIO, out: BinaryIO, start_s: Fraction, end_s: Fraction, raw_format: str | None = None
) -> Excerpt:
    """Write the part of `source` from `start_s` to `end_s` into `out`, which is empty and can be read.

    Args:
        source: Any recording; only read.
        out: Becomes a WAV, or stays without a header where the source has none.
        start_s: Exact seconds from the beginning of the recording.
        end_s: As `start_s`; exclusive.
        raw_format: What a headerless file is.

    Raises:
        UnsupportedCodec: It cannot be cut exactly.
        Unreadable: The recording is damaged.
        ValueError: The span is empty, or lies outside the recording.
        NotReleased: What was written is not that part.
    """
    size_bytes = os.fstat(source.fileno()).st_size
    wave = raw_wave(raw_format, size_bytes) if raw_format else read_wave(source, size_bytes)
    if wave is None:
        raise UnsupportedCodec("only uncompressed sound (PCM, G.711) can be cut to the sample")
    part = _part(wave, start_s, end_s)
    if not raw_format:
        out.write(wave_header(wave.format, part.end_sample - part.start_sample))
    head_bytes = out.tell()
    out.writelines(_samples(source, wave, part))
    if not raw_format and (out.tell() - head_bytes) % 2:
        out.write(b"\0")
    out.flush()
    _check(source, wave, part, out, head_bytes, has_header=not raw_format)
    return part


def _part(wave: Wave, start_s: Fraction, end_s: Fraction) -> Excerpt:
    rate = wave.format.rate
    start, end = max(ceil(start_s * rate), 0), min(floor(end_s * rate), wave.total)
    if start >= end:
        raise ValueError(f"no sample of the recording lies between {float(start_s)} s and {float(end_s)} s")
    return Excerpt(start, end, rate)


def _samples(source: BinaryIO, wave: Wave, part: Excerpt) -> Iterator[bytes]:
    frame_bytes = wave.format.frame_bytes
    source.seek(wave.offset_bytes + part.start_sample * frame_bytes)
    left = (part.end_sample - part.start_sample) * frame_bytes
    while left:
        block = source.read(min(left, _BLOCK_BYTES))
        if not block:
            raise Unreadable("the file became shorter while it was read")
        left -= len(block)
        yield block


def _check(
    source: BinaryIO, wave: Wave, part: Excerpt, out: BinaryIO, head_bytes: int, *, has_header: bool
) -> None:
    """What was written is these samples, and there is nothing else."""
    size_bytes = os.fstat(out.fileno()).st_size
    length_bytes = (part.end_sample - part.start_sample) * wave.format.frame_bytes
    found = read_wave(out, size_bytes) if has_header else Wave(wave.format, 0, length_bytes)
    right = found is not None and found.offset_bytes == head_bytes and found.format == wave.format
    padding = length_bytes % 2 if has_header else 0
    if not right or size_bytes != head_bytes + length_bytes + padding:
        raise NotReleased("the excerpt is not a file of its length and form")
    out.seek(head_bytes)
    for block in _samples(source, wave, part):
        if out.read(len(block)) != block:
            raise NotReleased("the excerpt is not the part of the recording that was asked for")
