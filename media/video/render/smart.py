"""Find the stretches that may be copied instead of encoded again, and prove that they can be.

A copied stretch is disclosed untouched, so a mistake here shows somebody. It is
allowed only where all of this holds, else the whole file is encoded:

- every frame of it lies in a range that a detector and the motion net looked at,
  and no mask lies in it;
- the source is H.264, 8 bit, 4:2:0, progressive, in length-prefixed packets of
  one picture each, all timed, none hidden by an edit list;
- it runs from one IDR picture to the next (nothing refers across an IDR: H.264,
  7.4.1.2.4), and its pictures are shown in between;
- its packets hold slices and nothing else that a decoder needs.

What is encoded again has parameter sets of a number that the source does not
use; both sets go into the header. SEI, delimiters and filler are left out of
copied packets; their slices stay as they are, bit for bit.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from media.container import Opened, open_recording
from media.video.mask_table import MaskTable
from media.video.nal import (
    DELIMITER,
    END_OF_SEQUENCE,
    END_OF_STREAM,
    FILLER,
    IDR,
    PICTURE,
    PPS,
    SEI,
    SPS,
    Headers,
    kind,
    parse_avcc,
    set_number,
    units,
)
from media.video.render.look import Look, look_of
from media.video.render.model import FrameRange
from media.video.render.runs import Run
from media.video.scan import Scan, main_picture, packets_to_end

_LENGTH_BYTES = 4
_LEFT_OUT = frozenset({SEI, DELIMITER, END_OF_SEQUENCE, END_OF_STREAM, FILLER})
_FORMS = frozenset({"yuv420p", "yuvj420p"})
_END = 2**62  #: past any frame
_SETS = 32  #: sequence parameter sets are numbered 0 to 31
_START_CODE = b"\0\0\0\1"


@dataclass(frozen=True, slots=True)
class CopyPlan:
    """Which stretches are copied, and what the encoder must respect for it.

    Attributes:
        runs: Every packet, in order.
        headers: The source's parameter sets in Annex B; empty where nothing is copied.
        sps_id: For what is encoded.
        depth: Packets by which the source's decoding runs ahead of showing.
        first_look: Of the first picture; needed where the output begins with a copied packet.
        why_not: Why nothing is copied, where that was wished for.
    """

    runs: tuple[Run, ...]
    headers: bytes = b""
    sps_id: int = 0
    depth: int = 0
    first_look: Look | None = None
    why_not: str | None = None

    def end_of_run(self, frame: int) -> int:
        """The frame before which the run of `frame` ends."""
        at = bisect_right([run.first for run in self.runs], frame) - 1
        return self.runs[at].end


class _Unfit(Exception):
    """Nothing of this recording may be copied; the text says why."""


def encode_all(why_not: str | None = None) -> CopyPlan:
    """The plan that copies nothing."""
    return CopyPlan((Run(0, _END, is_copied=False),), why_not=why_not)


def plan_copying(path: Path, seen: Scan, table: MaskTable, looked_at: Sequence[FrameRange]) -> CopyPlan:
    """Decide which stretches of `path` are copied.

    Raises:
        Unreadable: The file is damaged where it had to be read.
    """
    try:
        _fit_for_copying(seen)
        with open_recording(path) as opened:
            stream = main_picture(opened)
            headers = _headers(stream)
            starts = _closed_starts(seen)
            wanted = [
                not table.has_any(first, end) and _is_within(first, end, looked_at)
                for first, end in _stretches(starts, len(seen.pts))
            ]
            _need_one(
                wanted, "no stretch between two entry points was looked at as a whole and is free of masks"
            )
            picture = _look_through(opened, stream, headers, starts, wanted)
    except _Unfit as reason:
        return encode_all(str(reason))
    return CopyPlan(
        runs=_runs(starts, wanted, len(seen.pts)),
        headers=b"".join(_START_CODE + unit for unit in headers.sets),
        sps_id=_free_number(headers),
        depth=_depth(seen),
        first_look=look_of(picture),
    )


def as_annex_b(packet: bytes) -> bytes:
    """A copied packet with start codes, which the muxer turns back into lengths; slices only."""
    return b"".join(_START_CODE + unit for unit in units(packet, _LENGTH_BYTES) if kind(unit) in PICTURE)


def _fit_for_copying(seen: Scan) -> None:
    if not seen.is_timed:
        raise _Unfit("not every packet says when it is shown")
    if seen.hidden:
        raise _Unfit("an edit list hides a part of the recording")


def _headers(stream: VideoStream) -> Headers:
    if stream.codec_context.name != "h264":
        raise _Unfit(f"the picture is {stream.codec_context.name}, not H.264")
    try:
        headers = parse_avcc(stream.codec_context.extradata or b"")
    except ValueError as error:
        raise _Unfit("the recording has no H.264 header of its own (avcC)") from error
    if headers.length_bytes != _LENGTH_BYTES:
        raise _Unfit("the units of the picture have lengths of less than four bytes")
    if {kind(unit) for unit in headers.sets} != {SPS, PPS}:
        raise _Unfit("the H.264 header holds more, or less, than parameter sets")
    return headers


def _closed_starts(seen: Scan) -> list[int]:
    starts = seen.closed_starts()
    if not starts or starts[0] != 0:
        raise _Unfit("the recording does not begin with a picture that stands alone")
    return starts


def _stretches(starts: Sequence[int], total: int) -> Iterator[tuple[int, int]]:
    yield from zip(starts, [*starts[1:], total], strict=True)


def _is_within(first: int, end: int, looked_at: Sequence[FrameRange]) -> bool:
    """Whether every frame was looked at. Ranges may touch, overlap and come in any order."""
    reached = first
    for part in sorted(looked_at, key=lambda one: one.first):
        if part.first > reached:
            break
        reached = max(reached, part.end)
    return reached >= end


def _look_through(
    opened: Opened, stream: VideoStream, headers: Headers, starts: list[int], wanted: list[bool]
) -> VideoFrame:
    """Withdraw `wanted` where a packet holds what cannot be copied. Returns the first picture, decoded."""
    picture: VideoFrame | None = None
    at = -1
    for number, packet in enumerate(one for one in packets_to_end(opened, stream) if one.size):
        if at + 1 < len(starts) and number == starts[at + 1]:
            at += 1
            _check_start(bytes(packet), at, wanted, is_first=number == 0)
        found = _units_or_none(bytes(packet))
        if any(kind(unit) in {SPS, PPS} and unit not in headers.sets for unit in found):
            raise _Unfit("its header changes on the way")
        if wanted[at] and not _is_plain(found, headers):
            wanted[at] = False
        if picture is None:
            picture = next(iter(packet.decode()), None)
    if picture is None:
        picture = next(iter(stream.decode(None)), None)
    if picture is None or picture.format.name not in _FORMS or picture.interlaced_frame:
        raise _Unfit("the picture is not 8 bit, 4:2:0 and progressive")
    _need_one(wanted, "no stretch that could be copied begins with an IDR picture and holds slices alone")
    return picture


def _need_one(wanted: Sequence[bool], why_not: str) -> None:
    if not any(wanted):
        raise _Unfit(why_not)


def _check_start(packet: bytes, at: int, wanted: list[bool], *, is_first: bool) -> None:
    """A stretch that does not begin with an IDR is not closed: neither it nor the one before it may be copied."""
    if _is_idr(packet):
        return
    if is_first:
        raise _Unfit("the recording does not begin with an IDR picture")
    wanted[at] = wanted[at - 1] = False


def _is_idr(packet: bytes) -> bool:
    kinds = [kind(unit) for unit in _units_or_none(packet)]
    return IDR in kinds and kinds.count(1) == 0


def _is_plain(found: Sequence[bytes], headers: Headers) -> bool:
    return any(kind(unit) in PICTURE for unit in found) and all(
        kind(unit) in PICTURE | _LEFT_OUT or unit in headers.sets for unit in found
    )


def _units_or_none(packet: bytes) -> list[bytes]:
    try:
        return list(units(packet, _LENGTH_BYTES))
    except ValueError:
        return []


def _free_number(headers: Headers) -> int:
    used = {set_number(unit) for unit in headers.sets}
    return next(number for number in range(1, _SETS) if number not in used)


def _depth(seen: Scan) -> int:
    """The least number of packets that decoding must be ahead of showing."""
    rank = np.empty(len(seen.pts), np.int64)
    rank[seen.in_order()] = np.arange(len(seen.pts))
    return int((np.arange(len(seen.pts)) - rank).max())


def _runs(starts: Sequence[int], wanted: Sequence[bool], total: int) -> tuple[Run, ...]:
    runs: list[Run] = []
    for (first, end), is_copied in zip(_stretches(starts, total), wanted, strict=True):
        if runs and runs[-1].is_copied == is_copied:
            runs[-1] = Run(runs[-1].first, end, is_copied)
        else:
            runs.append(Run(first, end, is_copied))
    return tuple(runs)
