"""A hold, or a request, and a disposal that come at the same moment: whichever commits first is complete.

Two real processes race on one store, round after round. The start of the one
is put off by as much as it won by, so that most rounds are decided at the very
edge; that each of them wins many is part of what is asserted.
"""

import os
from collections.abc import Callable
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

import pytest

from retention.bootstrap import create_store
from retention.catalogue.states import State
from retention.disposal.model import RunState
from tests.builders.house import House, ids_of
from tests.builders.policy import FILE, policy_text
from tests.builders.postgres import PostgresServer
from tests.fakes.hand_clock import HandClock
from tests.fakes.scripted_inspector import media
from tests.faults.hold_race import Act, Disposed, Held, Start, compete, dispose, file_request, place, read
from tests.faults.inquest import faults_at_rest
from tests.fixtures.houses import write_settings

SPAWN = get_context("spawn")
#: A long run: RACE_ROUNDS=2000. Each round takes a tenth of a second or so.
ROUNDS = int(os.environ.get("RACE_ROUNDS", "100"))
#: What the loser of a round starts earlier by, the next time.
STEP_S = 0.002
#: The edge is looked for in strides at first: writing a request's papers takes a while before it holds anything.
COARSE_STEP_S, COARSE_ROUNDS = 0.02, 15
DAY = timedelta(days=1)

NewRealHouse = Callable[[str], House]


@pytest.fixture
def new_real_house(out: Path) -> NewRealHouse:
    """A store with a keyring and a vault on disk, which other processes can open."""

    def new(url: str) -> House:
        home = out / "store"
        home.mkdir()
        if url:
            write_settings(home, url)
        clock = HandClock()
        app = create_store(home, policy_text(), FILE, "founder", clock=clock)
        app.database.close()
        return House(out, keys=app.keys, store=app.store, clock=clock)

    return new


def one_due_each_day(house: House) -> list[str]:
    """A call for each round, each due a day after the one before, the last one by now."""
    house.add_source()
    house.clock.move(days=ROUNDS + 11)
    for n in range(ROUNDS):
        ended_at = house.clock.now() - (ROUNDS + 11 - n) * DAY
        said = {"native_id": f"{n:04}", "started_at": (ended_at - timedelta(seconds=60)).isoformat()}
        house.write(f"{n:04}.rec", media(content=f"{n}"), sidecar=said)
    return ids_of(house.ingest())


def race(house: House, recordings: list[str], keep: Act) -> list[tuple[str, Held, Disposed]]:
    """Let both processes go once for each recording."""
    barrier, ends, processes = SPAWN.Barrier(2), [], []
    for act in (keep, dispose):
        ours, theirs = SPAWN.Pipe()
        arguments = (act, house.app.home, house.clock.now(), barrier, theirs)
        processes.append(SPAWN.Process(target=compete, args=arguments, daemon=True))
        processes[-1].start()
        theirs.close()
        ends.append(ours)
    found: list[tuple[str, Held, Disposed]] = []
    lead_s = 0.0
    for number, recording in enumerate(recordings):
        (on,) = [reason.due_on for reason in house.find(recording).reasons]
        assert on
        for end, after_s in zip(ends, (max(lead_s, 0.0), max(-lead_s, 0.0)), strict=True):
            end.send(Start(recording, on, after_s))
        placed, run = (end.recv() for end in ends)
        step_s = COARSE_STEP_S if number < COARSE_ROUNDS else STEP_S
        lead_s += step_s if placed.recordings else -step_s
        found.append((recording, placed, run))
    for end, process in zip(ends, processes, strict=True):
        end.close()
        process.join(30)
        assert process.exitcode == 0
    return found


def judge(house: House, rounds: list[tuple[str, Held, Disposed]]) -> None:
    held = [each for each in rounds if each[1].recordings]
    late = [each for each in rounds if not each[1].recordings]
    assert min(len(held), len(late)) > ROUNDS / 10, "one of them always wins: that is no race"
    for recording, placed, run in held:
        assert (placed.recordings, placed.too_late) == ((recording,), ())
        assert (run.state, run.disposed) == (RunState.DONE, 0)
        assert house.find(recording).state is State.SEALED
        content = house.find(recording).sha256.hex()
        assert placed.sha256 == content
        assert read(house.app, recording, placed.hold_id, placed.key_id) == content
    for recording, placed, run in late:
        assert (placed.recordings, placed.too_late) == ((), (recording,))
        assert (run.state, run.disposed) == (RunState.DONE, 1)
        assert house.find(recording).state is State.DISPOSED
        assert list(house.app.store.list_names(recording)) == []
    assert faults_at_rest(house.app) == []


@pytest.mark.slow
@pytest.mark.parametrize("keep", [place, file_request])
def test_whichever_commits_first_is_complete_on_sqlite(new_real_house: NewRealHouse, keep: Act) -> None:
    house = new_real_house("")
    judge(house, race(house, one_due_each_day(house), keep))
    house.close()


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("keep", [place, file_request])
def test_whichever_commits_first_is_complete_on_postgresql(
    new_real_house: NewRealHouse, postgres_server: PostgresServer, keep: Act
) -> None:
    house = new_real_house(postgres_server.url(postgres_server.new_database()))
    judge(house, race(house, one_due_each_day(house), keep))
    house.close()
