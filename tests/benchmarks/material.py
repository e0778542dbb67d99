"""A mixed folder to take in: telephone calls as WAV, camera footage as H.264 in MP4.

Real files that decode, made quickly, no two with a stretch in common, so that
deduplication finds nothing. Calls: 8 kHz, two channels, half of them 16-bit
PCM and half µ-law; sides take turns of shaped noise as loud as speech, over
line noise, so a compressor gains about what it gains on speech. Footage:
1280 x 720 at 15 pictures a second of moving noise on a still scene, about
5 Mbit/s, a key picture every two seconds. A stretch is encoded once and its
packets repeated; each packet gets a few random bytes that players skip (a user
data SEI message), so that no block of a file is like another.
"""

import wave
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from tests.benchmarks.measure import MEGABYTE, Size

RATE = 8000
CHANNELS = 2
#: So much footage is encoded; longer than any window in which a compressor looks for repetition.
STRETCH_BYTES = {"full": 24 * MEGABYTE, "quick": 12 * MEGABYTE, "tiny": MEGABYTE}
_WIDTH, _HEIGHT, _FPS = 1280, 720, 15
_MULAW = 7  #: WAVE_FORMAT_MULAW


@dataclass(frozen=True, slots=True)
class Mix:
    """How many files of which sizes."""

    calls: int
    footage: int
    long_footage_bytes: int


MIXES = {
    "full": Mix(400, 40, 900 * MEGABYTE),
    "quick": Mix(80, 6, 60 * MEGABYTE),
    "tiny": Mix(4, 1, 2 * MEGABYTE),
}


@dataclass(frozen=True, slots=True)
class Material:
    """The folder, ready."""

    calls: Path
    footage: Path
    files: int
    size_bytes: int


def make_material(folder: Path, size: Size) -> Material:
    """The mixed folder of that size; made once, found the next time."""
    mix = MIXES[size.name]
    root = folder / f"material-{size.name}"
    calls, footage = root / "calls", root / "footage"
    done = root / ".made"
    if not done.exists():
        for each in (calls, footage):
            each.mkdir(parents=True, exist_ok=True)
        stretch = root / "stretch.mp4"
        make_footage(stretch, 1, STRETCH_BYTES[size.name])
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
            list(pool.map(_make, _jobs(mix, calls, footage, stretch)))
        done.touch()
    files = [path for each in (calls, footage) for path in each.iterdir()]
    return Material(calls, footage, len(files), sum(path.stat().st_size for path in files))


@dataclass(frozen=True, slots=True)
class _Job:
    path: Path
    seed: int
    size_bytes: int
    stretch: Path | None = None


def _jobs(mix: Mix, calls: Path, footage: Path, stretch: Path) -> Iterator[_Job]:
    """The longest first, so that no process is left alone with it at the end."""
    random = np.random.default_rng(2026)
    yield _Job(footage / "camera-long.mp4", 1, mix.long_footage_bytes, stretch)
    for number in range(mix.footage):
        size_bytes = int(random.uniform(5, 60) * MEGABYTE)
        yield _Job(footage / f"camera-{number:03d}.mp4", 1000 + number, size_bytes, stretch)
    for number in range(mix.calls):
        size_bytes = int(np.exp(random.uniform(np.log(0.2), np.log(5))) * MEGABYTE)
        yield _Job(calls / f"call-{number:04d}.wav", 10_000 + number, size_bytes)


def _make(job: _Job) -> None:
    if job.stretch is None:
        make_call(job.path, job.seed, job.size_bytes, is_mulaw=bool(job.seed % 2))
    else:
        repeat_footage(job.stretch, job.path, job.seed, job.size_bytes)


