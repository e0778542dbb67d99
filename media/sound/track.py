"""One sound track of a container: which packets it has, and where their samples lie.

Position 0 is where a player begins: the start of the container for footage,
the first sample that is heard for a call. Packets are placed by their codec's
own sample counts, and by their timestamps where the two disagree by more than
the rounding of a container.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

from av.audio.stream import AudioStream
from av.packet import Packet

from media.container import Opened, open_recording
from media.damage import encrypted
from media.errors import Unreadable, UnsupportedCodec
from media.facts import is_cover
from media.sound.placed import MEMORIES, Placed
from media.sound.samples import FORMS
from media.sound.silent import aac_silence, adts_silence, opus_frames, opus_silence
from media.sound.wave import MAX_CHANNELS, MAX_SAMPLE_RATE

_ROUNDING_S = Fraction(1, 50)  #: Matroska rounds to milliseconds; a lost packet is 20 ms or more
_LAST_PACKETS = 8  #: only these may claim to be discarded in part at the end
_AAC_SAMPLES = 1024
_CODECS = {"mp3float": "mp3", "opus": "opus", "libopus": "opus", "aac": "aac"}


@dataclass(frozen=True, slots=True)
class Track:
    """A sound track. What it says of itself stays true when its container is closed; its packets are gone then."""

    opened: Opened
    stream: AudioStream
    codec: str  #: "opus", "aac" and "mp3" whatever the decoder's name; else FFmpeg's name
    rate: int  #: of what is decoded
    channels: int
    zero_s: Fraction  #: the container's time of position 0
    config: bytes | None  #: the decoder's extradata

    @property
    def is_lossless(self) -> bool:
        """Whether its decoder gives back exactly what was recorded."""
        return self.codec.startswith("pcm_") or self.codec in {"flac", "alac", "tta", "wavpack"}

    @property
    def has_packets(self) -> bool:
        """Whether its packets can be replaced one by one."""
        if self.codec == "aac":
            is_plain = self.stream.codec_context.frame_size in {
                0,
                _AAC_SAMPLES,
            }  # else its band is replicated
            return is_plain and (self.config is None or aac_silence(self.config) is not None)
        return self.codec in MEMORIES or self.codec in FORMS

    def packets(self) -> Iterator[tuple["Packet[Any]", Placed]]:
        """Every packet that holds sound, and where it lies.

        Raises:
            Unreadable: A packet is damaged, or encrypted.
        """
        expected: int | None = None
        claim = self._clock()
        slack = int(_ROUNDING_S * self.rate)
        for packet in self.opened.container.demux(self.stream):
            if not packet.size:
                continue
            for side in packet.iter_sidedata():
                if side.data_type == "encryption_info":
                    raise Unreadable(encrypted("sound"))
            data = bytes(packet)
            samples = self._samples(packet, data)
            if packet.pts is not None:
                claimed = claim(packet.pts)
                if expected is None or not -slack <= claimed - expected <= slack:
                    expected = claimed
            placed = Placed(data, expected or 0, samples)
            expected = placed.start + samples
            yield packet, placed

    def _clock(self) -> Callable[[int], int]:
        """Ticks to samples, rounded, in integers alone: it is asked for every packet."""
        scale = (self.stream.time_base or Fraction(1, self.rate)) * self.rate
        zero = self.zero_s * self.rate
        whole = scale.denominator * zero.denominator
        times, less = scale.numerator * zero.denominator, zero.numerator * scale.denominator

        def claim(ticks: int) -> int:
            return (2 * (ticks * times - less) + whole) // (2 * whole)

        return claim

    def silence(self, packet: bytes) -> bytes:
        """A packet as long as this one that says nothing. Of Opus and AAC; MP3 has `mp3.silence`.

        Raises:
            Unreadable: Nothing can stand for this packet.
        """
        if self.codec == "opus":
            return opus_silence(packet)
        silent = aac_silence(self.config) if self.config else adts_silence(packet)
        if silent is None:
            raise Unreadable("an AAC packet is damaged, or of another kind than the first")
        return silent

    def _samples(self, packet: "Packet[Any]", data: bytes) -> int:
        if self.codec == "opus":
            try:
                frames, samples = opus_frames(data)
            except ValueError as error:
                raise Unreadable(f"the Opus track is damaged: {error}") from error
            return frames * samples
        if self.codec == "aac":
            return _AAC_SAMPLES
        if self.codec == "mp3":
            return 1152 if len(data) > 1 and data[1] & 8 else 576
        if self.codec in FORMS:
            return len(data) // (FORMS[self.codec].width * self.channels)
        return round((packet.duration or 0) * (packet.time_base or 0) * self.rate)


@contextmanager
def open_track(path: Path, index: int | None = None, raw_format: str | None = None) -> Iterator[Track]:
    """Open a sound track, the first one unless `index` names another.

    Raises:
        Unreadable: There is none, it is encrypted or claims what no sound can be; `UnsupportedCodec` where
            only the decoder is missing.
    """
    with open_recording(path, raw_format) as opened:
        streams = [one for one in opened.container.streams.audio if index in {None, one.index}]
        if not streams:
            raise Unreadable("the file holds no sound" if index is None else f"track {index} holds no sound")
        yield _track(opened, streams[0])


def sound_tracks(path: Path) -> tuple[bool, tuple[int, ...]]:
    """Whether the file is footage, and the indices of its sound tracks.

    Raises:
        Unreadable: It is no recording.
    """
    with open_recording(path) as opened:
        return _is_footage(opened), tuple(stream.index for stream in opened.container.streams.audio)


class Total:
    """The end of the last sample that is heard: what packets claim to discard at the end is left out."""

    def __init__(self) -> None:
        self._last: deque[tuple[int, int]] = deque(maxlen=_LAST_PACKETS)
        self._before = 0

    def add(self, packet: "Packet[Any]", placed: Placed) -> None:
        """Take in the next packet."""
        if len(self._last) == _LAST_PACKETS:
            self._before = max(self._before, self._last[0][0])
        end = placed.start + placed.samples
        self._last.append((end, end - _discarded(packet)))

    @property
    def samples(self) -> int:
        """So far, of one channel."""
        return max([self._before, *(heard for _, heard in self._last)])


def total_of(placed: Iterable[tuple["Packet[Any]", Placed]]) -> int:
    """The samples of these packets that are heard."""
    total = Total()
    for packet, one in placed:
        total.add(packet, one)
    return total.samples


def _track(opened: Opened, stream: AudioStream) -> Track:
    context = cast("Any", stream.codec_context)
    if context is None:
        raise UnsupportedCodec("nothing here can decode the sound")
    rate, channels = context.sample_rate, context.channels
    if not (0 < rate <= MAX_SAMPLE_RATE and 0 < channels <= MAX_CHANNELS):
        raise Unreadable(f"the sound claims {channels} channels and {rate} samples a second")
    context.thread_count = 1
    codec = _CODECS.get(context.name, context.name)
    if _is_footage(opened):
        zero_s = Fraction(opened.container.start_time or 0, 1_000_000)
    else:
        zero_s = (stream.start_time or 0) * (stream.time_base or Fraction(1))
    config = bytes(context.extradata) if context.extradata else None
    return Track(opened, stream, codec, 48_000 if codec == "opus" else rate, channels, zero_s, config)


def _is_footage(opened: Opened) -> bool:
    return any(not is_cover(stream) for stream in opened.container.streams.video)


def _discarded(packet: "Packet[Any]") -> int:
    for side in packet.iter_sidedata():
        if side.data_type == "skip_samples":
            return int.from_bytes(bytes(side)[4:8], "little")
    return 0
