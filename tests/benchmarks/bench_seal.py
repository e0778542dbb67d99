"""How fast sealing is, against the machine's own limit.

    python -m tests.benchmarks.bench_seal [FOLDER]

The limit is a plain loop that reads, hashes (SHA-256), encrypts (AES-256-GCM,
64 KiB at a time), writes and fsyncs, in one pass and one thread, with nothing
around it. Each way runs five times in turn, so that a slow moment of the
machine meets all of them; the table gives the medians and their ratio.
FOLDER is where the files go (default: a temporary folder); figures from a
memory file system say what the code costs, those from a disk what a user sees.
"""

import hashlib
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from retention.adapters.store_folder import FolderStore
from retention.kernel.clock import SystemClock
from retention.kernel.ids import new_id
from retention.vault.model import Sealed
from retention.vault.seal import new_data_key, seal_file

ROUNDS = 5
LARGE_BYTES = 1 << 30
SMALL_BYTES = 50_000
SMALL_FILES = 2_000
SEGMENT_BYTES = 65_536
CLOCK = SystemClock()


def plain_one(source: Path, target: Path, *, sync: bool) -> None:
    digest, cipher = hashlib.sha256(), AESGCM(os.urandom(32))
    buffer, out = memoryview(bytearray(SEGMENT_BYTES)), memoryview(bytearray(SEGMENT_BYTES + 16))
    with source.open("rb", buffering=0) as file, target.open("wb", buffering=0) as written:
        number = 0
        while size := file.readinto(buffer):
            digest.update(buffer[:size])
            cipher.encrypt_into(number.to_bytes(12, "big"), buffer[:size], None, out[: size + 16])
            written.write(out[: size + 16])
            number += 1
        digest.digest()
        if sync:
            os.fsync(written.fileno())


def plain(sources: list[Path], folder: Path, *, sync_each: bool) -> None:
    folder.mkdir()
    for number, source in enumerate(sources):
        plain_one(source, folder / str(number), sync=sync_each)
    if not sync_each:
        os.sync()


def ours(sources: list[Path], folder: Path, *, sync_each: bool) -> None:
    store, sealed = FolderStore.create(folder), list[Sealed]()
    for source in sources:
        with source.open("rb", buffering=0) as file:
            sealed.append(
                seal_file(store, new_data_key(), new_id(CLOCK.now()), "original", file, durable=sync_each)
            )
    if not sync_each:
        store.sync([one.name for one in sealed])


def seconds(act: Callable[[], None], folder: Path) -> float:
    started = time.perf_counter()
    act()
    taken = time.perf_counter() - started
    shutil.rmtree(folder)
    os.sync()
    return taken


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def compare(title: str, sources: list[Path], work: Path, unit: str, amount: float) -> None:
    say(f"\n{title} (median of {ROUNDS}, {unit})")
    for sync_each, how in ((True, "durable one by one"), (False, "durable together")):
        taken: dict[str, list[float]] = {"limit": [], "seal": []}
        for _ in range(ROUNDS):
            for name, way in (("limit", plain), ("seal", ours)):
                folder = work / name
                taken[name].append(seconds(partial(way, sources, folder, sync_each=sync_each), folder))
        limit, seal = (amount / statistics.median(taken[name]) for name in ("limit", "seal"))
        say(f"  {how:20} limit {limit:8.0f}   seal {seal:8.0f}   ratio {seal / limit:5.2f}")


def a_file(path: Path, size_bytes: int) -> Path:
    with path.open("wb") as file:
        for _ in range(0, size_bytes, 1 << 20):
            file.write(os.urandom(min(1 << 20, size_bytes)))
    return path


def main() -> None:
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as name:
        work = Path(name)
        large = a_file(work / "large", LARGE_BYTES)
        compare("One recording of 1 GiB", [large], work, "MB/s", LARGE_BYTES / 1e6)
        large.unlink()
        small = [a_file(work / f"{number}.small", SMALL_BYTES) for number in range(SMALL_FILES)]
        compare(f"{SMALL_FILES} recordings of {SMALL_BYTES // 1000} KB", small, work, "files/s", SMALL_FILES)


if __name__ == "__main__":
    main()
