"""Run, time and tabulate: what every benchmark shares.

Figures are ratios within one run on one machine. Machines differ, and a shared
one differs from minute to minute, so contestants are interleaved, each is
repeated, and the median stands in the table beside the fastest and the slowest.
"""

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[2]
#: Where material and stores are kept between runs; a temporary folder where it is not set.
FOLDER_VARIABLE = "BENCHMARK_FOLDER"
MEGABYTE = 1_000_000
console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)


@dataclass(frozen=True, slots=True)
class Size:
    """How much work is asked for."""

    name: str  #: full, quick or tiny
    repeats: int


def parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """The options that every benchmark has; the folder comes from the environment where it is not given."""
    found = argparse.ArgumentParser(
        prog=f"python -m tests.benchmarks {name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("--quick", action="store_true", help="less work: about a minute")
    found.add_argument("--tiny", action="store_true", help="hardly any work: shows that it runs")
    found.add_argument("--repeats", type=int, help="how often each contestant runs")
    named = os.environ.get(FOLDER_VARIABLE)
    found.add_argument(
        "--folder",
        type=Path,
        default=Path(named) if named else None,
        help=f"where material and stores are kept; default ${FOLDER_VARIABLE}, else a temporary folder",
    )
    return found


def size_of(given: argparse.Namespace, full_repeats: int) -> Size:
    """How much work the command line asks for."""
    name = "tiny" if given.tiny else "quick" if given.quick else "full"
    return Size(name, given.repeats or {"full": full_repeats, "quick": 3, "tiny": 1}[name])


@contextmanager
def workplace(named: Path | None) -> Iterator[Path]:
    """The folder to work in; one that nobody named is removed at the end."""
    if named is not None:
        named.mkdir(parents=True, exist_ok=True)
        yield named
        return
    with tempfile.TemporaryDirectory(prefix="retention-benchmark-") as folder:
        yield Path(folder)


@dataclass(frozen=True, slots=True)
class Took:
    """What one run cost."""

    wall_s: float
    cpu_s: float  #: of the process and all its children, user and system


@dataclass(frozen=True, slots=True)
class Several:
    """The same, several times."""

    runs: tuple[Took, ...]

    @property
    def wall_s(self) -> float:
        """The median wall time."""
        return statistics.median(run.wall_s for run in self.runs)

    @property
    def cpu_s(self) -> float:
        """The median processor time."""
        return statistics.median(run.cpu_s for run in self.runs)

    @property
    def spread(self) -> str:
        """Fastest and slowest, for the table."""
        walls = [run.wall_s for run in self.runs]
        return f"{min(walls):.2f} to {max(walls):.2f}"

    @property
    def spread_ms(self) -> str:
        """The same in milliseconds."""
        walls = [run.wall_s * 1000 for run in self.runs]
        return f"{min(walls):.0f} to {max(walls):.0f}"


def run_process(
    argv: Sequence[str], environment: Mapping[str, str] | None = None, out: Path | None = None
) -> Took:
    """Run a program to its end; its time and that of all its children. What it prints is kept in `out`.

    Raises:
        RuntimeError: It failed; the text holds what it said.
    """
    with tempfile.TemporaryFile() if out is None else out.open("w+b") as said:
        begun = time.perf_counter()
        process = subprocess.Popen(argv, stdout=said, stderr=subprocess.STDOUT, env=environment, cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        took = Took(time.perf_counter() - begun, usage.ru_utime + usage.ru_stime)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise RuntimeError(
                f"{argv} ended with {process.returncode}:\n{said.read().decode(errors='replace')}"
            )
    return took


def timed(work: Callable[[], object]) -> Took:
    """The time that `work` takes in this process."""
    begun, spent = time.perf_counter(), time.process_time()
    work()
    return Took(time.perf_counter() - begun, time.process_time() - spent)


def interleaved(contestants: Mapping[str, Callable[[], Took]], repeats: int) -> dict[str, Several]:
    """Run the contestants in turn, A B C A B C, so that a slow minute is shared by all."""
    runs: dict[str, list[Took]] = {name: [] for name in contestants}
    for number in range(repeats):
        for name, contestant in contestants.items():
            console.print(f"[dim]{number + 1}/{repeats} {name} …[/dim]")
            runs[name].append(contestant())
    return {name: Several(tuple(took)) for name, took in runs.items()}


def fresh(folder: Path) -> Path:
    """`folder`, empty, with nothing left to be written by anybody else."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.sync()
    return folder


def python(folder: Path, **variables: str) -> dict[str, str]:
    """An environment for our own program: as installed, with its byte code kept (under `folder`)."""
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ
    }
    return {**kept, "PYTHONPYCACHEPREFIX": str(folder / "bytecode"), **variables}


def retention(*arguments: str) -> list[str]:
    """The argument list of our command."""
    return [sys.executable, "-m", "retention", *arguments]


def show(title: str, method: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print one table with its method and the machine; columns that start with '>' are aligned right."""
    table = Table(title=title, title_justify="left", caption=f"{method}\n{machine()}", caption_justify="left")
    for column in columns:
        table.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def machine() -> str:
    """The class of the machine, without its name."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    processor = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        processor = next(
            (line.split(":")[1].strip() for line in lines if line.startswith("model name")), processor
        )
    return (
        f"Machine: {os.cpu_count()} x {processor}, {memory:.0f} GiB, {platform.system()} {platform.release()},"
        f" Python {platform.python_version()}."
    )
