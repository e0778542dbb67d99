"""The header of a WAV: read what strangers wrote, write the least that plays.

Read: RIFF and RF64 (EBU Tech 3306; BW64 of ITU-R BS.2088 is the same here),
WAVE_FORMAT_EXTENSIBLE, a data size of 0 or 0xffffffff (a recorder that was cut
off, or wrote to a pipe) and one past the end of the file: all mean "to the end
of the file", as FFmpeg and players take it. Samples that are not there whole
are left out.

Written: `fmt `, `fact` where the form is not integer PCM, `data`, and `ds64`
past 4 GiB. Nothing else that a file carries gets through.
"""

import struct
from dataclasses import dataclass
from typing import BinaryIO

from media.errors import Unreadable
from media.sound.samples import FORMS, Form

MAX_CHANNELS = 32
MAX_SAMPLE_RATE = 768_000
_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
_FMT = struct.Struct("<HHIIHH")
_EXTENSION = struct.Struct("<HHIH14s")
_CHUNK = struct.Struct("<4sI")
_DS64 = struct.Struct("<QQQI")
_MAX_FMT_BYTES = 4096
_MAX_CHUNKS = 1000
_UNKNOWN_SIZES = frozenset({0, 0xFFFFFFFF})
_PCM_FORMS = {1: "pcm_u8", 2: "pcm_s16le", 3: "pcm_s24le", 4: "pcm_s32le"}
_FLOAT_FORMS = {4: "pcm_f32le", 8: "pcm_f64le"}


@dataclass(frozen=True, slots=True)
class WaveFormat:
    """What the samples are, and the `fmt ` chunk that says so."""

    form: Form
    channels: int
    rate: int
    valid_bits: int
    speaker_mask: int | None  #: of WAVE_FORMAT_EXTENSIBLE

    @property
    def frame_bytes(self) -> int:
        """One sample of every channel."""
        return self.channels * self.form.width


@dataclass(frozen=True, slots=True)
class Wave:
    """Where the samples of a file lie."""

    format: WaveFormat
    offset_bytes: int
    total: int  #: samples of one channel that are there whole


def read_wave(file: BinaryIO, size_bytes: int) -> Wave | None:
    """Find format and samples; None where the file is no WAV of samples that can be edited in place.

    Raises:
        Unreadable: It is such a WAV, but damaged.
    """
    file.seek(0)
    head = file.read(12)
    if len(head) < 12 or head[:4] not in {b"RIFF", b"RF64", b"BW64"} or head[8:] != b"WAVE":
        return None
    found: WaveFormat | None = None
    long_size: int | None = None
    for _ in range(_MAX_CHUNKS):
        name, length = _next_chunk(file)
        body = file.tell()
        if name == b"data":
            return _place(found, body, _present(length, long_size, size_bytes - body))
        if name == b"fmt ":
            found = _read_format(file.read(min(length, _MAX_FMT_BYTES)))
            if found is None:
                return None
        elif name == b"ds64":
            fields = file.read(_DS64.size)
            long_size = _DS64.unpack(fields)[1] if len(fields) == _DS64.size else None
        file.seek(body + length + length % 2)
    raise Unreadable("the WAV header holds too many chunks before any sound")


def wave_header(found: WaveFormat, total: int) -> bytes:
    """The header of a file of `total` samples a channel; the samples follow it."""
    data_bytes = total * found.frame_bytes
    fmt = _fmt_chunk(found)
    fact = (
        b""
        if fmt[8:10] == struct.pack("<H", _PCM)
        else _CHUNK.pack(b"fact", 4) + struct.pack("<I", min(total, 0xFFFFFFFF))
    )
    riff_bytes = 4 + len(fmt) + len(fact) + 8 + data_bytes + data_bytes % 2
    if riff_bytes < 0xFFFFFFFF:
        return _CHUNK.pack(b"RIFF", riff_bytes) + b"WAVE" + fmt + fact + _CHUNK.pack(b"data", data_bytes)
    ds64 = _CHUNK.pack(b"ds64", _DS64.size) + _DS64.pack(riff_bytes + 8 + _DS64.size, data_bytes, total, 0)
    start = _CHUNK.pack(b"RF64", 0xFFFFFFFF) + b"WAVE"
    return start + ds64 + fmt + fact + _CHUNK.pack(b"data", 0xFFFFFFFF)


