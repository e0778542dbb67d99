"""Decode the beginning of some tracks, or all of them, and keep count of what went wrong.

Damage never ends the work: a packet that cannot be decoded is counted, and the
next one is tried. A container that breaks off ends it, as nothing behind the
break can be reached. Memory that runs out is not damage and is passed on.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame, format_dtypes
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from media.peaks import PeaksBuilder, Samples

Track = VideoStream | AudioStream

_START_PACKETS = 512  #: read at most to find the first picture and the first sound
_START_FRAMES = 8  #: decoded of each track, so that damage at the beginning is noticed

#: What PyAV raises for damaged bytes. FFmpegError includes a MemoryError, which has to be let through first.
DAMAGE = (av.FFmpegError, ValueError, OSError)


@dataclass(slots=True)
class Heard:
    """What decoding one track brought."""

    frames: int = 0
    packets: int = 0
    damaged: int = 0
    encrypted: int = 0
    changes: int = 0  #: blocks whose channels or sample form differ from the first one's
    first: Any = None  #: the first frame, of pictures or of sound
    samples: Counter[int] = field(default_factory=Counter)  #: per channel, by sample rate

    @property
    def sound_us(self) -> int:
        """Length of the decoded sound."""
        return int(sum(Fraction(count * 1_000_000, rate) for rate, count in self.samples.items()))


def packets_of(container: InputContainer, tracks: list[Track]) -> Iterator["Packet[Any]"]:
    """Packets until the end, or until the container breaks off."""
    try:
        yield from container.demux(tracks)
    except MemoryError:
        raise
    except DAMAGE:
        return


def decode_tracks(container: InputContainer, tracks: list[Track], *, is_thorough: bool) -> list[Heard]:
    """Decode the first few frames of each track, or all of them."""
    heard = {track.index: Heard() for track in tracks}
    for read, packet in enumerate(packets_of(container, tracks)):
        track = heard[packet.stream.index]  # not stream_index, which is 0 in the packets that flush a decoder
        if is_thorough or track.frames < _START_FRAMES:
            _decode(packet, track)
        enough = read >= _START_PACKETS or all(one.frames >= _START_FRAMES for one in heard.values())
        if enough and not is_thorough:
            break
    return [heard[track.index] for track in tracks]


def decode_sound(container: InputContainer, track: AudioStream) -> tuple[Heard, bytes | None]:
    """Decode all of a track and draw its peaks; None where nothing could be decoded."""
    heard = Heard()
    drawing: _Drawing | None = None
    for packet in packets_of(container, [track]):
        for frame in _decode(packet, heard):
            heard.samples[frame.sample_rate] += frame.samples
            drawing = drawing or _Drawing(frame)
            heard.changes += drawing.add(frame)
    return heard, drawing.peaks.finish() if drawing else None


def _decode(packet: "Packet[Any]", heard: Heard) -> list[Any]:
    if packet.size and packet.has_sidedata("encryption_info"):
        heard.encrypted += 1
        return []
    heard.packets += packet.size > 0
    try:
        frames = packet.decode()
    except MemoryError:
        raise
    except DAMAGE:
        heard.damaged += packet.size > 0
        return []
    heard.damaged += any(frame.is_corrupt for frame in frames)
    heard.frames += len(frames)
    if frames and heard.first is None:
        heard.first = frames[0]
    return frames


class _Drawing:
    """Peaks of frames that may change their form on the way."""

    def __init__(self, first: AudioFrame) -> None:
        block = _samples(first)
        self._form = block.shape[0], block.dtype
        self.peaks = PeaksBuilder(first.sample_rate, block.shape[0])

    def add(self, frame: AudioFrame) -> bool:
        """Draw `frame`; True where it had another form and only its time could be kept."""
        block = _samples(frame)
        channels, dtype = self._form
        changed = (block.shape[0], block.dtype) != self._form
        self.peaks.add(np.zeros((channels, block.shape[1]), dtype) if changed else block)
        return changed


def _samples(frame: AudioFrame) -> Samples:
    """(channels, samples), whichever way the decoder lays them out."""
    if frame.format.is_planar:
        return frame.to_ndarray()
    # As `to_ndarray`, which would copy it.
    values = np.frombuffer(memoryview(frame.planes[0]), format_dtypes[frame.format.name])
    channels = frame.layout.nb_channels
    return values[: frame.samples * channels].reshape(frame.samples, channels).T
