"""A hold, or a request, and a disposal that come at the same moment: whichever commits first is complete.

Two real processes race, round after round, for recordings that are described in
turn by their id, by a person's number, and by what a camera saw in some time,
which only its clock's error brings under the hold; and for one that is taken in
during the race, and that the hold describes. The start of the one is put off by
as much as it won by, so that most rounds are decided at the very edge; that
each of them wins many is part of what is asserted.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

import pytest

from retention.catalogue.identifiers import Identifier
from retention.catalogue.states import State
from retention.disposal.model import RunState
from retention.founding import create_store
from retention.requests.received import Described, Interval
from retention.schedule.model import Kind
from tests.builders.house import House
from tests.builders.policy import FILE, policy_text
from tests.builders.postgres import PostgresServer
from tests.fakes.hand_clock import HandClock
from tests.fakes.scripted_inspector import media
from tests.faults.hold_race import (
    CAMERA,
    LINE,
    Act,
    Disposed,
    Enter,
    Held,
    Start,
    compete,
    dispose,
    file_request,
    place,
    read,
)
from tests.faults.inquest import faults_at_rest
from tests.fixtures.houses import write_settings

SPAWN = get_context("spawn")
#: A long run: RACE_ROUNDS=1000. Each round takes a tenth of a second or so.
ROUNDS = int(os.environ.get("RACE_ROUNDS", "100"))
#: As many rounds share a store: what was held stays due, and each disposal looks at it again.
LAP = 100
#: What the loser of a round starts earlier by, the next time: halved whenever the other one wins.
FIRST_STEP_S, LAST_STEP_S = 0.064, 0.002
DAY = timedelta(days=1)
LASTS = timedelta(seconds=60)
CLOCK_ERROR_S = 20
#: From the day on which it was made to the day on which it is due.
PERIOD_DAYS = {Kind.CALL: 11, Kind.FOOTAGE: 6}


class Way(StrEnum):
    """How what is held is described."""

    NAMED = "by its id"
    PERSON = "by a person's number"
    CAMERA = "by what a camera saw, within its clock's error"
    ARRIVES = "by a person's number, and arriving: raced to its arrival"
    GOES = "by a person's number, and arriving: raced to its disposal"


ARRIVING = (Way.ARRIVES, Way.GOES)


@dataclass
class Edge:
    """Where two processes finish at once, as far as that is known."""

    lead_s: float = 0.0  #: what the first waits for; negative: what the other one waits for
    step_s: float = FIRST_STEP_S
    last: bool | None = None

    def learn(self, *, first_won: bool) -> None:
        if self.last not in (None, first_won):
            self.step_s = max(self.step_s / 2, LAST_STEP_S)
        self.last = first_won
        self.lead_s += self.step_s if first_won else -self.step_s


@dataclass(frozen=True)
class Stake:
    """What a round is about."""

    way: Way
    number: int
    started_at: datetime
    due_on: date
    file: Path
    recording: str = ""  #: "" until it has arrived

    @property
    def source(self) -> str:
        return CAMERA if self.way is Way.CAMERA else LINE

    @property
    def described(self) -> Described:
        if self.way is Way.NAMED:
            return Described(recording_ids=(self.recording,))
        if self.way is Way.CAMERA:
            ended_at = self.started_at + LASTS
            beside = (ended_at + timedelta(seconds=each) for each in (CLOCK_ERROR_S / 2, CLOCK_ERROR_S))
            return Described(intervals=(Interval(CAMERA, *beside),))
        return Described((Identifier("phone", phone(self.number)),))


@dataclass(frozen=True)
class Round:
    """How a round went."""

    way: Way
    recording: str
    is_kept: bool
    placed: Held
    run: Disposed


def phone(number: int) -> str:
    return f"+8135551{number:04}"


@dataclass
class Race:
    """Two processes, and what is known of their edges."""

    ends: list[Connection]
    random: Random = field(default_factory=lambda: Random(7))
    edges: dict[Way | None, Edge] = field(default_factory=lambda: {way: Edge() for way in (None, *ARRIVING)})

    def lap(self, house: House, rounds: int) -> list[Round]:
        """Let both go once for each of so many stakes in this store."""
        stakes = self._stakes(house, rounds)
        for end in self.ends:
            end.send(Enter(house.app.home, house.clock.now()))
        return [self._round(house, stake) for stake in stakes]

    def _stakes(self, house: House, rounds: int) -> list[Stake]:
        """One for each day, due by now, the earliest first."""
        house.add_source(LINE)
        house.add_camera(CAMERA, clock_error_s=float(CLOCK_ERROR_S))
        house.clock.move(days=rounds + 11)
        stakes = [
            write_down(house, number, rounds, self.random.choice(list(Way))) for number in range(rounds)
        ]
        ids: dict[str, str | None] = {}
        for source in (LINE, CAMERA):
            files = [each.file for each in stakes if each.source == source and each.way not in ARRIVING]
            outcomes = house.ingest(*files, source_id=source) if files else []
            ids |= {Path(each.path).name: each.id for each in outcomes}
        found = [replace(each, recording=ids.get(each.file.name) or "") for each in stakes]
        for each in found:
            assert each.way in ARRIVING or [one.due_on for one in house.find(each.recording).reasons] == [
                each.due_on
            ]
        return found

    def _round(self, house: House, stake: Stake) -> Round:
        arriving = stake.file if stake.way in ARRIVING else None
        edge = self.edges[stake.way if arriving else None]
        for end, after_s in zip(self.ends, (max(edge.lead_s, 0.0), max(-edge.lead_s, 0.0)), strict=True):
            end.send(Start(stake.described, stake.due_on, after_s, arriving))
        placed, run = (end.recv() for end in self.ends)
        recording = stake.recording or run.arrived
        is_kept = house.find(recording).state is State.SEALED
        was_there_first = is_kept and not placed.recordings
        edge.learn(first_won=was_there_first if stake.way is Way.ARRIVES else is_kept)
        return Round(stake.way, recording, is_kept, placed, run)


def write_down(house: House, number: int, rounds: int, way: Way) -> Stake:
    """The file of one stake, as its recorder left it."""
    kind = Kind.FOOTAGE if way is Way.CAMERA else Kind.CALL
    due_on = house.app.today() - (rounds - number) * DAY
    started_at = house.clock.now() - (rounds - number + PERIOD_DAYS[kind]) * DAY - LASTS
    people = [{"side": "caller", "phone": phone(number)}] if kind is Kind.CALL else []
    said = {"native_id": f"{number:04}", "started_at": started_at.isoformat(), "participants": people}
    file = house.write(f"{number:04}.rec", media(kind, content=f"{number}"), sidecar=said)
    return Stake(way, number, started_at, due_on, file)


@contextmanager
def racers(keep: Act) -> Iterator[Race]:
    """Both processes, for as long as the race lasts."""
    barrier, ends, processes = SPAWN.Barrier(2), [], []
    for act in (keep, dispose):
        ours, theirs = SPAWN.Pipe()
        processes.append(SPAWN.Process(target=compete, args=(act, barrier, theirs), daemon=True))
        processes[-1].start()
        theirs.close()
        ends.append(ours)
    yield Race(ends)
    for end, process in zip(ends, processes, strict=True):
        end.close()
        process.join(30)
        assert process.exitcode == 0


def judge(house: House, rounds: list[Round]) -> None:
    """Whoever came first has all of it, and the other one was told so."""
    for each in rounds:
        assert each.run.state == RunState.DONE
        assert set(each.placed.recordings) <= {each.recording}
        if each.is_kept:
            _judge_kept(house, each)
        else:
            _judge_gone(house, each)
    assert faults_at_rest(house.app) == []


def _judge_kept(house: House, each: Round) -> None:
    placed, found = each.placed, house.find(each.recording)
    assert (each.run.disposed, placed.too_late) == (0, ())
    assert found.hold_ids == (placed.hold_id,)
    assert read(house.app, each.recording, placed.hold_id, placed.key_id) == found.sha256.hex()
    if each.way not in ARRIVING or placed.recordings:
        assert (placed.recordings, placed.sha256) == ((each.recording,), found.sha256.hex())


def _judge_gone(house: House, each: Round) -> None:
    assert (each.run.disposed, each.placed.recordings) == (1, ())
    # What is gone is found by no number any more, and is in no interval.
    assert each.placed.too_late in ((each.recording,), *(() if each.way is Way.NAMED else ((),)))
    assert house.find(each.recording).state is State.DISPOSED
    assert list(house.app.store.list_names(each.recording)) == []


def balance(rounds: list[Round]) -> None:
    """Each of the two wins at each edge; else it is no race."""
    there = [each.is_kept for each in rounds if each.way not in ARRIVING]
    arrived = [not each.placed.recordings for each in rounds if each.way is Way.ARRIVES and each.is_kept]
    gone = [each.is_kept for each in rounds if each.way is Way.GOES]
    for won in (there, arrived, gone):
        least = max(len(won) // 10, 1)
        assert min(sum(won), len(won) - sum(won)) >= least, "one of them always wins: that is no race"


def run_laps(new: Callable[[], House], keep: Act) -> None:
    """The whole race, a new store for each lap."""
    done: list[Round] = []
    with racers(keep) as race:
        while len(done) < ROUNDS:
            house = new()
            rounds = race.lap(house, min(LAP, ROUNDS - len(done)))
            judge(house, rounds)
            house.close()
            done += rounds
    tally = Counter((each.way, each.is_kept) for each in done)
    for way in Way:
        print(f"{way}: kept {tally[way, True]}, gone {tally[way, False]}")  # noqa: T201 - of a long run, with -s
    balance(done)


def new_house(folder: Path, url: str) -> House:
    """A store with a keyring and a vault on disk, which other processes can open."""
    home = folder / "store"
    home.mkdir(parents=True)
    if url:
        write_settings(home, url)
    clock = HandClock()
    app = create_store(home, policy_text(), FILE, "founder", clock=clock)
    app.database.close()
    return House(folder, keys=app.keys, store=app.store, clock=clock)


@pytest.mark.slow
@pytest.mark.parametrize("keep", [place, file_request])
def test_whichever_commits_first_is_complete_on_sqlite(out: Path, keep: Act) -> None:
    laps = count()
    run_laps(lambda: new_house(out / f"{next(laps)}", ""), keep)


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("keep", [place, file_request])
def test_whichever_commits_first_is_complete_on_postgresql(
    out: Path, postgres_server: PostgresServer, keep: Act
) -> None:
    laps = count()
    run_laps(
        lambda: new_house(out / f"{next(laps)}", postgres_server.url(postgres_server.new_database())), keep
    )
