"""Which samples are muted: pure interval arithmetic in integers.

A span asked for in decimal seconds grows to whole samples, outwards: never less
is muted than was asked for. Spans may come in any order, overlap, touch and
number in the tens of thousands. Fades lie outside the spans, so inside there is
nothing but silence, or the tone.

Positions count samples of one channel from the beginning of the recording;
ends are exclusive. Channels count from 0.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

import numpy as np
from numpy.typing import NDArray

Spans = NDArray[np.int64]  #: (n, 2): start and end, ascending, disjoint, not touching

FADE_S = Fraction(5, 1000)  #: short enough to keep the neighbouring word, long enough not to click
UNKNOWN_TOTAL = 1 << 48  #: of a recording whose samples are not counted yet: no mute starts after its end
_DECIMAL = r"\d{1,9}(?:\.\d{1,12})?"
MUTE_PATTERN = rf"^({_DECIMAL})-({_DECIMAL})(?:@(\d{{1,2}}))?$"  #: how a mute is written: "12.5-14.25@1"
_MUTE = re.compile(MUTE_PATTERN, re.ASCII)


@dataclass(frozen=True, slots=True)
class Mute:
    """A stretch that must not be heard, in exact seconds from the beginning of the recording."""

    start_s: Fraction
    end_s: Fraction
    channel: int | None = None  #: None: every channel

    def __post_init__(self) -> None:
        if not 0 <= self.start_s < self.end_s:
            raise ValueError(f"a mute needs 0 <= start < end: {float(self.start_s)} to {float(self.end_s)}")
        if self.channel is not None and self.channel < 0:
            raise ValueError(f"channels count from 0: {self.channel}")

    @classmethod
    def parse(cls, text: str, channel: int | None = None) -> Self:
        """Read "START-END" in decimal seconds, or "START-END@CHANNEL", whose channel counts more than the argument.

        Raises:
            ValueError: It is not of this form, or ends before it starts.
        """
        found = _MUTE.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"not a mute: {text!r}; write START-END in seconds, such as 12.5-14.25")
        start, end, own = found.groups()
        return cls(Fraction(start), Fraction(end), channel if own is None else int(own))


@dataclass(frozen=True, slots=True)
class Plan:
    """The samples to silence, by channel, of a recording of known rate and length."""

    rate: int
    total: int  #: samples of one channel
    channels: tuple[Spans, ...]

    @property
    def every(self) -> Spans:
        """The union over the channels."""
        return merge(np.concatenate(self.channels)) if self.channels else no_spans()

    @property
    def is_same_on_all(self) -> bool:
        """Whether every channel is muted in the same places."""
        return all(np.array_equal(self.channels[0], other) for other in self.channels[1:])

    @property
    def fade(self) -> int:
        """Samples that a fade takes on each side."""
        return int(FADE_S * self.rate)


def make_plan(mutes: Sequence[Mute], rate: int, channels: int, total: int) -> Plan:
    """Turn mutes into samples.

    Args:
        mutes: None leaves every sample. An end past the recording's end is cut; a start past it is refused.
        rate: Samples a second.
        channels: How many there are.
        total: Samples of one channel.

    Raises:
        ValueError: A channel is missing, or a mute lies outside the recording.
    """
    wanted: list[list[tuple[int, int]]] = [[] for _ in range(channels)]
    for mute in mutes:
        start, end = to_samples(mute, rate)
        if start >= total:
            raise ValueError(
                f"the mute at {float(mute.start_s):.3f} s starts after the recording ends, at {total / rate:.3f} s"
            )
        for channel in _channels_of(mute, channels):
            wanted[channel].append((start, min(end, total)))
    return Plan(rate, total, tuple(merge(np.array(spans, np.int64).reshape(-1, 2)) for spans in wanted))


def to_samples(mute: Mute, rate: int) -> tuple[int, int]:
    """First sample and the one after the last, grown outwards to whole samples."""
    return int(mute.start_s * rate), -int(-mute.end_s * rate // 1)


def merge(spans: NDArray[np.int64]) -> Spans:
    """The union: ascending, disjoint, what touches joined.

    Args:
        spans: (n, 2), in any order, overlapping or not.
    """
    if len(spans) == 0:
        return no_spans()
    ordered = spans[np.argsort(spans[:, 0], kind="stable")]
    reach = np.maximum.accumulate(ordered[:, 1])
    opens = np.concatenate([[True], ordered[1:, 0] > reach[:-1]])
    closes = np.concatenate([opens[1:], [True]])
    return np.stack([ordered[opens, 0], reach[closes]], axis=1)


def no_spans() -> Spans:
    """Nothing."""
    return np.empty((0, 2), np.int64)


def touched(spans: Spans, start: int, end: int) -> Spans:
    """Those of `spans` that share a sample with `start` to `end`."""
    first = int(np.searchsorted(spans[:, 1], start, side="right"))
    last = int(np.searchsorted(spans[:, 0], end, side="left"))
    return spans[first : max(first, last)]


class SpanIndex:
    """Spans, ready to be asked about a hundred thousand packets: numpy takes ten times as long for one question."""

    def __init__(self, spans: Spans) -> None:
        self.spans = spans
        self._starts: list[int] = spans[:, 0].tolist()
        self._ends: list[int] = spans[:, 1].tolist()

    def touches(self, start: int, end: int) -> bool:
        """Whether a span shares a sample with `start` to `end`."""
        first = bisect_right(self._ends, start)
        return first < len(self._starts) and self._starts[first] < end


def _channels_of(mute: Mute, channels: int) -> range:
    if mute.channel is None:
        return range(channels)
    if mute.channel >= channels:
        raise ValueError(
            f"there is no channel {mute.channel}: the recording has {channels}, and they count from 0"
        )
    return range(mute.channel, mute.channel + 1)
