"""Silence frames of MP3 (ISO/IEC 11172-3 and 13818-3, Layer III) without moving a byte.

A frame's sound, its main data, may begin up to 511 bytes before the frame
itself, in the frames before it: the bit reservoir. So a frame cannot simply be
replaced. Laid end to end, the frames' slots (what follows header and side
information) form one stream, and each frame's main data is a stretch of it
that ends where the next one's begins. Of a silenced frame, exactly this
stretch becomes zeros, wherever it lies, and its side information says that no
bit of it is used. Frames keep their size, place and `main_data_begin`, so
everything else stays as it is and decodes as before.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

MAX_RESERVOIR_BYTES = 511
RESERVOIR_FRAMES = 32  #: more than its bytes can reach back at the lowest bit rate, 8 kbit/s
_HEADER_BYTES, _CRC_BYTES = 4, 2
_SYNC = 0xFFE0
_LAYER_THREE = 1
_MPEG_1, _RESERVED = 3, 1
_MONO = 3
_CRC_POLYNOMIAL = 0x8005


@dataclass(slots=True)
class _Frame:
    """A frame and where its parts lie."""

    data: bytes | bytearray  #: bytearray once something of it is changed
    side_at: int  #: byte of the side information
    slot_at: int  #: byte after it, where others' main data may lie
    slot_start: int  #: position of the slot in the stream of all slots
    begin_bits: int  #: of `main_data_begin`

    @property
    def whole(self) -> bytes:
        """Its bytes now."""
        return self.data if isinstance(self.data, bytes) else bytes(self.data)

    @property
    def main_start(self) -> int:
        """Position of its main data in the stream of all slots."""
        bits = int.from_bytes(self.data[self.side_at : self.side_at + 2], "big")
        return self.slot_start - (bits >> (16 - self.begin_bits))


def is_plain(packet: bytes) -> bool:
    """Whether a packet is a Layer III frame that can be silenced here: not of a free bit rate, and whole."""
    try:
        _parse(packet, 0)
    except ValueError:
        return False
    return True


def silence(frames: Iterable[tuple[bytes, bool]]) -> Iterator[bytes]:
    """The same frames, those that are marked silenced; one of which nothing changes is the very object that came.

    Args:
        frames: Every frame from the beginning, in order, and whether to silence it.

    Raises:
        ValueError: One is no Layer III frame.
    """
    waiting: deque[_Frame] = deque()
    position = 0
    wipe_from: int | None = None
    for data, is_muted in frames:
        frame = _parse(data, position)
        position += len(data) - frame.slot_at
        if wipe_from is not None:
            _wipe([*waiting, frame], wipe_from, frame.main_start)
        wipe_from = frame.main_start if is_muted else None
        waiting.append(frame)
        if is_muted:
            _clear_side_information(frame)
        if len(waiting) > RESERVOIR_FRAMES:
            yield waiting.popleft().whole
    if wipe_from is not None:
        _wipe(waiting, wipe_from, position)
    for frame in waiting:
        yield frame.whole


def _parse(data: bytes, slot_start: int) -> _Frame:
    if len(data) < _HEADER_BYTES + _CRC_BYTES:
        raise ValueError("too short for an MP3 frame")
    side_at, slot_at, begin_bits = _layout(data[:_HEADER_BYTES])
    if len(data) < slot_at:
        raise ValueError("an MP3 frame that is cut off")
    return _Frame(data, side_at, slot_at, slot_start, begin_bits)


@lru_cache(maxsize=256)
def _layout(data: bytes) -> tuple[int, int, int]:
    """Where the side information lies, where it ends, and the bits of `main_data_begin`, by a frame's header."""
    version, layer = data[1] >> 3 & 3, data[1] >> 1 & 3
    is_known = int.from_bytes(data[:2], "big") & _SYNC == _SYNC and version != _RESERVED
    if not is_known or layer != _LAYER_THREE or data[2] >> 4 in {0, 15}:
        raise ValueError("not an MP3 frame with a bit rate of its own")
    is_mono = data[3] >> 6 == _MONO
    if version == _MPEG_1:
        side_bytes, begin_bits = (17 if is_mono else 32), 9
    else:
        side_bytes, begin_bits = (9 if is_mono else 17), 8
    side_at = _HEADER_BYTES + (0 if data[1] & 1 else _CRC_BYTES)
    return side_at, side_at + side_bytes, begin_bits


def _wipe(frames: Iterable[_Frame], start: int, end: int) -> None:
    """Zero a stretch of the stream of slots."""
    for frame in frames:
        low = max(start - frame.slot_start, 0)
        high = min(end - frame.slot_start, len(frame.data) - frame.slot_at)
        if low < high:
            frame.data = bytearray(frame.data)
            frame.data[frame.slot_at + low : frame.slot_at + high] = bytes(high - low)


def _clear_side_information(frame: _Frame) -> None:
    """Keep `main_data_begin`; everything after it is zero: no bits, no bands, no gain."""
    frame.data = bytearray(frame.data)
    side = frame.data[frame.side_at : frame.slot_at]
    kept = int.from_bytes(side[:2], "big") >> (16 - frame.begin_bits) << (16 - frame.begin_bits)
    frame.data[frame.side_at : frame.slot_at] = kept.to_bytes(2, "big") + bytes(len(side) - 2)
    if frame.side_at > _HEADER_BYTES:
        checked = bytes(frame.data[2:_HEADER_BYTES] + frame.data[frame.side_at : frame.slot_at])
        frame.data[_HEADER_BYTES : frame.side_at] = _crc(checked).to_bytes(2, "big")


def _crc(data: bytes) -> int:
    value = 0xFFFF
    for byte in data:
        for bit in range(7, -1, -1):
            value = (value << 1) ^ (_CRC_POLYNOMIAL if (value >> 15 ^ byte >> bit) & 1 else 0)
            value &= 0xFFFF
    return value
