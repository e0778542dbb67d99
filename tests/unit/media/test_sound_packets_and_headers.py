"""Packets and headers byte by byte: every kind that a call may hold becomes silence of its own length, or is refused."""

import io
import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from av.audio.codeccontext import AudioCodecContext

from media.errors import Unreadable
from media.sound.mp3 import is_plain
from media.sound.mp3 import silence as mp3_silence
from media.sound.samples import FORMS
from media.sound.silent import aac_silence, adts_silence, opus_frames, opus_silence
from media.sound.spans import Mute
from media.sound.wave import WaveFormat, read_wave, wave_header
from media.video.nal import parse_avcc, units

#: Milliseconds of a frame in each of the 32 configurations (RFC 6716, table 2).
OPUS_MS = [*[10, 20, 40, 60] * 3, *[10, 20] * 2, *[2.5, 5, 10, 20] * 4]


def opus_packets() -> list[tuple[bytes, float]]:
    """A packet of every configuration, frame count code and number of channels, and its milliseconds."""
    found = []
    for config, frame_ms in enumerate(OPUS_MS):
        for stereo in (0, 4):
            for code, frames in ((0, 1), (1, 2), (2, 2), (3, 1), (3, 3), (3, 48)):
                if frames * frame_ms <= 120:
                    head = bytes([config << 3 | stereo | code]) + (bytes([frames]) if code == 3 else b"")
                    found.append((head + b"sound", frames * frame_ms))
    return found


def test_an_opus_packet_of_every_kind_becomes_silence_of_its_own_length() -> None:
    decoder = av.CodecContext.create("opus", "r")
    assert isinstance(decoder, AudioCodecContext)
    decoder.sample_rate, decoder.layout = 48_000, "stereo"
    for packet, length_ms in opus_packets():
        frames, samples = opus_frames(packet)
        assert frames * samples == length_ms * 48
        silent = opus_silence(packet)
        assert silent[0] & 4 == packet[0] & 4
        heard = [frame.to_ndarray() for frame in decoder.decode(av.Packet(silent))]
        assert sum(each.shape[-1] for each in heard) == length_ms * 48, packet
        assert max(float(np.abs(each).max()) for each in heard) < 1e-4


@pytest.mark.parametrize(
    "packet",
    [b"", b"\x03", b"\x03\x00", b"\x1b\x03", b"\xfb\x31"],
    ids=["nothing", "no frame count", "no frame", "180 ms", "49 frames"],
)
def test_what_is_no_opus_packet_is_refused(packet: bytes) -> None:
    with pytest.raises(ValueError, match="Opus packet"):
        opus_silence(packet)


@pytest.mark.parametrize(
    "config",
    [b"", b"\x12", b"\x2b\x92", b"\x12\x30", b"\x12\x14", b"\x17\x80\x00"],
    ids=["nothing", "cut", "high efficiency", "six channels", "960 samples", "a cut rate of its own"],
)
def test_aac_of_another_kind_gets_no_silence_made_up(config: bytes) -> None:
    assert aac_silence(b"\x12\x08") is not None
    assert aac_silence(config) is None


@pytest.mark.parametrize(
    "packet",
    [b"", b"\xff\xf1\x50", bytes(7), b"\xff\xf1\x10\x80\x00\x1f\xfc", b"\xff\xf1\x50\x80\x00\x1f\xff"],
)
def test_a_packet_without_a_plain_adts_header_gets_none_either(packet: bytes) -> None:
    assert adts_silence(packet) is None


@pytest.mark.parametrize(
    "frame", [b"", b"\xff\xfb\x90", b"\xff\xfb\x00\x00" + bytes(400), b"\xff\xfb\x90\x00" + bytes(8)]
)
def test_what_is_no_plain_mp3_frame_is_left_to_be_written_anew(frame: bytes) -> None:
    assert not is_plain(frame)
    with pytest.raises(ValueError, match="MP3 frame"):
        list(mp3_silence([(frame, True)]))


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content


FMT = struct.pack("<HHIIHH", 1, 1, 8000, 16_000, 2, 16)
DATA = chunk(b"data", bytes(100))


@pytest.mark.parametrize(
    ("chunks", "why"),
    [
        (b"", "not followed by any sound"),
        (DATA, "does not say what its samples are"),
        (chunk(b"fmt ", FMT[:10]) + DATA, "fmt chunk is too short"),
        (chunk(b"fmt ", b"\xfe\xff" + FMT[2:]) + DATA, "its extension is too short"),
        (chunk(b"fmt ", struct.pack("<HHIIHH", 1, 0, 8000, 16_000, 2, 16)) + DATA, "claims 0 channels"),
        (chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 0, 16_000, 2, 16)) + DATA, "0 samples a second"),
        (chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 16_000, 2, 99)) + DATA, "claims 99 bits"),
        (chunk(b"fmt ", FMT) + chunk(b"data", b"x"), "no sound after it"),
        (chunk(b"LIST", b"") * 5_000, "too many chunks"),
    ],
)  # fmt: skip
def test_a_wav_header_that_is_damaged_says_how(chunks: bytes, why: str) -> None:
    content = b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks
    with pytest.raises(Unreadable, match=why):
        read_wave(io.BytesIO(content), len(content))


def test_a_wav_of_samples_that_nobody_edits_in_place_is_none_of_ours() -> None:
    strange = b"\xfe\xff" + FMT[2:] + struct.pack("<HHIH14s", 22, 16, 0, 1, b"a GUID of ours")
    for fmt in (struct.pack("<HHIIHH", 2, 1, 8000, 4_000, 256, 4), strange):
        content = b"RIFF" + struct.pack("<I", 200) + b"WAVE" + chunk(b"fmt ", fmt) + DATA
        assert read_wave(io.BytesIO(content), len(content)) is None


@pytest.mark.parametrize("total", [1_000, 1 << 31])
def test_a_header_is_read_as_it_was_written_beyond_four_gigabytes_too(total: int) -> None:
    """No file so large is written: its header says how long it would be."""
    found = WaveFormat(FORMS["pcm_s16le"], 2, 48_000, 16, None)
    head = wave_header(found, total)
    assert head.startswith(b"RIFF" if total == 1_000 else b"RF64")
    wave = read_wave(io.BytesIO(head), len(head) + 4 * total)
    assert wave is not None
    assert (wave.format, wave.offset_bytes, wave.total) == (found, len(head), total)


def test_a_channel_below_the_first_is_none() -> None:
    with pytest.raises(ValueError, match="channels count from 0"):
        Mute(Fraction(0), Fraction(1), -1)


@pytest.mark.parametrize("packet", [b"\x00\x00\x00\x00", b"\x00\x00\x00\x09\x65", b"\x00\x00"])
def test_picture_units_whose_lengths_do_not_add_up_are_refused(packet: bytes) -> None:
    with pytest.raises(ValueError, match="longer than its packet, or empty"):
        list(units(packet, 4))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x02" + bytes(8),
        b"\x01\x42\x00\x1e\xff\xe1\x00\x00\x01",
        b"\x01\x42\x00\x1e\xff\xe1\x00\x09\x67",
    ],
)
def test_a_header_of_a_picture_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"avcC|parameter set"):
        parse_avcc(data)
