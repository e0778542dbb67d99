"""What a provision is, and what must be true before anything is handed over. Pure.

A provision gives recordings to somebody who is not the person in them. It has a
basis in law, the fields that the law wants written down, and a second person's
approval where the rulebook asks for one. Which bases there are, and what each
needs, comes from the rulebook (`requests.provisions`); nothing here knows a law.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from retention.kernel.errors import IllegalTransition, InvalidInput
from retention.schedule.model import Kind

ENTRUSTMENT = "entrustment"  #: the basis that goes by the register of entrustees
RECIPIENT, ITEMS = "recipient", "items"  #: fields that the proposal itself fills
#: Containers of sound in which every sample lies by itself, as inspection calls them, → whether they have a header.
UNCOMPRESSED = {"wav": True, "mulaw": False, "alaw": False, "s16le": False}
_UNKNOWN = "unknown"  #: inspection's word for a track that nothing here can decode


Progress = Callable[[int, int], None]  #: what is done and what there is to do, in any one unit


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


class Form(StrEnum):
    """What a part of a recording comes out as."""

    RAW = "raw"
    SAMPLES = "wav-samples"
    DECODED = "wav-decoded"
    MP4 = "mp4"

    @property
    def suffix(self) -> str:
        """Of a file's name."""
        return _FORMS[self][0]

    @property
    def words(self) -> str:
        """For a person who has to agree to it."""
        return _FORMS[self][1]


_FORMS = {
    Form.RAW: ("", "no header, the same samples"),
    Form.SAMPLES: (".wav", "WAV, the same samples"),
    Form.DECODED: (".wav", "WAV, the samples that it decodes to"),
    Form.MP4: (".mp4", "MP4, re-encoded at its edges or as a whole"),
}


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a recording, in microseconds from its beginning; the end is exclusive."""

    from_us: int
    until_us: int
    form: Form

    def __str__(self) -> str:
        """As the record says it, in seconds."""
        return f"{self.from_us / 1e6:.3f} s to {self.until_us / 1e6:.3f} s, as {self.form.words}"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part that was cut out, and checked against its recording."""

    chunks: Iterator[bytes]
    how: Mapping[str, Any]  #: what was done, as JSON values: counts, and what a person should know


class Cutter(Protocol):
    """Cuts a part out of a recording, exactly."""

    def cut(
        self, chunks: Iterable[bytes], facts: Mapping[str, Any], part: Excerpt, progress: Progress
    ) -> Piece:
        """The part, as a file of its own that holds nothing outside the interval.

        All of `chunks` is read before anything is cut, and an error it raises comes through.
        `facts` are what inspection found when the recording came in.
        Unreadable or UnsupportedCodec if it cannot be cut exactly. InvalidInput if nothing of it lies in the part.
        NotReleased if what was cut is not the part.
        """


def excerpt_of(
    recording_id: str,
    kind: Kind,
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
    why_not = _why_not(kind, facts)
    if why_not:
        raise InvalidInput(
            f"recording {recording_id} cannot be cut exactly: {why_not}",
            hint="Provide it whole, or a redacted copy of the part.",
        )
    return Excerpt(_us(start - started_at), _us(end - started_at), _form(kind, facts))


def _why_not(kind: Kind, facts: Mapping[str, Any]) -> str:
    """Why a recording cannot be cut; "" where it can, as far as inspection saw."""
    tracks = [each for each in facts.get("streams", ()) if each.get("type") in {"audio", "video"}]
    sounds = [each for each in tracks if each["type"] == "audio"]
    if any(each.get("codec", _UNKNOWN) == _UNKNOWN for each in tracks):
        return "nothing here can decode one of its tracks"
    if kind == Kind.FOOTAGE:
        return "" if len(tracks) > len(sounds) else "no picture was found in it"
    return "" if len(sounds) == 1 else f"{len(sounds)} sound tracks were found in it, and a WAV takes one"


def _form(kind: Kind, facts: Mapping[str, Any]) -> Form:
    if kind == Kind.FOOTAGE:
        return Form.MP4
    tracks, container = facts.get("streams", ()), facts.get("container", "")
    is_plain = all(
        each.get("type") == "audio" and str(each.get("codec", "")).startswith("pcm_") for each in tracks
    )
    if container not in UNCOMPRESSED or not is_plain:
        return Form.DECODED
    return Form.SAMPLES if UNCOMPRESSED[container] else Form.RAW


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
