"""What a hold is, and which recordings it covers. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from retention.kernel.errors import InvalidInput


class HoldKind(StrEnum):
    """Why disposal is suspended."""

    LEGAL = "legal"
    REGULATOR = "regulator"
    REQUEST = "request"
    INCIDENT = "incident"


class DrillOutcome(StrEnum):
    """What was found when a held recording was opened and decoded to its end."""

    WHOLE = "whole"  #: it opens, its digest is the one it was sealed with, it can be decoded to its end
    REFUSED = "refused"  #: the door does not know it to be under the hold
    KEY_GONE = "key-gone"  #: the hold's key does not open it
    MISSING = "missing"  #: the vault does not hold it
    CHANGED = "changed"  #: the bytes in the vault are not those that were sealed
    NOT_PLAYABLE = "not-playable"  #: the bytes are right, and cannot be decoded, or not in time


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a hold covers: named recordings, all that carries one of some identifiers, or a source's interval.

    Identifiers and intervals also cover what arrives later.
    """

    recording_ids: tuple[str, ...] = ()
    blinds: frozenset[bytes] = frozenset()  #: keyed indexes of identifiers
    source_id: str = ""
    from_at: datetime | None = None
    until_at: datetime | None = None  #: exclusive

    def __post_init__(self) -> None:
        """Refuse criteria that cover nothing or everything by mistake."""
        ways = [bool(self.recording_ids), bool(self.blinds), bool(self.source_id)]
        if sum(ways) != 1:
            raise InvalidInput(
                "a hold covers named recordings, or what carries an identifier, or one source's interval",
                hint="Give --recording, or --phone/--customer/--native/--call-agent, or --source with --from and --to.",
            )
        if self.source_id:
            if self.from_at is None or self.until_at is None:
                raise InvalidInput("a hold on a source needs --from and --to")
            if self.from_at >= self.until_at:
                raise InvalidInput("a hold's interval ends before it starts", hint="Swap --from and --to.")


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold in force or lifted."""

    id: str
    kind: HoldKind
    reason: str
    owner: str
    review_on: date
    key_id: str
    suspends_use: bool
    criteria: Criteria
    placed_at: datetime
    placed_by: str
    lifted_at: datetime | None = None

    def matches(
        self,
        source_id: str,
        started_at: datetime,
        ended_at: datetime,
        clock_error_s: float,
        blinds: frozenset[bytes],
    ) -> bool:
        """Whether a recording that arrives falls under this hold.

        An interval is widened by the source's clock error: a recording that
        might have been made inside it is held.
        """
        if self.criteria.blinds:
            return not self.criteria.blinds.isdisjoint(blinds)
        if not self.criteria.source_id or self.criteria.source_id != source_id:
            return False
        assert self.criteria.from_at is not None
        assert self.criteria.until_at is not None
        slack = timedelta(seconds=clock_error_s)
        return started_at < self.criteria.until_at + slack and ended_at > self.criteria.from_at - slack
