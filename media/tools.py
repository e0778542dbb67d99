"""Find the ffmpeg program and say which one it is.

A system `ffmpeg` on PATH comes first: its distribution patches it. Where there
is none, or it does not run, the binary of the `imageio-ffmpeg` wheel is used,
so that nobody needs a system package.
"""

import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import imageio_ffmpeg

from media.errors import ToolFailed

_VERSION_TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that was found and answered."""

    path: Path
    version: str  #: as the program words it, such as "n7.1-184" or "5.1.6-0+deb12u1"
    origin: str  #: "system" or "imageio-ffmpeg"
    is_gpl: bool  #: built with --enable-gpl: see docs/licences.md


@cache
def find_ffmpeg() -> Tool:
    """The ffmpeg to use in this process.

    Raises:
        ToolFailed: There is none that runs.
    """
    tried = []
    for origin, path in _candidates():
        try:
            return _ask_version(path, origin)
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            tried.append(f"{path}: {error}")
    raise ToolFailed(
        "no ffmpeg that runs was found; install the `imageio-ffmpeg` wheel or your system's ffmpeg package"
        + "".join(f"\n  {line}" for line in tried)
    )


def _candidates() -> list[tuple[str, Path]]:
    found = []
    if system := shutil.which("ffmpeg"):
        found.append(("system", Path(system)))
    try:
        found.append(("imageio-ffmpeg", Path(imageio_ffmpeg.get_ffmpeg_exe())))
    except RuntimeError:  # a wheel for a platform that ships no binary
        return found
    return found


def _ask_version(path: Path, origin: str) -> Tool:
    done = subprocess.run(  # noqa: S603 - the path comes from PATH or from the wheel
        [path.absolute(), "-version"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_VERSION_TIMEOUT_SECONDS,
        check=True,
        text=True,
        errors="replace",
    )
    words = done.stdout.split()
    if words[:2] != ["ffmpeg", "version"]:
        raise ValueError("does not answer like ffmpeg")
    return Tool(path.absolute(), words[2], origin, is_gpl="--enable-gpl" in words)
