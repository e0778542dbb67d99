"""Which pictures of footage lie in a span, and where decoding must begin to get them.

A picture lies in a span when the instant at which it is first shown does. One
that was shown before and is still seen when the span begins lies outside.

Decoding begins at the last entry point before which everything is shown before.
What is decoded from there up to the span is thrown away in this process: it
reaches neither the encoder nor the file.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from media.container import Opened, open_recording
from media.errors import Unreadable
from media.excerpt.model import NothingThere, Span
from media.video.mask_table import table_of
from media.video.masks import MaskPlan
from media.video.render.model import FrameRange
from media.video.render.runs import Copied, Decoded, Run, RunEnds, read_runs
from media.video.render.smart import CopyPlan, encode_all, plan_copying
from media.video.render.soundtrack import first_sound_s
from media.video.scan import Scan, scan

_NO_MASKS = table_of(MaskPlan({}))


@dataclass(frozen=True, slots=True)
class Part:
    """The pictures of a span. Packets count in the order of the file, times in ticks of the picture's clock.

    Attributes:
        seen: The whole source.
        zero_s: What the container's clock shows where a player begins.
        start: The first tick that is inside.
        end: The first tick after it.
        times: When the pictures inside are shown, in order; empty where packets do not say it.
        entry: The packet at which decoding begins.
        early_entry: An entry point further back; as `entry` where there is none.
        stop: The packet after the last one that is needed.
    """

    seen: Scan
    zero_s: Fraction
    start: int
    end: int
    times: tuple[int, ...]
    entry: int
    early_entry: int
    stop: int

    def last_duration(self, last: int) -> int:
        """Ticks for which the picture shown at `last`, the last one inside, is seen within the span; 0 if unknown."""
        later = self.seen.pts[self.seen.pts > last]
        length = int(later.min()) - last if len(later) else self.seen.last_duration
        return min(length, self.end - last)


def find_part(source: Path, span: Span) -> Part:
    """Find the pictures of a span, by the times of the packets alone.

    Raises:
        NothingThere: There are none.
        Unreadable: The source breaks off.
    """
    seen = scan(source)
    zero_s = _zero_s(source, seen)
    start, end = (ceil(each / seen.time_base) for each in span.later(zero_s))
    inside = np.flatnonzero((seen.pts >= start) & (seen.pts < end))
    if not len(inside) and seen.is_timed:
        raise NothingThere
    if not seen.is_timed or seen.hidden:
        return Part(seen, zero_s, start, end, (), 0, 0, sys.maxsize)
    times = sorted(int(seen.pts[n]) for n in inside)
    entries = [n for n in seen.closed_starts() if seen.pts[n] <= times[0]] or [0]
    entry, early_entry = entries[-1], entries[-2:][0]
    return Part(seen, zero_s, start, end, tuple(times), entry, early_entry, int(inside.max()) + 1)


def plan_part(source: Path, part: Part) -> CopyPlan:
    """Which packets of the part pass as they are: whole closed groups of pictures inside it, where that is proved safe.

    Raises:
        Unreadable: The source is damaged where it had to be read.
    """
    plan = _copying(source, part)
    body = [
        Run(max(run.first, part.entry), min(run.end, part.stop), run.is_copied)
        for run in plan.runs
        if run.first < part.stop and run.end > part.entry
    ]
    return CopyPlan(tuple(body), plan.headers, plan.sps_id, plan.depth, plan.first_look)


def pictures(
    opened: Opened, stream: VideoStream, part: Part, runs: Sequence[Run]
) -> Iterator[Decoded | Copied | RunEnds]:
    """What lies inside, and nothing else: pictures that were decoded, packets that pass, the ends of runs.

    Raises:
        Unreadable: Something that is needed is damaged.
    """
    entry = runs[0].first
    skipped = [Run(0, entry, is_copied=True)] if entry else []
    is_before = bool(entry)
    for item in read_runs(opened, stream, [*skipped, *runs]):
        if is_before:
            is_before = not isinstance(item, RunEnds)
        elif isinstance(item, Decoded):
            at = shown_at(item.frame)
            if at >= part.end and not part.times:
                return
            if part.start <= at < part.end:
                yield item
        else:
            yield item


def shown_at(frame: VideoFrame) -> int:
    """When a picture is shown, in ticks.

    Raises:
        Unreadable: It does not say.
    """
    at = frame.pts if frame.pts is not None else frame.dts
    if at is None:
        raise Unreadable("a picture does not say when it is shown; put the footage into an MP4 first")
    return at


def _zero_s(source: Path, seen: Scan) -> Fraction:
    """The first picture or the first sound, whichever is earlier."""
    first_s = int(seen.pts.min()) * seen.time_base
    with open_recording(source) as opened:
        sound_s = first_sound_s(opened)
    return first_s if sound_s is None else min(first_s, sound_s)


def _copying(source: Path, part: Part) -> CopyPlan:
    starts = [*part.seen.closed_starts(), len(part.seen.pts)] if part.times else []
    begins = int((part.seen.pts < part.start).sum())
    inside = [n for n in starts if begins <= n <= part.stop]
    if len(inside) < 2:
        return encode_all()
    return plan_copying(source, part.seen, _NO_MASKS, [FrameRange(begins, begins + len(part.times))])
