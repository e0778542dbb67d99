"""What sealing and opening hold in memory does not grow with the recording."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MIB = 1 << 20

SEAL_AND_OPEN = """
import os, resource, sys
from pathlib import Path
from retention.adapters.store_folder import FolderStore
from retention.vault.open import read_all
from retention.vault.seal import new_data_key, seal, seal_file

way, size_mib, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
store, key = FolderStore.create(folder / "vault"), new_data_key()
recording = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
if way == "file":
    with (folder / "capture").open("wb") as sparse:
        sparse.truncate(size_mib << 20)
    with (folder / "capture").open("rb") as capture:
        sealed = seal_file(store, key, recording, "original", capture)
else:
    chunk = bytes(100_000)
    sealed = seal(store, key, recording, "original", (chunk for _ in range((size_mib << 20) // len(chunk))))
assert sum(map(len, read_all(store, key, sealed))) == sealed.size_bytes
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def peak_bytes(way: str, size_mib: int, folder: Path) -> int:
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", SEAL_AND_OPEN, way, str(size_mib), str(folder)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return int(done.stdout)


@pytest.mark.parametrize("way", ["file", "chunks"])
def test_twenty_times_the_recording_takes_no_more_memory(way: str, tmp_path: Path) -> None:
    """The ring of buffers is full from 6 MiB on; 8 MiB are allowed for the allocator's moods."""
    small, large = peak_bytes(way, 8, tmp_path / "small"), peak_bytes(way, 160, tmp_path / "large")
    assert large - small < 8 * MIB
