"""How long it takes to put a request on file, with everything it describes frozen, in a large archive.

The archive is that of `lookups` (10 million recordings; 200,000 with --quick).
Its recordings have keys of nobody, so the calls of each person who asks, and
what the camera saw when they came by, are registered beforehand as the service
does it, sealed and with real keys. Of footage, the first and the last piece lie
outside the interval that is asked for, and only the camera's clock error brings
them in; nothing else was recorded then. A filing is the whole of it: the paper
is sealed and made durable, the holds get keys, every match's data key is wrapped
anew, journal, commit, confirmation.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import func, select
from sqlmodel import col

from retention.bootstrap import App
from retention.catalogue.identifiers import Identifier, blind_all
from retention.catalogue.model import ORIGINAL, Assigned, NewRecording, SealedObject, Source
from retention.catalogue.register import register
from retention.catalogue.sources import find_source, register_source
from retention.catalogue.tables import RecordingRow
from retention.founding import open_app
from retention.kernel.ids import new_id
from retention.requests.file import file
from retention.requests.received import Described, Interval, Person, Received
from retention.requests.rules.model import RequestKind
from retention.vault.seal import new_data_key, seal
from tests.benchmarks.archive import SITES
from tests.benchmarks.lookups import RECORDINGS, archive
from tests.benchmarks.measure import Several, Took, parser, show, size_of, timed, workplace
from tests.benchmarks.stores import LINE

MATCHES = (0, 1, 10, 100)
GOAL_MS = 100
CAMERA = f"footage-{SITES[0]}"  #: of the archive, with a fortieth of its recordings
CLOCK_ERROR_S = 30
PIECE = timedelta(minutes=1)
OUTSIDE = timedelta(seconds=CLOCK_ERROR_S / 2)

Describe = Callable[[App, int], Described]


def main(arguments: Sequence[str]) -> None:
    """Measure and print the table."""
    options = parser("filing", __doc__)
    options.add_argument("--recordings", type=int, help="how many there are")
    given = options.parse_args(arguments)
    size = size_of(given, full_repeats=9)
    recordings = given.recordings or RECORDINGS[size.name]
    with workplace(given.folder) as folder:
        took = _measure(archive(folder, recordings), size.repeats)
    show(
        f"Filing a request in an archive of {recordings:,} recordings",
        f"SQLite and a folder; {size.repeats} times each, another person or time each time. A camera's clock may be off"
        f" by {CLOCK_ERROR_S} s. Goal: {GOAL_MS} ms, and the time of the matches.",
        ("described by", ">matches", ">wall ms", ">from … to", ">cpu ms", ">ms a match"),
        [
            (
                way,
                f"{matches}",
                f"{several.wall_s * 1000:.1f}",
                several.spread_ms,
                f"{several.cpu_s * 1000:.1f}",
                f"{(several.wall_s - took[way, 0].wall_s) * 1000 / matches:.2f}" if matches else "",
            )
            for (way, matches), several in took.items()
        ],
    )


def _measure(home: Path, repeats: int) -> dict[tuple[str, int], Several]:
    app = open_app(home)
    _set_clock_error(app)
    _file(app, _calls(app, 0), 0)  # what is imported and opened once is not what is asked
    ways: dict[str, Describe] = {"telephone number": _calls, "camera and time": _footage}
    took: dict[tuple[str, int], list[Took]] = {(way, matches): [] for way in ways for matches in MATCHES}
    for _ in range(repeats):
        for (way, matches), runs in took.items():
            described = ways[way](app, matches)
            runs.append(timed(partial(_file, app, described, matches)))
    app.close()
    return {each: Several(tuple(runs)) for each, runs in took.items()}


def _set_clock_error(app: App) -> None:
    with app.database.write() as session:
        camera = find_source(session, CAMERA)
        known = replace(camera, clock_error_s=float(CLOCK_ERROR_S), purposes=("crime-prevention",))
        register_source(session, app.schedule(), known, app.clock.now(), "benchmark")


def _file(app: App, described: Described, matches: int) -> None:
    received = Received(
        kind=RequestKind.DISCLOSURE,
        subject=Person("somebody"),
        received_at=app.clock.now(),
        language="ja",
        described=described,
    )
    assert len(file(app.paper_tools(), received, "benchmark").held) == matches


def _calls(app: App, times: int) -> Described:
    """Register so many calls of a person whom nobody knew."""
    person = Identifier("phone", f"benchmark-{new_id(app.clock.now())}")
    starts = [app.clock.now() - timedelta(minutes=3)] * times
    blinds = blind_all(app.index_key, [person])
    _register(app, LINE, starts, Assigned("service-quality", "calls.service-quality", app.today()), blinds)
    return Described((person,))


def _footage(app: App, times: int) -> Described:
    """Register so many pieces of what the camera saw before everything else that it saw."""
    with app.database.read() as session:
        camera = col(RecordingRow.source_id) == CAMERA
        earliest = session.execute(select(func.min(RecordingRow.started_at)).where(camera)).scalar_one()
    begun = earliest - timedelta(days=1) - times * PIECE
    starts = [begun + number * PIECE for number in range(times)]
    _register(app, CAMERA, starts, Assigned("crime-prevention", "cctv.general", app.today()), frozenset())
    from_at = begun + PIECE + OUTSIDE
    until_at = max(begun + (times - 1) * PIECE - OUTSIDE, from_at + timedelta(seconds=1))
    return Described(intervals=(Interval(CAMERA, from_at, until_at),))


def _register(
    app: App, source_id: str, starts: Sequence[datetime], assigned: Assigned, blinds: frozenset[bytes]
) -> None:
    """Register recordings of a minute, sealed and with real keys."""
    tools = app.paper_tools()
    with tools.intake() as intake:
        with app.database.read() as session:
            source = find_source(session, source_id)
        batch = [_sealed(app, intake.next_id(), source, start, assigned, blinds) for start in starts]
        with app.database.write() as session:
            register(session, batch, new_key=app.keys.new_key, wrap=app.keys.wrap, holds_for=lambda _: ())


def _sealed(
    app: App, recording_id: str, source: Source, start: datetime, assigned: Assigned, blinds: frozenset[bytes]
) -> NewRecording:
    key = new_data_key()
    sealed = seal(app.store, key, recording_id, ORIGINAL, [recording_id.encode()], durable=False)
    original = SealedObject(
        ORIGINAL, sealed.size_bytes, sealed.stored_bytes, sealed.sha256, sealed.commitment
    )
    return NewRecording(
        id=recording_id,
        source=source,
        native_index=recording_id.encode(),
        started_at=start,
        ended_at=start + PIECE,
        received_at=app.clock.now(),
        claimed_start="",
        time_basis="manifest",
        facts={},
        personal=None,
        data_key=key,
        objects=(original,),
        assigned=(assigned,),
        blinds=blinds,
    )
