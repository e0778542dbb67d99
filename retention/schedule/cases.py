"""Examples that stand beside a policy, and whether they come out right.

A case states a recording, an instant, and what the policy must say about it.
It is read by the people who approve the policy, run as a test, and run by
`retention policy try`. Pure: text and a Schedule in, results out.

Times in a case are local to its zone (the controller's, if it names none); one
may end in Z or an offset instead. A date alone is the first instant of it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, RootModel, model_validator

from retention.kernel.clock import local_date
from retention.schedule.calendar import due_at
from retention.schedule.document import Finding, PolicyError, read
from retention.schedule.evaluate import Decision, Membership, Outcome, evaluate
from retention.schedule.fit import did_you_mean, fit, said
from retention.schedule.model import Classification, Facts, Kind, Schedule
from retention.schedule.shape import Day, FileShape, Name, Prose, Trigger, Word, Written, Zone

Told = str | tuple[str, ...]  #: one thing that a case expects, or that came out

_MOMENT = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{6})?)?(Z|[+-]\d{2}:\d{2})?"
Moment = Annotated[
    datetime,
    Written("a local time", "Write 2026-03-01T18:30", _MOMENT, datetime.fromisoformat),
]


def _date_or_moment(text: str) -> date | datetime:
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


DateOrMoment = Annotated[
    date | datetime,
    Written(
        "a date or local time",
        "Write 2026-03-01, or 2026-03-01T18:30",
        rf"\d{{4}}-\d{{2}}-\d{{2}}|{_MOMENT}",
        _date_or_moment,
    ),
]


class Given(FileShape):
    """The recording that a case is about."""

    kind: Kind
    purposes: Annotated[list[Name], Field(min_length=1)]
    ended: Moment
    started: Moment | None = None
    site: Word = ""
    area: Word = ""
    zone: Zone | None = None
    events: Annotated[dict[Trigger, Day], Field(default_factory=dict)]
    holds: Annotated[list[Word], Field(default_factory=list)]

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        started, ended = self.started or self.ended, self.ended
        if (started.tzinfo is None) is (ended.tzinfo is None) and started > ended:
            raise said("the recording starts after it has ended", "Exchange started and ended")
        return self


class Expected(FileShape):
    """What must come out. What is left out does not matter."""

    outcome: Outcome
    due_on: Day | Literal["open"] | None = None
    classes: list[Name] | None = None
    expired: list[Name] | None = None
    conflicts: list[Name] | None = None
    unclassified: list[Name] | None = None
    unknown: list[Name] | None = None


class CaseShape(FileShape):
    """One case."""

    case: Prose
    given: Given
    at: DateOrMoment
    expect: Expected


class _CasesShape(RootModel[Annotated[list[CaseShape], Field(min_length=1)]]):
    """A file of cases."""


@dataclass(frozen=True, slots=True)
class Case:
    """An example of what a policy must say."""

    name: str
    file: str
    line: int  #: from 1
    stated: CaseShape


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How one case came out."""

    name: str
    file: str
    line: int  #: from 1
    expected: Mapping[str, Told]
    actual: Mapping[str, Told]  #: the same keys
    reasons: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether everything that the case expects came out."""
        return self.expected == self.actual


def parse_cases(text: str, file: str) -> tuple[Case, ...]:
    """The cases that a text states.

    Raises:
        PolicyError: The text cannot be used; all findings at once.
    """
    document = read(text, file)
    shaped, findings = fit(_CasesShape, document)
    if shaped is None or findings:
        raise PolicyError(findings)
    return tuple(
        Case(stated.case, file, document.lines[position,], stated)
        for position, stated in enumerate(shaped.root)
    )


def run_cases(schedule: Schedule, cases: Iterable[Case]) -> tuple[CaseResult, ...]:
    """What the schedule says about each case, in the order given.

    Raises:
        PolicyError: A case speaks of events that the schedule does not know; all findings at once.
    """
    cases = tuple(cases)
    findings = [finding for case in cases for finding in _strange_events(schedule, case)]
    if findings:
        raise PolicyError(findings)
    return tuple(_run(schedule, case) for case in cases)


def _strange_events(schedule: Schedule, case: Case) -> Iterator[Finding]:
    """Events that start no class: left alone, a typing error would look like an open case."""
    known = {rule.trigger for rule in schedule.classes.values() if rule.has_open_trigger}
    for event in case.stated.given.events.keys() - known:
        remedy = did_you_mean(event, known, "Remove it")
        yield Finding(case.file, case.line, f"no class counts from the event `{event}`", remedy)


def _run(schedule: Schedule, case: Case) -> CaseResult:
    given = case.stated.given
    zone = given.zone or schedule.controller.zone
    facts = Facts(given.kind, given.site, given.area, zone)
    ended_at = _aware(given.ended, zone)
    classification = schedule.classify(facts, given.purposes)
    decision = evaluate(
        schedule,
        [
            Membership(
                each.purpose,
                each.class_name,
                zone,
                schedule.trigger_on(
                    each.class_name,
                    started_at=_aware(given.started or given.ended, zone),
                    ended_at=ended_at,
                    zone=zone,
                    events=given.events,
                ),
            )
            for each in classification.assigned
        ],
        tuple(given.holds),
        now=_instant(case.stated.at, zone),
        ended_on=local_date(ended_at, zone),
        facts=facts,
    )
    told = _told(decision, classification)
    expected = {key: _plain(value) for key, value in case.stated.expect if value is not None}
    return CaseResult(
        case.name, case.file, case.line, expected, {key: told[key] for key in expected}, decision.reasons
    )


def _told(decision: Decision, classification: Classification) -> dict[str, Told]:
    return {
        "outcome": decision.outcome.value,
        "due_on": str(decision.due_on or "open"),
        "classes": _plain([each.class_name for each in decision.purposes]),
        "expired": _plain([each.purpose for each in decision.purposes if each.expired]),
        "conflicts": _plain(list(decision.ceilings_passed)),
        "unclassified": classification.unclassified,
        "unknown": classification.unknown,
    }


def _plain(value: Any) -> Told:
    return tuple(sorted(value)) if isinstance(value, list) else str(value)


def _aware(moment: datetime, zone: str) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))


def _instant(at: date | datetime, zone: str) -> datetime:
    return _aware(at, zone) if isinstance(at, datetime) else due_at(at, zone)
