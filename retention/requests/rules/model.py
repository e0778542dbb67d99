"""The words of a rulebook: what one law asks of whoever answers a person.

A rulebook (jurisdiction pack) is read from text (`parse`) and never changed.
Everything here is a value. It knows no case and no clock.

Rules:
- There are eight kinds of request, and every rulebook states all of them.
- Each kind has its own outcomes, and each pair of them a letter of its own.
- Nothing about content is said before identity is shown: the letters of
  `SILENT` cannot hold what was found.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from retention.schedule.model import MonthRule, Period, Texts, Weekday

__all__ = [
    "COMMON_LETTERS",
    "FIELDS",
    "FORBIDDEN_FIELDS",
    "LETTERS",
    "LIST_FIELDS",
    "OBLIGATORY_FIELDS",
    "OUTCOMES",
    "SILENT",
    "TEXT_FIELDS",
    "Basis",
    "BasisCode",
    "Clock",
    "ClosedDays",
    "Extension",
    "Form",
    "Frame",
    "Ground",
    "IdentityNeed",
    "Image",
    "Keep",
    "KeepFrom",
    "KindRule",
    "Letter",
    "Method",
    "MonthRule",
    "Outcome",
    "Period",
    "Proves",
    "RequestKind",
    "Requester",
    "Rulebook",
    "Texts",
    "letter_key",
]


class RequestKind(StrEnum):
    """What a person can ask for."""

    DISCLOSURE = "disclosure"
    PURPOSE_NOTIFICATION = "purpose-notification"
    CORRECTION = "correction"
    SUSPENSION = "suspension"
    ERASURE = "erasure"
    STOP_PROVISION = "stop-provision"
    PROVISION_RECORDS = "provision-records"
    COMPLAINT = "complaint"


class Outcome(StrEnum):
    """How a request can be decided. Withdrawal and failed identification are no decisions."""

    FULL = "full"
    PARTIAL = "partial"
    SUBSTITUTE = "substitute"  #: another measure that protects the person as well
    REFUSED = "refused"
    NOTHING_HELD = "nothing-held"
    ANSWERED = "answered"  #: a complaint is neither granted nor refused


_DECISIONS: Final = (Outcome.FULL, Outcome.PARTIAL, Outcome.REFUSED, Outcome.NOTHING_HELD)
_OR_SUBSTITUTE: Final = (
    Outcome.FULL,
    Outcome.PARTIAL,
    Outcome.SUBSTITUTE,
    Outcome.REFUSED,
    Outcome.NOTHING_HELD,
)

#: How each kind can be decided.
OUTCOMES: Final[Mapping[RequestKind, tuple[Outcome, ...]]] = {
    RequestKind.DISCLOSURE: _DECISIONS,
    RequestKind.PURPOSE_NOTIFICATION: (Outcome.FULL, Outcome.REFUSED, Outcome.NOTHING_HELD),
    RequestKind.CORRECTION: _DECISIONS,
    RequestKind.SUSPENSION: _DECISIONS,
    RequestKind.ERASURE: _OR_SUBSTITUTE,
    RequestKind.STOP_PROVISION: _OR_SUBSTITUTE,
    RequestKind.PROVISION_RECORDS: _DECISIONS,
    RequestKind.COMPLAINT: (Outcome.ANSWERED,),
}


def letter_key(kind: RequestKind, outcome: Outcome) -> str:
    """The name of the letter that tells a decision, such as `erasure.refused`."""
    return f"{kind}.{outcome}"


#: Letters that every kind can need.
COMMON_LETTERS: Final = ("receipt", "extension", "not-identified", "withdrawn")
#: Every letter that a rulebook must have, and no other.
LETTERS: Final[tuple[str, ...]] = (
    *COMMON_LETTERS,
    *(letter_key(kind, outcome) for kind, outcomes in OUTCOMES.items() for outcome in outcomes),
)
#: Letters to somebody who has not shown who they are, or who takes the request back.
SILENT: Final = frozenset({"not-identified", "withdrawn"})

#: What a letter can hold, written as `{field}`; dates are written out in the letter's language.
TEXT_FIELDS: Final = frozenset(
    {
        "name",
        "receipt_no",
        "received_on",
        "answered_on",
        "due_on",
        "kind",
        "article",
        "law",
        "controller",
        "manager",
        "contact",
        "until",
    }
)
#: Lists: each stands alone in a paragraph and is printed one item a line.
LIST_FIELDS: Final = frozenset({"items", "reasons", "measures", "attachments"})
FIELDS: Final = TEXT_FIELDS | LIST_FIELDS

_OF_AN_OUTCOME: Final[Mapping[Outcome, frozenset[str]]] = {
    Outcome.FULL: frozenset({"article"}),
    Outcome.PARTIAL: frozenset({"article", "items", "reasons"}),
    Outcome.SUBSTITUTE: frozenset({"article", "measures", "reasons"}),
    Outcome.REFUSED: frozenset({"article", "reasons"}),
    Outcome.NOTHING_HELD: frozenset({"article", "items"}),  # what was searched
    Outcome.ANSWERED: frozenset({"measures"}),
}
#: Letter → what it must say, whatever its words.
OBLIGATORY_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    key: frozenset({"receipt_no"}) | fields
    for key, fields in {
        "receipt": frozenset({"kind", "received_on", "due_on"}),
        "extension": frozenset({"due_on", "until", "reasons"}),
        "not-identified": frozenset[str](),
        "withdrawn": frozenset[str](),
        **{
            letter_key(kind, outcome): _OF_AN_OUTCOME[outcome]
            for kind, outcomes in OUTCOMES.items()
            for outcome in outcomes
        },
    }.items()
}
#: Letter → what it must not say.
FORBIDDEN_FIELDS: Final[Mapping[str, frozenset[str]]] = dict.fromkeys(sorted(SILENT), LIST_FIELDS)


class ClosedDays(StrEnum):
    """What happens when the last day is one on which nobody answers."""

    BEFORE = "before"  #: the answer goes out on the last open day before
    AFTER = "after"  #: the law moves the end to its next working day
    STAY = "stay"  #: nothing moves


class IdentityNeed(StrEnum):
    """Whether a kind of request needs proof of who asks."""

    REQUIRED = "required"
    ASKED = "asked"  #: asked for where the answer would say something about a person


class Requester(StrEnum):
    """Who asks."""

    SUBJECT = "subject"
    AGENT = "agent"


class Proves(StrEnum):
    """What a method of identification shows."""

    IDENTITY = "identity"
    AUTHORITY = "authority"  #: that an agent may act for the person


class Image(StrEnum):
    """Which picture of a document is kept as evidence."""

    NONE = "none"
    FRONT = "front"
    WHOLE = "whole"


class BasisCode(StrEnum):
    """Why personal data may be given to somebody else."""

    CONSENT = "consent"
    LAW = "law"
    LIFE_BODY_PROPERTY = "life-body-property"
    PUBLIC_HEALTH_OR_CHILDREN = "public-health-or-children"
    STATE_BODIES = "state-bodies"
    ENTRUSTMENT = "entrustment"


class KeepFrom(StrEnum):
    """The event from which the provision ledger keeps an entry."""

    PROVIDED = "provided"  #: this provision
    LAST_PROVIDED = "last-provided"  #: the last provision that the same record covers


class Form(StrEnum):
    """How a letter's sheet is laid out."""

    JAPANESE = "japanese"
    EUROPEAN = "european"


