"""The samples of a sound track that lie in a span, decoded.

A track is decoded from its beginning: only so is every sample the one that a
player would play there, whatever the codec remembers and an encoder delays. The
first sample that is heard lies where its timestamp says, to the sample. A
sample is in a span when all of it is.

Strict: where a packet up to the end of the span cannot be decoded, nobody knows
what lies where. What is missing by the timestamps, as where a telephone sends
nothing while nobody speaks, is silence, as in a player; it is counted.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor
from pathlib import Path

import av

from media.damage import in_words
from media.decode import DAMAGE
from media.errors import Unreadable
from media.sound.decoded import Block, Decoding
from media.sound.track import Track, open_track

_GUESSES = frozenset({"mp3", "aac"})  #: containers whose length FFmpeg guesses
_RUN_OUT_S = Fraction(1, 5)  #: of an encoder's delay and the padding of its last packet


class SoundPart:
    """A track between two instants of its container's clock, in seconds.

    Attributes:
        track: Where it comes from.
        start: Of its first sample, counted from the first one that is heard; may be negative.
        filled: Samples of silence that stand for what is missing, so far.
    """

    def __init__(self, track: Track, start_s: Fraction, end_s: Fraction) -> None:
        self.track = track
        self.start = ceil((start_s - track.zero_s) * track.rate)
        self._end_s = end_s - track.zero_s
        self._end = floor((end_s - track.zero_s) * track.rate)
        self.filled = 0

    def starts_at_s(self, position: int) -> Fraction:
        """When a sample is heard, by the container's clock."""
        return self.track.zero_s + Fraction(position, self.track.rate)

    def blocks(self) -> Iterator[Block]:
        """The samples, in order and without a gap.

        Raises:
            Unreadable: Something up to the end of the part is damaged.
        """
        decoding = Decoding(self.track)
        try:
            for block in decoding.blocks():
                self._refuse_damage(decoding, block)
                low, high = self.start - block.start, self._end - block.start
                inside = block.samples[:, max(low, 0) : max(high, 0)]
                if inside.shape[1]:
                    self.filled += inside.shape[1] * block.is_filled
                    yield Block(block.start + max(low, 0), inside, block.is_filled)
                if high <= block.samples.shape[1]:
                    return
        except av.FFmpegError as error:
            if isinstance(error, MemoryError):
                raise
            raise Unreadable(
                f"the sound breaks off ({in_words(error)}); take a part that ends before, or get another copy"
            ) from error
        self._refuse_short(decoding)

    def _refuse_damage(self, decoding: Decoding, block: Block) -> None:
        # FLAC counts its samples, so what is missing was there.
        if decoding.damaged or (block.is_filled and self.track.codec == "flac"):
            at_s = float(self.starts_at_s(block.start) - self.track.zero_s)
            raise Unreadable(f"the sound cannot be decoded at {at_s:.3f} s")

    def _refuse_short(self, decoding: Decoding) -> None:
        """The sound is over: it must not end before the file says it does."""
        ends_s, stream = Fraction(decoding.total, self.track.rate), self.track.stream
        claimed_s = Fraction(0)
        if stream.duration and self.track.opened.container.format.name not in _GUESSES:
            claimed_s = Fraction(stream.duration * (stream.time_base or 0))
        if decoding.damaged or ends_s + _RUN_OUT_S < min(claimed_s, self._end_s):
            raise Unreadable(f"the sound cannot be decoded after {float(ends_s):.3f} s")

    def notes(self) -> list[str]:
        """What a person must know about it, once it was read."""
        if not self.filled:
            return []
        return [f"{self.filled / self.track.rate:.3f} s of sound are missing in the source, and silent here"]


@contextmanager
def heard_track(source: Path, index: int | None = None, raw_format: str | None = None) -> Iterator[Track]:
    """A sound track whose position 0 is the first sample that is heard, to the sample.

    Raises:
        Unreadable: There is none, or it cannot be decoded.
    """
    with open_track(source, index, raw_format) as track:
        first_s = _first_heard_s(track)
    with open_track(source, index, raw_format) as track:
        yield replace(track, zero_s=first_s)


def _first_heard_s(track: Track) -> Fraction:
    try:
        for packet in track.opened.container.demux(track.stream):
            for frame in packet.decode():
                if frame.pts is None or frame.time_base is None:
                    return track.zero_s
                return frame.pts * frame.time_base
    except MemoryError:
        raise
    except DAMAGE as error:
        raise Unreadable("the beginning of the sound cannot be decoded") from error
    raise Unreadable("nothing of the sound can be decoded")
