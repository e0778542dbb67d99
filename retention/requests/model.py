"""The life of a request, as data. Pure.

Each kind has its own path: one that touches recordings carries its decision out
before it answers; a complaint looks at no recording. The diagrams in
docs/requests.md are drawn from `path_of`.
"""

from collections.abc import Mapping
from enum import StrEnum

from retention.kernel.errors import IllegalTransition
from retention.requests.rules.model import Outcome, RequestKind


class Stage(StrEnum):
    """How far a request is."""

    FILED = "filed"  #: received; its clock runs, what it describes is held
    IDENTIFIED = "identified"  #: who asks is who they say they are
    MATCHED = "matched"  #: what is held about them is known
    DECIDED = "decided"  #: one person has decided, and another must approve
    APPROVED = "approved"
    CARRIED_OUT = "carried-out"  #: what was decided was done to the recordings
    PACKAGED = "packaged"  #: the letter, and what goes with it, is made
    DELIVERED = "delivered"
    CLOSED = "closed"


class Step(StrEnum):
    """What moves a request on."""

    IDENTIFY = "identify"
    REJECT_IDENTITY = "reject identity"
    MATCH = "match"
    DECIDE = "decide"
    SEND_BACK = "send back"  #: the second person does not agree
    APPROVE = "approve"
    CARRY_OUT = "carry out"
    PACKAGE = "package"
    DELIVER = "deliver"
    CLOSE = "close"
    WITHDRAW = "withdraw"


#: (stage, step) → stage
Path = Mapping[tuple[Stage, Step], Stage]

_MATCHED: Path = {
    (Stage.IDENTIFIED, Step.MATCH): Stage.MATCHED,
    (Stage.MATCHED, Step.MATCH): Stage.MATCHED,
    (Stage.MATCHED, Step.DECIDE): Stage.DECIDED,
    (Stage.DECIDED, Step.SEND_BACK): Stage.MATCHED,
}
_NOT_MATCHED: Path = {
    (Stage.FILED, Step.DECIDE): Stage.DECIDED,
    (Stage.IDENTIFIED, Step.DECIDE): Stage.DECIDED,
    (Stage.DECIDED, Step.SEND_BACK): Stage.FILED,
}
_ACTED_ON: Path = {
    # What was approved may turn out not to be possible: another hold, particulars that have changed.
    (Stage.APPROVED, Step.SEND_BACK): Stage.MATCHED,
    (Stage.APPROVED, Step.CARRY_OUT): Stage.CARRIED_OUT,
    (Stage.CARRIED_OUT, Step.PACKAGE): Stage.PACKAGED,
}
_ONLY_TOLD: Path = {(Stage.APPROVED, Step.PACKAGE): Stage.PACKAGED}
_EVERY: Path = {
    (Stage.FILED, Step.IDENTIFY): Stage.IDENTIFIED,
    (Stage.FILED, Step.REJECT_IDENTITY): Stage.APPROVED,
    (Stage.DECIDED, Step.APPROVE): Stage.APPROVED,
    (Stage.PACKAGED, Step.DELIVER): Stage.DELIVERED,
    (Stage.DELIVERED, Step.DELIVER): Stage.DELIVERED,
    (Stage.DELIVERED, Step.CLOSE): Stage.CLOSED,
    **{
        (stage, Step.WITHDRAW): Stage.APPROVED
        for stage in (Stage.FILED, Stage.IDENTIFIED, Stage.MATCHED, Stage.DECIDED)
    },
}

#: What changes something about recordings when it is granted.
ACTING = frozenset(
    {RequestKind.CORRECTION, RequestKind.SUSPENSION, RequestKind.ERASURE, RequestKind.STOP_PROVISION}
)
GRANTED = frozenset({Outcome.FULL, Outcome.PARTIAL, Outcome.SUBSTITUTE})
#: Endings that nobody decides for: who asks cannot be identified, or does not ask any more.
NOT_IDENTIFIED, WITHDRAWN = "not-identified", "withdrawn"


def path_of(kind: RequestKind, outcome: Outcome | None = None) -> Path:
    """The steps there are for a kind; after the decision they depend on its outcome."""
    looked_for = _NOT_MATCHED if kind is RequestKind.COMPLAINT else _MATCHED
    ends = _ACTED_ON if kind in ACTING and outcome in GRANTED else _ONLY_TOLD
    return {**_EVERY, **looked_for, **ends}


def step(
    receipt: str, kind: RequestKind, stage: Stage, action: Step, outcome: Outcome | None = None
) -> Stage:
    """The stage of request `receipt` after `action`.

    Raises:
        IllegalTransition: The message says what is possible instead.
    """
    path = path_of(kind, outcome)
    if (stage, action) in path:
        return path[stage, action]
    possible = [each for at, each in path if at is stage]
    raise IllegalTransition(
        f"request {receipt} ({kind}) is {stage}: it is not possible to {action} it",
        hint=f"Possible now: {', '.join(possible)}." if possible else "It is closed. File a new request.",
    )
