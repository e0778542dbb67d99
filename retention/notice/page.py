"""What the public notice says, in one language, from what is in force. Pure.

Rules:
- Every purpose, class and forbidden purpose of the schedule is told, every kind
  of request of the rulebook, and every registered source.
- No internal id is told, and nobody's name but that of the office's manager:
  sources that look alike from outside are told once.
- Nothing is left out for want of words: that is an error, and no page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from babel import Locale

from retention.catalogue.model import Source
from retention.notice.changes import in_a_line
from retention.notice.model import Version
from retention.notice.phrases import Phrases, unfolded
from retention.requests.rules.model import (
    BasisCode,
    IdentityNeed,
    KindRule,
    Proves,
    Requester,
    Rulebook,
)
from retention.schedule.model import Notice, NoticeForm, RetentionClass, Schedule

#: The parts of the page, in order; each has a label of its name.
SECTIONS: Final = (
    *("controller", "purposes", "sources", "told", "periods", "never", "requests"),
    *("security", "provision", "cookies", "complaints", "archive"),
)


@dataclass(frozen=True, slots=True)
class Purpose:
    """What recordings are used for."""

    title: str
    description: str
    kinds: str
    basis: str
    told: str
    clause: str


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something records."""

    site: str
    area: str
    kind: str
    purposes: tuple[str, ...]
    told: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A sign, an announcement, or what is published."""

    form: str
    purposes: str
    version: str
    text: str


@dataclass(frozen=True, slots=True)
class Kept:
    """How long one purpose keeps some recordings."""

    purpose: str
    about: str
    period: str
    trigger: str
    counting: str
    law: str  #: that asks for it; empty where none does
    link: str  #: to the law, or empty


@dataclass(frozen=True, slots=True)
class Right:
    """A kind of request."""

    title: str
    article: str
    answer: str
    extension: str
    identity: str


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of a list."""

    title: str
    note: str


@dataclass(frozen=True, slots=True)
class Edition:
    """A version of the schedule, and where its page is."""

    number: str
    since: str
    change: str
    file: str  #: empty for the page itself


@dataclass(frozen=True, slots=True)
class Translation:
    """The same page in a language."""

    code: str
    name: str  #: in itself
    file: str
    is_this: bool


@dataclass(frozen=True, slots=True)
class Page:
    """One page, ready to be laid out."""

    language: str
    translations: tuple[Translation, ...]
    number: str
    since: str
    until: str  #: empty for the version in force
    latest: str  #: the file of the version in force
    schedule: Schedule
    book: Rulebook
    purposes: tuple[Purpose, ...]
    places: tuple[Place, ...]
    told: tuple[Told, ...]
    published: tuple[Told, ...]
    kept: tuple[Kept, ...]
    never: tuple[str, ...]
    rights: tuple[Right, ...]
    methods: tuple[Item, ...]
    authority: tuple[str, ...]
    exceptions: tuple[Item, ...]
    editions: tuple[Edition, ...]


def file_name(language: str, number: int | None = None) -> str:
    """The file of a page; without a number, of the version in force."""
    return f"notice.{language}{'' if number is None else f'.{number}'}.html"


def page_of(
    version: Version,
    versions: Sequence[Version],
    sources: Sequence[Source],
    phrases: Phrases,
    languages: Sequence[str],
) -> Page:
    """The page that tells of `version`.

    Args:
        version: One of `versions`.
        versions: Those that have a page in this language, oldest first; the last is in force.
        sources: Told on the page of the version in force.
        phrases: Of the page's language.
        languages: Those in which this version has a page.

    Raises:
        InvalidInput: There are no words for something that must be told.
    """
    schedule, book, language = version.schedule, version.book, phrases.language
    is_latest = version.until is None
    notices = tuple(schedule.notices.values())
    published = tuple(each for each in notices if each.form is NoticeForm.PUBLISHED)
    displayed = tuple(each for each in notices if each.form is not NoticeForm.PUBLISHED)
    number = None if is_latest else version.number
    return Page(
        language=language,
        translations=tuple(
            Translation(code, _autonym(code), file_name(code, number), code == language) for code in languages
        ),
        number=str(version.number),
        since=phrases.date(version.since),
        until=phrases.date(version.until) if version.until else "",
        latest=file_name(language),
        schedule=schedule,
        book=book,
        purposes=tuple(_purposes(schedule, phrases)),
        places=tuple(sorted({_place(each, schedule, phrases) for each in sources})) if is_latest else (),
        told=tuple(_told(each, schedule, phrases) for each in displayed),
        published=tuple(_told(each, schedule, phrases) for each in published),
        kept=tuple(_kept(rule, schedule, phrases) for rule in schedule.classes.values()),
        never=tuple(phrases.never(purpose) for purpose in schedule.forbidden_purposes),
        rights=tuple(_right(rule, phrases) for rule in book.kinds.values()),
        methods=tuple(_methods(book, phrases)),
        authority=tuple(
            each.title[language] for each in book.methods.values() if each.proves is Proves.AUTHORITY
        ),
        exceptions=tuple(
            Item(each.title[language], each.article[language])
            for each in book.bases.values()
            if each.is_third_party and each.code is not BasisCode.CONSENT
        ),
        editions=tuple(_editions(version, versions, phrases)),
    )


