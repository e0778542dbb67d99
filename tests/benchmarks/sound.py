"""How long it takes to mute one hour of a two-channel call, and how much memory: by codec, and against FFmpeg.

Each way mutes twelve spans of eight seconds and checks the result; "decode and
encode" is what the usual way costs at least: FFmpeg reads the same file and
writes the same codec, without any filter. Every run is a process of its own;
its peak memory is the kernel's figure, and stands for an hour and for a
quarter of it, so that growth would show. Goals: 0.2 s for PCM, 2 s for the
others, of the work itself, without the start of the interpreter.
"""

import json
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from media.process import local_url, run_ffmpeg
from media.sound.mute import Request, mute
from media.sound.spans import Mute
from tests.benchmarks.material import make_call
from tests.benchmarks.measure import (
    Took,
    interleaved,
    parser,
    python,
    run_process,
    show,
    size_of,
    timed,
    workplace,
)

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
    """Measure and print the table; with `--once`, mute once in this process."""
    if list(arguments[:1]) == ["--once"]:
        once(Path(arguments[1]), Path(arguments[2]))
        return
    given = parser("sound", __doc__).parse_args(arguments)
    size = size_of(given, 3)
    with workplace(given.folder) as folder:
        rows = [_row(name, folder, SECONDS[size.name], size.repeats) for name in KINDS]
    show(
        f"Muting {SECONDS[size.name]} s of a two-channel call (median of {size.repeats})",
        "Work: wall time, the start of a child process, check and fsync included. Peak: of the larger process.",
        ("codec", ">work s", ">CPU s", ">peak MiB", ">peak MiB, a quarter", ">decode and encode s", ">ratio"),
        rows,
    )


def once(source: Path, out: Path) -> None:
    """Mute, and print what it took."""
    spans = tuple(Mute.parse(f"{at:.3f}-{at + 8:.3f}") for at in _starts(source))
    took = timed(lambda: mute(source, out, Request(spans)))
    own, child = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cpu_s = took.cpu_s + child.ru_utime + child.ru_stime
    peak_mib = max(own.ru_maxrss, child.ru_maxrss) / 1024
    sys.stdout.write(json.dumps({"wall_s": took.wall_s, "cpu_s": cpu_s, "peak_mib": peak_mib}))


def _starts(source: Path) -> list[float]:
    with av.open(source) as container:
        length_s = (container.duration or 0) / 1_000_000
    return [round(length_s * (number + 1) / 14, 3) for number in range(12)]


def _row(name: str, folder: Path, seconds: int, repeats: int) -> tuple[str, ...]:
    suffix, codec, rate = KINDS[name]
    source, quarter = (
        _material(folder / f"{name}-{length}{suffix}", codec, rate, length)
        for length in (seconds, seconds // 4)
    )
    out, said = folder / f"out{suffix}", folder / "said.json"
    inside: list[dict[str, float]] = []

    def ours() -> Took:
        _once_apart(source, out, said, folder)
        inside.append(json.loads(said.read_text()))
        return Took(inside[-1]["wall_s"], inside[-1]["cpu_s"])

    def theirs() -> Took:
        arguments = ["-y", "-i", local_url(source), "-c:a", codec, str(out)]
        return timed(lambda: run_ffmpeg(arguments, timeout_seconds=3600))

    took = interleaved({"ours": ours, "ffmpeg": theirs}, repeats)
    _once_apart(quarter, out, said, folder)
    small = json.loads(said.read_text())
    peak = max(one["peak_mib"] for one in inside)
    work, floor = took["ours"].wall_s, took["ffmpeg"].wall_s
    return (
        name,
        f"{work:.3f}",
        f"{took['ours'].cpu_s:.3f}",
        f"{peak:.0f}",
        f"{small['peak_mib']:.0f}",
        f"{floor:.2f}",
        f"{floor / work:.1f}",
    )


def _once_apart(source: Path, out: Path, said: Path, folder: Path) -> None:
    """One mute in a process of its own, whose answer is kept in `said`."""
    command = f"exec {sys.executable} -m tests.benchmarks sound --once '{source}' '{out}' > '{said}'"
    run_process(["/bin/sh", "-c", command], python(folder))


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
