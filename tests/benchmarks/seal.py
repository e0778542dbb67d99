"""How fast sealing is, against the machine's own limit.

The limit is a plain loop that reads, hashes (SHA-256), encrypts (AES-256-GCM,
64 KiB at a time), writes and makes durable, in one pass and one thread, with
nothing around it (`one_pass.py`). Both ways run in turn in one process, one
file after the other, and leave the same number of durable files.
"""

import os
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from retention.adapters.folder_sync import fsync_path, sync_filesystem
from retention.adapters.store_folder import FolderStore
from retention.kernel.clock import SystemClock
from retention.kernel.ids import new_id
from retention.vault.model import Sealed
from retention.vault.seal import new_data_key, seal_file
from tests.benchmarks.measure import (
    MEGABYTE,
    Size,
    Took,
    fresh,
    interleaved,
    parser,
    show,
    size_of,
    timed,
    workplace,
)
from tests.benchmarks.one_pass import one_pass

#: How large one large recording is, and how many small ones there are.
SIZES = {"full": (1000 * MEGABYTE, 2000), "quick": (200 * MEGABYTE, 300), "tiny": (2 * MEGABYTE, 4)}
SMALL_BYTES = 50_000
_CLOCK = SystemClock()


def main(arguments: Sequence[str]) -> None:
    """Measure and print the table."""
    given = parser("seal", __doc__).parse_args(arguments)
    size = size_of(given, full_repeats=5)
    large_bytes, small_files = SIZES[size.name]
    rows = []
    with workplace(given.folder) as folder:
        material = fresh(folder / "seal-material")
        large = [_file(material / "large", large_bytes)]
        rows += _compare("one large recording, MB/s", large, folder, size, large_bytes / MEGABYTE)
        small = [_file(material / f"{number}.small", SMALL_BYTES) for number in range(small_files)]
        rows += _compare("small recordings, files/s", small, folder, size, small_files)
        shutil.rmtree(material)
    show(
        f"Sealing one recording of {large_bytes / MEGABYTE:.0f} MB, and {small_files} of {SMALL_BYTES // 1000} kB",
        f"Median of {size.repeats} interleaved runs in one process; warm page cache, one disk.",
        ("what", "made durable", ">limit", ">seal", ">of the limit"),
        rows,
    )


def _file(path: Path, size_bytes: int) -> Path:
    with path.open("wb") as file:
        for start in range(0, size_bytes, MEGABYTE):
            file.write(os.urandom(min(MEGABYTE, size_bytes - start)))
    return path


def _compare(
    what: str, sources: list[Path], folder: Path, size: Size, amount: float
) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for each, how in ((True, "one by one"), (False, "together")):
        measured = interleaved(
            {
                name: partial(_run, partial(way, sources, folder / "seal-work", sync_each=each), folder)
                for name, way in (("limit", _limit), ("seal", _seal))
            },
            size.repeats,
        )
        limit, seal = (amount / measured[name].wall_s for name in ("limit", "seal"))
        rows.append((what, how, f"{limit:.0f}", f"{seal:.0f}", f"{seal / limit:.0%}"))
    return rows


def _run(work: Callable[[], object], folder: Path) -> Took:
    fresh(folder / "seal-work")
    took = timed(work)
    shutil.rmtree(folder / "seal-work")
    return took


def _limit(sources: list[Path], folder: Path, *, sync_each: bool) -> None:
    for number, source in enumerate(sources):
        target = folder / str(number)
        one_pass(source, target)
        if sync_each:
            fsync_path(target)
    if not sync_each:
        sync_filesystem(folder)


def _seal(sources: list[Path], folder: Path, *, sync_each: bool) -> None:
    store, sealed = FolderStore.create(folder), list[Sealed]()
    for source in sources:
        with source.open("rb", buffering=0) as file:
            key, name = new_data_key(), new_id(_CLOCK.now())
            sealed.append(seal_file(store, key, name, "original", file, durable=sync_each))
    if not sync_each:
        store.sync([one.name for one in sealed])
