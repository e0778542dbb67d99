"""What must be true of people's requests, told case by case beside a real store.

A docket is what a backup brings back; the truth is what no restore may undo.
"""

from dataclasses import dataclass, field

from retention.requests.decide import Decision
from retention.requests.model import Stage
from retention.requests.rules.model import Outcome, RequestKind

#: On which ground each kind is refused here.
GROUNDS = {
    RequestKind.DISCLOSURE: "hindrance",
    RequestKind.PURPOSE_NOTIFICATION: "purpose-clear",
    RequestKind.CORRECTION: "facts-correct",
    RequestKind.SUSPENSION: "no-breach",
    RequestKind.ERASURE: "no-breach",
    RequestKind.STOP_PROVISION: "no-breach",
    RequestKind.PROVISION_RECORDS: "record-excepted",
    RequestKind.COMPLAINT: "none",
}


def decision_on(kind: RequestKind, outcome: Outcome) -> Decision:
    """A decision with all that it needs, where the kind can end so at all."""
    if outcome is Outcome.ANSWERED:
        return Decision(outcome, reason="it was so", measure="it is better now")
    if outcome is Outcome.REFUSED:
        return Decision(outcome, (GROUNDS[kind],), "nothing was found", partial_considered="there is no part")
    return Decision(outcome)


@dataclass
class Case:
    """A request as its diary would tell it."""

    receipt: str
    kind: RequestKind
    described: set[str]
    stage: Stage = Stage.FILED
    outcome: Outcome | None = None
    frozen: set[str] = field(default_factory=set)  #: what it describes, and is there
    freezes: bool = True  #: what arrives later as well; not after its erasure, before it searches again

    @property
    def is_open(self) -> bool:
        """Somebody waits for an answer."""
        return self.stage is not Stage.CLOSED


@dataclass
class Truth:
    """What no restore may undo."""

    numbers: dict[str, str] = field(default_factory=dict)  #: recording → whose it is said to be
    gone: set[str] = field(default_factory=set)
    erased: set[str] = field(default_factory=set)
    suspended: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)  #: given to nobody
    stopped_numbers: set[str] = field(default_factory=set)  #: whatever arrives under them is stopped, too
    holds: dict[str, str] = field(default_factory=dict)  #: legal holds in force → the number they are about
    held: dict[str, set[str]] = field(default_factory=dict)  #: what each of them covers
    closed: set[str] = field(default_factory=set)  #: receipt numbers
    spent: set[str] = field(default_factory=set)  #: those whose erasure lifted their holds
    given: dict[str, str] = field(
        default_factory=dict
    )  #: provisions that were handed over → of which recording


@dataclass
class Docket:
    """What a backup brings back."""

    known: set[str] = field(default_factory=set)  #: recordings
    cases: dict[str, Case] = field(default_factory=dict)
