"""Single recordings erased before their time: with a certificate, under the same locks as a night."""

from collections.abc import Collection
from typing import Any

import pytest

from retention.catalogue.states import State
from retention.disposal.erase import erase
from retention.disposal.model import RunState
from retention.disposal.night import unfinished
from retention.disposal.tables import RunRow
from retention.kernel.errors import HoldInForce, IllegalTransition, KeyServiceUnavailable
from tests.builders.house import ACTOR, House
from tests.builders.night import fails, what_a_night_could_change


def erased(house: House, recording_ids: Collection[str]) -> RunRow:
    def nothing(*_: Any) -> None:
        return None

    return erase(
        house.app.disposal_tools(), recording_ids, ACTOR, clear=nothing, note=nothing, settle=nothing
    )


@pytest.fixture
def call(house: House) -> str:
    house.add_source()
    return house.take_in()


def test_it_is_gone_with_a_certificate(house: House, call: str) -> None:
    other = house.take_in()
    run = erased(house, [call])
    assert (run.state, run.disposed) == (RunState.DONE, 1)
    assert run.certificate
    assert house.find(call).state == State.DISPOSED
    assert house.objects_of(call) == []
    assert house.find(other).state == State.SEALED


def test_what_is_held_is_not_erased_and_nothing_with_it(house: House, call: str) -> None:
    held = house.take_in()
    hold = house.place(held).hold.id
    before = what_a_night_could_change(house)
    with pytest.raises(HoldInForce, match=f"recording {held} is under hold {hold}"):
        erased(house, [call, held])
    assert what_a_night_could_change(house) == before


def test_what_is_gone_is_not_erased_again(house: House, call: str) -> None:
    erased(house, [call])
    with pytest.raises(IllegalTransition, match=f"recording {call} is disposed"):
        erased(house, [call])


def test_what_an_earlier_run_was_killed_in_comes_first(house: House, call: str) -> None:
    other = house.take_in()
    house.memory_keys.before = fails(KeyServiceUnavailable("it does not answer"), "destroy")
    with pytest.raises(KeyServiceUnavailable):
        erased(house, [call])
    house.memory_keys.before = lambda *_: None
    assert len(unfinished(house.app.disposal_tools())) == 1
    erased(house, [other])
    assert unfinished(house.app.disposal_tools()) == []
    assert [house.find(each).state for each in (call, other)] == [State.DISPOSED, State.DISPOSED]