def _next_chunk(file: BinaryIO) -> tuple[bytes, int]:
    head = file.read(_CHUNK.size)
    if len(head) < _CHUNK.size:
        raise Unreadable("the WAV header is not followed by any sound")
    name, length = _CHUNK.unpack(head)
    return name, length


def _present(length: int, long_size: int | None, left_bytes: int) -> int:
    claimed = long_size if length == 0xFFFFFFFF and long_size else length
    return left_bytes if claimed in _UNKNOWN_SIZES else min(claimed, left_bytes)


def _place(found: WaveFormat | None, offset_bytes: int, data_bytes: int) -> Wave:
    if found is None:
        raise Unreadable("the WAV does not say what its samples are (no fmt chunk before the data)")
    total = data_bytes // found.frame_bytes
    if total <= 0:
        raise Unreadable("there is a header, but no sound after it")
    return Wave(found, offset_bytes, total)


def _read_format(chunk: bytes) -> WaveFormat | None:
    if len(chunk) < _FMT.size:
        raise Unreadable("the WAV header is damaged (its fmt chunk is too short)")
    tag, channels, rate, _, block, bits = _FMT.unpack_from(chunk)
    valid_bits, mask = bits, None
    if tag == _EXTENSIBLE:
        if len(chunk) < _FMT.size + _EXTENSION.size:
            raise Unreadable("the WAV header is damaged (its extension is too short)")
        _, valid_bits, mask, tag, tail = _EXTENSION.unpack_from(chunk, _FMT.size)
        if tail != _GUID_TAIL:
            return None
    if not (0 < channels <= MAX_CHANNELS and 0 < rate <= MAX_SAMPLE_RATE):
        raise Unreadable(f"the WAV claims {channels} channels and {rate} samples a second")
    form = _form(tag, block // channels)
    if form is None:
        return None
    if tag in {_ALAW, _MULAW}:
        bits = valid_bits = 8  # some writers name the 13 or 16 bits it stands for, or none
    if form.width * channels != block or not 8 * (form.width - 1) < bits <= 8 * form.width:
        raise Unreadable(f"the WAV claims {bits} bits in blocks of {block} bytes for {channels} channels")
    return WaveFormat(form, channels, rate, valid_bits if 0 < valid_bits <= bits else bits, mask)


def _form(tag: int, width: int) -> Form | None:
    if tag == _PCM:
        return FORMS.get(_PCM_FORMS.get(width, ""))
    if tag == _FLOAT:
        return FORMS.get(_FLOAT_FORMS.get(width, ""))
    return {_ALAW: FORMS["pcm_alaw"], _MULAW: FORMS["pcm_mulaw"]}.get(tag)


def _tag(form: Form) -> int:
    if form.name in _FLOAT_FORMS.values():
        return _FLOAT
    return {"pcm_alaw": _ALAW, "pcm_mulaw": _MULAW}.get(form.name, _PCM)


def _fmt_chunk(found: WaveFormat) -> bytes:
    bits, tag = 8 * found.form.width, _tag(found.form)
    facts = found.channels, found.rate, found.rate * found.frame_bytes, found.frame_bytes, bits
    if found.speaker_mask is not None:
        extension = _EXTENSION.pack(22, found.valid_bits, found.speaker_mask, tag, _GUID_TAIL)
        body = _FMT.pack(_EXTENSIBLE, *facts) + extension
    elif tag == _PCM:
        body = _FMT.pack(tag, *facts[:-1], found.valid_bits)
    else:
        body = _FMT.pack(tag, *facts) + bytes(2)
    return _CHUNK.pack(b"fmt ", len(body)) + body
