"""Examples that stand beside a rulebook: received when, to be answered by when.

Read by the people who approve the rulebook, and run as tests. Pure: text and
a Rulebook in, results out. A file of cases names the office that has to
answer, in the form of a policy's `calendar`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from retention.requests.rules import clock, shape
from retention.requests.rules.clock import Office
from retention.requests.rules.model import Rulebook
from retention.requests.rules.parse import RulebookError, document_of
from retention.schedule.fit import fit
from retention.schedule.model import BusinessCalendar, Closure
from retention.schedule.shape import CalendarShape


@dataclass(frozen=True, slots=True)
class Case:
    """An example of when an answer is in time."""

    name: str
    file: str
    line: int  #: from 1
    office: Office
    stated: shape.CaseShape


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How one case came out."""

    case: Case
    expected: Mapping[str, date]
    actual: Mapping[str, date]  #: the same keys

    @property
    def passed(self) -> bool:
        """Whether everything that the case expects came out."""
        return self.expected == self.actual


def parse_cases(text: str, file: str) -> tuple[Case, ...]:
    """The cases that a text states.

    Raises:
        RulebookError: The text cannot be used; all findings at once.
    """
    document = document_of(text, file)
    shaped, findings = fit(shape.CasesShape, document)
    if shaped is None or findings:
        raise RulebookError(findings)
    office = Office(_calendar(shaped.office))
    return tuple(
        Case(stated.case, file, document.lines["cases", position], office, stated)
        for position, stated in enumerate(shaped.cases)
    )


def _calendar(stated: CalendarShape) -> BusinessCalendar:
    return BusinessCalendar(
        holidays=stated.holidays,
        open_days=tuple(stated.open_days),
        opens=stated.opens,
        closes=stated.closes,
        closures=tuple(Closure(each.from_, each.to, each.why) for each in stated.closed),
    )


_ASKED = {"answer_by": clock.answer_by, "tell_by": clock.tell_by, "extended_by": clock.extended_by}


def run_case(rulebook: Rulebook, case: Case) -> CaseResult:
    """What the rulebook says about a case.

    Raises:
        InvalidInput: The case expects an extension where there is none.
    """
    rule = rulebook.kinds[case.stated.kind]
    expected = {name: day for name in _ASKED if (day := getattr(case.stated, name)) is not None}
    actual = {
        name: _ASKED[name](rule, rulebook.clock, case.office, case.stated.received) for name in expected
    }
    return CaseResult(case, expected, actual)
