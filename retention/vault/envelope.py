"""The sealed form of an object: the Tink AES-GCM-HKDF streaming format, seekable.

Pure: bytes in, bytes out. Where the bytes lie is not known here.
The format, its known answers and the promise made about it stand in
`docs/formats/vault.md`; the `tink` package is the oracle of its tests.

An object is a header (its length, a 32-byte salt, a 7-byte nonce prefix) and
segments of 64 KiB, each AES-256-GCM under a key that HKDF-SHA256 derives from
the data key, the salt and the associated data. A segment's nonce holds its
number and whether it is the last, so that segments cannot be moved, dropped
or added.

Rules:
- No byte is released before the segment that holds it is verified.
- The last segment is verified when a reader opens, so a truncated object is
  refused before its first byte is read.
- GCM commits to no key: callers compare `commitment` first.
"""

import hashlib
import hmac
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import cycle
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from retention.kernel.errors import FixityMismatch, InvalidInput
from retention.vault.model import DATA_KEY_BYTES, Chunk, object_name

FORMAT_VERSION = 1

SEGMENT_BYTES = 65_536
"""One stored segment. Tink stores this number in the key; here it is part of the associated data."""

TAG_BYTES = 16
SALT_BYTES = 32
PREFIX_BYTES = 7
HEADER_BYTES = 1 + SALT_BYTES + PREFIX_BYTES

FIRST_PLAIN_BYTES = SEGMENT_BYTES - HEADER_BYTES - TAG_BYTES
"""The first segment shares its 64 KiB with the header."""

PLAIN_BYTES = SEGMENT_BYTES - TAG_BYTES

MAX_SEGMENTS = 2**32
"""The nonce counts segments in 32 bits: 256 TiB."""

BATCH_SEGMENTS = 16
"""1 MiB is encrypted, stored and read back at a time: beyond it nothing got faster (AMD EPYC, 2026)."""

BATCH_BYTES = BATCH_SEGMENTS * SEGMENT_BYTES
BATCH_PLAIN_BYTES = BATCH_SEGMENTS * PLAIN_BYTES
FIRST_BATCH_PLAIN_BYTES = BATCH_PLAIN_BYTES - HEADER_BYTES

_COMMITMENT_LABEL = b"retention.vault.commitment.v1\x00"


def associated_data(recording_id: str, role: str, version: int = 1) -> bytes:
    """What binds an object to its recording, its role, its version and this format.

    Raises:
        InvalidInput: The id, the role or the version has the wrong form.
    """
    name = object_name(recording_id, role, version)
    return f"retention.vault.v{FORMAT_VERSION};segment={SEGMENT_BYTES};object={name}".encode()


def commitment(key: bytes, associated_data: bytes) -> bytes:
    """32 bytes that only this key gives for this object, and that say nothing about the key.

    A ciphertext of GCM can be made to open under two keys (Dodis et al.,
    CRYPTO 2018); HMAC-SHA256 cannot, short of a collision.
    """
    return hmac.digest(key, _COMMITMENT_LABEL + associated_data, hashlib.sha256)


