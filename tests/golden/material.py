"""Recipes for small files: a tone, a few moving pictures. Quick to make, and their truth is known."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

TONE_HZ = 440


def write_sound(
    path: Path,
    *,
    seconds: float = 1.0,
    rate: int = 8000,
    channels: int = 1,
    codec: str = "pcm_s16le",
    container: str = "wav",
    amplitude: float = 0.5,
) -> Path:
    """A sine tone; each further channel is half as loud as the one before it."""
    time_s = np.arange(round(seconds * rate)) / rate
    tone = np.sin(2 * math.pi * TONE_HZ * time_s)
    loudness = amplitude * 0.5 ** np.arange(channels)
    samples = np.round(tone[:, None] * loudness * 32767).astype(np.int16)
    layout = {1: "mono", 2: "stereo"}.get(channels, f"{channels}c")
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout=layout)
    frame.sample_rate = rate
    with av.open(path, "w", format=container) as out:
        stream = cast("AudioStream", out.add_stream(codec, rate=rate, layout=layout))
        out.mux([*stream.encode(frame), *stream.encode(None)])
    return path


def write_pictures(
    path: Path,
    *,
    frames: int = 24,
    rate: int = 12,
    size: tuple[int, int] = (64, 48),
    codec: str = "mpeg4",
    container: str = "mp4",
    rotation: int = 0,
    black: int = 0,
    metadata: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """A white square that moves over a dark gradient, after `black` black pictures.

    `rotation` is stored as a display matrix, in degrees counterclockwise, as FFmpeg has it.
    """
    with av.open(path, "w", format=container, options=options or {}) as out:
        out.metadata.update(metadata or {})
        stream = cast("VideoStream", out.add_stream(codec, rate=rate, options={"g": "12"}))
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        if rotation:
            stream.set_display_rotation(rotation)
        for number, picture in enumerate(pictures(frames, size, black)):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts = number
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def pictures(
    count: int, size: tuple[int, int], black: int = 0
) -> Sequence[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    """What `write_pictures` encodes."""
    width, height = size
    made = []
    for number in range(count):
        picture = np.zeros((height, width, 3), np.uint8)
        if number >= black:
            picture[:] = np.linspace(20, 90, height, dtype=np.uint8)[:, None, None]
            left = number * 3 % (width - 10)
            picture[4:14, left : left + 10] = 240
        made.append(picture)
    return made
