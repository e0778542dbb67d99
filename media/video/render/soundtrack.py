"""Carry sound into the output: packets as they are, or AAC where MP4 cannot hold the original.

No sound is edited here. What is redacted in it was redacted elsewhere, and
arrives as a file of its own. Tags, languages and packets that an edit list
hides stay behind.
"""

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Protocol, cast

import av
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.container import OutputContainer
from av.packet import Packet

from media.container import Opened
from media.damage import encrypted, in_words
from media.errors import Unreadable

#: What every current player finds in an MP4.
COPIED = frozenset({"aac", "mp3", "mp3float", "ac3", "eac3", "opus", "flac", "alac"})
RUN_IN_S = Fraction(
    1, 10
)  #: a packet of AAC or MP3, four of Opus: kept before the first sound, and not heard
_AAC_BITS_PER_CHANNEL = 96_000
_AAC_BITS_PER_SAMPLE = 6  #: the most that AAC takes


_LAYOUTS = {1: "mono", 2: "stereo"}  #: some containers count channels without placing them


class _Track(Protocol):
    def feed(self, packet: "Packet[Any]") -> list["Packet[Any]"]: ...
    def finish(self) -> list["Packet[Any]"]: ...


class Soundtrack:
    """All audio tracks of an open file, on their way into an output.

    Args:
        shift_s: Seconds to add to every time.
    """

    def __init__(self, opened: Opened, out: OutputContainer, shift_s: Fraction) -> None:
        self._sources = [track for track in opened.container.streams.audio if track.codec_context is not None]
        if len(self._sources) < len(opened.container.streams.audio):
            raise Unreadable("nothing here can decode one of the sound tracks; drop the sound, or replace it")
        self._tracks: dict[int, _Track] = {}
        self.notes: list[str] = []
        for source in self._sources:
            name = source.codec_context.name
            if name in COPIED:
                self._tracks[source.index] = _Copied(source, out, shift_s)
                continue
            self._tracks[source.index] = _Converted(source, out, shift_s)
            self.notes.append(f"MP4 players cannot play sound in {name}: it was converted to AAC.")
        self._coming = self._packets(opened)
        self._waiting: deque[Packet[Any]] = deque()

    @property
    def tracks(self) -> int:
        """How many there are."""
        return len(self._tracks)

    def until(self, time_s: Fraction | None) -> Iterator["Packet[Any]"]:
        """Packets for the output up to a time; all that are left where it is None."""
        while True:
            while self._waiting:
                if time_s is not None and _time(self._waiting[0]) > time_s:
                    return
                yield self._waiting.popleft()
            packet = next(self._coming, None)
            if packet is None:
                return
            self._waiting.append(packet)

    def _packets(self, opened: Opened) -> Iterator["Packet[Any]"]:
        at: Fraction | None = None
        try:
            for packet in opened.container.demux(self._sources) if self._sources else ():
                at = _time(packet) if packet.size and packet.dts is not None else at
                if packet.size and packet.has_sidedata("encryption_info"):
                    raise Unreadable(f"{encrypted('sound')}, drop it, or replace it")
                if packet.size:
                    yield from self._tracks[packet.stream.index].feed(packet)
            for track in self._tracks.values():
                yield from track.finish()
        except av.FFmpegError as error:
            raise Unreadable(
                f"the sound breaks {_place(at)} ({in_words(error)}); drop it, or replace it by a repaired one"
            ) from error


def _place(at: Fraction | None) -> str:
    return "at its beginning" if at is None else f"about {float(at):.1f} s after its beginning"


def _time(packet: "Packet[Any]") -> Fraction:
    return (packet.dts or 0) * packet.time_base


class _Copied:
    """Packets pass as they are; only their times move."""

    def __init__(self, source: AudioStream, out: OutputContainer, shift_s: Fraction) -> None:
        self._track = out.add_stream_from_template(source, opaque=True)
        self._time_base = cast("Fraction", source.time_base)
        self._shift = round(shift_s / self._time_base)
        self._last: int | None = None
        self._run_in: list[Packet[Any]] | None = []

    def feed(self, packet: "Packet[Any]") -> list["Packet[Any]"]:
        """What an edit list hides stays behind, but for the run-in that the first sound needs."""
        if packet.is_discard:
            if self._run_in is not None:
                self._run_in.append(packet)
            return []
        before, self._run_in = self._run_in or [], None
        reach = (packet.pts or 0) - RUN_IN_S / self._time_base
        return [self._moved(one) for one in before if (one.pts or 0) >= reach] + [self._moved(packet)]

    def _moved(self, packet: "Packet[Any]") -> "Packet[Any]":
        at = packet.pts if packet.pts is not None else packet.dts
        if at is None:
            raise Unreadable("the sound carries no times; replace it by a repaired one")
        packet.pts = packet.dts = at + self._shift
        if self._last is not None and packet.dts <= self._last:
            raise Unreadable("the sound runs backwards; replace it by a repaired one")
        self._last = packet.dts
        bare = Packet(bytes(packet))  # side data stays behind
        bare.pts = bare.dts = packet.dts
        bare.duration = packet.duration
        bare.time_base, bare.is_keyframe = self._time_base, True
        bare.stream = self._track
        return bare

    def finish(self) -> list["Packet[Any]"]:
        return []


class _Converted:
    """Decoded, and encoded as AAC of the same rate and channels."""

    def __init__(self, source: AudioStream, out: OutputContainer, shift_s: Fraction) -> None:
        context = source.codec_context
        rate = context.sample_rate
        layout = _LAYOUTS.get(context.channels, context.layout.name)
        self._track = out.add_stream("aac", rate=rate, layout=layout)
        self._track.codec_context.flags |= Flags.bitexact  # else it writes its name into the first packet
        self._track.codec_context.bit_rate = (
            min(_AAC_BITS_PER_CHANNEL, _AAC_BITS_PER_SAMPLE * rate) * context.channels
        )
        self._source = source
        self._rate = rate
        self._shift = round(shift_s * rate)
        self._at: int | None = None
        self._resample = av.AudioResampler("fltp", layout, rate)

    def feed(self, packet: "Packet[Any]") -> list["Packet[Any]"]:
        made = []
        if packet.is_discard:
            return []
        for frame in cast("list[Any]", packet.decode()):
            if self._at is None:
                start = Fraction(frame.pts or 0) * (frame.time_base or 0)
                self._at = round(start * self._rate) + self._shift
            for block in self._resample.resample(frame):
                made += self._encode(block)
        return made

    def finish(self) -> list["Packet[Any]"]:
        made = []
        for frame in self._source.decode(None):
            for block in self._resample.resample(frame):
                made += self._encode(block)
        return made + self._owned(self._track.encode(None)) if self._at is not None else made

    def _encode(self, block: Any) -> list["Packet[Any]"]:
        assert self._at is not None
        block.pts, block.time_base = self._at, Fraction(1, self._rate)
        self._at += block.samples
        return self._owned(self._track.encode(block))

    def _owned(self, packets: list["Packet[Any]"]) -> list["Packet[Any]"]:
        for packet in packets:
            packet.stream = self._track
        return packets


def first_sound_s(opened: Opened) -> Fraction | None:
    """When the first sound is heard, in seconds of the container; None where there is none."""
    times = [
        (stream.start_time or 0) * (stream.time_base or Fraction(0))
        for stream in opened.container.streams.audio
    ]
    return max(min(times), Fraction(0)) if times else None
