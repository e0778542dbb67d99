"""The form of a rulebook file, as pydantic models.

One loader for people and machines, as for policies: `parse` reads through
these models, and the JSON Schema that editors use is generated from them. What
must hold between the parts is in `checks`.
"""

from typing import Annotated

from pydantic import ConfigDict, Field, StrictBool

from retention.requests.rules.model import (
    BasisCode,
    ClosedDays,
    Form,
    IdentityNeed,
    Image,
    KeepFrom,
    Outcome,
    Proves,
    Requester,
    RequestKind,
)
from retention.schedule.model import MonthRule, Weekday
from retention.schedule.shape import (
    CalendarPeriod,
    CalendarShape,
    Country,
    Day,
    FileShape,
    Language,
    Name,
    Prose,
    TextsShape,
    Written,
)

Points = Annotated[
    int, Written("a number of points", "Write a whole number from 1 to 9", r"[1-9]", int, most=1)
]
FieldName = Annotated[
    str,
    Written("a field", "Use small letters a-z and underscores, 64 characters at most", r"[a-z]+(_[a-z]+)*"),
]
#: Words that a language may do without.
SomeTexts = Annotated[dict[Language, Prose], Field(default_factory=dict)]


class ClockShape(FileShape):
    """How days and months are counted, and what happens at a closed end."""

    months: MonthRule
    count_first_day: StrictBool
    closed_days: ClosedDays
    rest_days: Annotated[
        list[Weekday],
        Field(description="Weekdays that the law does not count as working days; public holidays are never."),
    ]
    arrival: Prose
    basis: Prose


class ExtensionShape(FileShape):
    """How much longer an answer may take, for reasons that the requester is told within the first period."""

    by: CalendarPeriod
    basis: Prose


class KindShape(FileShape):
    """What the law says about one kind of request."""

    title: TextsShape
    article: TextsShape
    answer_within: CalendarPeriod
    extension: ExtensionShape | None = None
    identity: IdentityNeed
    basis: Prose


class MethodShape(FileShape):
    """One way of showing who somebody is, or that they may act for somebody."""

    title: TextsShape
    proves: Proves
    of: Annotated[list[Requester], Field(min_length=1)]
    points: Points | None = None
    image: Image
    care: TextsShape | None = None
    basis: Prose


class IdentityShape(FileShape):
    """How people show who they are."""

    points: Annotated[Points, Field(description="What the methods used must reach together.")]
    basis: Prose
    methods: Annotated[dict[Name, MethodShape], Field(min_length=1)]


class GroundShape(FileShape):
    """A reason for which a request may be refused, in whole or part, or met in another way."""

    title: TextsShape
    article: TextsShape
    kinds: Annotated[list[RequestKind], Field(min_length=1)]
    outcomes: Annotated[list[Outcome], Field(min_length=1)]
    sentence: TextsShape
    keeps_statement: StrictBool = False


class BasisShape(FileShape):
    """Why personal data may be given to somebody else, and what must be written down."""

    title: TextsShape
    article: TextsShape
    fields: Annotated[list[FieldName], Field(min_length=1)]
    third_party: StrictBool
    two_people: StrictBool
    keep: Annotated[list[Name], Field(min_length=1)]
    basis: Prose


class KeepShape(FileShape):
    """How long the provision ledger keeps an entry."""

    period: CalendarPeriod
    from_: Annotated[KeepFrom, Field(alias="from")]
    when: TextsShape
    basis: Prose


class ProvisionShape(FileShape):
    """Giving to somebody else."""

    fields: Annotated[dict[FieldName, TextsShape], Field(min_length=1)]
    keep: Annotated[dict[Name, KeepShape], Field(min_length=1)]
    bases: dict[BasisCode, BasisShape]


class FrameShape(FileShape):
    """The words around every letter."""

    form: dict[Language, Form]
    number: TextsShape
    addressee: TextsShape
    page: TextsShape
    contact: TextsShape
    greeting: SomeTexts
    regards: SomeTexts


class LetterShape(FileShape):
    """The words of one letter. A blank line divides paragraphs."""

    subject: TextsShape
    body: TextsShape
    closing: list[Name] = Field([], description="Passages that follow the body.")


class RulebookShape(FileShape):
    """A rulebook: what one law asks of whoever answers a person."""

    model_config = ConfigDict(title="Rulebook")

    rulebook: Name
    title: TextsShape
    law: TextsShape
    countries: Annotated[list[Country], Field(min_length=1)]
    languages: Annotated[list[Language], Field(min_length=1)]
    reviewed_on: Day
    clock: ClockShape
    kinds: dict[RequestKind, KindShape]
    identity: IdentityShape
    grounds: Annotated[dict[Name, GroundShape], Field(min_length=1)]
    provision: ProvisionShape
    frame: FrameShape
    passages: dict[Name, TextsShape]
    letters: dict[Name, LetterShape]


class CaseShape(FileShape):
    """When a request was received, and when it must be answered."""

    case: Prose
    kind: RequestKind
    received: Day
    answer_by: Day
    tell_by: Day | None = None
    extended_by: Day | None = None


class CasesShape(FileShape):
    """Cases, and the office that has to answer in them."""

    office: CalendarShape
    cases: Annotated[list[CaseShape], Field(min_length=1)]