def make_call(path: Path, seed: int, size_bytes: int, *, is_mulaw: bool) -> None:
    """Write a call of about that size."""
    random = np.random.default_rng(seed)
    frames = max(RATE, size_bytes // (CHANNELS * (1 if is_mulaw else 2)))
    seconds = frames // RATE + 1
    speaking = random.random(seconds) < 0.5
    loudness = np.where(np.stack([speaking, ~speaking], axis=1), random.uniform(300, 6000, (seconds, 2)), 20)
    envelope = np.repeat(loudness, RATE, axis=0)[:frames]
    samples = np.clip(random.standard_normal((frames, CHANNELS)) * envelope, -32_000, 32_000).astype("<i2")
    if not is_mulaw:
        with wave.open(str(path), "wb") as file:
            file.setnchannels(CHANNELS)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(samples.tobytes())
        return
    path.write_bytes(_mulaw_header(frames) + _mulaw(samples).tobytes())


def _mulaw(samples: NDArray[np.int16]) -> NDArray[np.uint8]:
    """ITU-T G.711."""
    magnitude = np.minimum(np.abs(samples.astype(np.int32)), 32_635) + 132
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    coded: NDArray[np.uint8] = (~(np.where(samples < 0, 0x80, 0) | exponent << 4 | mantissa)).astype(np.uint8)
    return coded


def _mulaw_header(frames: int) -> bytes:
    data_bytes = frames * CHANNELS
    fmt = np.array(
        [(_MULAW, CHANNELS, RATE, RATE * CHANNELS, CHANNELS, 8, 0)], "<u2,<u2,<u4,<u4,<u2,<u2,<u2"
    ).tobytes()
    sizes = [len(value).to_bytes(4, "little") for value in (fmt,)]
    fact = b"fact" + (4).to_bytes(4, "little") + frames.to_bytes(4, "little")
    body = b"WAVEfmt " + sizes[0] + fmt + fact + b"data" + data_bytes.to_bytes(4, "little")
    return b"RIFF" + (len(body) + data_bytes).to_bytes(4, "little") + body


def make_footage(path: Path, seed: int, size_bytes: int) -> None:
    """Write footage of about that size."""
    random = np.random.default_rng(seed)
    scene = random.integers(60, 180, (_HEIGHT * 3 // 2, _WIDTH), np.uint8)
    scene = np.repeat(np.repeat(scene[::16, ::16], 16, axis=0), 16, axis=1)[: _HEIGHT * 3 // 2, :_WIDTH]
    noise = random.normal(0, 9, (_HEIGHT * 3, _WIDTH)).astype(np.int8).view(np.uint8)
    with av.open(path, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=_FPS)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
        stream.codec_context.thread_count = 1
        stream.options = {"preset": "ultrafast", "crf": "30", "g": str(2 * _FPS), "tune": "zerolatency"}
        written = 0
        while written < size_bytes:
            top = int(random.integers(0, _HEIGHT * 3 // 2))
            exposed = scene + np.roll(
                noise[top : top + _HEIGHT * 3 // 2], int(random.integers(_WIDTH)), axis=1
            )
            frame = av.VideoFrame.from_ndarray(exposed, format="yuv420p")
            for packet in stream.encode(frame):
                written += packet.size
                container.mux(packet)
        container.mux(stream.encode(None))


def repeat_footage(stretch: Path, path: Path, seed: int, size_bytes: int) -> None:
    """Write the packets of `stretch` again and again, each a little different, until the file is about so large."""
    random = np.random.default_rng(seed)
    with av.open(stretch) as source, av.open(path, "w", format="mp4") as target:
        stream = source.streams.video[0]
        copy, time_base = target.add_stream_from_template(stream), stream.time_base
        assert time_base is not None
        packets = [
            (bytes(packet), packet.is_keyframe, packet.duration or 1)
            for packet in source.demux(stream)
            if packet.size
        ]
        at = written = 0
        while written < size_bytes:
            for content, is_key, duration in packets:
                packet = av.Packet(_user_data(random) + content)
                packet.stream, packet.is_keyframe, packet.time_base = copy, is_key, time_base
                packet.pts = packet.dts = at
                packet.duration = duration
                at += duration
                written += packet.size
                target.mux(packet)


def _user_data(random: np.random.Generator) -> bytes:
    """A length and an SEI message of type 5, as H.264's annex D has it: an identity, then anything at all."""
    anything = random.integers(1, 256, 16 + 32, np.uint8).tobytes()  # without zeros nothing need be escaped
    message = bytes([6, 5, len(anything)]) + anything + b"\x80"
    return len(message).to_bytes(4, "big") + message
