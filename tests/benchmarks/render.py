"""Rendering against its floor: FFmpeg decoding, blurring and encoding the same clip, in the same run.

    python tests/benchmarks/render.py CLIP [--rounds 3]

Prints a table of wall seconds, processor seconds and sizes. The floor is
`ffmpeg -vf boxblur` with its own defaults; a second one uses our preset. Wall
seconds depend on what else the machine does; compare them within one run.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from media.process import local_url, run_ffmpeg
from media.video.masks import Box, Mask, MaskPlan
from media.video.render.model import FrameRange
from media.video.render.render import render
from media.video.scan import scan

_TIMEOUT_SECONDS = 3600.0
_FACES = 10  #: in every frame


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    frames = len(scan(options.clip).pts)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.mp4"
        ways: dict[str, Callable[[], object]] = {
            "floor (ffmpeg's preset)": lambda: _blur(options.clip, out),
            "floor (our preset)": lambda: _blur(options.clip, out, "-preset", "faster"),
            "render": lambda: render(options.clip, _crowd(range(frames)), out),
            "render, 1 % masked": lambda: render(
                options.clip,
                _crowd(range(frames // 2, frames // 2 + max(1, frames // 100))),
                out,
                looked_at=[FrameRange(0, frames)],
            ),
        }
        _say(f"{options.clip.name}: {frames} frames, {options.clip.stat().st_size} bytes")
        for _ in range(options.rounds):
            for name, way in ways.items():
                wall_s, cpu_s = _timed(way)
                _say(f"{name:26} {wall_s:8.2f} s {cpu_s:8.2f} cpu s {out.stat().st_size:10} bytes")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _blur(clip: Path, out: Path, *more: str) -> None:
    arguments = ["-i", local_url(clip), "-vf", "boxblur=10", *more, "-an", "-y", local_url(out)]
    run_ffmpeg(arguments, timeout_seconds=_TIMEOUT_SECONDS)


def _crowd(frames: range) -> MaskPlan:
    return MaskPlan(
        {n: [Mask(Box(40 + 60 * k, 100, 80 + 60 * k, 150)) for k in range(_FACES)] for n in frames}
    )


def _timed(way: Callable[[], object]) -> tuple[float, float]:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    way()
    wall_s, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
