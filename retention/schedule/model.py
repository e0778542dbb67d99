"""The words of a retention schedule, and what it answers.

A schedule says which recordings are kept how long, from which trigger and on
what basis. It is read from text (`parse`) and never changed; a change is a new
schedule. Everything here is a value. It knows no recording and no clock.

Rules:
- A recording carries purposes of use. Each purpose selects at most one class,
  and expires on its own.
- A floor (statutory minimum) is a class under a purpose of its own that a
  recording gets whether or not its source names that purpose.
- A ceiling (must not exceed) never disposes of anything; it is checked when a
  policy is read, and reported when events or holds outlast it.
- Dates are local dates at the recording's site.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple

from retention.kernel.clock import local_date
from retention.kernel.errors import NotFound
from retention.schedule import calendar
from retention.schedule.calendar import Counting
from retention.schedule.period import MonthRule, Period

__all__ = [
    "ANY",
    "RECORDING_ENDED",
    "RECORDING_STARTED",
    "AcquisitionBasis",
    "Approval",
    "Assignment",
    "BusinessCalendar",
    "Ceiling",
    "Changes",
    "Classification",
    "Closure",
    "Controller",
    "DoNotRecord",
    "Facts",
    "Kind",
    "MonthRule",
    "Notice",
    "NoticeForm",
    "Period",
    "Purpose",
    "RetentionClass",
    "Schedule",
    "Selector",
    "Texts",
    "Weekday",
    "Words",
]

RECORDING_ENDED = "recording-ended"
RECORDING_STARTED = "recording-started"

Texts = Mapping[str, str]  #: language (ISO 639-1) → text


class Kind(StrEnum):
    """The kinds of recording, and what is kept as they are."""

    CALL = "call"
    FOOTAGE = "footage"
    CASE_FILE = "case-file"  #: the papers of a person's request


class Approval(StrEnum):
    """Whether a second person approves a disposal of this class."""

    ROUTINE = "routine"  #: approved with the schedule
    EACH_RUN = "each-run"  #: approved again for every run


class AcquisitionBasis(StrEnum):
    """How a purpose of use was made known, or what makes the recording lawful."""

    NOTIFIED = "notified"  #: told or published, APPI Art. 21(1)
    OBVIOUS = "obvious"  #: clear from the circumstances, APPI Art. 21(4)(iv)
    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal-obligation"
    LEGITIMATE_INTERESTS = "legitimate-interests"  #: GDPR Art. 6(1)(f)


class NoticeForm(StrEnum):
    """Where a notice is given."""

    SIGN = "sign"
    ANNOUNCEMENT = "announcement"
    PUBLISHED = "published"


class Weekday(StrEnum):
    """A day of the week."""

    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


class Facts(NamedTuple):
    """What the choice of a class may depend on."""

    kind: Kind
    site: str
    area: str  #: a word that the source carries; "" is none
    zone: str  #: IANA name of the site's time zone


@dataclass(frozen=True, slots=True)
class Words:
    """A set of words, or everything but a set of words."""

    words: frozenset[str]
    is_excluded: bool = False

    def match(self, word: str) -> bool:
        """Whether `word` is meant."""
        return (word in self.words) is not self.is_excluded

    def overlap(self, other: "Words") -> bool:
        """Whether any word at all is meant by both; there are more words than anybody lists."""
        if self.is_excluded and other.is_excluded:
            return True
        if self.is_excluded:
            return bool(other.words - self.words)
        if other.is_excluded:
            return bool(self.words - other.words)
        return bool(self.words & other.words)


ANY = Words(frozenset(), is_excluded=True)


@dataclass(frozen=True, slots=True)
class Selector:
    """Which recordings a rule is about: all three conditions hold."""

    kinds: frozenset[Kind] = frozenset(Kind)
    sites: Words = ANY
    areas: Words = ANY

    def match(self, facts: Facts) -> bool:
        """Whether a recording with these facts is meant."""
        return facts.kind in self.kinds and self.sites.match(facts.site) and self.areas.match(facts.area)

    def overlap(self, other: "Selector") -> bool:
        """Whether any recording at all can be meant by both."""
        return (
            bool(self.kinds & other.kinds)
            and self.sites.overlap(other.sites)
            and self.areas.overlap(other.areas)
        )


@dataclass(frozen=True, slots=True)
class RetentionClass:
    """How long one purpose keeps one sort of recording, and why."""

    name: str
    purpose: str
    selector: Selector
    period: Period
    trigger: str  #: "recording-ended", "recording-started", or an event such as "case-closed"
    count_first_day: bool
    month_rule: MonthRule
    approval: Approval
    law: Texts | None  #: of a floor: what asks for it
    basis: str
    source: str
    reviewed_on: date

    @property
    def is_floor(self) -> bool:
        """Whether a law wants it, whatever the source's purposes say."""
        return self.law is not None

    @property
    def has_open_trigger(self) -> bool:
        """Whether an event starts the count, so that until then nothing is due."""
        return self.trigger not in (RECORDING_ENDED, RECORDING_STARTED)

    @property
    def counting(self) -> Counting:
        """The period and how it is counted."""
        return Counting(self.period, self.month_rule, self.count_first_day)


@dataclass(frozen=True, slots=True)
class Ceiling:
    """How long some recordings may be kept at most, counted from their end."""

    name: str
    selector: Selector
    period: Period
    count_first_day: bool
    month_rule: MonthRule
    unless: frozenset[str]  #: a recording that carries one of these purposes is exempt
    basis: str
    source: str
    reviewed_on: date

    @property
    def counting(self) -> Counting:
        """The period and how it is counted."""
        return Counting(self.period, self.month_rule, self.count_first_day)


