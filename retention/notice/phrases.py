"""Periods, places, dates and lists, as people say them in one language. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from babel import Locale

from retention.kernel.errors import InvalidInput
from retention.notice.words import NoticeWords, Plural, Unit
from retention.requests.rules.letters import filled, written_date
from retention.requests.rules.model import Rulebook
from retention.schedule.model import (
    ANY,
    RECORDING_ENDED,
    Kind,
    Period,
    RetentionClass,
    Schedule,
    Texts,
    Words,
)

#: The papers of a request are recordings to the schedule, and to nobody else.
PAPER_MADE: Final = "paper-made"


def unfolded(text: str) -> str:
    """The text without the spaces that YAML's folded lines leave after a full-width stop or comma."""
    return re.sub(r"(?<=[。、]) ", "", text)


@dataclass(frozen=True, slots=True)
class Phrases:
    """Says things in `language`."""

    language: str
    words: NoticeWords

    def label(self, name: str, **values: str) -> str:
        """A label with its fields filled in."""
        return filled(self.words.labels[name][self.language], values)

    def listed(self, parts: Iterable[str]) -> str:
        """The parts, one after the other."""
        return self.label("list").join(parts)

    def date(self, day: date) -> str:
        """2026年11月2日, 2 November 2026."""
        return written_date(day, self.language)

    def period(self, period: Period) -> str:
        """30日間, 30 days."""
        stated = (
            (Unit.YEAR, period.years),
            (Unit.MONTH, period.months),
            (Unit.WEEK, period.weeks),
            (Unit.DAY, period.days),
        )
        parts = [self._amount(unit, number) for unit, number in stated if number]
        joined = self.words.periods.join[self.language].join(parts)
        return filled(self.words.periods.whole[self.language], {"period": joined})

    def _amount(self, unit: Unit, number: int) -> str:
        forms = self.words.units[unit][self.language]
        category = Plural(Locale.parse(self.language).plural_form(number))
        return filled(forms.get(category, forms[Plural.OTHER]), {"n": str(number)})

    def site(self, name: str) -> str:
        """A site; as it is registered where there are no words for it."""
        return self._place(self.words.sites, name)

    def area(self, name: str) -> str:
        """An area; as it is registered where there are no words for it."""
        return self._place(self.words.areas, name)

    def _place(self, known: Mapping[str, Texts], name: str) -> str:
        return known[name][self.language] if name in known else name

    def kinds(self, kinds: Iterable[Kind]) -> str:
        """The kinds, in their usual order."""
        wanted = frozenset(kinds)
        return self.listed(self.words.kinds[kind][self.language] for kind in Kind if kind in wanted)

    def trigger(self, rule: RetentionClass) -> tuple[str, str]:
        """The day from which a class counts, and whether that day counts.

        Raises:
            InvalidInput: There are no words for the event.
        """
        how = self.label("periods.first-day" if rule.count_first_day else "periods.next-day")
        is_paper = rule.trigger == RECORDING_ENDED and rule.selector.kinds == {Kind.CASE_FILE}
        return self._word("triggers", self.words.triggers, PAPER_MADE if is_paper else rule.trigger), how

    def never(self, purpose: str) -> str:
        """A forbidden purpose.

        Raises:
            InvalidInput: There are no words for it.
        """
        return self._word("never", self.words.never, purpose)

    def _word(self, section: str, known: Mapping[str, Texts], name: str) -> str:
        if name not in known:
            raise InvalidInput(
                f"the notice {self.words.notice} has no words for `{name}` of the policy",
                hint=f"Add it under `{section}` in a copy of policies/notices, and name that with --words.",
            )
        return known[name][self.language]

    def noted(self, what: str, note: str) -> str:
        """Something with a note in brackets, as the language sets them."""
        return f"{what}（{note}）" if self.language == "ja" else f"{what} ({note})"

    def about(self, schedule: Schedule, rule: RetentionClass) -> str:
        """Which recordings a class is about."""
        kinds = rule.selector.kinds & schedule.purposes[rule.purpose].kinds
        sites = self._places(rule.selector.sites, self.words.sites)
        areas = self._places(rule.selector.areas, self.words.areas)
        where = self.listed(filter(None, (sites, areas)))
        return self.noted(self.kinds(kinds), where) if where else self.kinds(kinds)

    def _places(self, places: Words, known: Mapping[str, Texts]) -> str:
        if places == ANY:
            return ""
        names = self.listed(
            self._place(known, word) if word else self.label("periods.nowhere")
            for word in sorted(places.words)
        )
        return self.label("periods.other-than", words=names) if places.is_excluded else names

    def what(self, schedule: Schedule, rule: RetentionClass) -> str:
        """A class in a line: its purpose, and what it is about."""
        purpose = schedule.purposes[rule.purpose].title[self.language]
        return f"{purpose} – {self.about(schedule, rule)}"

    def statement(self, name: str, schedule: Schedule, book: Rulebook) -> tuple[str, ...]:
        """The paragraphs of a statement, filled in."""
        controller, language = schedule.controller, self.language
        values = {
            "controller": controller.name[language],
            "manager": controller.manager[language],
            "phone": controller.phone,
            "email": controller.email,
            "cookie": self.words.cookie,
            "law": book.law[language],
        }
        return tuple(filled(each[language], values) for each in self.words.statements[name])
