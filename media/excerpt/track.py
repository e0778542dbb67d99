"""The sound tracks of a part of footage, on their way into an MP4: decoded, cut to the sample, encoded as AAC.

The encoder is given the samples of the part and no other. The few silent ones
that it puts before the first are its own.
"""

import heapq
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.codec.context import Flags
from av.container import OutputContainer
from av.packet import Packet
from numpy.typing import NDArray

from media.damage import in_words
from media.errors import UnsupportedCodec
from media.excerpt.sound import SoundPart, heard_track
from media.sound.decoded import Block, to_levels
from media.sound.edit import layout_of
from media.sound.track import sound_tracks

#: Samples a second that AAC has (ISO/IEC 14496-3, table 1.18).
AAC_RATES = frozenset(
    {96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350}
)
_BITS_PER_CHANNEL = 128_000
_BITS_PER_SAMPLE = 6  #: the most that AAC takes
#: Each channel by itself, and no noise of the encoder's making.
_OPTIONS = {"aac_ms": "0", "aac_is": "0", "aac_pns": "0"}


class SoundTracks:
    """Every sound track that is heard between two instants of the container's clock. A context manager.

    Entering decodes each track up to the first sample.

    Attributes:
        first_s: When the first sample of any is heard; None where none is.
        count: How many tracks are heard.

    Raises:
        Unreadable: A track is damaged, up to the end of the part.
        UnsupportedCodec: One cannot be written as AAC.
    """

    def __init__(self, source: Path, start_s: Fraction, end_s: Fraction) -> None:
        self._source, self._span = source, (start_s, end_s)
        self._open = ExitStack()
        self._tracks: list[_Track] = []

    def __enter__(self) -> Self:
        _, indices = sound_tracks(self._source)
        for index in indices:
            track = self._open.enter_context(heard_track(self._source, index))
            found = _Track(SoundPart(track, *self._span))
            if found.first is not None:
                self._tracks.append(found)
        self.first_s = min((each.first_s for each in self._tracks), default=None)
        self.count = len(self._tracks)
        self._silent = len(indices) - self.count
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def attach(self, out: OutputContainer, zero_s: Fraction) -> None:
        """Add the tracks to an output whose time 0 is `zero_s`, before its first packet."""
        coming = [track.packets(out, zero_s) for track in self._tracks]
        self._coming = heapq.merge(*coming, key=_time_s)
        self._next = None if not coming else next(self._coming, None)

    def until(self, time_s: Fraction | None) -> Iterator["Packet[Any]"]:
        """Packets up to a time of the output; all that are left where it is None."""
        while self._next is not None and (time_s is None or _time_s(self._next) <= time_s):
            packet, self._next = self._next, next(self._coming, None)
            yield packet

    def notes(self) -> list[str]:
        """What a person must know about the sound, once all of it was written."""
        notes = [note for track in self._tracks for note in track.part.notes()]
        if self._silent:
            notes.append(f"{self._silent} sound tracks have nothing in this part, and were left out")
        return notes


class _Track:
    def __init__(self, part: SoundPart) -> None:
        self.part = part
        self._blocks = part.blocks()
        self.first = next(self._blocks, None)
        if part.track.rate not in AAC_RATES:
            raise UnsupportedCodec(
                f"a sound track has {part.track.rate} samples a second, which no MP4 player takes"
            )

    @property
    def first_s(self) -> Fraction:
        assert self.first is not None
        return self.part.starts_at_s(self.first.start)

    def packets(self, out: OutputContainer, zero_s: Fraction) -> Iterator["Packet[Any]"]:
        """A stream is added at once; its packets follow."""
        assert self.first is not None
        rate, channels = self.part.track.rate, self.first.samples.shape[0]
        layout = layout_of(channels)
        stream = out.add_stream("aac", rate=rate, layout=layout, options=_OPTIONS)
        stream.codec_context.flags |= Flags.bitexact  # else it writes its name into the first packet
        stream.codec_context.bit_rate = min(_BITS_PER_CHANNEL, _BITS_PER_SAMPLE * rate) * channels
        return self._encoded(stream, layout, round((self.first_s - zero_s) * rate))

    def _encoded(self, stream: Any, layout: str, first: int) -> Iterator["Packet[Any]"]:
        assert self.first is not None
        shift = first - self.first.start
        for block in self._all():
            frame = AudioFrame.from_ndarray(levels(block), format="fltp", layout=layout)
            frame.sample_rate = self.part.track.rate
            frame.pts, frame.time_base = block.start + shift, Fraction(1, self.part.track.rate)
            yield from self._owned(stream, frame)
        yield from self._owned(stream, None)

    def _owned(self, stream: Any, frame: AudioFrame | None) -> Iterator["Packet[Any]"]:
        try:
            for packet in stream.encode(frame):
                packet.stream = stream
                yield packet
        except av.error.ArgumentError as error:
            raise UnsupportedCodec(f"a sound track cannot be written as AAC: {in_words(error)}") from error

    def _all(self) -> Iterator[Block]:
        assert self.first is not None
        yield self.first
        yield from self._blocks


def levels(block: Block) -> NDArray[np.float32]:
    """(channels, samples) as numbers of nominal range -1 to 1."""
    return np.ascontiguousarray(to_levels(block.samples), np.float32)


def _time_s(packet: "Packet[Any]") -> Fraction:
    return (packet.dts or 0) * packet.time_base