def _autonym(code: str) -> str:
    locale = Locale.parse(code)
    return locale.get_display_name(locale) or code


def _purposes(schedule: Schedule, phrases: Phrases) -> Iterator[Purpose]:
    language, words = phrases.language, phrases.words
    for each in schedule.purposes.values():
        yield Purpose(
            each.title[language],
            unfolded(each.description[language]),
            phrases.kinds(each.kinds),
            words.bases[each.acquisition][language],
            words.forms[schedule.notices[each.notice].form][language],
            each.clause[language],
        )


def _place(source: Source, schedule: Schedule, phrases: Phrases) -> Place:
    known = [schedule.purposes[name] for name in source.purposes if name in schedule.purposes]
    notices = {purpose.notice: schedule.notices[purpose.notice] for purpose in known}
    return Place(
        phrases.site(source.site),
        phrases.area(source.area),
        phrases.kinds([source.kind]),
        tuple(purpose.title[phrases.language] for purpose in known),
        tuple(_sign(each, source.notice, phrases) for each in notices.values()),
    )


def _sign(notice: Notice, noted: str, phrases: Phrases) -> str:
    """The form of a notice, and the version that hangs there where one was noted."""
    form = phrases.words.forms[notice.form][phrases.language]
    return phrases.noted(form, noted or phrases.label("archive.link", version=notice.version))


def _told(notice: Notice, schedule: Schedule, phrases: Phrases) -> Told:
    language = phrases.language
    about = (each.title[language] for each in schedule.purposes.values() if each.notice == notice.name)
    return Told(
        phrases.words.forms[notice.form][language],
        phrases.listed(about),
        phrases.label("told.version", version=notice.version, since=phrases.date(notice.effective_on)),
        unfolded(notice.text[language]),
    )


def _kept(rule: RetentionClass, schedule: Schedule, phrases: Phrases) -> Kept:
    trigger, counting = phrases.trigger(rule)
    return Kept(
        schedule.purposes[rule.purpose].title[phrases.language],
        phrases.about(schedule, rule),
        phrases.period(rule.period),
        trigger,
        counting,
        rule.law[phrases.language] if rule.law else "",
        rule.source if rule.is_floor and rule.source.startswith("https://") else "",
    )


def _right(rule: KindRule, phrases: Phrases) -> Right:
    language = phrases.language
    needed = rule.identity is IdentityNeed.REQUIRED
    more = rule.extension
    return Right(
        rule.title[language],
        rule.article[language],
        phrases.period(rule.answer_within),
        phrases.label("requests.extension", period=phrases.period(more.by)) if more else "",
        phrases.label("requests.required" if needed else "requests.asked"),
    )


def _methods(book: Rulebook, phrases: Phrases) -> Iterator[Item]:
    for each in book.methods.values():
        if each.proves is Proves.IDENTITY and Requester.SUBJECT in each.of:
            alone = each.points >= book.points_needed
            note = phrases.label("identity.alone" if alone else "identity.together")
            yield Item(each.title[phrases.language], note)


def _editions(version: Version, versions: Sequence[Version], phrases: Phrases) -> Iterator[Edition]:
    """The versions that have a page, the latest first; those after `version` too, so that nobody is lost."""
    before: Sequence[Version | None] = (None, *versions)
    for each, old in reversed(list(zip(versions, before, strict=False))):
        file = file_name(phrases.language, None if each.until is None else each.number)
        yield Edition(
            str(each.number),
            phrases.date(each.since),
            in_a_line(old.schedule if old else None, each.schedule, phrases),
            "" if each.number == version.number else file,
        )
