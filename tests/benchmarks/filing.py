"""How long it takes to put a request on file, with everything it describes frozen, in a large archive.

The archive is that of `lookups` (10 million recordings; 200,000 with --quick).
Its recordings have keys of nobody, so the calls of each person who asks are
registered beforehand as the service does it, sealed and with real keys. A
filing is the whole of it: the paper is sealed and made durable, the holds get
keys, every match's data key is wrapped anew, journal, commit, confirmation.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path

from retention.bootstrap import App, open_app
from retention.catalogue.identifiers import Identifier, blind_all
from retention.catalogue.model import ORIGINAL, Assigned, NewRecording, SealedObject
from retention.catalogue.register import register
from retention.catalogue.sources import find_source
from retention.requests.file import file
from retention.requests.received import Described, Person, Received
from retention.requests.rules.model import RequestKind
from retention.vault.seal import new_data_key, seal
from tests.benchmarks.lookups import RECORDINGS, archive
from tests.benchmarks.measure import Several, Took, parser, show, size_of, timed, workplace
from tests.benchmarks.stores import LINE

MATCHES = (0, 1, 10, 100)
GOAL_MS = 100
_numbers = count(1)


def main(arguments: Sequence[str]) -> None:
    """Measure and print the table."""
    options = parser("filing", __doc__)
    options.add_argument("--recordings", type=int, help="how many there are")
    given = options.parse_args(arguments)
    size = size_of(given, full_repeats=9)
    recordings = given.recordings or RECORDINGS[size.name]
    with workplace(given.folder) as folder:
        took = _measure(archive(folder, recordings), size.repeats)
    bare_ms = took[0].wall_s * 1000
    show(
        f"Filing a request in an archive of {recordings:,} recordings",
        f"SQLite and a folder; {size.repeats} times each, another person each time. Goal: {GOAL_MS} ms, and the time of"
        " the matches.",
        ("calls of the person", ">wall ms", ">from … to", ">cpu ms", ">ms a match"),
        [
            (
                f"{matches}",
                f"{several.wall_s * 1000:.1f}",
                several.spread_ms,
                f"{several.cpu_s * 1000:.1f}",
                f"{(several.wall_s * 1000 - bare_ms) / matches:.2f}" if matches else "",
            )
            for matches, several in took.items()
        ],
    )


def _measure(home: Path, repeats: int) -> dict[int, Several]:
    app = open_app(home)
    _file(app, _person())  # what is imported and opened once is not what is asked
    took: dict[int, list[Took]] = {matches: [] for matches in MATCHES}
    for _ in range(repeats):
        for matches in MATCHES:
            person = _person()
            _call(app, person, matches)
            took[matches].append(timed(partial(_file, app, person)))
    app.close()
    return {matches: Several(tuple(runs)) for matches, runs in took.items()}


def _person() -> Identifier:
    return Identifier("customer", f"benchmark-{next(_numbers)}")


def _file(app: App, person: Identifier) -> None:
    received = Received(
        kind=RequestKind.DISCLOSURE,
        subject=Person("somebody"),
        received_at=app.clock.now(),
        language="ja",
        described=Described((person,)),
    )
    file(app.paper_tools(), received, "benchmark")


def _call(app: App, person: Identifier, times: int) -> None:
    """Register so many calls of a person, sealed and with real keys."""
    tools, now = app.paper_tools(), app.clock.now()
    with tools.intake() as intake:
        batch = []
        with app.database.read() as session:
            line = find_source(session, LINE)
        for _ in range(times):
            recording_id, key = intake.next_id(), new_data_key()
            sealed = seal(app.store, key, recording_id, ORIGINAL, [recording_id.encode()], durable=False)
            batch.append(
                NewRecording(
                    id=recording_id,
                    source=line,
                    native_index=recording_id.encode(),
                    started_at=now - timedelta(minutes=3),
                    ended_at=now,
                    received_at=now,
                    claimed_start="",
                    time_basis="manifest",
                    facts={},
                    personal=None,
                    data_key=key,
                    objects=(
                        SealedObject(
                            ORIGINAL, sealed.size_bytes, sealed.stored_bytes, sealed.sha256, sealed.commitment
                        ),
                    ),
                    assigned=(Assigned("service-quality", "calls.service-quality", app.today()),),
                    blinds=blind_all(app.index_key, [person]),
                )
            )
        with app.database.write() as session:
            register(session, batch, new_key=app.keys.new_key, wrap=app.keys.wrap, holds_for=lambda _: ())
