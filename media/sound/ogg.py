"""Opus in Ogg (RFC 3533, RFC 7845), page by page: replace packets, leave every other page as it is.

An hour has 180 000 packets and some 3600 pages; only the pages near a span are
taken apart. Granule positions, and with them duration and sample count, are
those of the source. The comment header is written empty.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from media.errors import Unreadable
from media.sound.placed import MEMORIES, Placed, is_affected
from media.sound.silent import opus_frames, opus_silence
from media.sound.spans import SpanIndex, Spans

_HEAD = struct.Struct("<4sBBqIIIB")
_CONTINUED, _FIRST, _LAST = 1, 2, 4
_NO_GRANULE = -1
_LONGEST_PACKET = 5760
_MAX_TAG_PAGES = 4096
_OPUS_HEAD_BYTES = 19
_FULL_SEGMENT = _MAX_SEGMENTS = 255
_EDIT_MARGIN = 4 * _LONGEST_PACKET  #: samples around a page within which a span may reach its packets
_WAY_OUT = "; name the result .flac to keep what can still be decoded"
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `lacing` are the lengths of the segments of which `body` consists."""

    flags: int
    granule: int
    serial: int
    number: int
    lacing: bytes
    body: bytes

    def encode(self) -> bytes:
        """Its bytes, with the checksum."""
        head = _HEAD.pack(
            *(b"OggS", 0, self.flags, self.granule, self.serial, self.number, 0, len(self.lacing))
        )
        whole = head + self.lacing + self.body
        return whole[:22] + struct.pack("<I", _checksum(whole)) + whole[26:]


@dataclass(frozen=True, slots=True)
class OpusStream:
    """What the headers of a stream say."""

    head: bytes  #: OpusHead, without what may follow it
    channels: int
    pre_skip: int
    first_position: int  #: of the stream's granule positions, where the first packet begins
    total: int  #: samples at 48 kHz that a decoder gives, of one channel

    @property
    def origin(self) -> int:
        """The granule position of the first sample that is heard."""
        return self.first_position + self.pre_skip


def read_opus(file: BinaryIO) -> OpusStream | None:
    """Read headers and length; None where the file is not a single plain Opus stream in Ogg.

    Raises:
        Unreadable: It is one, but damaged.
    """
    file.seek(0)
    if file.read(4) != b"OggS":
        return None
    file.seek(0)
    pages = read_pages(file)
    head = next(pages).body
    if head[:8] != b"OpusHead" or len(head) < _OPUS_HEAD_BYTES or head[8] >> 4 or head[18] != 0:
        return None  # another codec, or more than two channels
    last = None
    first_position: int | None = None
    for page in _sound_pages(pages):
        if page.flags & _FIRST:
            return None  # another stream follows, or runs beside it
        if first_position is None and page.granule != _NO_GRANULE:
            first_position = _first_position(page)
        last = page if page.granule != _NO_GRANULE else last
    if last is None or first_position is None:
        raise Unreadable("there is a header, but no sound after it")
    pre_skip = int.from_bytes(head[10:12], "little")
    total = last.granule - first_position - pre_skip
    if total <= 0:
        raise Unreadable("the Ogg stream says that it holds no sound")
    return OpusStream(head[:_OPUS_HEAD_BYTES], head[9], pre_skip, first_position, total)


def silence_pages(file: BinaryIO, stream: OpusStream, spans: Spans) -> Iterator[tuple[bytes, list[Placed]]]:
    """The pages of a muted copy, each with the packets that were silenced in it."""
    file.seek(0)
    pages = read_pages(file)
    first = next(pages)
    yield replace(first, number=0, lacing=bytes([len(stream.head)]), body=stream.head).encode(), []
    tags = b"OpusTags" + bytes(8)
    yield Page(0, 0, first.serial, 1, bytes([len(tags)]), tags).encode(), []
    index = SpanIndex(spans)
    number = 2
    for page, packets in _taken_apart(pages, stream, spans, _EDIT_MARGIN):
        if packets is None:
            yield replace(page, number=number).encode(), []
            number += 1
            continue
        silenced = [one for one in packets if is_affected(one, index, MEMORIES["opus"])]
        muted = {one.start for one in silenced}
        kept = [one._replace(data=opus_silence(one.data)) if one.start in muted else one for one in packets]
        for part in _rebuilt(page, kept, stream.origin):
            yield replace(part, number=number).encode(), silenced
            number, silenced = number + 1, []


def read_packets(file: BinaryIO, stream: OpusStream, spans: Spans, margin: int) -> Iterator[Placed]:
    """The packets of the pages that lie within `margin` samples of a span, placed as `spans` are."""
    file.seek(0)
    pages = read_pages(file)
    next(pages)
    for _, packets in _taken_apart(pages, stream, spans, margin):
        yield from packets or ()


