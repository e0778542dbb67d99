"""What a check can find, and what a person can do about it. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from retention.vault.fixity import Level

#: Bytes without a row that are younger may be on their way in.
INTAKE_AGE = timedelta(days=1)
#: Findings of one kind that are kept in full; further ones are only counted.
KEPT_OF_A_KIND = 1_000


class Kind(StrEnum):
    """What can be wrong. The words are part of the JSON that others build on."""

    MISSING_BYTES = "missing-bytes"  #: a row says they are in the vault
    WRONG_SIZE = "wrong-size"  #: the stored object was cut or added to
    CHANGED_BYTES = "changed-bytes"  #: it does not open to what was sealed
    ORPHAN = "orphan"  #: bytes without a row, older than a day
    ALIEN = "alien"  #: a file in the vault that is no object of ours, or was never finished
    STRANDED = "stranded"  #: bytes whose row was lost when a backup was restored
    UNDEAD = "undead"  #: bytes of a recording that was disposed of, or from before a span of it was destroyed
    KEY_MISSING = "key-missing"  #: a recording is not readable for a reason that keeps it
    HOLD_WITHOUT_KEY = "hold-without-key"  #: a held recording is not readable through its hold
    HOLD_INCOMPLETE = "hold-incomplete"  #: a hold and its recordings do not know of each other
    HOLD_LOST = "hold-lost"  #: the journal knows a hold that the catalogue does not
    REASON_KEY_GONE = "reason-key-gone"  #: a living cohort, hold or quarantined item without its key
    KEY_UNREADABLE = "key-unreadable"  #: a key that is there, and that nobody can use
    SPENT_KEY_LEFT = "spent-key-left"  #: an expired cohort or lifted hold whose key is still there
    ROWS_DISAGREE = "rows-disagree"  #: what rows say twice is not the same
    LOT_COUNTS = "lot-counts"  #: what due lists sum over is not what is there
    DISPOSED_REMNANT = "disposed-remnant"  #: a disposed recording left more than its tombstone
    UNFINISHED_RUN = "unfinished-run"
    AUDIT_BROKEN = "audit-broken"
    JOURNAL_BROKEN = "journal-broken"
    SCHEMA_DIFFERS = "schema-differs"
    OTHER_STORE = "other-store"  #: the catalogue belongs to another object store


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be."""

    kind: Kind
    subject: str  #: the id of what it is about
    what: str  #: a sentence
    remedy: str  #: what a person does next


@dataclass(slots=True)
class Findings:
    """Collects findings without growing with the damage: all are counted, the first of each kind kept."""

    kept: list[Finding] = field(default_factory=list)
    _counts: Counter[Kind] = field(default_factory=Counter)

    def add(self, kind: Kind, subject: str, what: str, remedy: str) -> None:
        """Note one finding."""
        self._counts[kind] += 1
        if self._counts[kind] <= KEPT_OF_A_KIND:
            self.kept.append(Finding(kind, subject, what, remedy))

    @property
    def counts(self) -> Mapping[Kind, int]:
        """How many there are of each kind."""
        return dict(self._counts)


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found."""

    level: Level
    recordings: int  #: that the catalogue holds and that were looked at
    objects: int
    findings: tuple[Finding, ...]  #: of each kind at most KEPT_OF_A_KIND
    counts: Mapping[Kind, int]

    @property
    def ok(self) -> bool:
        """Whether everything is as it should be."""
        return not self.counts
