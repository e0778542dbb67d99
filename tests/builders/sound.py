"""Sound for tests: something that sounds all the time, in any codec, and its samples back."""

import struct
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from numpy.typing import NDArray

from media.files import draft_of, settle
from media.job import ignore
from media.sound.mute import Report, Request
from media.sound.muting import write_muted
from media.sound.splice import write_spliced

Levels = NDArray[np.float64]  #: (channels, samples), -1 to 1


def loud(seconds: float, rate: int = 8000, channels: int = 2, seed: int = 0) -> Levels:
    """Never silent, never the same: a few wandering tones and some noise, other ones on each channel."""
    random = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * rate)) / rate
    voices = []
    for _ in range(channels):
        sweep = np.cumsum(200 + 150 * np.sin(2 * np.pi * random.uniform(0.3, 0.9) * time_s)) / rate
        tones = 0.3 * np.sin(2 * np.pi * sweep) + 0.15 * np.sin(2 * np.pi * 3 * sweep + 1)
        voices.append(tones + random.normal(0, 0.05, len(time_s)))
    return np.stack(voices).clip(-0.99, 0.99)


def encode(path: Path, levels: Levels, codec: str, rate: int = 8000, form: str | None = None) -> Path:
    """Write `levels` in a codec, with tags that must not get through; the container follows the name."""
    with av.open(path, "w", format=form) as container:
        container.metadata.update({"title": "Yamada Taro", "comment": "card 4111"})
        stream = container.add_stream(codec, rate=rate)
        assert isinstance(stream, AudioStream)
        stream.layout = layout(len(levels))
        _encode_sound(container, stream, levels, rate)
    return path


def footage(path: Path, levels: Levels, codec: str, video: str, rate: int = 8000, tracks: int = 1) -> Path:
    """Write moving pictures of the same length, with sound tracks."""
    with av.open(path, "w") as container:
        container.metadata["title"] = "Yamada Taro"
        picture = container.add_stream(video, rate=10)
        assert isinstance(picture, VideoStream)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuvj420p" if video == "mjpeg" else "yuv420p"
        sounds = [container.add_stream(codec, rate=rate) for _ in range(tracks)]
        for sound in sounds:
            assert isinstance(sound, AudioStream)
            sound.layout = layout(len(levels))
        for number in range(levels.shape[1] * 10 // rate):
            grey = np.full((72, 64), 20 + 3 * number % 200, np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, format="yuv420p").reformat(format=picture.pix_fmt)
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        for sound in sounds:
            assert isinstance(sound, AudioStream)
            _encode_sound(container, sound, levels, rate)
    return path


def decode(path: Path, track: int = 0, form: str | None = None) -> tuple[Levels, int]:
    """All samples of a sound track, and their rate."""
    parts: list[Levels] = []
    with av.open(path, format=form) as container:
        stream = container.streams.audio[track]
        for frame in container.decode(stream):
            assert isinstance(frame, AudioFrame)
            parts.append(samples_of(frame))
        return np.concatenate(parts, axis=1), stream.rate


def samples_of(frame: AudioFrame) -> Levels:
    """(channels, samples) of any decoder, -1 to 1."""
    values = frame.to_ndarray()
    block = values if frame.format.is_planar else values.reshape(frame.samples, -1).T
    if block.dtype == np.uint8:
        return (block.astype(np.float64) - 128) / 128
    if block.dtype.kind == "i":
        return block.astype(np.float64) / 2.0 ** (8 * block.dtype.itemsize - 1)
    return block.astype(np.float64)


def layout(channels: int) -> str:
    """FFmpeg's name of so many channels."""
    return {1: "mono", 2: "stereo"}.get(channels, f"{channels}c")


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    """A RIFF chunk, whose size may lie."""
    length = len(body) if size is None else size
    return name + struct.pack("<I", length) + body + b"\0" * (len(body) % 2)


def wave_bytes(
    data: bytes,
    tag: int = 1,
    channels: int = 2,
    bits: int = 16,
    rate: int = 8000,
    *,
    before: bytes = b"",
    after: bytes = b"",
    data_size: int | None = None,
    extensible: bool = False,
) -> bytes:
    """A WAV, with whatever chunks before and after its data."""
    block = channels * bits // 8
    fmt = struct.pack("<HHIIHH", 0xFFFE if extensible else tag, channels, rate, rate * block, block, bits)
    if extensible:
        fmt += struct.pack("<HHIH", 22, bits, 3, tag) + bytes.fromhex("000000001000800000aa00389b71")
    body = b"WAVE" + chunk(b"fmt ", fmt) + before + chunk(b"data", data, data_size) + after
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _encode_sound(
    container: av.container.OutputContainer, stream: AudioStream, levels: Levels, rate: int
) -> None:
    packed = np.round(levels * 32767).astype(np.int16).T.reshape(1, -1)
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(packed), format="s16", layout=layout(len(levels)))
    frame.sample_rate, frame.pts = rate, 0
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def mute_here(source: Path, out: Path, request: Request) -> Report:
    """As `media.sound.mute.mute`, without a child process: for many examples, and for what a test breaks inside."""
    with draft_of(out, out.suffix) as draft:
        asked = source, draft, out.suffix, request, ignore
        spliced = write_spliced(*asked)
        done = (spliced,) if spliced else write_muted(*asked)
        settle(draft, out)
    return Report(request, done)
