"""Decode a sound track into blocks of samples, at the places where a player would play them.

What cannot be decoded, and what is missing according to the timestamps, is
silence: nobody can say what it was, so nobody may hear it. It is counted, and
the report says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from media.damage import encrypted
from media.decode import DAMAGE
from media.errors import Unreadable
from media.note import Note, note
from media.sound.placed import as_channels
from media.sound.samples import Bytes, Form, Levels
from media.sound.track import Track

_GAP_S = 0.02
_LONGEST_GAP_S = 3600
_BLOCK = 65_536


class Block(NamedTuple):
    """Some decoded samples."""

    start: int
    samples: NDArray[np.generic]  #: (channels, samples)
    is_filled: bool = False  #: silence in the place of what is missing


@dataclass(slots=True)
class Decoding:
    """A track being decoded, and what went wrong."""

    track: Track
    damaged: int = 0  #: packets that cannot be decoded
    filled: int = 0  #: samples of silence in the place of what is missing
    _at: int = 0
    _form: tuple[int, "np.dtype[Any]"] | None = field(default=None)

    @property
    def total(self) -> int:
        """Samples so far, of one channel."""
        return self._at

    def blocks(self) -> Iterator[Block]:
        """Every sample, in order, without a gap.

        Raises:
            Unreadable: Nothing can be decoded, rate or channels change, or timestamps jump by more than an hour.
        """
        for frame in self._frames():
            if frame.sample_rate != self.track.rate:
                raise Unreadable(
                    f"the sound changes from {self.track.rate} to {frame.sample_rate} samples a second"
                )
            samples = as_channels(frame)
            self._form = self._form or (samples.shape[0], samples.dtype)
            if self._form != (samples.shape[0], samples.dtype):
                raise Unreadable("the number of channels changes within the recording")
            yield from self._gap(frame)
            yield Block(self._at, samples)
            self._at += samples.shape[1]
        if self._form is None:
            raise Unreadable("nothing of the sound can be decoded; the file is damaged")

    def notes(self) -> list[Note]:
        """What a person must know about the decoding."""
        found = []
        if self.damaged:
            found.append(note("packets_damaged", count=self.damaged))
        if self.filled:
            found.append(note("sound_missing", seconds=self.filled / self.track.rate))
        return found

    def _frames(self) -> Iterator[Any]:
        for packet in self.track.opened.container.demux(self.track.stream):
            if packet.size and packet.has_sidedata("encryption_info"):
                raise Unreadable(encrypted("sound"))
            try:
                frames = packet.decode()
            except MemoryError:
                raise
            except DAMAGE:
                self.damaged += packet.size > 0
                continue
            yield from frames

    def _gap(self, frame: Any) -> Iterator[Block]:
        if frame.pts is None or frame.time_base is None:
            return
        claimed = round((frame.pts * frame.time_base - self.track.zero_s) * self.track.rate)
        missing = claimed - self._at
        if abs(missing) > _LONGEST_GAP_S * self.track.rate:
            raise Unreadable("the timestamps of the sound jump by more than an hour")
        assert self._form is not None
        channels, dtype = self._form
        while missing > _GAP_S * self.track.rate:
            count = min(missing, _BLOCK)
            quiet = 128 if dtype == np.uint8 else 0
            yield Block(self._at, np.full((channels, count), quiet, dtype), is_filled=True)
            self._at += count
            self.filled += count
            missing -= count


def to_form(samples: NDArray[np.generic], form: Form) -> Bytes:
    """(channels, samples) as a decoder gives them -> (samples, channels, width) as a file holds them."""
    if samples.dtype == np.int16 and form.name == "pcm_s16le":
        raw = np.ascontiguousarray(samples.T).astype("<i2").view(np.uint8)
        return raw.reshape(samples.shape[1], samples.shape[0], 2)
    levels = to_levels(samples)
    raw = form.from_levels(np.ascontiguousarray(levels.T).reshape(-1))
    return np.ascontiguousarray(raw).reshape(samples.shape[1], samples.shape[0], form.width)


def to_levels(samples: NDArray[np.generic]) -> Levels:
    """Any decoder's samples as numbers of nominal range -1 to 1."""
    if samples.dtype == np.uint8:
        return (samples.astype(np.float64) - 128) / 128
    if samples.dtype.kind == "i":
        return samples.astype(np.float64) / 2.0 ** (8 * samples.dtype.itemsize - 1)
    return np.nan_to_num(samples.astype(np.float64))
