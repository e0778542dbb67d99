"""Packets of compressed sound, placed on the samples they decode to; which to replace; and proof of silence.

A decoder remembers: what a packet sounds like depends on those before it, and a
packet may describe a little of the one before. So with the packets that lie
within a span some of their neighbours are silenced too: before it, until the
overlap with what was said is gone (Opus: 2.5 ms; AAC: a block; MP3: a granule
and the filter bank's 481 samples); after it, until nothing repeats it (Opus:
the copy that SILK sends of the packet before, and its prediction).
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from media.decode import DAMAGE
from media.errors import NotReleased
from media.sound.spans import SpanIndex, Spans, merge, touched

SILENT_LEVEL = 1e-4  #: -80 dBFS; the packets written here decode to exact zeros, or to a last bit


class Placed(NamedTuple):
    """A packet and the samples it decodes to."""

    data: bytes
    start: int
    samples: int

    @property
    def end(self) -> int:
        """The sample after its last."""
        return self.start + self.samples


@dataclass(frozen=True, slots=True)
class Memory:
    """What a codec remembers, in packets."""

    before: int  #: silenced ahead of a span
    after: int  #: silenced behind it
    preroll: int  #: decoded and thrown away, until the decoder sounds as it does from the beginning


MEMORIES = {
    "opus": Memory(before=1, after=2, preroll=8),
    "aac": Memory(before=1, after=1, preroll=4),
    "mp3": Memory(before=2, after=1, preroll=32),
}


def is_affected(packet: Placed, spans: SpanIndex, memory: Memory) -> bool:
    """Whether a packet has to be silenced for the sake of `spans`."""
    start, samples = packet.start, packet.samples
    return spans.touches(start - memory.after * samples, start + (1 + memory.before) * samples)


def silent_stretches(packets: Iterable[Placed]) -> Spans:
    """The stretches that these packets, all of them silent, cover."""
    return merge(np.array([(one.start, one.end) for one in packets], np.int64).reshape(-1, 2))


def check_silence(
    packets: Iterable[Placed], spans: Spans, codec: str, audio_config: bytes | None, rate: int
) -> None:
    """Decode what leads to each span, and the span; everything in it has to be silent.

    Args:
        packets: All of the result's, in order.
        spans: In the samples on which the packets are placed.
        codec: FFmpeg's name of the decoder.
        audio_config: Its extradata.
        rate: Samples a second.

    Raises:
        NotReleased: Something is heard, or a span was not decoded in full.
    """
    memory = MEMORIES[codec.removesuffix("float")]
    cursor, is_first = 0, True
    for run in _runs(packets, SpanIndex(spans), memory.preroll):
        decoder = _decoder(codec, audio_config, rate)
        for packet in run:
            heard = _check_packet(decoder, packet, spans, cursor)
            wanted = touched(spans, max(cursor, packet.start), packet.end).clip(
                max(cursor, packet.start), packet.end
            )
            if (
                heard < int((wanted[:, 1] - wanted[:, 0]).sum()) and not is_first
            ):  # the first may be primer alone
                raise NotReleased(
                    f"the result cannot be decoded at sample {packet.start}, to hear whether it is silent"
                )
            cursor, is_first = max(cursor, packet.end), False


def _check_packet(decoder: AudioCodecContext, packet: Placed, spans: Spans, cursor: int) -> int:
    """Decode one packet; the number of samples after `cursor` that were found silent."""
    try:
        frames = decoder.decode(av.Packet(packet.data))
    except MemoryError:
        raise
    except DAMAGE:
        return 0  # which is too few, where it matters
    heard = 0
    start = packet.end - sum(frame.samples for frame in frames)  # a first frame may be shorter, never a last
    for frame in frames:
        low, high = max(start, cursor, packet.start), start + frame.samples
        for span in touched(spans, low, high).tolist() if low < high else ():
            part = max(span[0], low), min(span[1], high)
            if loudest(frame, part[0] - start, part[1] - start) > SILENT_LEVEL:
                raise NotReleased(f"the result is not silent between samples {part[0]} and {part[1]}")
            heard += part[1] - part[0]
        start = high
    return heard


def loudest(frame: AudioFrame, low: int, high: int, channels: Iterable[int] | None = None) -> float:
    """The largest level of some samples of a frame, 0 to 1; of all channels, or of these."""
    block = as_channels(frame)[:, low:high]
    chosen = block if channels is None else block[list(channels)]
    if chosen.dtype.kind == "f":
        return float(np.abs(chosen).max(initial=0.0))
    if chosen.dtype == np.uint8:
        return float(np.abs(chosen.astype(np.int16) - 128).max(initial=0)) / 128
    return float(np.abs(chosen.astype(np.int64)).max(initial=0)) / 2.0 ** (8 * chosen.dtype.itemsize - 1)


def as_channels(frame: AudioFrame) -> NDArray[np.generic]:
    """(channels, samples), whichever way the decoder lays them out."""
    values = frame.to_ndarray()
    return values if frame.format.is_planar else values.reshape(frame.samples, -1).T


def _runs(packets: Iterable[Placed], spans: SpanIndex, preroll: int) -> Iterator[list[Placed]]:
    """Packets to decode together: those that touch spans, with what leads to them. At most about ten seconds each."""
    before: deque[Placed] = deque(maxlen=preroll)
    most = 10 * preroll + 500
    run: list[Placed] = []
    for packet in packets:
        if spans.touches(packet.start, packet.start + packet.samples):
            run = run or list(before)
            run.append(packet)
        elif run:
            yield [*run, packet]
            run = []
        before.append(packet)
        if len(run) > most:
            yield run
            run = list(before)
    if run:
        yield run


def _decoder(codec: str, audio_config: bytes | None, rate: int) -> AudioCodecContext:
    decoder = av.CodecContext.create(codec, "r")
    assert isinstance(decoder, AudioCodecContext)
    decoder.thread_count = 1
    decoder.sample_rate = rate
    if audio_config:
        decoder.extradata = audio_config
    return decoder
