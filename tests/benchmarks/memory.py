"""What memory taking in needs, from a small file to a large one: it must not grow with the file.

Footage of each size is one camera's, its packets repeated without encoding
them again; calls are silence in a file with holes. Whole `retention ingest`
processes are watched, with all their children: the figure is the sum of every
process's own peak of resident memory, as the kernel keeps it, so it is never
less than what was used at any one time. Linux only.
"""

import shutil
import struct
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.benchmarks.material import make_footage, repeat_footage
from tests.benchmarks.measure import (
    MEGABYTE,
    ROOT,
    fresh,
    parser,
    python,
    retention,
    show,
    size_of,
    workplace,
)
from tests.benchmarks.stores import CAMERA, LINE, make_store

FOOTAGE_MB = {"full": (1, 16, 256, 1000, 4000), "quick": (1, 16, 256), "tiny": (1,)}
CALLS_MB = {"full": (1, 16, 256, 1000), "quick": (1, 16, 64), "tiny": ()}
_LOOK_EVERY_S = 0.02
_RATE, _CHANNELS, _SAMPLE_BYTES = 8000, 2, 2


def main(arguments: Sequence[str]) -> None:
    """Measure and print the table."""
    given = parser("memory", __doc__).parse_args(arguments)
    size = size_of(given, full_repeats=1)
    rows = []
    with workplace(given.folder) as folder:
        work = fresh(folder / "memory")
        seed = work / "seed.mp4"
        make_footage(seed, 1, MEGABYTE)
        for megabytes in FOOTAGE_MB[size.name]:
            path = work / "footage.mp4"
            repeat_footage(seed, path, megabytes, megabytes * MEGABYTE)
            rows.append(_measure(folder, path, "footage", CAMERA))
        for megabytes in CALLS_MB[size.name]:
            path = work / "call.wav"
            silent_call(path, megabytes * MEGABYTE)
            rows.append(_measure(folder, path, "call", LINE))
        shutil.rmtree(work)
    show(
        "Memory of taking in one file",
        f"Sum of the peaks of all processes, looked at every {_LOOK_EVERY_S * 1000:.0f} ms; one run each.",
        ("what", ">size MB", ">processes", ">peak MB", ">of it the parent's"),
        rows,
    )


def silent_call(path: Path, size_bytes: int) -> None:
    """Write a call that is silent, as a file with holes."""
    data_bytes = size_bytes - 44
    block = _CHANNELS * _SAMPLE_BYTES
    head = struct.pack("<4sI4s4sI", b"RIFF", 36 + data_bytes, b"WAVE", b"fmt ", 16)
    head += struct.pack("<HHIIHH", 1, _CHANNELS, _RATE, _RATE * block, block, 8 * _SAMPLE_BYTES)
    with path.open("wb") as file:
        file.write(head + struct.pack("<4sI", b"data", data_bytes))
        file.truncate(size_bytes)


def _measure(folder: Path, path: Path, what: str, source: str) -> tuple[str, ...]:
    home = fresh(folder / "memory" / "store")
    make_store(home).close()
    environment = python(folder, RETENTION_HOME=str(home), RETENTION_AS="benchmark")
    with (folder / "memory" / "said").open("w+b") as said:
        process = subprocess.Popen(
            retention("ingest", str(path), "--source", source, "--json"),
            stdout=said,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=ROOT,
        )
        peaks = watch(process)
        said.seek(0)
        text = said.read().decode(errors="replace")
    if process.returncode or '"sealed"' not in text:
        raise RuntimeError(f"{path.name} was not taken in ({process.returncode}):\n{text}")
    size_mb, total_mb, own_mb = (
        number / MEGABYTE for number in (path.stat().st_size, sum(peaks.values()), peaks[process.pid])
    )
    return what, f"{size_mb:.0f}", str(len(peaks)), f"{total_mb:.0f}", f"{own_mb:.0f}"


def watch(process: "subprocess.Popen[bytes]") -> dict[int, int]:
    """The peak of resident memory, in bytes, of a process and of each of its descendants, until it ends."""
    peaks: dict[int, int] = {}
    while process.poll() is None:
        for each in _family(process.pid):
            peaks[each] = max(peaks.get(each, 0), _peak_bytes(each))
        time.sleep(_LOOK_EVERY_S)
    return peaks


def together(process: "subprocess.Popen[bytes]") -> int:
    """The most, in bytes, that a process and those of its descendants that were there at the same time took.

    Each counts with its own peak so far, so that a short one is not missed.
    """
    most = 0
    while process.poll() is None:
        most = max(most, sum(_peak_bytes(each) for each in _family(process.pid)))
        time.sleep(_LOOK_EVERY_S)
    return most


def _family(pid: int) -> list[int]:
    found = [pid]
    for each in found:
        with suppress(OSError):
            for task in Path(f"/proc/{each}/task").iterdir():
                found += map(int, (task / "children").read_text(encoding="ascii").split())
    return found


def _peak_bytes(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0
