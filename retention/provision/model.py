"""What a provision is, and what must be true before anything is handed over. Pure.

A provision gives recordings to somebody who is not the person in them. It has a
basis in law, the fields that the law wants written down, and a second person's
approval where the rulebook asks for one. Which bases there are, and what each
needs, comes from the rulebook (`requests.provisions`); nothing here knows a law.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from retention.kernel.errors import IllegalTransition, InvalidInput

ENTRUSTMENT = "entrustment"  #: the basis that goes by the register of entrustees
RECIPIENT, ITEMS = "recipient", "items"  #: fields that the proposal itself fills
#: Containers of sound in which every sample lies by itself, as inspection calls them.
UNCOMPRESSED = frozenset({"wav", "mulaw", "alaw", "s16le"})


class Stage(StrEnum):
    """How far a provision is."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    HANDED_OVER = "handed-over"
    WITHDRAWN = "withdrawn"


class Step(StrEnum):
    """What moves a provision on."""

    APPROVE = "approve"
    HAND_OVER = "hand over"
    WITHDRAW = "withdraw"


STEPS: Mapping[tuple[Stage, Step], Stage] = {
    (Stage.PROPOSED, Step.APPROVE): Stage.APPROVED,
    (Stage.PROPOSED, Step.WITHDRAW): Stage.WITHDRAWN,
    (Stage.APPROVED, Step.WITHDRAW): Stage.WITHDRAWN,
    (Stage.APPROVED, Step.HAND_OVER): Stage.HANDED_OVER,
}


def step(digest: str, stage: Stage, action: Step) -> Stage:
    """The stage of provision `digest` after `action`.

    Raises:
        IllegalTransition: It is not possible now.
    """
    if (stage, action) in STEPS:
        return STEPS[stage, action]
    possible = [each for at, each in STEPS if at is stage]
    raise IllegalTransition(
        f"provision {digest} is {stage}: it is not possible to {action} it",
        hint=f"Possible now: {', '.join(possible)}." if possible else "Propose a new one.",
    )


@dataclass(frozen=True, slots=True)
class Rule:
    """What the rulebook in force asks of a provision on one basis."""

    basis: str
    fields: tuple[str, ...]  #: none may be left empty
    known: frozenset[str]  #: every field that the rulebook knows
    needs_two_people: bool
    version: int  #: of the rulebook


@dataclass(frozen=True, slots=True)
class Scope:
    """What an entrustee may be given. An empty list of kinds or sites leaves nothing out."""

    purposes: tuple[str, ...]
    kinds: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()

    def covers(self, purposes: Collection[str], kind: str, site: str) -> bool:
        """Whether a recording of this kind and site, carrying these living purposes, is in it."""
        return (
            not set(self.purposes).isdisjoint(purposes)
            and (not self.kinds or kind in self.kinds)
            and (not self.sites or site in self.sites)
        )


@dataclass(frozen=True, slots=True)
class Entrustee:
    """A processor in the register. All of it is business data; whoever is named in the contract stays there."""

    id: str
    name: str
    contract: str  #: its title and number
    from_on: date
    until_on: date  #: the last day, in the controller's zone
    scope: Scope
    sub_entrustees: tuple[str, ...]
    review_on: date
    ended_on: date | None = None

    def is_live(self, on: date) -> bool:
        """Whether the contract is in force on a day."""
        return self.from_on <= on <= self.until_on and (self.ended_on is None or on < self.ended_on)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What somebody wants to hand over."""

    recording_ids: tuple[str, ...]
    to: str
    fields: Mapping[str, str]
    reason: str
    part: tuple[datetime, datetime] | None = (
        None  #: only what was recorded in this interval; its end is exclusive
    )


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a recording, in microseconds from its beginning; the end is exclusive."""

    from_us: int
    until_us: int

    def __str__(self) -> str:
        """As the record says it, in seconds."""
        return f"{self.from_us / 1e6:.3f} s to {self.until_us / 1e6:.3f} s"


class Cutter(Protocol):
    """Cuts a part out of a recording, exactly."""

    def cut(
        self, chunks: Iterable[bytes], facts: Mapping[str, Any], from_us: int, until_us: int
    ) -> Iterator[bytes]:
        """The part, as a file of its own that holds nothing outside the interval.

        All of `chunks` is read before a byte comes out, and an error it raises comes through.
        `facts` are what inspection found when the recording came in.
        UnsupportedCodec if it cannot be cut exactly. NotReleased if what was cut is not the part.
        """


def excerpt_of(
    recording_id: str,
    started_at: datetime,
    ended_at: datetime,
    facts: Mapping[str, Any],
    part: tuple[datetime, datetime],
) -> Excerpt:
    """Which part of a recording lies in an interval.

    Raises:
        InvalidInput: None does, the interval ends before it starts, or this recording cannot be cut exactly.
    """
    start, end = max(part[0], started_at), min(part[1], ended_at)
    if start >= end:
        raise InvalidInput(
            f"nothing of recording {recording_id} lies between {part[0]} and {part[1]}",
            hint="Name the recordings that do; --from and --to are in the source's local time.",
        )
    if not _is_uncompressed(facts):
        raise InvalidInput(
            f"recording {recording_id} cannot be cut exactly: only uncompressed sound can",
            hint="Provide it whole, or a redacted copy of the part.",
        )
    return Excerpt(_us(start - started_at), _us(end - started_at))


def _is_uncompressed(facts: Mapping[str, Any]) -> bool:
    tracks = facts.get("streams", ())
    return facts.get("container") in UNCOMPRESSED and all(
        each.get("type") == "audio" and str(each.get("codec", "")).startswith("pcm_") for each in tracks
    )


def _us(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def complete(rule: Rule, proposal: Proposal, filled: Mapping[str, str]) -> dict[str, str]:
    """The fields of a proposal, with those that are known without asking.

    Args:
        rule: What the basis asks for.
        proposal: What was said.
        filled: What the proposal itself, or the register of entrustees, says.

    Raises:
        InvalidInput: A field is missing or unknown, or there is no reason or recipient.
    """
    for what, text in (("--to", proposal.to), ("--reason", proposal.reason)):
        if not text.strip():
            raise InvalidInput("a provision needs a recipient and a reason", hint=f"Give {what} TEXT.")
    if not proposal.recording_ids:
        raise InvalidInput("a provision needs recordings", hint="Name at least one ID.")
    strange = sorted(proposal.fields.keys() - rule.known)
    if strange:
        raise InvalidInput(
            f"the rulebook knows no field {', '.join(strange)}",
            hint=f"The basis {rule.basis} asks for {', '.join(rule.fields)}.",
        )
    given = {name: text.strip() for name, text in proposal.fields.items() if text.strip()}
    found = {**{name: text for name, text in filled.items() if name in rule.fields}, **given}
    found[RECIPIENT] = proposal.to.strip()
    missing = _missing(rule.fields, found)
    if missing:
        raise InvalidInput(
            f"the basis {rule.basis} needs {', '.join(missing)}",
            hint=f"Give {' '.join(f'--field {name}=TEXT' for name in missing)}.",
        )
    return found


def _missing(fields: Sequence[str], found: Mapping[str, str]) -> list[str]:
    return [name for name in fields if not found.get(name)]
