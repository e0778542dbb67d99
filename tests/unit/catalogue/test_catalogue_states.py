"""The life of a recording: what may follow what, and nothing else."""

from itertools import product

import pytest

from retention.catalogue.states import TRANSITIONS, Action, State, step
from retention.kernel.errors import IllegalTransition


@pytest.mark.parametrize(("state", "action"), list(product(State, Action)))
def test_every_action_in_every_state_is_either_drawn_or_refused(state: State, action: Action) -> None:
    if (state, action) in TRANSITIONS:
        assert step(state, action) is TRANSITIONS[state, action]
    else:
        with pytest.raises(IllegalTransition, match=str(state)):
            step(state, action)


def reachable(start: State) -> set[State]:
    found, todo = set(), [start]
    while todo:
        state = todo.pop()
        found.add(state)
        todo += [
            after for (before, _), after in TRANSITIONS.items() if before is state and after not in found
        ]
    return found


def test_every_state_can_be_reached_and_every_life_can_end() -> None:
    assert reachable(State.RECEIVED) == set(State)
    assert all(State.DISPOSED in reachable(state) for state in State)


def test_what_is_disposed_of_never_comes_back() -> None:
    assert reachable(State.DISPOSED) == {State.DISPOSED}


def test_disposal_that_has_begun_can_only_be_finished() -> None:
    assert reachable(State.DISPOSING) == {State.DISPOSING, State.DISPOSED}


def test_what_is_sealed_leaves_that_state_through_disposal_alone() -> None:
    assert {action for (state, action) in TRANSITIONS if state is State.SEALED} == {Action.BEGIN_DISPOSAL}
