"""The least that taking a folder in can cost: read, SHA-256, AES-GCM and write, once over every byte.

No catalogue, no names, no keys kept: what is left is this machine's own limit.
Files go one after the other or `WORKERS` at a time; all of it is made durable
once, at the end. Run as `python -m tests.benchmarks.one_pass WORKERS OUT FOLDER...`.
"""

import hashlib
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import local

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from retention.adapters.folder_sync import sync_filesystem

SEGMENT_BYTES = 64 * 1024
BATCH_SEGMENTS = 16
TAG_BYTES = 16
_mine = local()


def main() -> None:
    """Pass over the folders named on the command line."""
    workers, out, *folders = sys.argv[1:]
    files = sorted(path for folder in folders for path in Path(folder).iterdir())
    with ThreadPoolExecutor(int(workers)) as pool:
        list(pool.map(lambda path: one_pass(path, Path(out) / path.name), files))
    sync_filesystem(Path(out))


def one_pass(source: Path, target: Path) -> None:
    """Read, hash, encrypt and write one file."""
    plain, sealed = _buffers()
    digest, cipher, number = hashlib.sha256(), AESGCM(os.urandom(32)), 0
    with source.open("rb", buffering=0) as reader, target.open("wb", buffering=0) as writer:
        while size := reader.readinto(plain):
            digest.update(plain[:size])
            at = 0
            for start in range(0, size, SEGMENT_BYTES):
                piece = plain[start : min(size, start + SEGMENT_BYTES)]
                end = at + len(piece) + TAG_BYTES
                cipher.encrypt_into(number.to_bytes(12, "big"), piece, None, sealed[at:end])
                number, at = number + 1, end
            writer.write(sealed[:at])


def _buffers() -> tuple[memoryview, memoryview]:
    if not hasattr(_mine, "plain"):
        _mine.plain = memoryview(bytearray(BATCH_SEGMENTS * SEGMENT_BYTES))
        _mine.sealed = memoryview(bytearray(BATCH_SEGMENTS * (SEGMENT_BYTES + TAG_BYTES)))
    return _mine.plain, _mine.sealed


if __name__ == "__main__":
    main()
