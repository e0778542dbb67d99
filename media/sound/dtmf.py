"""Find keys that were pressed: DTMF, by the rules of ITU-T Q.23 and Q.24.

Q.23 gives the eight frequencies and their tolerance; Q.24 what a receiver must
accept and reject. Where administrations differ, the more generous value is
taken, since a recording has been through a line and a codec, and a person
looks at what is found.

Goertzel's algorithm, for blocks of 25.6 ms every 6.4 ms, is one product of the
blocks with the tones, which numpy does at once. A block holds a key when
two tones, one of each group, carry most of its energy, neither is much louder
than the other, each stands out of its group, and neither is merely the
fundamental of a voice, whose second harmonic would be there too.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

KEYS = ("123A", "456B", "789C", "*0#D")
LOW_HZ = (697.0, 770.0, 852.0, 941.0)
HIGH_HZ = (1209.0, 1336.0, 1477.0, 1633.0)

_BLOCK_S = 0.0256  #: 205 samples at 8 kHz: the resolution that tells 697 from 770 Hz
_OFF_PITCH = (
    -0.012,
    0.0,
    0.012,
)  #: listening here, too, hears tones up to 1.8 % off (Q.24), and none at 3.5 %
_HOP_S = 0.0064
_LEAST_BLOCKS = 4  #: a tone of 27 ms. Q.24: what is shorter than 20 to 24 ms is no key; 40 ms always is one
_LONGEST_GAP_S = 0.02  #: Q.24: an interruption of up to 10 to 20 ms is still the same key
_LEAST_LEVEL = 10 ** (-36 / 20)  #: of the stronger tone, of full scale; Q.24 asks for -24 to -29 dBm
_TWIST_UP = 10 ** (6 / 10)  #: the high tone louder than the low one; Q.24: 4 to 6 dB
_TWIST_DOWN = 10 ** (10 / 10)  #: the low tone louder; Q.24: 5 to 10 dB
_OWN_SHARE = 0.65  #: of the block's energy, in the two tones: 2.7 dB above everything else
_PEAK = 10 ** (6 / 10)  #: above the next tone of the same group
_HARMONIC = 10 ** (-6 / 10)  #: a second harmonic of a real key lies far below it
_BATCH_BLOCKS = 4096

Levels = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Key:
    """A key that was pressed."""

    key: str
    start: int  #: first sample
    end: int  #: first sample after it


class KeyFinder:
    """Finds keys in one channel, given block by block."""

    def __init__(self, rate: int) -> None:
        """Prepare for `rate` samples a second, at least 4000: the tones end at 1633 Hz."""
        if rate < 4000:
            raise ValueError(f"keys cannot be heard at {rate} samples a second")
        self._rate = rate
        self._length = round(_BLOCK_S * rate)
        self._hop = round(_HOP_S * rate)
        near = [hz * (1 + off) for off in _OFF_PITCH for hz in (*LOW_HZ, *HIGH_HZ)]
        self._tones = _basis(near, self._length, rate)
        doubled = [hz * 2 for hz in (*LOW_HZ, *HIGH_HZ) if hz * 2 < rate / 2]
        self._harmonics = _basis(doubled, self._length, rate)
        self._rest = np.zeros(0, np.float32)
        self._at = 0
        self._hits: list[tuple[int, str]] = []

    def add(self, samples: Levels) -> None:
        """Take in the next samples, (n,) of nominal range -1 to 1."""
        self._rest = np.concatenate([self._rest, samples.astype(np.float32)])
        while len(self._rest) >= self._length + self._hop * _BATCH_BLOCKS:
            self._look(_BATCH_BLOCKS)

    def finish(self) -> list[Key]:
        """The keys of all that was added, in order."""
        if (blocks := (len(self._rest) - self._length) // self._hop + 1) > 0:
            self._look(blocks)
        return list(self._keys())

    def _look(self, count: int) -> None:
        blocks = np.lib.stride_tricks.sliding_window_view(self._rest, self._length)[:: self._hop][:count]
        for number, key in _keys_of(blocks, self._tones, self._harmonics):
            self._hits.append((self._at + number * self._hop, key))
        self._rest = self._rest[count * self._hop :].copy()
        self._at += count * self._hop

    def _keys(self) -> Iterator[Key]:
        """Blocks of the same key that follow each other are one press."""
        farthest = self._hop + round(_LONGEST_GAP_S * self._rate)
        run: list[int] = []
        before = ""
        for at, key in [*self._hits, (0, "")]:
            if run and (key != before or at - run[-1] > farthest):
                yield from self._pressed(before, run)
                run = []
            run.append(at)
            before = key

    def _pressed(self, key: str, run: list[int]) -> Iterator[Key]:
        """From the first block's beginning to the last one's end: a little more than the tone."""
        if len(run) >= _LEAST_BLOCKS:
            yield Key(key, run[0], run[-1] + self._length)


def _basis(frequencies_hz: Iterable[float], length: int, rate: int) -> NDArray[np.complex64]:
    """(length, frequencies): what Goertzel computes is the product with a complex tone."""
    phase = 2j * np.pi * np.outer(np.arange(length), np.array(list(frequencies_hz))) / rate
    return np.asarray(np.exp(-phase), np.complex64)


def _keys_of(
    blocks: Levels, tones: NDArray[np.complex64], harmonics: NDArray[np.complex64]
) -> Iterator[tuple[int, str]]:
    """Number and key of each block that holds one."""
    length = blocks.shape[1]
    near = np.abs(blocks @ tones).reshape(len(blocks), len(_OFF_PITCH), -1)
    power = (near.max(axis=1) * (2 / length)) ** 2  # squared amplitude of each tone
    low, high = power[:, :4], power[:, 4:]
    row, column = low.argmax(axis=1), high.argmax(axis=1)
    every = np.arange(len(blocks))
    strong_low, strong_high = low[every, row], high[every, column]
    mean_square = np.einsum("ij,ij->i", blocks, blocks) / length
    is_key = (
        (np.maximum(strong_low, strong_high) >= _LEAST_LEVEL**2)
        & (strong_high <= strong_low * _TWIST_UP)
        & (strong_low <= strong_high * _TWIST_DOWN)
        & ((strong_low + strong_high) / 2 >= _OWN_SHARE * mean_square)
        & _stands_out(low, row)
        & _stands_out(high, column)
    )
    over = (np.abs(blocks[is_key] @ harmonics) * (2 / length)) ** 2
    for place, number in enumerate(np.flatnonzero(is_key).tolist()):
        found = int(row[number]), int(column[number])
        double = [one for one in (found[0], 4 + found[1]) if one < over.shape[1]]
        if all(over[place, one] <= power[number, one] * _HARMONIC for one in double):
            yield number, KEYS[found[0]][found[1]]


def _stands_out(group: NDArray[np.floating], strongest: NDArray[np.intp]) -> NDArray[np.bool_]:
    others = group.copy()
    others[np.arange(len(group)), strongest] = 0
    return np.asarray(group.max(axis=1) >= others.max(axis=1) * _PEAK)
