"""How long it takes to mute one hour of a two-channel call, and how much memory: by codec, and against FFmpeg.

Each way mutes twelve spans of eight seconds and checks the result; "decode and
encode" is what the usual way costs at least: FFmpeg reads the same file and
writes the same codec, without any filter. Every run is a process of its own.
Peak memory is the sum of the peaks of that process and of its child, where
there is one, and stands for an hour and for a quarter of it, so that growth
would show. Goals: 0.2 s for PCM and G.711, 2 s for the others, of the work
itself, without the start of the interpreter. Linux only.
"""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from compileall import compile_dir
from dataclasses import dataclass
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from media.process import local_url, run_ffmpeg
from tests.benchmarks.material import make_call
from tests.benchmarks.measure import (
    ROOT,
    Took,
    interleaved,
    parser,
    python,
    show,
    size_of,
    timed,
    workplace,
)
from tests.benchmarks.memory import watch

RATE = 8000
SECONDS = {"full": 3600, "quick": 900, "tiny": 20}
#: By name: suffix, encoder, its rate. G.711 and PCM are written as WAV.
KINDS = {
    "PCM": (".wav", "pcm_s16le", RATE),
    "G.711": (".wav", "pcm_mulaw", RATE),
    "Opus": (".ogg", "libopus", 48_000),
    "AAC": (".m4a", "aac", RATE),
    "MP3": (".mp3", "libmp3lame", RATE),
}


def main(arguments: Sequence[str]) -> None:
    """Measure and print the table."""
    given = parser("sound", __doc__).parse_args(arguments)
    size = size_of(given, 3)
    compile_dir(ROOT / "media", quiet=1)  # an installed copy has its byte code, and a child writes none
    with workplace(given.folder) as folder:
        rows = [_row(name, folder, SECONDS[size.name], size.repeats) for name in KINDS]
    show(
        f"Muting {SECONDS[size.name]} s of a two-channel call (median of {size.repeats})",
        "Work: wall time; the start of a child process, where there is one, check and fsync included.",
        ("codec", ">work s", ">CPU s", ">peak MiB", ">peak MiB, a quarter", ">decode and encode s", ">ratio"),
        rows,
    )


@dataclass(frozen=True, slots=True)
class _Run(Took):
    """What one muted copy cost."""

    peak_mib: float


def _row(name: str, folder: Path, seconds: int, repeats: int) -> tuple[str, ...]:
    suffix, codec, rate = KINDS[name]
    quarter = _material(folder / f"{name}-{seconds // 4}{suffix}", codec, rate, seconds // 4)
    source = _fourfold(quarter, folder / f"{name}-{seconds}{suffix}")
    out = folder / f"out{suffix}"
    runs: list[_Run] = []

    def ours() -> Took:
        runs.append(_mute_once(source, out, seconds, folder))
        return runs[-1]

    def theirs() -> Took:
        arguments = ["-y", "-i", local_url(source), "-c:a", codec, str(out)]
        return timed(lambda: run_ffmpeg(arguments, timeout_seconds=3600))

    took = interleaved({"ours": ours, "ffmpeg": theirs}, repeats)
    small = _mute_once(quarter, out, seconds // 4, folder)
    work, floor = took["ours"].wall_s, took["ffmpeg"].wall_s
    return (
        name,
        f"{work:.3f}",
        f"{took['ours'].cpu_s:.3f}",
        f"{max(run.peak_mib for run in runs):.0f}",
        f"{small.peak_mib:.0f}",
        f"{floor:.2f}",
        f"{floor / work:.1f}",
    )


def _mute_once(source: Path, out: Path, seconds: int, folder: Path) -> _Run:
    starts = [seconds * (number + 1) / 14 for number in range(12)]
    spans = [f"{start_s:.3f}-{start_s + 8:.3f}" for start_s in starts]
    argv = [sys.executable, "-m", "tests.benchmarks.one_mute", str(source), str(out), *spans]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env=python(folder), cwd=ROOT) as process:
        peaks = watch(process)
        assert process.stdout is not None
        said = process.stdout.read()
    if process.returncode:
        raise RuntimeError(f"{source.name} was not muted ({process.returncode})")
    return _Run(**json.loads(said), peak_mib=sum(peaks.values()) / 2**20)


def _material(path: Path, codec: str, rate: int, seconds: int) -> Path:
    """A call of so many seconds in a codec; made once, found the next time."""
    if path.exists():
        return path
    call = path.with_suffix(".call.wav")
    make_call(
        call,
        seed=7,
        size_bytes=seconds * RATE * (2 if codec == "pcm_mulaw" else 4),
        is_mulaw=codec == "pcm_mulaw",
    )
    if codec.startswith("pcm"):
        return call.rename(path)
    begun = time.perf_counter()
    with av.open(call) as source, av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=rate)
        assert isinstance(stream, AudioStream)
        stream.layout, stream.bit_rate = "stereo", 32_000
        for frame in source.decode(audio=0):
            assert isinstance(frame, AudioFrame)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    call.unlink()
    sys.stderr.write(f"{path.name} made in {time.perf_counter() - begun:.0f} s\n")
    return path


def _fourfold(quarter: Path, path: Path) -> Path:
    """Its packets four times, which takes seconds, where encoding an hour takes minutes."""
    if path.exists():
        return path
    with av.open(quarter) as source, av.open(path, "w") as container:
        stream = source.streams.audio[0]
        copy = container.add_stream_from_template(stream)
        packets = [packet for packet in source.demux(stream) if packet.size and packet.pts is not None]
        length = sum(packet.duration or 0 for packet in packets)
        starts = [packet.pts or 0 for packet in packets]
        for number in range(4):
            for packet, start in zip(packets, starts, strict=True):
                packet.pts = packet.dts = start + number * length
                packet.stream = copy
                container.mux(packet)
    return path
