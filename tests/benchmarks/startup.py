"""How long a command takes before it does anything: whole processes, against Python's own start.

`show` opens the store of one recording, checks its schema, finds it and prints
what keeps it: the least that an answer takes. Byte code is kept, as it is where
the program is installed.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.benchmarks.archive import fill
from tests.benchmarks.measure import (
    fresh,
    interleaved,
    parser,
    python,
    retention,
    run_process,
    show,
    size_of,
    workplace,
)
from tests.benchmarks.stores import make_store

RECORDINGS = 1000


def main(arguments: Sequence[str]) -> None:
    """Measure and print the table."""
    given = parser("startup", __doc__).parse_args(arguments)
    size = size_of(given, full_repeats=21)
    with workplace(given.folder) as folder:
        home = fresh(folder / "startup") / "store"
        recording = _some_recording(home)
        environment = python(folder, RETENTION_HOME=str(home), RETENTION_AS="benchmark")
        programs = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "retention --version": retention("--version"),
            "retention --help": retention("--help"),
            "retention show ID": retention("show", recording),
        }
        for argv in programs.values() if size.name != "tiny" else ():
            run_process(argv, environment)
        runs = {name: partial(run_process, argv, environment) for name, argv in programs.items()}
        measured = interleaved(runs, size.repeats)
        shutil.rmtree(folder / "startup")
    least = measured["python -c pass"]
    show(
        "Starting up",
        f"Median of {size.repeats} interleaved runs of whole processes, after one that warms up.",
        ("what", ">wall ms", ">from … to ms", ">cpu ms", ">cpu / python's own"),
        [
            (
                name,
                f"{found.wall_s * 1000:.0f}",
                found.spread_ms,
                f"{found.cpu_s * 1000:.0f}",
                f"{found.cpu_s / least.cpu_s:.0f}",
            )
            for name, found in measured.items()
        ],
    )


def _some_recording(home: Path) -> str:
    app = make_store(home)
    today = app.today()
    app.database.close()
    fill(home / "catalogue.db", RECORDINGS, today)
    with app.database.engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT min(id) FROM recording").scalar_one()
    app.close()
    os.sync()
    return str(found)
