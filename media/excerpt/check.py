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

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from media.child import OnProgress
from media.container import open_recording
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
_AAC_PACKET = 1024  #: the last one is filled up with silence
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
        raise NotReleased(tuple(faults))
    av.logging.set_level(av.logging.PANIC)
    part = find_part(source, span)
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
        wanted = SoundPart(theirs, *span)
        have = SoundPart(ours, ours.zero_s, ours.zero_s + _ALL)
        likeness = _Likeness()
        count = got = 0
        coming = have.blocks()
        rest = np.zeros((0, 0), np.float32)
        for block in wanted.blocks():
            if count == 0:
                begins_s = wanted.starts_at_s(block.start) - zero_s
                if abs(begins_s - ours.zero_s) * ours.rate > 1:
                    return f"begins at {float(ours.zero_s):.4f} s, and should at {float(begins_s):.4f} s"
            expected = levels(block)
            count += expected.shape[1]
            while rest.shape[1] < expected.shape[1] and (more := next(coming, None)) is not None:
                found = levels(more)
                got += found.shape[1]
                rest = np.concatenate([rest, found], axis=1) if rest.size else found
            if rest.shape[1] < expected.shape[1] or rest.shape[0] != expected.shape[0]:
                return f"ends after {got} samples"
            likeness.add(expected, rest[:, : expected.shape[1]])
            rest = rest[:, expected.shape[1] :]
        got += sum(more.samples.shape[1] for more in coming)
        if not 0 <= got - count < _AAC_PACKET:
            return f"has {got} samples, and should have {count}"
        return likeness.fault()


class _Likeness:
    """How much two stretches of sound have in common, channel by channel."""

    def __init__(self) -> None:
        self._sums: NDArray[np.float64] | None = None
        self._count = 0

    def add(self, one: NDArray[np.float32], other: NDArray[np.float32]) -> None:
        """The next samples of both, (channels, samples)."""
        wide, other_wide = one.astype(np.float64), other.astype(np.float64)
        sums = np.stack([(wide**2).sum(axis=1), (other_wide**2).sum(axis=1), (wide * other_wide).sum(axis=1)])
        self._sums = sums if self._sums is None else self._sums + sums
        self._count += one.shape[1]

    def fault(self) -> str | None:
        """What a person is told where they differ."""
        assert self._sums is not None
        least = self._count * _AUDIBLE**2
        for channel, (one, other, both) in enumerate(self._sums.T):
            if max(one, other) > least and both < MIN_LIKENESS * max(one, other):
                return f"does not sound like the recording (channel {channel})"
        return None
