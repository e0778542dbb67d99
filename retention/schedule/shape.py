"""The form of a policy file, as pydantic models.

One loader for people and machines: `parse` reads through these models, and the
JSON Schema that editors use is generated from them. They say which keys there
are and what each may hold; what must hold between the parts is in `rules`.

Every value arrives as text (see `document`), and is refused rather than bent.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    StrictBool,
    Tag,
    ValidationInfo,
)
from pydantic import GetCoreSchemaHandler as Handler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from retention.kernel.errors import InvalidInput
from retention.schedule.calendar import zone_names
from retention.schedule.fit import said
from retention.schedule.model import AcquisitionBasis, Approval, Kind, MonthRule, NoticeForm, Period, Weekday


@dataclass(frozen=True, slots=True)
class Written:
    """Makes a type that is written as text of one form."""

    what: str  #: names the form, after "is not"
    remedy: str
    pattern: str  #: of the whole text; understood alike by Python and JSON Schema
    read: Callable[[str], Any] = str  #: text → value; may raise InvalidInput or ValueError
    most: int = 64  #: characters

    def value_of(self, text: Any) -> Any:
        """The value that `text` states."""
        wrong = said(
            f"{'nothing' if text is None else f'`{str(text)[:64]}`'} is not {self.what}", self.remedy
        )
        if not isinstance(text, str) or len(text) > self.most:
            raise wrong
        try:
            value = self.read(text)
        except InvalidInput as error:
            raise said(error.message, error.hint.rstrip(".")) from None
        except ValueError:
            raise wrong from None
        if re.fullmatch(self.pattern, text, re.ASCII) is None:
            raise wrong
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: Handler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.value_of)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "pattern": f"^(?:{self.pattern})$", "maxLength": self.most}


def _zone(text: str) -> str:
    if text not in zone_names():
        raise ValueError(text)
    return text


def _month_day(text: str) -> tuple[int, int]:
    day = date.fromisoformat(f"2000-{text}")  # a leap year: 02-29 is a day of some years
    return day.month, day.day


def _hours(text: str) -> timedelta:
    return timedelta(hours=int(text.removeprefix("PT").removesuffix("H")))


Name = Annotated[
    str,
    Written(
        "a name",
        "Use small letters a-z, digits, and single dots or hyphens between them, 64 characters at most",
        r"[a-z0-9]+([.-][a-z0-9]+)*",
    ),
]
Word = Annotated[str, Written("a word", "Write one line of 64 characters at most", r"[^\r\n]*")]
Prose = Annotated[
    str, Written("text", "Write some words, 4,000 characters at most", r"\s*\S[\s\S]*", str.strip, 4000)
]
Day = Annotated[
    date,
    Written("a date", "Write year-month-day, such as 2026-04-01", r"\d{4}-\d{2}-\d{2}", date.fromisoformat),
]
MonthDay = Annotated[
    tuple[int, int],
    Written("a day of the year", "Write month-day, such as 12-29", r"\d{2}-\d{2}", _month_day),
]
TimeOfDay = Annotated[
    time,
    Written("a time of day", "Write hours and minutes, such as 10:00", r"\d{2}:\d{2}", time.fromisoformat),
]
Hours = Annotated[
    timedelta, Written("a number of hours", "Write PT72H for seventy-two hours", r"PT[1-9]\d{0,3}H", _hours)
]
CalendarPeriod = Annotated[
    Period,
    Written(
        "a calendar period",
        "Write years and months (P1Y6M), or weeks (P2W), or days (P30D)",
        r"P([1-9]\d*Y([1-9]\d*M)?|[1-9]\d*[MWD])",
        Period.parse,
    ),
]
Zone = Annotated[
    str,
    Written(
        "a time zone", "Write an IANA name such as Asia/Tokyo or Europe/Berlin", r"[A-Za-z0-9_+/-]+", _zone
    ),
]
Country = Annotated[str, Written("a country code", "Write two capital letters, such as JP", r"[A-Z]{2}")]
Language = Annotated[str, Written("a language code", "Write two small letters, such as ja", r"[a-z]{2}")]
Trigger = Annotated[
    str,
    Written(
        "a trigger",
        "Write recording-ended, recording-started, or an event of your own such as case-closed",
        r"recording-(ended|started)|(?!recording)[a-z0-9]+(-[a-z0-9]+)*",
    ),
]
Phone = Annotated[
    str, Written("a telephone number", "Write digits, such as +81 3 0000 0000", r"[+]?[0-9][0-9 ()-]{4,}")
]
EMail = Annotated[
    str, Written("an e-mail address", "Write name@example.com", r"[^@\s]+@[^@\s]+\.[^@\s]+", str, 254)
]


def _in_every_language(texts: dict[str, str], info: ValidationInfo) -> dict[str, str]:
    """Refuse what is not written in exactly the languages that the validation's context names."""
    if info.context and set(texts) != set(info.context):
        written, wanted = ", ".join(sorted(texts)), ", ".join(sorted(info.context))
        raise said(
            f"the text is in {written}, but the policy is in {wanted}", "Write it once in each language"
        )
    return texts


