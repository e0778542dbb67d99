"""How long a recording lasts: what the container claims, checked against what is there.

All lengths are integer microseconds.
"""

from typing import cast

from media.container import Opened, open_recording
from media.decode import Heard, Track, packets_of
from media.errors import Unreadable

MAX_DURATION_US = 31 * 24 * 3600 * 1_000_000  #: of one recording; recorders cut after hours
_NOTABLE_US = 1_000_000


def duration_of(opened: Opened, track: Track) -> int:
    """The claim where it can be true, else the time between the first and the last packet.

    Raises:
        Unreadable: Neither is a length a recording can have.
    """
    claimed_us = opened.container.duration
    if claimed_us is not None and 0 < claimed_us <= MAX_DURATION_US:
        _warn_if_cut_off(opened, track, claimed_us)
        return claimed_us
    counted_us = _count(opened, track)
    if claimed_us is not None and 0 < counted_us <= MAX_DURATION_US:
        opened.warnings.append(
            f"the container claims {_text(claimed_us)}, but {_text(counted_us)} were counted"
        )
    return _possible(counted_us, claimed_us)


def duration_heard(opened: Opened, heard: Heard) -> int:
    """The length of sound that was decoded; a claim that differs is a warning.

    Raises:
        Unreadable: It is no length a recording can have.
    """
    heard_us, claimed_us = heard.sound_us, opened.container.duration
    if claimed_us is not None and abs(claimed_us - heard_us) > _NOTABLE_US + heard_us // 100:
        opened.warnings.append(
            f"the container claims {_text(claimed_us)}, but holds {_text(heard_us)} of sound"
        )
    return _possible(heard_us, None)


def _possible(counted_us: int, claimed_us: int | None) -> int:
    if counted_us <= 0 and claimed_us is None:
        raise Unreadable("the file does not say how long it lasts, and its packets carry no time")
    if not 0 < counted_us <= MAX_DURATION_US:
        raise Unreadable(f"the recording claims to last {_text(claimed_us or counted_us)}, which cannot be")
    return counted_us


def _warn_if_cut_off(opened: Opened, track: Track, claimed_us: int) -> None:
    present_us = _present(opened, track, claimed_us)
    if claimed_us - present_us > _NOTABLE_US:
        opened.warnings.append(f"the file was cut off: {_text(present_us)} of {_text(claimed_us)} are there")


def _present(opened: Opened, track: Track, claimed_us: int) -> int:
    """How much of the claimed time lies within the file, where an index tells; else all of it."""
    entries = track.index_entries
    if len(entries) < 2 or track.time_base is None:
        return claimed_us
    if entries[-1].pos + entries[-1].size <= opened.size_bytes:
        return claimed_us
    ticks = max((e.timestamp for e in entries if e.pos + e.size <= opened.size_bytes), default=None)
    return 0 if ticks is None else int((ticks - entries[0].timestamp) * track.time_base * 1_000_000)


def _count(opened: Opened, track: Track) -> int:
    """Read every packet of a track, from the beginning; 0 where they carry no time."""
    with open_recording(opened.path, opened.raw_format) as again:
        same = cast("Track", again.container.streams[track.index])
        first = last = None
        untimed = 0
        for packet in packets_of(again.container, [same]):
            length = packet.duration or 0
            if packet.pts is None:
                untimed += length
                continue
            first = packet.pts if first is None else min(first, packet.pts)
            last = packet.pts + length if last is None else max(last, packet.pts + length)
        ticks = untimed if first is None or last is None else last - first
        return int(ticks * (track.time_base or 0) * 1_000_000)


def _text(duration_us: int) -> str:
    return f"{duration_us / 1_000_000:.1f} s"
