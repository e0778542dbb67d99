"""The child process that mutes. `mute` starts it and talks to it through `media.child`."""

from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from media.child import OnProgress, answer_parent, refusing
from media.sound.muting import write_muted, write_tracks
from media.sound.report import Redacted, Request
from media.sound.samples import Style
from media.sound.spans import Mute


def mute_job(request: dict[str, Any], _bulk: bytes, report: OnProgress) -> dict[str, Any]:
    """Write one muted copy."""
    return refusing(lambda: {"tracks": [asdict(one) for one in _write(request, report)]})


def _write(request: dict[str, Any], report: OnProgress) -> tuple[Redacted, ...]:
    source, out, suffix = Path(request["source"]), Path(request["out"]), request["suffix"]
    if "tracks" in request:
        mutes = {int(track): _mutes(rows) for track, rows in request["tracks"].items()}
        return write_tracks(source, out, suffix, mutes, report)
    asked = Request(_mutes(request["mutes"]), Style(request["style"]), request["raw_format"])
    return write_muted(source, out, suffix, asked, report)


def _mutes(rows: list[list[Any]]) -> tuple[Mute, ...]:
    return tuple(Mute(Fraction(start), Fraction(end), channel) for start, end, channel in rows)


if __name__ == "__main__":
    av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)
    answer_parent(mute_job)