TextsShape = Annotated[dict[Language, Prose], Field(min_length=1), AfterValidator(_in_every_language)]


class FileShape(BaseModel):
    """A mapping in a file: no key but those named here."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Excluded(FileShape):
    """Everything but these words."""

    not_: Annotated[list[Word], Field(min_length=1, alias="not")]


def _set_form(value: Any) -> str | None:
    match value:
        case list():
            return "these"
        case dict() | Excluded():
            return "all-but"
        case _:
            return None


WordSet = Annotated[
    Annotated[list[Word], Field(min_length=1), Tag("these")] | Annotated[Excluded, Tag("all-but")],
    Discriminator(_set_form),
]


class SelectorShape(FileShape):
    """Which recordings a rule is about. What is left out does not matter."""

    kind: Kind | None = None
    site: WordSet | None = None
    area: Annotated[
        WordSet | None, Field(description='The area word of a source; "" is a source without one.')
    ] = None


class ControllerShape(FileShape):
    """Who is responsible, and how to reach them."""

    name: TextsShape
    zone: Zone
    manager: TextsShape
    phone: Phone
    email: EMail
    hours: TextsShape


class ClosureShape(FileShape):
    """Days of every year on which the office is closed, both ends included."""

    from_: Annotated[MonthDay, Field(alias="from")]
    to: MonthDay
    why: TextsShape


class CalendarShape(FileShape):
    """When the office answers. Retention periods do not look at it."""

    holidays: Country
    open_days: Annotated[list[Weekday], Field(min_length=1)]
    opens: TimeOfDay
    closes: TimeOfDay
    closed: list[ClosureShape] = []


class CountingShape(FileShape):
    """How periods are counted, unless a rule says otherwise."""

    months: MonthRule
    count_first_day: StrictBool
    basis: Prose


class NoticeShape(FileShape):
    """What people are told, and where."""

    form: NoticeForm
    version: Word
    effective_on: Day
    text: TextsShape
    states: dict[Name, CalendarPeriod] = Field({}, description="Class → the period that the text names.")


class AcquisitionShape(FileShape):
    """How the purpose was made known, or what makes the recording lawful."""

    basis: AcquisitionBasis
    reason: Prose


class PurposeShape(FileShape):
    """A stated reason for which a recording may be used."""

    kinds: Annotated[list[Kind], Field(min_length=1)]
    title: TextsShape
    description: TextsShape
    clause: TextsShape
    acquisition: AcquisitionShape
    notice: Name


class _RuleShape(FileShape):
    applies_to: SelectorShape = SelectorShape()
    keep: CalendarPeriod
    count_first_day: StrictBool | None = Field(None, description="Overrides counting.count_first_day.")
    basis: Prose
    source: Prose
    reviewed_on: Day


class ClassShape(_RuleShape):
    """How long one purpose keeps one sort of recording, and why."""

    purpose: Name
    from_: Annotated[Trigger, Field(alias="from")]
    approval: Approval


class FloorShape(ClassShape):
    """How long a law wants some recordings to be kept at least."""

    law: Annotated[TextsShape, Field(description="What asks for it, as the public notice names it.")]


class CeilingShape(_RuleShape):
    """How long some recordings may be kept at most, counted from their end."""

    unless: list[Name] = Field([], description="A recording that carries one of these purposes is exempt.")


class DoNotRecordShape(FileShape):
    """Tags that say a person refused: what carries one is disposed of at once."""

    tags: Annotated[list[Word], Field(min_length=1)]
    basis: Prose


class ChangesShape(FileShape):
    """How a change of the schedule takes effect."""

    cool_off: Hours


class PolicyShape(FileShape):
    """A retention policy: one YAML file that people approve and Retention carries out."""

    model_config = ConfigDict(title="Retention policy")

    policy: Name
    title: TextsShape
    jurisdiction: Country
    languages: Annotated[list[Language], Field(min_length=1)]
    reviewed_on: Day
    controller: ControllerShape
    calendar: CalendarShape
    counting: CountingShape
    notices: dict[Name, NoticeShape]
    purposes: Annotated[dict[Name, PurposeShape], Field(min_length=1)]
    forbidden_purposes: dict[Name, Prose] = {}
    classes: Annotated[dict[Name, ClassShape], Field(min_length=1)]
    floors: dict[Name, FloorShape] = {}
    ceilings: dict[Name, CeilingShape] = {}
    do_not_record: DoNotRecordShape
    changes: ChangesShape
