"""How long a night takes in a large archive, against the same night in one where nothing else is left.

Both dispose of the same number of recordings: half footage whose 30 days are
over, half calls whose two purposes both end; one archive holds nothing but
these, the other ten times as many recordings. Catalogues are made directly
(`archive.py`) on SQLite, with living keys in the keyring; what is to be erased
lies in the folder store as real files. A night is the whole of it: plan,
guards (whose limits are lifted), keys, rows, bytes, certificate. Archives are
made anew for every round, and the rounds alternate.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from sqlmodel import Session

from retention.adapters.store_folder import FolderStore
from retention.bootstrap import App
from retention.catalogue.lots import lots_of
from retention.catalogue.tables import LotRow, ObjectRow, RecordingRow
from retention.database import table_of
from retention.disposal.model import Limits
from retention.disposal.night import run_disposal
from retention.disposal.plan import make_plan
from retention.vault.model import ObjectName, object_name
from tests.benchmarks.archive import Group, fill
from tests.benchmarks.measure import (
    Took,
    console,
    fresh,
    interleaved,
    parser,
    show,
    size_of,
    timed,
    workplace,
)
from tests.benchmarks.stores import make_store

DUE = {"full": 100_000, "quick": 5_000, "tiny": 100}
TIMES = 10  #: as many recordings has the large archive
GOAL_RATIO = 1.3
OBJECT_BYTES = 2_000
_TWO_PURPOSES = (("service-quality", "calls.service-quality"), ("customer-inquiry", "calls.customer-inquiry"))
_FOOTAGE = (("crime-prevention", "cctv.general"),)
_NO_LIMITS = Limits(
    class_fraction=1.0,
    overall_fraction=1.0,
    from_recordings=0,
    size_bytes=1 << 62,
    clock_forward=timedelta(days=36_500),
    backup_age=timedelta(0),
)


def main(arguments: Sequence[str]) -> None:
    """Measure and print the table."""
    options = parser("night", __doc__)
    options.add_argument("--due", type=int, help="how many recordings the night disposes of")
    given = options.parse_args(arguments)
    size = size_of(given, full_repeats=3)
    due = given.due or DUE[size.name]
    with workplace(given.folder) as folder:
        work = folder / "night"
        nights: dict[str, Callable[[], Took]] = {
            f"{due:,} of {recordings:,}": partial(_night, work, due, recordings)
            for recordings in (due, TIMES * due)
        }
        measured = interleaved(nights, size.repeats)
        shutil.rmtree(work)
    alone = next(iter(measured.values()))
    show(
        f"A night that disposes of {due:,} recordings",
        f"Median of {size.repeats} alternating nights in this process, each in a fresh archive on SQLite and a"
        f" folder. Goal: within {GOAL_RATIO} times.",
        ("night", ">wall s", ">from … to", ">cpu s", ">recordings/s", ">wall / alone", ">cpu / alone"),
        [
            (
                name,
                f"{found.wall_s:.2f}",
                found.spread,
                f"{found.cpu_s:.2f}",
                f"{due / found.wall_s:.0f}",
                f"{found.wall_s / alone.wall_s:.2f}",
                f"{found.cpu_s / alone.cpu_s:.2f}",
            )
            for name, found in measured.items()
        ],
    )


def groups(due: int, recordings: int) -> tuple[Group, ...]:
    """What is due tonight and ends with it, and what stays, as shares of the archive."""
    going, staying = due / recordings / 2, (recordings - due) / recordings / 2
    found = (
        Group(going, "footage", _FOOTAGE, days=1, newest=31),
        Group(going, "call", _TWO_PURPOSES, days=1, newest=367),
        Group(staying, "footage", _FOOTAGE, days=29),
        Group(staying, "call", _TWO_PURPOSES, days=170),
    )
    return tuple(group for group in found if group.share)


def _night(work: Path, due: int, recordings: int) -> Took:
    app = make_store(fresh(work) / "store")
    today = app.today()
    app.database.close()
    fill(
        app.home / "catalogue.db",
        recordings,
        today,
        OBJECT_BYTES,
        groups=groups(due, recordings),
        new_key=app.keys.new_key,
    )
    assert isinstance(app.store, FolderStore)
    with app.database.read() as session:
        plan = make_plan(session, app.schedule(), today)
        assert plan.recordings == due, f"{plan.recordings} would go"
        names = list(_names(session, [cohort.id for cohort in plan.cohorts]))
    _write(app.store, names)
    took = timed(lambda: _dispose(app, due))
    left = app.store.remains(names)
    app.close()
    assert not left, f"{len(left)} objects are still there"
    return took


def _dispose(app: App, due: int) -> None:
    tools = replace(app.disposal_tools(), limits=_NO_LIMITS)
    run = run_disposal(tools, app.today(), "benchmark", progress=_tell)
    assert (run.disposed, run.failed) == (due, 0), f"{run.state}: {run.disposed} disposed of, {run.tripped}"


def _tell(done: int) -> None:
    if done % 20_000 == 0:
        console.print(f"[dim]{done:,} disposed of …[/dim]")


def _names(session: Session, cohort_ids: Sequence[int]) -> Iterator[ObjectName]:
    recording, kept, lot = table_of(RecordingRow), table_of(ObjectRow), table_of(LotRow)
    rows = session.execute(
        kept.select()
        .join(recording, recording.c.id == kept.c.recording_id)
        .join(lot, lot.c.id == recording.c.lot_id)
        .where(lots_of(cohort_ids))
    )
    for row in rows:
        yield object_name(row.recording_id, row.role)


def _write(store: FolderStore, names: Sequence[ObjectName]) -> None:
    content = bytes(OBJECT_BYTES)
    for name in names:
        store.put_new(name, [content], durable=False)
    store.sync(names)
