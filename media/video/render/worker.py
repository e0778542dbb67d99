"""The child process that renders. `render` starts it and talks to it through `media.child`."""

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from media.child import OnProgress, answer_parent
from media.container import hush
from media.errors import ToolFailed
from media.video.mask_table import MaskTable, unpack
from media.video.render.assemble import Assembled, assemble
from media.video.render.model import FrameRange, Smart
from media.video.render.smart import CopyPlan, encode_all, plan_copying
from media.video.scan import Scan, scan

MAX_THREADS = 8  #: x264 gives up quality for each one
_UNSEEN_FRAMES = 1  #: some codecs hide a second picture in the last packet


def render_job(request: dict[str, Any], bulk: bytes, report: OnProgress) -> dict[str, Any]:
    """Write the output that `request` names, and check that all of it is there."""
    source, target = Path(request["source"]), Path(request["target"])
    sound = Path(request["sound"]) if request["sound"] else None
    table = unpack(bulk)
    seen = scan(source)
    hush()
    if table.last_frame() >= len(seen.pts) + _UNSEEN_FRAMES:
        raise ToolFailed(
            f"the plan hides something in frame {table.last_frame()}, but the recording has {len(seen.pts)} frames; "
            "it was made for another recording"
        )
    plan = _copy_plan(request, source, seen, table)
    done = assemble(
        source,
        target,
        sound,
        table=table,
        seen=seen,
        plan=plan,
        threads=min(MAX_THREADS, len(os.sched_getaffinity(0))),
        report=report,
    )
    written = _check_complete(target, done, seen)
    report(done.frames, done.frames)
    if plan.why_not and request["looked_at"]:
        done.notes.append(f"Nothing was copied: {plan.why_not}.")
    return {
        "frames": done.frames,
        "masked_frames": table.frames(),
        "copied_frames": done.copied,
        "duration_us": _duration_us(written),
        "video_bytes": done.video_bytes,
        "source_video_bytes": int(seen.sizes.sum()),
        "sound_tracks": done.sound_tracks,
        "notes": done.notes,
    }


def _copy_plan(request: dict[str, Any], source: Path, seen: Scan, table: MaskTable) -> CopyPlan:
    looked_at = [FrameRange(first, end) for first, end in request["looked_at"]]
    if Smart(request["smart"]) is Smart.NEVER or not looked_at:
        return encode_all()
    return plan_copying(source, seen, table, looked_at)


def _check_complete(target: Path, done: Assembled, seen: Scan) -> Scan:
    """Read the output back: as many pictures, shown at the same times."""
    written = scan(target)
    if len(written.pts) != done.frames:
        raise ToolFailed(f"{done.frames} pictures were encoded, but {len(written.pts)} are in the output")
    if seen.is_timed and not seen.hidden and len(seen.pts) == done.frames:
        before = _times(seen, Fraction(0))
        after = _times(written, done.start_s)
        if before != after:
            raise ToolFailed("the pictures of the output are shown at other times than those of the source")
    with av.open(f"file:{target}") as container:
        if (len(container.streams.video), len(container.streams)) != (1, 1 + done.sound_tracks):
            raise ToolFailed("the output does not hold the tracks that it should")
    return written


def _times(seen: Scan, start_s: Fraction) -> list[Fraction]:
    return [int(pts) * seen.time_base + start_s for pts in sorted(seen.pts)]


def _duration_us(written: Scan) -> int:
    ticks = int(written.pts.max()) + written.last_duration - int(written.pts.min())
    return round(ticks * written.time_base * 1_000_000)


if __name__ == "__main__":
    av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)
    answer_parent(render_job)
