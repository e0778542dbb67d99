"""Seal content: hash it, encrypt it and store it in one pass.

What is held in memory does not grow with the content: a ring of four 1 MiB
batches and one of ciphertext. From the second batch on the digest is computed
in a thread of its own beside encryption and writing, all of which leave the
interpreter free; a small file is sealed without a thread.

The data key comes from the caller, who wraps it for each reason to keep the
recording. All objects of one recording share it: a random salt in each object
derives another key, and the associated data binds the role.
"""

import hashlib
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import cycle
from typing import BinaryIO, Self

from retention.kernel.errors import StoreUnavailable
from retention.vault.envelope import (
    BATCH_BYTES,
    BATCH_PLAIN_BYTES,
    FIRST_BATCH_PLAIN_BYTES,
    associated_data,
    commitment,
    encrypt_batches,
    gather,
    stored_size,
)
from retention.vault.model import DATA_KEY_BYTES, Chunk, ObjectStore, Sealed, object_name

_RING = 4
"""Batches in flight: one being read, one awaiting encryption, two awaiting the digest."""

_SPARES = 4
"""Sets of buffers kept for the next seal: fresh memory would cost a small file more than its encryption."""


def new_data_key() -> bytes:
    """A fresh random data key for one recording."""
    return os.urandom(DATA_KEY_BYTES)


def seal(
    store: ObjectStore,
    key: bytes,
    recording_id: str,
    role: str,
    chunks: Iterable[Chunk],
    *,
    version: int = 1,
    durable: bool = True,
) -> Sealed:
    """Seal content that comes in chunks of any size.

    Args:
        store: Where the object goes.
        key: The recording's data key, 32 bytes.
        recording_id: The recording.
        role: What the object is to it.
        chunks: The content. An error it raises comes through, and nothing is stored.
        version: As for `object_name`.
        durable: As for `ObjectStore.put_new`.

    Raises:
        ObjectExists: The recording already has an object of this role.
        StoreUnavailable: The store failed; nothing is stored.
    """
    with _Passage() as passage:
        batches = gather(chunks, passage.buffers())
        place = (recording_id, role, version)
        return _seal_batches(store, key, place, batches, passage=passage, durable=durable)


def seal_file(
    store: ObjectStore,
    key: bytes,
    recording_id: str,
    role: str,
    file: BinaryIO,
    *,
    version: int = 1,
    durable: bool = True,
) -> Sealed:
    """As `seal`, for the rest of an open binary file: the fastest path, since nothing is copied in between."""
    with _Passage() as passage:
        batches = _read_batches(file, passage.buffers())
        place = (recording_id, role, version)
        return _seal_batches(store, key, place, batches, passage=passage, durable=durable)


def _seal_batches(
    store: ObjectStore,
    key: bytes,
    place: tuple[str, str, int],
    batches: Iterable[memoryview],
    *,
    passage: "_Passage",
    durable: bool,
) -> Sealed:
    name = object_name(*place)
    bound = associated_data(*place)
    sealed = encrypt_batches(key, bound, passage.watch(batches), passage.out)
    stored_bytes = store.put_new(name, sealed, durable=durable)
    if stored_bytes != stored_size(passage.size_bytes):
        raise StoreUnavailable(
            f"the store says it kept {stored_bytes} bytes of {name}, but {stored_size(passage.size_bytes)} were sent",
            hint="Run `retention doctor`, then ingest the file again.",
        )
    return Sealed(name, place[1], passage.size_bytes, stored_bytes, passage.sha256(), commitment(key, bound))


def _read_batches(file: BinaryIO, buffers: Iterator[memoryview]) -> Iterator[memoryview]:
    capacity = FIRST_BATCH_PLAIN_BYTES
    for buffer in buffers:
        filled = _fill(file, buffer[:capacity])
        if filled:
            yield buffer[:filled]
        if filled < capacity:
            return
        capacity = BATCH_PLAIN_BYTES


def _fill(file: BinaryIO, buffer: memoryview) -> int:
    """Read until the buffer is full or the file ends; how much. A raw file may give less than it was asked for."""
    filled = 0
    while filled < len(buffer):
        got = file.readinto(buffer[filled:])  # type: ignore[attr-defined]  # BinaryIO forgets it
        if not got:
            break
        filled += got
    return filled


class _Buffers:
    """What one seal in progress holds."""

    def __init__(self) -> None:
        self.plain = [memoryview(bytearray(BATCH_PLAIN_BYTES)) for _ in range(_RING)]
        self.out = memoryview(bytearray(BATCH_BYTES))


_spare_buffers: deque[_Buffers] = deque(maxlen=_SPARES)


class _Passage:
    """Content on its way: the buffers it passes in, its size and its SHA-256."""

    def __init__(self) -> None:
        self.size_bytes = 0
        self._sha256 = hashlib.sha256()
        self._pending: deque[Future[None]] = deque()
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> Self:
        try:
            self._buffers = _spare_buffers.pop()
        except IndexError:
            self._buffers = _Buffers()
        self.out = self._buffers.out
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool:
            self._pool.shutdown()
        _spare_buffers.append(self._buffers)

    def buffers(self) -> Iterator[memoryview]:
        """Buffers in turn; one comes round again only when what it held has been hashed."""
        for buffer in cycle(self._buffers.plain):
            self._settle(_RING - 1)
            yield buffer

    def watch(self, batches: Iterable[memoryview]) -> Iterator[memoryview]:
        """Pass the batches on, hashing each beside whatever happens to it next."""
        for batch in batches:
            self.size_bytes += len(batch)
            if self._pool is None and len(batch) == FIRST_BATCH_PLAIN_BYTES:
                self._pool = ThreadPoolExecutor(1, "seal-digest")
            if self._pool is None:
                self._sha256.update(batch)
            else:
                self._pending.append(self._pool.submit(self._sha256.update, batch))
            yield batch

    def sha256(self) -> bytes:
        """The digest of all that passed."""
        self._settle(0)
        return self._sha256.digest()

    def _settle(self, allowed: int) -> None:
        while len(self._pending) > allowed:
            self._pending.popleft().result()