def stored_size(size_bytes: int) -> int:
    """The size of the sealed object that holds `size_bytes` of content."""
    segments = max(1, -(-(size_bytes + HEADER_BYTES) // PLAIN_BYTES))
    return HEADER_BYTES + size_bytes + segments * TAG_BYTES


def plain_size(stored_bytes: int) -> int:
    """The size of the content in a sealed object of `stored_bytes`.

    Raises:
        FixityMismatch: No sealed object has this size.
    """
    segments = -(-stored_bytes // SEGMENT_BYTES)
    size_bytes = stored_bytes - HEADER_BYTES - segments * TAG_BYTES
    if size_bytes < 0 or segments > MAX_SEGMENTS or stored_size(size_bytes) != stored_bytes:
        raise FixityMismatch(f"no sealed object is {stored_bytes} bytes long: it was cut or added to")
    return size_bytes


class _Segments:
    """The cipher of one object's segments."""

    def __init__(self, key: bytes, associated_data: bytes, salt: bytes, prefix: bytes) -> None:
        if len(key) != DATA_KEY_BYTES:
            raise InvalidInput(f"a data key is {DATA_KEY_BYTES} bytes, not {len(key)}")
        derived = HKDF(hashes.SHA256(), DATA_KEY_BYTES, salt, associated_data).derive(key)
        self._aead = AESGCM(derived)
        self._prefix = prefix
        self.header = bytes([HEADER_BYTES]) + salt + prefix

    @classmethod
    def from_header(cls, key: bytes, associated_data: bytes, header: bytes) -> Self:
        if len(header) != HEADER_BYTES or header[0] != HEADER_BYTES:
            raise FixityMismatch("the object does not begin with a sealed object's header")
        return cls(key, associated_data, header[1 : 1 + SALT_BYTES], header[1 + SALT_BYTES :])

    def _nonce(self, index: int, *, last: bool) -> bytes:
        return self._prefix + index.to_bytes(4, "big") + (b"\x01" if last else b"\x00")

    def encrypt(self, index: int, plain: memoryview, *, last: bool, into: memoryview) -> None:
        self._aead.encrypt_into(self._nonce(index, last=last), plain, None, into)

    def decrypt(self, index: int, stored: memoryview, *, last: bool, into: memoryview) -> None:
        try:
            self._aead.decrypt_into(self._nonce(index, last=last), stored, None, into)
        except InvalidTag:
            raise FixityMismatch(f"segment {index} is not what was sealed") from None


def encrypt_batches(
    key: bytes,
    associated_data: bytes,
    batches: Iterable[memoryview],
    out: memoryview,
    *,
    salt: bytes | None = None,
    prefix: bytes | None = None,
) -> Iterator[memoryview]:
    """Encrypt content that comes in batches, in the caller's buffer.

    Args:
        key: The recording's data key, 32 bytes.
        associated_data: From `associated_data`.
        batches: FIRST_BATCH_PLAIN_BYTES, then BATCH_PLAIN_BYTES each; the last may be shorter. A batch must
            stay as it is until the one after next is asked for.
        out: The buffer, at least BATCH_BYTES long.
        salt: Only for known answers: 32 bytes; random otherwise.
        prefix: Only for known answers: 7 bytes; random otherwise.

    Yields:
        Views of `out`, each overwritten when the next is asked for.
    """
    segments = _Segments(
        key, associated_data, salt or os.urandom(SALT_BYTES), prefix or os.urandom(PREFIX_BYTES)
    )
    source = iter(batches)
    batch = next(source, memoryview(b""))
    following = next(source, None)
    out[:HEADER_BYTES] = segments.header
    at, index = HEADER_BYTES, 0
    while True:
        at, index = _encrypt_batch(segments, batch, index, last=following is None, out=out, at=at)
        yield out[:at]
        if following is None:
            return
        batch, following, at = following, next(source, None), 0


def _encrypt_batch(
    segments: _Segments, batch: memoryview, index: int, *, last: bool, out: memoryview, at: int
) -> tuple[int, int]:
    """Encrypt one batch into `out` from `at`; where it ends, and the next segment's number."""
    start = 0
    while True:
        room = PLAIN_BYTES if index else FIRST_PLAIN_BYTES
        piece = batch[start : start + room]
        start += len(piece)
        is_end = start >= len(batch)
        end = at + len(piece) + TAG_BYTES
        segments.encrypt(index, piece, last=last and is_end, into=out[at:end])
        at, index = end, index + 1
        if is_end:
            return at, index


def gather(chunks: Iterable[Chunk], buffers: Iterator[memoryview]) -> Iterator[memoryview]:
    """Pour chunks of any size into batches of the size that `encrypt_batches` wants.

    Args:
        chunks: The content.
        buffers: Each at least BATCH_PLAIN_BYTES long; one is taken for each batch.
    """
    buffer, filled, capacity = next(buffers), 0, FIRST_BATCH_PLAIN_BYTES
    for chunk in chunks:
        rest = memoryview(chunk).cast("B")
        while rest:
            taken = min(len(rest), capacity - filled)
            buffer[filled : filled + taken] = rest[:taken]
            filled, rest = filled + taken, rest[taken:]
            if filled == capacity:
                yield buffer[:filled]
                buffer, filled, capacity = next(buffers), 0, BATCH_PLAIN_BYTES
    if filled:
        yield buffer[:filled]


def encrypt(
    key: bytes,
    associated_data: bytes,
    chunks: Iterable[Chunk],
    *,
    salt: bytes | None = None,
    prefix: bytes | None = None,
) -> Iterator[bytes]:
    """The sealed form of content that comes in chunks of any size; `encrypt_batches` for the common caller."""
    buffers = cycle([memoryview(bytearray(BATCH_PLAIN_BYTES)) for _ in range(2)])
    out = memoryview(bytearray(BATCH_BYTES))
    return map(
        bytes, encrypt_batches(key, associated_data, gather(chunks, buffers), out, salt=salt, prefix=prefix)
    )


class SealedReader:
    """Reads the content of one sealed object, anywhere in it, and only verified bytes.

    Holds the key, the cipher and the last segment; safe to share among threads.
    """

    def __init__(
        self,
        read_at: Callable[[int, int], bytes],
        key: bytes,
        associated_data: bytes,
        stored_bytes: int,
    ) -> None:
        """Verify the object's length and its last segment.

        Args:
            read_at: Gives the stored bytes at (start, length).
            key: The recording's data key. Its commitment has been checked.
            associated_data: From `associated_data`.
            stored_bytes: The size of the stored object.

        Raises:
            FixityMismatch: The object was cut, added to, exchanged or changed, or this is not its key.
        """
        self.size_bytes = plain_size(stored_bytes)
        self._read_at = read_at
        self._stored_bytes = stored_bytes
        self._last = (stored_bytes - 1) // SEGMENT_BYTES
        self._segments = _Segments.from_header(key, associated_data, self._fetch(0, HEADER_BYTES))
        self._tail = bytes(self._decrypt(self._last, self._last))

    def read(self, start: int = 0, length: int | None = None) -> bytes:
        """The content from `start`, all of it or `length` bytes; shorter at the end as a file is.

        Raises:
            InvalidInput: The range is negative.
            FixityMismatch: A segment that the range touches is not what was sealed.
        """
        return b"".join(self.chunks(start, length))

    def chunks(self, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """As `read`, a batch at a time: the memory held does not grow with the length."""
        if start < 0 or (length is not None and length < 0):
            raise InvalidInput(f"not a range: {length} bytes from {start}")
        end = self.size_bytes if length is None else min(self.size_bytes, start + length)
        return self._windows(start, end)

    def _windows(self, start: int, end: int) -> Iterator[bytes]:
        while start < end:
            first = _segment_of(start)
            through = min(_segment_of(end - 1), first + BATCH_SEGMENTS - 1)
            base = _plain_start(first)
            plain = memoryview(self._tail) if first == self._last else self._decrypt(first, through)
            stop = min(end, base + len(plain))
            yield bytes(plain[start - base : stop - base])
            start = stop

    def _decrypt(self, first: int, through: int) -> memoryview:
        """The content of the segments from `first` to `through`, every one verified."""
        begin = first * SEGMENT_BYTES or HEADER_BYTES
        end = min(self._stored_bytes, (through + 1) * SEGMENT_BYTES)
        stored = memoryview(self._fetch(begin, end - begin))
        out = memoryview(bytearray(len(stored) - (through - first + 1) * TAG_BYTES))
        taken = given = 0
        for index in range(first, through + 1):
            size = min(len(stored) - taken, SEGMENT_BYTES if index else SEGMENT_BYTES - HEADER_BYTES)
            into = out[given : given + size - TAG_BYTES]
            self._segments.decrypt(index, stored[taken : taken + size], last=index == self._last, into=into)
            taken, given = taken + size, given + len(into)
        return out

    def _fetch(self, start: int, length: int) -> bytes:
        stored = self._read_at(start, length)
        if len(stored) != length:
            raise FixityMismatch(
                f"the object ends at {start + len(stored)}, before its {self._stored_bytes} bytes"
            )
        return stored


def _segment_of(position: int) -> int:
    """The number of the segment that holds the content's byte at `position`."""
    return (position + HEADER_BYTES) // PLAIN_BYTES


def _plain_start(segment: int) -> int:
    """Where in the content a segment begins."""
    return segment * PLAIN_BYTES - HEADER_BYTES if segment else 0
