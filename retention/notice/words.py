"""The words of the public notice around the facts, read from text (`policies/notices/`).

What is kept and why comes from the schedule, what one can ask for from the
rulebook. Here are headings, the words for codes such as `recording-ended`,
and what neither says: security measures, cookies, where to complain.

Does no I/O: callers read files, and `file` is only a name to show.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from retention.requests.rules.letters import FIELD
from retention.schedule.document import Path, PolicyError, read
from retention.schedule.fit import fit
from retention.schedule.model import AcquisitionBasis, Kind, NoticeForm
from retention.schedule.shape import Day, FileShape, Language, Name, TextsShape, Word, Written


class NoticeWordsError(PolicyError):
    """The notice's words cannot be used as they stand."""

    default_hint = "Nothing was written. Correct the text; policies/README.md says how to read it."


class Unit(StrEnum):
    """The units of calendar periods."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class Plural(StrEnum):
    """The plural categories of the Unicode CLDR."""

    ZERO = "zero"
    ONE = "one"
    TWO = "two"
    FEW = "few"
    MANY = "many"
    OTHER = "other"


#: Label → what it may hold, written as `{field}`; every one of them is needed.
LABELS: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(
        (
            *("title", "skip", "contents", "languages", "latest", "list"),
            *("controller", "controller.name", "controller.manager", "controller.phone"),
            *("controller.email", "controller.hours", "controller.law"),
            *("purposes", "purposes.kinds", "purposes.basis", "purposes.told", "purposes.clause"),
            *("sources", "sources.caption", "sources.where", "sources.purposes", "sources.told"),
            *("sources.none", "sources.elsewhere", "told", "never"),
            *("periods", "periods.caption", "periods.what", "periods.period", "periods.from"),
            *("periods.floor", "periods.first-day", "periods.next-day", "periods.nowhere"),
            *("requests", "requests.caption", "requests.kind", "requests.answer", "requests.identity"),
            *("requests.required", "requests.asked", "identity", "identity.alone"),
            *("identity.together", "agents", "where", "digest"),
            *("security", "provision", "provision.bases", "cookies", "complaints"),
            *("archive", "archive.caption", "archive.version", "archive.since", "archive.change"),
            *("archive.current", "changes.first", "changes.other", "changes.join"),
        ),
        frozenset[str](),
    ),
    "version": frozenset({"version", "since"}),
    "earlier": frozenset({"version", "since", "until"}),
    "told.version": frozenset({"version", "since"}),
    "periods.other-than": frozenset({"words"}),
    "requests.extension": frozenset({"period"}),
    "archive.link": frozenset({"version"}),
    "changes.added": frozenset({"what", "new"}),
    "changes.ended": frozenset({"what"}),
    "changes.period": frozenset({"what", "old", "new"}),
    "changes.rule": frozenset({"what"}),
}
#: The paragraphs that the page has beside its facts; every one of them is needed.
STATEMENTS: Final = (
    *("introduction", "sources", "refusal", "periods", "never", "requests", "identity", "agents", "where"),
    *("provision", "breach", "cookies", "complaints", "archive"),
)
STATEMENT_FIELDS: Final = frozenset({"controller", "manager", "phone", "email", "cookie", "law"})

Cookie = Annotated[
    str, Written("a cookie's name", "Write letters, digits, - and _", r"[A-Za-z0-9_-]+", str, 64)
]
#: Not stripped: a join such as ", " ends with its space.
Phrase = Annotated[str, Written("some words", "Write one line", r"[^\r\n]+", str, 400)]
Phrases = dict[Language, Phrase]


class PeriodWords(FileShape):
    """How the parts of a period are put together."""

    join: dict[Language, Word]
    whole: Phrases


class Measure(FileShape):
    """Something that is done for security."""

    title: TextsShape
    text: TextsShape


class NoticeWords(FileShape):
    """The words of the public notice around the facts."""

    model_config = ConfigDict(title="Notice words")

    notice: Name
    rulebook: Annotated[Name, Field(description="The rulebook beside which these words are used.")]
    languages: Annotated[list[Language], Field(min_length=1)]
    reviewed_on: Day
    cookie: Cookie
    labels: dict[Name, Phrases]
    kinds: dict[Kind, TextsShape]
    forms: dict[NoticeForm, TextsShape]
    bases: dict[AcquisitionBasis, TextsShape]
    triggers: dict[Name, TextsShape]
    units: dict[Unit, dict[Language, dict[Plural, Phrase]]]
    periods: PeriodWords
    never: dict[Name, TextsShape]
    sites: dict[Word, TextsShape] = Field({}, description="Where a site is shown otherwise than registered.")
    areas: dict[Word, TextsShape] = Field({}, description="The same for areas.")
    statements: dict[Name, Annotated[list[TextsShape], Field(min_length=1)]]
    measures: Annotated[list[Measure], Field(min_length=1)]


def parse_words(text: str, file: str) -> NoticeWords:
    """The words that a text states.

    Args:
        text: One YAML document, in the form of `policies/notices/schema.json`.
        file: The name to show in findings.

    Raises:
        NoticeWordsError: The text cannot be used; all findings at once.
    """
    try:
        document = read(text, file)
    except PolicyError as error:
        raise NoticeWordsError(error.findings) from None
    languages = document.value.get("languages") if isinstance(document.value, dict) else None
    words, findings = fit(NoticeWords, document, languages if isinstance(languages, list) else None)
    if words is not None:
        findings += (document.finding(*breach) for breach in _breaches(words))
    if words is None or findings:
        raise NoticeWordsError(findings)
    return words


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a file of words, for editors and reviewers."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **NoticeWords.model_json_schema(),
    }


Breach = tuple[Path, str, str]


def _breaches(words: NoticeWords) -> Iterator[Breach]:
    yield from _names("labels", words.labels, LABELS)
    yield from _names("statements", words.statements, dict.fromkeys(STATEMENTS))
    for section, written, wanted in (
        ("kinds", words.kinds, Kind),
        ("forms", words.forms, NoticeForm),
        ("bases", words.bases, AcquisitionBasis),
        ("units", words.units, Unit),
    ):
        yield from _names(section, written, dict.fromkeys(wanted))
    yield from _languages(words)
    yield from _fields(words)


def _names(section: str, written: Mapping[Any, Any], wanted: Mapping[Any, Any]) -> Iterator[Breach]:
    for name in wanted:
        if name not in written:
            yield (section,), f"`{name}` is missing", "Add it"
    for name in written:
        if name not in wanted:
            yield (section, name), f"the page has no place for `{name}`", "Remove it"


def _languages(words: NoticeWords) -> Iterator[Breach]:
    """Phrases and units; whole texts are looked at when they are read."""
    phrases: dict[Path, Mapping[str, Any]] = {("labels", name): each for name, each in words.labels.items()}
    phrases |= {("units", unit): each for unit, each in words.units.items()}
    phrases |= {("periods", "join"): words.periods.join, ("periods", "whole"): words.periods.whole}
    for path, texts in phrases.items():
        if set(texts) != set(words.languages):
            yield path, f"it is in {', '.join(sorted(texts))}", "Write it once in each language"
    for unit, by_language in words.units.items():
        for language, forms in by_language.items():
            if Plural.OTHER not in forms:
                yield ("units", unit, language), "the form `other` is missing", "Add it"


def _fields(words: NoticeWords) -> Iterator[Breach]:
    """Only fields that are filled in may be written."""
    allowed: dict[Path, tuple[frozenset[str], list[str]]] = {}
    for name, label in words.labels.items():
        allowed["labels", name] = (LABELS.get(name, frozenset()), list(label.values()))
    for name, paragraphs in words.statements.items():
        for place, paragraph in enumerate(paragraphs):
            allowed["statements", name, place] = (STATEMENT_FIELDS, list(paragraph.values()))
    for unit, by_language in words.units.items():
        written = [form for forms in by_language.values() for form in forms.values()]
        allowed["units", unit] = (frozenset({"n"}), written)
    allowed["periods", "whole"] = (frozenset({"period"}), list(words.periods.whole.values()))
    for path, (fields, texts) in allowed.items():
        for strange in sorted({field for text in texts for field in FIELD.findall(text)} - fields):
            yield path, f"there is no field {{{strange}}} here", f"It can hold: {_listed(fields)}"


def _listed(fields: frozenset[str]) -> str:
    return ", ".join(f"{{{field}}}" for field in sorted(fields)) or "none"


__all__ = [
    "LABELS",
    "STATEMENTS",
    "Measure",
    "NoticeWords",
    "NoticeWordsError",
    "PeriodWords",
    "Plural",
    "Unit",
    "json_schema",
    "parse_words",
]
