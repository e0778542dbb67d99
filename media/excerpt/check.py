"""Look at a finished part of footage, beside its source. Runs in a worker of its own; see `cut`.

Nothing of the writer is believed: the file is walked box by box, decoded from
its first picture to its last, and compared with the source, which is decoded
again from an entry point further back than the writer's. So a picture that
leans on something before the entry point that was taken does not pass.
"""

from collections.abc import Generator, Iterator
from contextlib import closing
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from media.child import OnProgress
from media.container import hush, open_recording
from media.errors import NotReleased
from media.excerpt.model import Span
from media.excerpt.picture import Part, find_part, pictures, shown_at
from media.excerpt.sound import SoundPart, heard_track
from media.excerpt.track import levels
from media.sound.track import sound_tracks
from media.video.render.paint import paint
from media.video.render.runs import Decoded, Run
from media.video.scan import main_picture, scan
from media.video.verify.boxes import walk
from media.video.verify.stream import odd_units

MIN_PSNR_DB = 40.0  #: of brightness and of colour, in every picture
#: Of two tracks, sample by sample. AAC leaves .95 of white noise, and more of anything else; sound from elsewhere 0.
MIN_LIKENESS = 0.8
_AUDIBLE = 1e-3  #: mean level, -60 dBFS: below it, there is little to be like
_AAC_PACKET = 1024  #: of silence may lie before the first sample, and fills the last packet up
_ALL = 2**40

_Timed = Generator[tuple[Fraction, VideoFrame], None, None]  #: pictures, and when they are shown in seconds


def check_footage(
    source: Path, span: Span, result: Path, *, keeps_sound: bool, report: OnProgress
) -> dict[str, Any]:
    """Compare `result` with the part of `source` that it should be.

    Raises:
        NotReleased: It is something else, or holds something else besides.
        Unreadable: The source is damaged.
    """
    container = walk(result)
    if faults := container.faults or list(odd_units(result, container)):
        raise NotReleased(tuple(fault.text for fault in faults))
    part = find_part(source, span)
    hush()
    zero_s, worst_db = _compare_pictures(source, part, result, report)
    first, last = span.later(part.zero_s)
    wanted = _heard(source, first, last) if keeps_sound else []
    _, have = sound_tracks(result)
    if len(have) != len(wanted):
        raise NotReleased(f"the part has {len(have)} sound tracks, and should have {len(wanted)}")
    for number, (theirs, ours) in enumerate(zip(wanted, have, strict=True)):
        if fault := _compare_sound(source, theirs, (first, last), result, ours, zero_s):
            raise NotReleased(f"sound track {number} {fault}")
    return {"worst_psnr_db": worst_db}


def _compare_pictures(
    source: Path, part: Part, result: Path, report: OnProgress
) -> tuple[Fraction, float | None]:
    """When the result's clock began, by the source's; and the worst likeness."""
    begun: Fraction | None = None
    worst: float | None = None
    number = 0
    with (
        closing(_source_pictures(source, part)) as theirs,
        closing(_all_pictures(result)) as ours,
    ):
        for old, new in zip_longest(theirs, ours):
            if old is None or new is None:
                raise NotReleased(
                    f"the part should {'end' if old is None else 'go on'} after {number} pictures"
                )
            shift = old[0] - new[0]
            begun = shift if begun is None else begun
            if shift != begun:
                raise NotReleased(f"picture {number} of the part is shown at another time")
            found = _likeness_db(old[1], new[1])
            if found is not None:
                worst = found if worst is None else min(worst, found)
                if found < MIN_PSNR_DB:
                    raise NotReleased(f"picture {number} of the part is not the recording's ({found:.1f} dB)")
            number += 1
            report(number, max(number, len(part.times)))
    if begun is None:
        raise NotReleased("the part holds no picture")
    return begun, worst


def _source_pictures(source: Path, part: Part) -> _Timed:
    runs = [Run(part.early_entry, part.stop, is_copied=False)]
    with open_recording(source) as opened:
        for item in pictures(opened, main_picture(opened), part, runs):
            if isinstance(item, Decoded):
                yield shown_at(item.frame) * part.seen.time_base, item.frame


def _all_pictures(result: Path) -> _Timed:
    seen = scan(result)
    whole = Part(seen, Fraction(0), -_ALL, _ALL, (), 0, 0, _ALL)
    yield from _source_pictures(result, whole)


