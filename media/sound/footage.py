"""The sound tracks of footage: muted for whoever writes the picture, or with the picture copied.

Sound and picture are read through handles of their own, so a renderer can take
the packets of a track whenever its container wants them. Only silence is
offered here: a tone has no place under a picture.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

from media.container import Opened, open_recording
from media.damage import encrypted
from media.errors import NotReleased, Unreadable
from media.facts import is_cover
from media.note import Note
from media.sound import edit
from media.sound.decoded import Decoding
from media.sound.packets import (
    Written,
    can_replace,
    check_packets,
    open_output,
    replaced,
    result_of,
)
from media.sound.report import Redacted
from media.sound.samples import FORMS, Style
from media.sound.spans import Mute, Plan, make_plan
from media.sound.track import Track, open_track, total_of

Progress = Callable[[int, int], None]


def _ignore(_done: int, _total: int) -> None:
    """Nobody watches."""


class SoundTrack:
    """One sound track, muted as it is read. Use it in a `with` block: attach, take the packets, check.

    Raises (on entering): `Unreadable` where the track is damaged, ValueError where a mute names a channel
    that it does not have. A mute that starts after the sound has ended is nothing to do.
    """

    def __init__(
        self,
        source: Path,
        index: int,
        mutes: Sequence[Mute],
        container: str,
        progress: Progress = _ignore,
    ) -> None:
        """Prepare a track.

        Args:
            source: The footage.
            index: Of the track in it.
            mutes: What to silence, in seconds from where a player begins. May be empty.
            container: FFmpeg's name of the muxer that the packets are for; see `edit.FOOTAGE`.
            progress: Called with samples done and samples in all.
        """
        self._source = source
        self._index = index
        self._mutes = mutes
        self._target = edit.FOOTAGE[container]
        self._progress = progress
        self._open = ExitStack()
        self._written = Written()
        self._notes: list[Note] = []

    def __enter__(self) -> Self:
        with open_track(self._source, self._index) as track:
            self._plan = _plan(self._mutes, track, total_of(track.packets()))
        self._track = self._open.enter_context(open_track(self._source, self._index))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def attach(self, out: OutputContainer) -> AudioStream:
        """Add the stream to an output. Before its first packet is muxed."""
        is_quiet = len(self._plan.every) == 0
        if self._fits(out) and (is_quiet or can_replace(self._track, self._plan, Style.SILENCE)):
            self._method = "copied" if is_quiet else "packets"
            self._stream = out.add_stream_from_template(self._track.stream)
        else:
            self._method = "edit"
            self._stream = edit.add_stream(out, self._track, self._target)
        return self._stream

    def packets(self) -> Iterator["Packet[Any]"]:
        """Every packet, in order, ready for `out.mux`. Once, after `attach`."""
        for packet in self._made():
            packet.stream = self._stream
            yield packet

    def check(self, result: Path, index: int) -> Redacted:
        """Read the finished file, and report.

        Args:
            result: What was muxed, closed.
            index: Of this track in it.

        Raises:
            NotReleased: A span is not silent there, or the length differs.
        """
        if self._method == "edit":
            edit.check_decoded(result, index, self._plan, self._target, Style.SILENCE)
            return edit.result_of(self._track, self._plan, self._target, Style.SILENCE, self._notes)
        check_packets(result, index, self._plan, self._written, Style.SILENCE)
        done = result_of(self._track, self._plan, self._written, self._target.container, Style.SILENCE)
        return replace(done, method=self._method)

    def _fits(self, out: OutputContainer) -> bool:
        """Whether its packets keep their place there. AVI counts bytes, and moves what is compressed."""
        if self._target.container == "avi":
            return self._track.codec in FORMS
        return self._track.stream.codec_context.codec.canonical_name in out.supported_codecs

    def _made(self) -> Iterator["Packet[Any]"]:
        if self._method != "edit":  # with nothing to mute, every packet is as it was
            yield from replaced(self._track, self._plan, Style.SILENCE, self._written, self._progress)
        else:
            decoding = Decoding(self._track)
            yield from edit.encode(decoding, self._plan, self._stream, self._target, self._progress)
            self._plan = replace(self._plan, total=decoding.total)
            self._notes = decoding.notes()


def write_footage(
    source: Path, mutes: Mapping[int, Sequence[Mute]], out: Path, container: str, progress: Progress = _ignore
) -> tuple[Redacted, ...]:
    """Write footage anew with its picture copied and its sound tracks muted. Nothing else gets through.

    Args:
        source: The footage.
        mutes: By index of the sound track; a track that is not named is copied.
        out: Replaced if it exists; the caller gives it its final name.
        container: FFmpeg's name of the muxer; see `edit.FOOTAGE`.
        progress: Called with microseconds done and in all.

    Returns:
        A report for each sound track.

    Raises:
        Unreadable: A track is damaged.
        NotReleased: What was written is not silent, or not the same picture.
    """
    with open_recording(source) as opened, ExitStack() as tracks:
        pictures = [one for one in opened.container.streams.video if not is_cover(one)]
        sounds = [
            tracks.enter_context(SoundTrack(source, one.index, mutes.get(one.index, ()), container))
            for one in opened.container.streams.audio
        ]
        with open_output(out, container) as written:
            copies = {one.index: written.add_stream_from_template(one) for one in pictures}
            for sound in sounds:
                sound.attach(written)
            copied = _copied(opened.container.demux(pictures), copies)
            length_us = max(opened.container.duration or 0, 1)
            for packet in heapq.merge(copied, *(sound.packets() for sound in sounds), key=_time_s):
                progress(min(max(int(_time_s(packet) * 1_000_000), 0), length_us), length_us)
                written.mux(packet)
    if not out.stat().st_size:
        raise Unreadable(
            "its tracks hold nothing: the file ends before them; get another copy of the recording"
        )
    _check_pictures(source, out)
    return tuple(sound.check(out, len(pictures) + number) for number, sound in enumerate(sounds))


def _plan(mutes: Sequence[Mute], track: Track, total: int) -> Plan:
    heard = [mute for mute in mutes if mute.start_s * track.rate < total]
    return make_plan(heard, track.rate, track.channels, total)


def _copied(packets: Iterator["Packet[Any]"], copies: Mapping[int, Any]) -> Iterator["Packet[Any]"]:
    for packet in packets:
        if packet.size:
            if packet.has_sidedata("encryption_info"):
                raise Unreadable(encrypted("picture"))
            packet.stream = copies[packet.stream.index]
            yield packet


def _time_s(packet: "Packet[Any]") -> Fraction:
    ticks = packet.dts if packet.dts is not None else packet.pts or 0
    return ticks * (packet.time_base or Fraction(1))


def _check_pictures(source: Path, result: Path) -> None:
    """Every packet of the picture has to be the source's, bit for bit."""
    with open_recording(source) as before, open_recording(result) as after:
        pairs = zip_longest(_pictures(before), _pictures(after))
        if any(theirs != ours for theirs, ours in pairs):
            raise NotReleased("the picture of the result is not the source's")


def _pictures(opened: Opened) -> Iterator[bytes]:
    streams = [one for one in opened.container.streams.video if not is_cover(one)]
    return (
        (bytes(packet) for packet in opened.container.demux(streams) if packet.size) if streams else iter(())
    )