@dataclass(frozen=True, slots=True)
class Purpose:
    """A stated reason for which a recording may be used."""

    name: str
    kinds: frozenset[Kind]
    title: Texts
    description: Texts
    clause: Texts  #: where the published policy states it
    acquisition: AcquisitionBasis
    acquisition_reason: str
    notice: str  #: name of the notice that tells of it


@dataclass(frozen=True, slots=True)
class Notice:
    """What people are told, and where."""

    name: str
    form: NoticeForm
    version: str
    effective_on: date
    text: Texts
    states: Mapping[str, Period]  #: class → the period that the text names


@dataclass(frozen=True, slots=True)
class Controller:
    """Who is responsible, and how to reach them."""

    name: Texts
    zone: str
    manager: Texts
    phone: str
    email: str
    hours: Texts


@dataclass(frozen=True, slots=True)
class Closure:
    """Days of every year on which the office is closed; both ends are closed."""

    starts: tuple[int, int]  #: month, day
    ends: tuple[int, int]  #: month, day; may lie in the next year
    why: Texts


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """When the office answers. Retention periods do not look at it."""

    holidays: str  #: country code of the public holidays (ISO 3166-1)
    open_days: tuple[Weekday, ...]
    opens: time  #: local
    closes: time  #: local
    closures: tuple[Closure, ...]


@dataclass(frozen=True, slots=True)
class DoNotRecord:
    """Tags that say a person refused: what carries one is disposed of at once."""

    tags: frozenset[str]
    basis: str


@dataclass(frozen=True, slots=True)
class Changes:
    """How a change of the schedule takes effect."""

    cool_off: timedelta  #: between approval and application


@dataclass(frozen=True, slots=True, order=True)
class Assignment:
    """One purpose of a recording and the class that keeps it."""

    purpose: str
    class_name: str


@dataclass(frozen=True, slots=True)
class Classification:
    """The classes of a recording, and what could not be classified."""

    assigned: tuple[Assignment, ...]
    unclassified: tuple[str, ...]  #: purposes without a class for such a recording
    unknown: tuple[str, ...]  #: purposes that the schedule does not have


@dataclass(frozen=True, slots=True)
class Schedule:
    """An approved retention schedule."""

    name: str
    title: Texts
    jurisdiction: str  #: country code (ISO 3166-1)
    languages: tuple[str, ...]
    reviewed_on: date
    controller: Controller
    calendar: BusinessCalendar
    purposes: Mapping[str, Purpose]
    classes: Mapping[str, RetentionClass]  #: floors included
    ceilings: Mapping[str, Ceiling]
    notices: Mapping[str, Notice]
    forbidden_purposes: Mapping[str, str]  #: purpose → why
    do_not_record: DoNotRecord
    changes: Changes
    digest: str  #: hex SHA-256 of the policy's text (UTF-8)

    def class_named(self, name: str) -> RetentionClass:
        """The class called `name`.

        Raises:
            NotFound: The schedule has no such class.
        """
        try:
            return self.classes[name]
        except KeyError:
            raise NotFound(
                f"the schedule {self.name} has no class {name}", hint="See `retention schedule list`."
            ) from None

    def classify(self, facts: Facts, purposes: Iterable[str]) -> Classification:
        """Choose the class for each of `purposes`, and add the floors that apply."""
        wanted = set(purposes)
        assigned = {
            Assignment(rule.purpose, rule.name)
            for rule in self.classes.values()
            if (rule.is_floor or rule.purpose in wanted) and rule.selector.match(facts)
        }
        known = wanted & self.purposes.keys()
        return Classification(
            assigned=tuple(sorted(assigned)),
            unclassified=tuple(sorted(known - {assignment.purpose for assignment in assigned})),
            unknown=tuple(sorted(wanted - known)),
        )

    def trigger_on(
        self,
        class_name: str,
        *,
        started_at: datetime,
        ended_at: datetime,
        zone: str,
        events: Mapping[str, date] | None = None,
    ) -> date | None:
        """The local date from which the class counts; None while its event has not happened.

        A recording that ends at the stroke of midnight ends on the new day.

        Raises:
            NotFound: The schedule has no such class.
        """
        match self.class_named(class_name).trigger:
            case "recording-ended":
                return local_date(ended_at, zone)
            case "recording-started":
                return local_date(started_at, zone)
            case event:
                return (events or {}).get(event)

    def due_on(self, class_name: str, trigger_on: date) -> date:
        """The first local date on which the class allows disposal.

        Raises:
            NotFound: The schedule has no such class.
        """
        return calendar.due_on(trigger_on, self.class_named(class_name).counting)

    def cutoff(self, class_name: str, on: date) -> date:
        """The greatest trigger date whose due date is `on` or earlier.

        Raises:
            NotFound: The schedule has no such class.
        """
        return calendar.cutoff(on, self.class_named(class_name).counting)

    def ceilings_for(self, facts: Facts, purposes: Iterable[str] = ()) -> tuple[Ceiling, ...]:
        """The ceilings over a recording that carries `purposes`, by name."""
        carried = set(purposes)
        over = (c for c in self.ceilings.values() if c.selector.match(facts) and not c.unless & carried)
        return tuple(sorted(over, key=lambda ceiling: ceiling.name))