def _likeness_db(old: VideoFrame, new: VideoFrame) -> float | None:
    """PSNR of brightness or of colour, whichever is lower; None where both are equal."""
    before, after = paint(old, ()), paint(new, ())
    if (before.width, before.height, before.format.name) != (after.width, after.height, after.format.name):
        raise NotReleased("the pictures of the part have another size or form")
    found = []
    for one, other in zip(_planes(before), _planes(after), strict=True):
        error = float(cv2.norm(one, other, cv2.NORM_L2SQR))
        if error:
            found.append(10 * float(np.log10(255**2 * one.size / error)))
    return min(found, default=None)


def _planes(frame: VideoFrame) -> Iterator[NDArray[np.uint8]]:
    for plane in frame.planes:
        rows = np.frombuffer(memoryview(plane).cast("B"), np.uint8).reshape(plane.height, -1)
        yield rows[:, : plane.width]


def _heard(source: Path, start_s: Fraction, end_s: Fraction) -> list[int]:
    """The sound tracks that have something between two instants."""
    found = []
    for index in sound_tracks(source)[1]:
        with heard_track(source, index) as track:
            if next(SoundPart(track, start_s, end_s).blocks(), None) is not None:
                found.append(index)
    return found


def _compare_sound(
    source: Path,
    index: int,
    span: tuple[Fraction, Fraction],
    result: Path,
    result_index: int,
    zero_s: Fraction,
) -> str | None:
    """What is wrong with a sound track; None where it is as long as it should be, in its place, and alike."""
    with heard_track(source, index) as theirs, heard_track(result, result_index) as ours:
        coming = _Samples(SoundPart(ours, ours.zero_s, ours.zero_s + _ALL))
        wanted = SoundPart(theirs, *span)
        likeness = _Likeness()
        for block in wanted.blocks():
            if likeness.count == 0:
                late_s = wanted.starts_at_s(block.start) - zero_s - ours.zero_s
                run_in = round(late_s * ours.rate)
                if not 0 <= run_in <= _AAC_PACKET:
                    return f"begins {float(late_s):.4f} s too early"
                coming.take(run_in)
            expected = levels(block)
            found = coming.take(expected.shape[1])
            if found.shape != expected.shape:
                return (
                    f"is shorter than the recording's, or has other channels, after {likeness.count} samples"
                )
            likeness.add(expected, found)
        more = coming.rest()
        return f"goes on for {more} samples" if more >= _AAC_PACKET else likeness.fault()


class _Samples:
    """The samples of a track, taken as many at a time as are wanted."""

    def __init__(self, part: SoundPart) -> None:
        self._coming = (levels(block) for block in part.blocks())
        self._here = np.zeros((0, 0), np.float32)

    def take(self, count: int) -> NDArray[np.float32]:
        """The next ones, (channels, samples); fewer at the end."""
        parts = [self._here]
        while sum(each.shape[1] for each in parts) < count and (more := next(self._coming, None)) is not None:
            parts.append(more)
        parts = [each for each in parts if each.size] or [self._here]
        whole = np.concatenate(parts, axis=1)
        self._here = whole[:, count:]
        return whole[:, :count]

    def rest(self) -> int:
        """How many are left."""
        return int(self._here.shape[1]) + sum(int(each.shape[1]) for each in self._coming)


class _Likeness:
    """How much two stretches of sound have in common, channel by channel."""

    def __init__(self) -> None:
        self._sums: NDArray[np.float64] | None = None
        self.count = 0

    def add(self, one: NDArray[np.float32], other: NDArray[np.float32]) -> None:
        """The next samples of both, (channels, samples)."""
        wide, other_wide = one.astype(np.float64), other.astype(np.float64)
        sums = np.stack([(wide**2).sum(axis=1), (other_wide**2).sum(axis=1), (wide * other_wide).sum(axis=1)])
        self._sums = sums if self._sums is None else self._sums + sums
        self.count += one.shape[1]

    def fault(self) -> str | None:
        """What a person is told where they differ."""
        assert self._sums is not None
        least = self.count * _AUDIBLE**2
        for channel, (one, other, both) in enumerate(self._sums.T):
            if max(one, other) > least and both < MIN_LIKENESS * max(one, other):
                return f"does not sound like the recording (channel {channel})"
        return None
