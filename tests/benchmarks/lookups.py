"""How long the questions that people wait for take in a large archive.

A catalogue on SQLite with `--recordings` recordings (10 million; 200,000 with
--quick), made directly (`archive.py`) and kept between runs where a folder is
named. Each question is asked in this process, through the functions behind the
command line, with another recording or person each time. `first` is the first
time on a new connection, `again` the median of the others. The database reads
from its own cache and the system's, as that of a running service would. A goal
is met `if idle` where the processor time is below it and the wall time is not:
others had the machine meanwhile.
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import event, text
from sqlmodel import Session, SQLModel

from retention.amendment.packs import read_pack
from retention.amendment.plan import assess
from retention.amendment.routes import Routes
from retention.bootstrap import App
from retention.catalogue.explain import explain
from retention.catalogue.find import Query, find_recording, search
from retention.catalogue.identifiers import blind_index
from retention.catalogue.schedules import read_schedule
from retention.cli.shapes import due_json, recording_json
from retention.disposal.plan import make_plan
from retention.disposal.start import plan_json
from retention.founding import open_app
from retention.holds.find import holds_by_id
from retention.schedule.model import Schedule
from tests.benchmarks.archive import AGENTS, CALLS_A_PERSON, SITES, fill
from tests.benchmarks.measure import Several, Size, parser, show, size_of, timed, workplace
from tests.benchmarks.stores import make_store

RECORDINGS = {"full": 10_000_000, "quick": 200_000, "tiny": 2_000}
_PERSONS_ASKED = 50

#: A class, its period, and another: what a change of policy might say.
CHANGES = (
    ("cctv.general", "P30D", "P14D"),
    ("calls.service-quality", "P6M", "P3M"),
    ("calls.customer-inquiry", "P1Y", "P2M"),
    ("calls.statutory", "P7Y", "P6Y"),
)


@dataclass(frozen=True, slots=True)
class Question:
    """Something a person asks, and how long the answer may take."""

    name: str
    goal_ms: float
    ask: Callable[[Session, int], object]  #: the number says which recording or person


def main(arguments: Sequence[str]) -> None:
    """Measure and print the table."""
    options = parser("lookups", __doc__)
    options.add_argument("--recordings", type=int, help="how many there are")
    given = options.parse_args(arguments)
    size = size_of(given, full_repeats=41)
    recordings = given.recordings or RECORDINGS[size.name]
    with workplace(given.folder) as folder:
        app = open_app(archive(folder, recordings))
        rows = [measure(app, question, max(3, size.repeats)) for question in questions(app)]
        app.close()
    report(recordings, size, rows)


def archive(folder: Path, recordings: int) -> Path:
    """A store whose catalogue holds so many recordings; made once."""
    home = folder / f"archive-{recordings}-by-agent"  # other than those of before there were agents in it
    filled = home / ".filled"
    if not filled.exists():
        app = make_store(home)
        today, key = app.today(), app.index_key
        app.close()
        fill(home / "catalogue.db", recordings, today, blind=partial(blind_of, key))
        filled.write_text(today.isoformat(), encoding="ascii")
    return home


def blind_of(key: bytes, kind: str, number: int) -> bytes:
    """The blind index of a person's telephone number, an agent's id, or a recorder's own id."""
    return blind_index(key, kind, number_of(number) if kind == "phone" else f"{kind}-{number}")


def number_of(person: int) -> str:
    """A telephone number of Japan that is nobody's: 020-0 is not assigned."""
    return f"+81200{person:08d}"


def questions(app: App) -> Iterator[Question]:
    """Everything that is asked."""
    schedule, today, now = app.schedule(), app.today(), app.clock.now()
    yield Question("due list, today", 50, partial(_due, schedule, today))
    yield Question("due list, in a year", 50, partial(_due, schedule, today + timedelta(days=365)))
    yield Question("plan of a night", 50, partial(_plan, schedule, today))
    for change in CHANGES:
        routes = Routes(schedule, changed(*change))
        name = f"impact of {change[0]} {change[1]} → {change[2]}"
        yield Question(name, 50, partial(_impact, routes, now))
    yield Question("explain a recording", 10, partial(_explain, app, schedule, _some_ids(app)))
    yield Question("search by telephone number", 10, partial(_search, app, schedule))
    newest = _newest(app)
    yield Question("search by the recorder's own id", 10, partial(_search_native, app, schedule, newest))
    yield Question("search by number and agent", 10, partial(_search_with_agent, app, schedule))
    yield Question("an agent's calls on one line in one day", 50, partial(_search_day, app, schedule))


def changed(class_name: str, period: str, other: str) -> Schedule:
    """The schedule of the Japanese pack with another period for one class."""
    policy, name = read_pack("japan")
    start = policy.index(f"  {class_name}:\n    purpose")
    at = policy.index(f"keep: {period}", start)
    policy = policy[:at] + policy[at:].replace(f"keep: {period}", f"keep: {other}", 1)
    return read_schedule(policy.replace(f"{class_name}: {period}", f"{class_name}: {other}"), name)


