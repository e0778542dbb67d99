"""Prove that stretches of a copy are the source's own pictures, without decoding them.

Slices that are equal, with equal parameter sets, decode to equal pictures, as
far as nothing outside them is referred to; and nothing refers across an IDR
picture (H.264, 7.4.1.2.4). So a stretch from one IDR picture to before the next
is proved where all of this holds, and is decoded and compared where any of it
does not:

- both files are H.264 with 8 bits, 4:2:0 (profiles 66, 77, 88, 100), in packets
  that carry lengths, each timed, none hidden, none with side data;
- every parameter set of the source is in the copy, and neither has two of one
  number; no packet brings others;
- the copy's packets hold slices alone; the source's hold nothing else that any
  decoder heeds, as some heed what an encoder says of itself (SEI);
- packet for packet the slices are equal, one picture each, shown at the same
  time after the first one, and no mask lies on any;
- the stretches before and after are proved as well: every seam between what was
  copied and what was encoded is decoded, from both sides.

Whether each packet gives one frame is not seen here: whoever decoded the source
says how many frames it has. As a packet gives one at most, and what is not
proved is counted, equal sums mean that every packet gives one.

It shares readers with what decides to copy, and no decision.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from media.container import open_recording
from media.errors import Unreadable
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
from media.video.scan import Scan, main_picture, packets_to_end, scan

_PROFILES = frozenset({bytes([66]), bytes([77]), bytes([88]), bytes([100])})
_SILENT = frozenset({DELIMITER, END_OF_SEQUENCE, END_OF_STREAM, FILLER})
_PERIOD, _TIMING, _FILLING, _REGISTERED, _UNREGISTERED, _RECOVERY = 0, 1, 3, 4, 5, 6
_HARMLESS = frozenset({_PERIOD, _TIMING, _FILLING, _REGISTERED, _UNREGISTERED, _RECOVERY})
_UUID_BYTES = 16
_X264 = re.compile(rb"x264\s*-\s*core\s*[+-]?(\d+)")
_X264_AS_SPECIFIED = 151  #: FFmpeg imitates the faults of streams that say they are of an earlier one
_FIRST_OF_PICTURE = 0x80  #: first_mb_in_slice is 0: a one, as the first bit after the unit's head
END = 2**62  #: past any packet


@dataclass(frozen=True, slots=True)
class Part:
    """Packets from `first` to before `end`, in decoding order, and the frames of the same numbers."""

    first: int
    end: int
    is_same: bool


@dataclass(frozen=True, slots=True)
class Proof:
    """The whole of both files, in order.

    Attributes:
        parts: Those that are the source's own, and those that have to be looked at.
        start_s: When the first picture of each file is shown, by its own clock; None where nothing is proved.
    """

    parts: tuple[Part, ...]
    start_s: tuple[Fraction, Fraction] | None = None


UNPROVED = Proof((Part(0, END, is_same=False),))


class _NoProof(Exception):
    """Nothing of this copy can be proved."""


def prove(source: Path, output: Path, masks: MaskTable, frames: int) -> Proof:
    """Tell which parts of a copy are the source's own.

    Args:
        source: The recording.
        output: Its finished copy.
        masks: What should be painted over.
        frames: How many frames the source was decoded to.
    """
    try:
        before, after = scan(source), scan(output)
        starts = _starts(before, after, frames)
        is_same, idr = _compare(source, output)
        is_same &= _same_times(before, after)
    except (Unreadable, ValueError, _NoProof):
        return UNPROVED
    cuts = [*(start for start in starts if idr[start]), frames]
    if cuts[0] != 0:
        return UNPROVED
    stretches = list(pairwise(cuts))
    proved = [bool(is_same[first:end].all()) and not masks.has_any(first, end) for first, end in stretches]
    parts = tuple(_joined(stretches, _inner(proved)))
    return Proof(parts, (_first_s(before), _first_s(after)))


def _first_s(seen: Scan) -> Fraction:
    return int(seen.pts[0]) * seen.time_base


def _starts(before: Scan, after: Scan, frames: int) -> list[int]:
    """Packets at which all that was before is shown before, in both files."""
    if not len(before.pts) == len(after.pts) == frames:
        raise _NoProof
    if not (before.is_timed and after.is_timed) or before.hidden or after.hidden:
        raise _NoProof
    return sorted(set(before.closed_starts()) & set(after.closed_starts()))


def _same_times(before: Scan, after: Scan) -> NDArray[np.bool_]:
    """Whether each packet is shown as long after the first one in both files. Exact: in integers of any size."""
    old, new = ((seen.pts - seen.pts[0]).astype(object) for seen in (before, after))
    ratio = before.time_base / after.time_base
    return np.asarray(old * ratio.numerator == new * ratio.denominator, np.bool_)


def _inner(proved: Sequence[bool]) -> list[bool]:
    """Those whose neighbours are proved too."""
    around = [True, *proved, True]
    return [all(around[number : number + 3]) for number in range(len(proved))]


def _joined(stretches: Sequence[tuple[int, int]], proved: Sequence[bool]) -> Iterator[Part]:
    first = 0
    for number, (_, end) in enumerate(stretches):
        if number + 1 == len(proved) or proved[number + 1] != proved[number]:
            yield Part(first, end, is_same=proved[number])
            first = end


# -- packets ------------------------------------------------------------------


def _compare(source: Path, output: Path) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """For each packet, whether both files hold the same picture, and whether it is an IDR picture."""
    with open_recording(source) as before, open_recording(output) as after:
        old, new = main_picture(before), main_picture(after)
        headers = _headers(old), _headers(new)
        _check_sets(*headers)
        same, idr = [], []
        for one, other in zip(_packets(before, old), _packets(after, new), strict=True):
            slices = list(_slices(one, headers[0]))
            kinds = {kind(unit) for unit in slices}
            is_one = sum(bool(unit[1] & _FIRST_OF_PICTURE) for unit in slices if len(unit) > 1) == 1
            same.append(is_one and slices == _slices_alone(other, headers[1]))
            idr.append(kinds == {IDR})
    return np.array(same, np.bool_), np.array(idr, np.bool_)


def _headers(stream: VideoStream) -> Headers:
    if stream.codec_context.name != "h264":
        raise _NoProof
    headers = parse_avcc(stream.codec_context.extradata or b"")
    numbers = [(kind(unit), set_number(unit)) for unit in headers.sets]
    if {which for which, _ in numbers} != {SPS, PPS} or len(set(numbers)) != len(numbers):
        raise _NoProof
    return headers


def _check_sets(old: Headers, new: Headers) -> None:
    profiles = {unit[1:2] for unit in old.sets if kind(unit) == SPS}
    if not profiles <= _PROFILES or not set(old.sets) <= set(new.sets):
        raise _NoProof


def _packets(opened: Any, stream: VideoStream) -> Iterator["Packet[VideoStream]"]:
    for packet in packets_to_end(opened, stream):
        if any(True for _ in packet.iter_sidedata()):
            raise _NoProof
        if packet.size:
            yield packet


def _slices(packet: "Packet[VideoStream]", headers: Headers) -> Iterator[bytes]:
    """The slices of the source's packet; whatever is beside them changes no picture, of this packet or a later one."""
    for unit in units(bytes(packet), headers.length_bytes):
        which = kind(unit)
        if which in PICTURE:
            yield unit
        elif not (which in _SILENT or unit in headers.sets or (which == SEI and _is_harmless(unit))):
            raise _NoProof


def _slices_alone(packet: "Packet[VideoStream]", headers: Headers) -> list[bytes]:
    found = list(units(bytes(packet), headers.length_bytes))
    if not {kind(unit) for unit in found} <= PICTURE:
        raise _NoProof
    return found


def _is_harmless(unit: bytes) -> bool:
    """Whether an SEI unit holds messages alone that change no picture (H.264, 7.3.2.3 and annex D)."""
    data = unit[1:].replace(b"\0\0\3", b"\0\0").rstrip(b"\0")
    at = 0
    while at < len(data) - 1:
        which, at = _number(data, at)
        size, at = _number(data, at)
        if which not in _HARMLESS or (which == _UNREGISTERED and _names_old_x264(data[at : at + size])):
            return False
        at += size
    return at == len(data) - 1


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number that is written as a sum of bytes, of which only the last is not 255; and where it ends."""
    total = 0
    while data[at : at + 1] == b"\xff":
        total, at = total + 255, at + 1
    if at >= len(data):
        raise _NoProof
    return total + data[at], at + 1


def _names_old_x264(payload: bytes) -> bool:
    named = _X264.match(payload, _UUID_BYTES)
    return named is not None and int(named[1]) < _X264_AS_SPECIFIED
