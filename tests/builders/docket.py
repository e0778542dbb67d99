"""What must be true of people's requests, told case by case beside a real store.

A docket is what a backup brings back; the truth is what no restore may undo.
"""

from dataclasses import dataclass, field

from retention.requests.model import Stage
from retention.requests.rules.model import Outcome, RequestKind


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
    closed: set[str] = field(default_factory=set)  #: receipt numbers
    spent: set[str] = field(default_factory=set)  #: those whose erasure lifted their holds


@dataclass
class Docket:
    """What a backup brings back."""

    known: set[str] = field(default_factory=set)  #: recordings
    cases: dict[str, Case] = field(default_factory=dict)
