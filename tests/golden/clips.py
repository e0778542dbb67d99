"""Recipes for small videos in many forms, and ways to read a finished one back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from media.video.masks import Box, Mask, MaskPlan, Style

Rgb = NDArray[np.uint8]


@dataclass(frozen=True)
class Sound:
    """A tone that goes with the pictures."""

    codec: str = "aac"
    rate: int = 48_000
    tone_hz: int = 440


def scene(number: int, width: int, height: int) -> Rgb:
    """A textured, coloured picture with something that moves: no two frames are alike."""
    rows, columns = np.mgrid[0:height, 0:width]
    red = (columns * 3 + number * 2) % 200 + 30
    green = (rows * 2 + columns + number) % 180 + 40
    blue = np.full_like(red, 90)
    picture = np.stack([red, green, blue], axis=2).astype(np.uint8)
    left = (number * 4) % max(1, width - width // 4)
    picture[height // 3 : height // 2, left : left + width // 4] = (230, 60, 60)
    return picture


def write_clip(
    path: Path,
    *,
    frames: int = 24,
    size: tuple[int, int] = (96, 64),
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    container: str = "mp4",
    rate: int = 12,
    times: Sequence[int] | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    rotation: int = 0,
    sounds: Sequence[Sound] = (),
    draw: Callable[[int, int, int], Rgb] = scene,
    metadata: dict[str, str] | None = None,
    adjust: Callable[[VideoStream], None] | None = None,
) -> Path:
    """Write a clip. `times` are ticks of a tenth of a frame; without them frames come every ten ticks."""
    with av.open(path, "w", format=container, container_options=container_options or {}) as out:
        out.metadata.update(metadata or {})
        stream = cast("VideoStream", out.add_stream(codec, rate=rate, options={"g": "8", **(options or {})}))
        stream.width, stream.height = size
        stream.pix_fmt = pix_fmt
        stream.codec_context.time_base = Fraction(1, rate * 10)
        if rotation:
            stream.set_display_rotation(rotation)
        if adjust:
            adjust(stream)
        tones = [_add_tone(out, sound) for sound in sounds]
        for number in range(frames):
            frame = VideoFrame.from_ndarray(draw(number, *size), format="rgb24").reformat(
                format=pix_fmt, threads=1
            )
            frame.pts = times[number] if times else number * 10
            frame.time_base = Fraction(1, rate * 10)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        for tone, sound in zip(tones, sounds, strict=True):
            _play(out, tone, sound, frames / rate)
    return path


def _add_tone(out: Any, sound: Sound) -> AudioStream:
    return cast("AudioStream", out.add_stream(sound.codec, rate=sound.rate, layout="mono"))


def _play(out: Any, stream: AudioStream, sound: Sound, seconds: float) -> None:
    time_s = np.arange(round(seconds * sound.rate)) / sound.rate
    samples = (0.3 * np.sin(2 * np.pi * sound.tone_hz * time_s) * 32767).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = sound.rate
    frame.pts = 0
    for block in av.AudioResampler(stream.format, "mono", sound.rate).resample(frame):
        out.mux(stream.encode(block))
    out.mux(stream.encode(None))


def decoded(path: Path) -> list[VideoFrame]:
    """Every frame of the first picture track."""
    with av.open(path) as container:
        return list(container.decode(video=0))


def shown_at(path: Path) -> list[Fraction]:
    """When each frame is shown, in seconds from the first one."""
    times = [
        (frame.pts if frame.pts is not None else cast("int", frame.dts)) * cast("Fraction", frame.time_base)
        for frame in decoded(path)
    ]
    return [time - times[0] for time in times]


def length_s(path: Path) -> Fraction:
    """From the first packet shown to the end of the last one."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        ends = [
            (p.pts, p.pts + p.duration)
            for p in container.demux(stream)
            if p.size and p.pts is not None and p.duration
        ]
        assert stream.time_base
        return (max(end for _, end in ends) - min(start for start, _ in ends)) * stream.time_base


def luma(frame: VideoFrame) -> NDArray[np.uint8]:
    """(height, width), as stored."""
    plane = frame.planes[0]
    return np.frombuffer(memoryview(plane).cast("B"), np.uint8).reshape(plane.height, -1)[:, : plane.width]


def psnr_db(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Of two 8-bit arrays; infinite where they are equal."""
    error = float(np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2))
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))


def hide(frames: range, *boxes: tuple[float, float, float, float], style: Style = Style.FILL) -> MaskPlan:
    """The same boxes in all these frames."""
    return MaskPlan({frame: [Mask(Box(*box), style) for box in boxes] for frame in frames})
