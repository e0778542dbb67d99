"""Units of an H.264 stream: enough to tell pictures from everything else. Rules: ITU-T H.264, 7.3 and 7.4."""

from collections.abc import Iterator
from dataclasses import dataclass

SLICE, IDR, SEI, SPS, PPS, DELIMITER, END_OF_SEQUENCE, END_OF_STREAM, FILLER = 1, 5, 6, 7, 8, 9, 10, 11, 12
PICTURE = frozenset({SLICE, IDR})


@dataclass(frozen=True, slots=True)
class Headers:
    """What an avcC box holds.

    Attributes:
        length_bytes: Of the number before each unit.
    """

    length_bytes: int
    sets: tuple[bytes, ...]  #: SPS and PPS, in their order
    rest: bytes  #: after them; the High profiles keep a few bytes here


def kind(unit: bytes) -> int:
    """The type of a unit."""
    return unit[0] & 0x1F


def units(packet: bytes, length_bytes: int) -> Iterator[bytes]:
    """The units of a packet that carries their lengths.

    Raises:
        ValueError: The lengths do not add up.
    """
    at = 0
    while at < len(packet):
        size = int.from_bytes(packet[at : at + length_bytes], "big")
        at += length_bytes
        if not 0 < size <= len(packet) - at:
            raise ValueError("a unit is longer than its packet, or empty")
        yield packet[at : at + size]
        at += size


def parse_avcc(data: bytes) -> Headers:
    """Parse an avcC box (ISO/IEC 14496-15, 5.3.3).

    Raises:
        ValueError: It is none.
    """
    if len(data) < 7 or data[0] != 1:
        raise ValueError("no avcC of version 1")
    sets: list[bytes] = []
    at = _take_sets(data, 6, data[5] & 0x1F, sets)
    if at < len(data):
        at = _take_sets(data, at + 1, data[at], sets)
    return Headers((data[4] & 3) + 1, tuple(sets), data[at:])


def _take_sets(data: bytes, at: int, count: int, sets: list[bytes]) -> int:
    for _ in range(count):
        size = int.from_bytes(data[at : at + 2], "big")
        unit = data[at + 2 : at + 2 + size]
        if not size or len(unit) < size:
            raise ValueError("a parameter set is cut off")
        sets.append(unit)
        at += 2 + size
    return at


def set_number(unit: bytes) -> int:
    """The identifier of an SPS or PPS."""
    skip = 4 if kind(unit) == SPS else 1  # an SPS names profile, constraints and level first
    bits = "".join(f"{byte:08b}" for byte in unit[skip : skip + 8])
    zeros = len(bits) - len(bits.lstrip("0"))
    return int(bits[zeros : 2 * zeros + 1] or "1", 2) - 1