def read_pages(file: BinaryIO) -> Iterator[Page]:
    """Every page of one file, from where it stands.

    Raises:
        Unreadable: Something else than a page follows a page, or a page is not whole or has another checksum.
    """
    while head := file.read(_HEAD.size):
        if len(head) < _HEAD.size or head[:4] != b"OggS":
            raise Unreadable(f"the Ogg stream is damaged: a page does not begin where it should{_WAY_OUT}")
        _, _, flags, granule, serial, number, checksum, segments = _HEAD.unpack(head)
        lacing = file.read(segments)
        body = file.read(sum(lacing))
        if len(lacing) < segments or len(body) < sum(lacing):
            raise Unreadable(f"the Ogg stream is cut off within a page{_WAY_OUT}")
        if _checksum(head[:22] + bytes(4) + head[26:] + lacing + body) != checksum:
            raise Unreadable(
                f"the Ogg stream is damaged: page {number} does not match its checksum{_WAY_OUT}"
            )
        yield Page(flags, granule, serial, number, lacing, body)


def _sound_pages(pages: Iterator[Page]) -> Iterator[Page]:
    """What follows the comment header."""
    for _ in range(_MAX_TAG_PAGES):
        page = next(pages, None)
        if page is None:
            return
        if page.flags & _FIRST:
            yield page
        if page.lacing and page.lacing[-1] < 255:
            yield from pages
            return


def _first_position(page: Page) -> int:
    """Where the first packet begins. A stream that ends on its first page begins at 0 (RFC 7845, 4.4)."""
    samples = sum(_duration(packet) for packet, is_whole in _packets(page, b"") if is_whole)
    return 0 if page.flags & _LAST else max(page.granule - samples, 0)


def _taken_apart(
    pages: Iterator[Page], stream: OpusStream, spans: Spans, margin: int
) -> Iterator[tuple[Page, list[Placed] | None]]:
    """Every page of sound; those near a span, and those that share a packet with another, with their packets.

    A packet that is spread over pages belongs to the one it ends on.
    """
    at = stream.first_position
    rest = b""
    index = SpanIndex(spans)
    for page in _sound_pages(pages):
        end = max(page.granule, at) + _LONGEST_PACKET - stream.origin
        is_near = index.touches(at - margin - stream.origin, end + margin)
        is_cut = bool(page.lacing) and page.lacing[-1] == _FULL_SEGMENT
        is_timed = page.granule != _NO_GRANULE and not page.flags & _LAST  # the last may end within a packet
        if not (is_near or is_cut or rest):
            yield page, None
            at = page.granule if is_timed else at
            continue
        found = list(_packets(page, rest))
        rest = b"".join(packet for packet, is_whole in found if not is_whole)
        sounds = [(packet, _duration(packet)) for packet, is_whole in found if is_whole]
        if is_timed:
            at = page.granule - sum(samples for _, samples in sounds)
        placed = []
        for packet, samples in sounds:
            placed.append(Placed(packet, at - stream.origin, samples))
            at += samples
        yield page, placed


def _rebuilt(page: Page, packets: list[Placed], origin: int) -> Iterator[Page]:
    """The same page with these packets, all of them whole; two where one cannot hold their segments."""
    flags = page.flags & ~_CONTINUED
    lacing, body = bytearray(), bytearray()
    for packet in packets:
        segments = b"\xff" * (len(packet.data) // 255) + bytes([len(packet.data) % 255])
        if len(lacing) + len(segments) > _MAX_SEGMENTS:
            yield Page(0, packet.start + origin, page.serial, 0, bytes(lacing), bytes(body))
            lacing, body = bytearray(), bytearray()
        lacing += segments
        body += packet.data
    granule = page.granule if packets else _NO_GRANULE
    yield replace(page, flags=flags, granule=granule, lacing=bytes(lacing), body=bytes(body))


def _packets(page: Page, rest: bytes) -> Iterator[tuple[bytes, bool]]:
    """The packets of a page, and whether each is whole. `rest` is what the page before left unfinished."""
    if not page.flags & _CONTINUED:
        rest = b""
    at = begin = 0
    for length in page.lacing:
        at += length
        if length < 255:
            yield rest + page.body[begin:at], True
            rest, begin = b"", at
    if begin < at:
        yield rest + page.body[begin:at], False


def _duration(packet: bytes) -> int:
    try:
        frames, samples = opus_frames(packet)
    except ValueError as error:
        raise Unreadable(f"the Opus stream is damaged: {error}") from error
    return frames * samples


def _checksum(data: bytes) -> int:
    """CRC-32 of RFC 3533: polynomial 0x04c11db7, not reflected, from 0. zlib's is the same, mirrored."""
    mirrored = zlib.crc32(data.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)
