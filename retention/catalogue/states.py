"""The life of a recording, as data.

The diagram in docs/architecture.md is drawn from `TRANSITIONS`.
"""

from enum import StrEnum

from retention.kernel.errors import IllegalTransition


class State(StrEnum):
    """Where a recording is in its life."""

    RECEIVED = "received"  #: being taken in; its bytes may be half written
    QUARANTINED = "quarantined"  #: kept, never played, until a person decides
    SEALED = "sealed"  #: encrypted, stored, catalogued; immutable from here on
    DISPOSING = "disposing"  #: no living reason; its bytes are being erased
    DISPOSED = "disposed"  #: gone, with a tombstone


class Action(StrEnum):
    """What moves a recording from one state to the next."""

    SEAL = "seal"
    QUARANTINE = "quarantine"
    RELEASE = "release"
    REJECT = "reject"
    REFUSE = "refuse"  #: it must not be recorded at all
    BEGIN_DISPOSAL = "begin_disposal"
    FINISH_DISPOSAL = "finish_disposal"


TRANSITIONS: dict[tuple[State, Action], State] = {
    (State.RECEIVED, Action.SEAL): State.SEALED,
    (State.RECEIVED, Action.QUARANTINE): State.QUARANTINED,
    (State.RECEIVED, Action.REFUSE): State.DISPOSED,
    (State.QUARANTINED, Action.RELEASE): State.RECEIVED,
    (State.QUARANTINED, Action.REJECT): State.DISPOSED,
    (State.SEALED, Action.BEGIN_DISPOSAL): State.DISPOSING,
    (State.DISPOSING, Action.FINISH_DISPOSAL): State.DISPOSED,
}


def step(state: State, action: Action) -> State:
    """The state after `action`.

    Raises:
        IllegalTransition: The action is not possible in this state.
    """
    try:
        return TRANSITIONS[state, action]
    except KeyError:
        raise IllegalTransition(f"a recording that is {state} cannot {action.replace('_', ' ')}") from None