@dataclass(frozen=True, slots=True)
class Clock:
    """How days and months are counted, and what happens at a closed end."""

    months: MonthRule
    count_first_day: bool
    closed_days: ClosedDays
    rest_days: frozenset[
        Weekday
    ]  #: days that the law itself does not count as working days, with public holidays
    arrival: str  #: when a request counts as received, and the law that says so
    basis: str


@dataclass(frozen=True, slots=True)
class Extension:
    """How much longer an answer may take, for reasons that the requester is told within the first period."""

    by: Period
    basis: str


@dataclass(frozen=True, slots=True)
class KindRule:
    """What the law says about one kind of request."""

    kind: RequestKind
    title: Texts
    article: Texts
    answer_within: Period
    extension: Extension | None
    identity: IdentityNeed
    basis: str


@dataclass(frozen=True, slots=True)
class Method:
    """One way of showing who somebody is, or that they may act for somebody."""

    code: str
    title: Texts
    proves: Proves
    of: frozenset[Requester]
    points: int  #: towards `Rulebook.points_needed`; 0 where it proves authority
    image: Image
    care: Texts  #: what not to take or keep; empty where there is nothing
    basis: str


@dataclass(frozen=True, slots=True)
class Ground:
    """A reason for which a request may be refused, in whole or part, or met in another way."""

    code: str
    title: Texts
    article: Texts
    kinds: frozenset[RequestKind]
    outcomes: frozenset[Outcome]
    sentence: Texts  #: goes into the letter's {reasons}
    keeps_statement: bool = False  #: the letter says that what the person states is kept beside the record


@dataclass(frozen=True, slots=True)
class Keep:
    """How long the provision ledger keeps an entry."""

    name: str
    period: Period
    from_: KeepFrom
    when: Texts
    basis: str


@dataclass(frozen=True, slots=True)
class Basis:
    """Why personal data may be given to somebody else, and what must be written down."""

    code: BasisCode
    title: Texts
    article: Texts
    fields: tuple[str, ...]  #: of `Rulebook.provision_fields`; none may be left empty
    is_third_party: bool  #: whether the law calls the recipient a third party
    needs_two_people: bool
    keeps: tuple[str, ...]  #: of `Rulebook.keeps`; the first where no other is meant
    basis: str


@dataclass(frozen=True, slots=True)
class Letter:
    """The words of one letter."""

    key: str
    subject: Texts
    paragraphs: Mapping[str, tuple[str, ...]]  #: language → templates; closing passages included


@dataclass(frozen=True, slots=True)
class Frame:
    """The words around every letter. A language may lack a greeting, regards, or a signature."""

    form: Mapping[str, Form]  #: by language
    number: Texts
    addressee: Texts
    page: Texts
    contact: Texts  #: heading of the contact block
    greeting: Texts
    regards: Texts


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What one law asks of whoever answers a person."""

    name: str
    title: Texts
    law: Texts
    countries: tuple[str, ...]  #: ISO 3166-1
    languages: tuple[str, ...]  #: ISO 639-1; the first is the law's own
    reviewed_on: date
    clock: Clock
    kinds: Mapping[RequestKind, KindRule]
    points_needed: int  #: for identity; see `identity.assess`
    identity_basis: str
    methods: Mapping[str, Method]
    grounds: Mapping[str, Ground]
    provision_fields: Mapping[str, Texts]
    bases: Mapping[BasisCode, Basis]
    keeps: Mapping[str, Keep]
    letters: Mapping[str, Letter]
    frame: Frame
    digest: str  #: hex SHA-256 of the text (UTF-8)

    def grounds_for(self, kind: RequestKind, outcome: Outcome) -> tuple[Ground, ...]:
        """The grounds on which such a request may be decided so, in the order of the text."""
        return tuple(
            each for each in self.grounds.values() if kind in each.kinds and outcome in each.outcomes
        )
