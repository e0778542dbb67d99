"""How long taking a mixed folder in takes, against two backup programs and the machine's own limit.

Everybody reads the same files from the page cache and leaves an encrypted,
durable copy in a fresh repository on the same disk; whole processes are timed,
start included. `retention` also looks into every file, draws waveforms and
thumbnails, and writes catalogue and audit trail; a folder holds calls and
footage, so it is run twice, once for each source. restic and borg chunk,
deduplicate and compress, which they do by default.
"""

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.benchmarks.material import Material, make_material
from tests.benchmarks.measure import (
    MEGABYTE,
    Several,
    Took,
    fresh,
    interleaved,
    parser,
    python,
    run_process,
    show,
    size_of,
    workplace,
)
from tests.benchmarks.stores import CAMERA, LINE, make_store

GOAL_OF_LIMIT = 0.6
_PASSWORD = "benchmark"


def main(arguments: Sequence[str]) -> None:
    """Measure and print the table."""
    given = parser("ingest", __doc__).parse_args(arguments)
    size = size_of(given, full_repeats=5)
    with workplace(given.folder) as folder:
        material = make_material(folder, size)
        _warm(material)
        measured = interleaved(_contestants(folder, material), size.repeats)
        report(material, measured, size.repeats)
        shutil.rmtree(folder / "work", ignore_errors=True)


def _warm(material: Material) -> None:
    for each in (material.calls, material.footage):
        for path in each.iterdir():
            path.read_bytes()


def _contestants(folder: Path, material: Material) -> dict[str, Callable[[], Took]]:
    work = folder / "work"
    found: dict[str, Callable[[], Took]] = {
        "limit, one file at a time": lambda: _one_pass(work, material, 1),
        "limit, two files at a time": lambda: _one_pass(work, material, 2),
        "retention ingest": lambda: _retention(work, folder, material, "retention"),
        "… without derivatives": lambda: _retention(
            work, folder, material, "tests.benchmarks.without_derivatives"
        ),
    }
    if shutil.which("restic"):
        found["restic backup"] = lambda: _restic(work, material)
    if shutil.which("borg"):
        found["borg create"] = lambda: _borg(work, material)
    return found


def _one_pass(work: Path, material: Material, workers: int) -> Took:
    out = fresh(work)
    folders = [str(material.calls), str(material.footage)]
    argv = [sys.executable, "-m", "tests.benchmarks.one_pass", str(workers), str(out), *folders]
    return run_process(argv, python(work.parent))


def _retention(work: Path, folder: Path, material: Material, module: str) -> Took:
    home = fresh(work) / "store"
    make_store(home).close()
    os.sync()
    environment = python(folder, RETENTION_HOME=str(home), RETENTION_AS="benchmark")
    took = [
        run_process(
            [sys.executable, "-m", module, "ingest", str(each), "--source", source, "--json"], environment
        )
        for each, source in ((material.calls, LINE), (material.footage, CAMERA))
    ]
    return Took(sum(one.wall_s for one in took), sum(one.cpu_s for one in took))


def _restic(work: Path, material: Material) -> Took:
    repository = fresh(work) / "restic"
    environment = {**os.environ, "RESTIC_PASSWORD": _PASSWORD, "RESTIC_CACHE_DIR": str(work / "cache")}
    command = ["restic", "--quiet", "--repo", str(repository)]
    run_process([*command, "init"], environment)
    os.sync()
    return run_process([*command, "backup", str(material.calls), str(material.footage)], environment)


def _borg(work: Path, material: Material) -> Took:
    repository = fresh(work) / "borg"
    environment = {**os.environ, "BORG_PASSPHRASE": _PASSWORD, "BORG_BASE_DIR": str(work / "cache")}
    run_process(["borg", "init", "--encryption", "repokey", str(repository)], environment)
    os.sync()
    return run_process(
        ["borg", "create", f"{repository}::first", str(material.calls), str(material.footage)], environment
    )


def report(material: Material, measured: dict[str, Several], repeats: int) -> None:
    """Print the table."""
    limit = min(found.wall_s for name, found in measured.items() if name.startswith("limit"))
    ours = measured["retention ingest"].wall_s
    rows = [
        (
            name,
            f"{found.wall_s:.2f}",
            found.spread,
            f"{found.cpu_s:.2f}",
            f"{material.size_bytes / MEGABYTE / found.wall_s:.0f}",
            f"{limit / found.wall_s:.0%}",
            f"{found.wall_s / ours:.2f}",
        )
        for name, found in measured.items()
    ]
    show(
        f"Taking in {material.files} files of {material.size_bytes / MEGABYTE:.0f} MB",
        f"Median wall time of {repeats} interleaved runs; warm page cache, fresh repositories, one disk."
        f" Goal: faster than both, and at least {GOAL_OF_LIMIT:.0%} of the limit.",
        ("what", ">wall s", ">from … to", ">cpu s", ">MB/s", ">of the limit", ">time / ours"),
        rows,
    )