def _newest(app: App) -> int:
    with app.database.read() as session:
        return int(session.execute(text("SELECT max(rowid) FROM recording")).scalar_one())


def _some_ids(app: App) -> list[str]:
    newest = _newest(app)
    with app.database.read() as session:
        wanted = [1 + newest * number // _PERSONS_ASKED for number in range(_PERSONS_ASKED)]
        rows = session.execute(
            text(f"SELECT id FROM recording WHERE rowid IN ({', '.join(map(str, wanted))})")
        )
        return [row[0] for row in rows]


def _due(schedule: Schedule, on: date, session: Session, _: int) -> object:
    return due_json(make_plan(session, schedule, on))


def _plan(schedule: Schedule, on: date, session: Session, _: int) -> object:
    return plan_json(make_plan(session, schedule, on))


def _impact(routes: Routes, now: datetime, session: Session, _: int) -> object:
    return assess(session, routes, now)


def _explain(app: App, schedule: Schedule, ids: list[str], session: Session, number: int) -> object:
    found = find_recording(session, schedule, ids[number * 7 % len(ids)])
    holds_by_id(session, found.hold_ids)
    return explain(schedule, found, app.clock.now())


def _search(app: App, schedule: Schedule, session: Session, number: int) -> object:
    found = _found(session, schedule, Query([blind_of(app.index_key, "phone", number * 101)]))
    assert found or number * 101 >= CALLS_A_PERSON
    return found


def _search_native(app: App, schedule: Schedule, newest: int, session: Session, number: int) -> object:
    called = newest - 1 - number * 101 % (newest // 4)  # the newer half are calls
    (found,) = _found(session, schedule, Query([blind_of(app.index_key, "native", called)]))
    return found


def _search_with_agent(app: App, schedule: Schedule, session: Session, number: int) -> object:
    person = blind_of(app.index_key, "phone", number * 101)
    agent = blind_of(app.index_key, "call-agent", number * 7 % AGENTS)
    return _found(session, schedule, Query([person, agent]))


def _search_day(app: App, schedule: Schedule, session: Session, number: int) -> object:
    agent = blind_of(app.index_key, "call-agent", number * 7 % AGENTS)
    until = app.clock.now() - timedelta(days=2 + number)
    return _found(session, schedule, Query([agent], f"call-{SITES[0]}", until - timedelta(days=1), until))


def _found(session: Session, schedule: Schedule, query: Query) -> list[object]:
    return [
        recording_json(each, holds_by_id(session, each.hold_ids)) for each in search(session, schedule, query)
    ]


def measure(app: App, question: Question, repeats: int) -> tuple[str, ...]:
    """The row of one question."""
    app.database.close()
    gc.collect()
    gc.freeze()  # as the command line does
    took = [timed(partial(answer, app, question, number)) for number in range(repeats)]
    first, again = took[0].wall_s * 1000, Several(tuple(took[1:]))
    return (
        question.name,
        f"{first:.1f}",
        f"{again.wall_s * 1000:.1f}",
        again.spread_ms,
        f"{again.cpu_s * 1000:.1f}",
        f"{question.goal_ms:.0f}",
        _met(question.goal_ms, again),
        ", ".join(scans(app, question)) or "none",
    )


def _met(goal_ms: float, again: Several) -> str:
    if again.wall_s * 1000 < goal_ms:
        return "yes"
    return "if idle" if again.cpu_s * 1000 < goal_ms else "no"


def answer(app: App, question: Question, number: int) -> None:
    """Ask in a transaction of its own, as a command does."""
    with app.database.read() as session:
        question.ask(session, number)


def scans(app: App, question: Question) -> list[str]:
    """The tables and indexes that the answer reads from end to end, going by SQLite's own plans."""
    statements: dict[str, Any] = {}

    def keep(_c: object, _r: object, statement: str, parameters: object, *_: object) -> None:
        if statement.startswith("SELECT"):
            statements[statement] = parameters

    engine = app.database.engine
    event.listen(engine, "before_cursor_execute", keep)
    answer(app, question, 0)
    event.remove(engine, "before_cursor_execute", keep)
    tables = set(SQLModel.metadata.tables)
    with engine.connect() as connection:
        steps = [
            row[3]
            for statement, parameters in statements.items()
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    # A largest or smallest value without an index is a SEARCH to SQLite, and reads everything.
    ends = [step for step in steps if step.startswith("SCAN ") or " USING " not in step]
    found = (step.removeprefix("SCAN ").removeprefix("SEARCH ") for step in ends)
    return list(dict.fromkeys(step for step in found if step.split()[0] in tables))


def report(recordings: int, size: Size, rows: list[tuple[str, ...]]) -> None:
    """Print the table."""
    show(
        f"Questions to an archive of {recordings:,} recordings",
        f"SQLite; {max(3, size.repeats)} times each, another recording or person each time, in one process.",
        (
            "question",
            ">first ms",
            ">again ms",
            ">from … to",
            ">cpu ms",
            ">goal ms",
            "met",
            "reads from end to end",
        ),
        rows,
    )
