"""Write a letter from the rulebook's words and a case's facts.

Values are put into the words once and never looked at again, so a name such as
"{receipt_no}" or "<b>" stays what it is. Values lose line breaks and control
characters, so that nobody can write a paragraph of the company's by choosing a
name. Dates are written out in the letter's language.

Does not decide anything, and does not know who may say what when.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date

from retention.kernel.errors import InvalidInput, NotFound
from retention.requests.rules.model import FIELDS, LIST_FIELDS, Letter, RequestKind, Rulebook

Value = str | date | Sequence[str]  #: a list for the fields of LIST_FIELDS

FIELD: Final = re.compile(r"\{([^{}\n]*)\}")
_WIDE: Final = frozenset({"W", "F"})
_FORMATS: Final = {"en": "en_GB"}  # 2 November 2026: no reader takes the day for the month


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Some lines of text, or a list."""

    text: str = ""
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """A letter's words, ready to be laid out."""

    key: str
    language: str
    subject: str
    paragraphs: tuple[Paragraph, ...]


def compose(rulebook: Rulebook, key: str, language: str, fields: Mapping[str, Value]) -> Written:
    """The letter `key` in `language`, with `fields` put in.

    Raises:
        NotFound: The rulebook has no such letter or language.
        InvalidInput: A field that the letter uses is missing or empty, or there is no such field.
    """
    letter = rulebook.letters.get(key)
    if letter is None or language not in letter.subject:
        raise NotFound(
            f"the rulebook {rulebook.name} has no letter `{key}` in `{language}`",
            hint=f"Its languages are {', '.join(rulebook.languages)}.",
        )
    values = _values(fields, language)
    _refuse_missing(letter, language, values)
    return Written(
        key,
        language,
        filled(letter.subject[language], values),
        tuple(_paragraph(template, values) for template in letter.paragraphs[language]),
    )


def stated(rulebook: Rulebook, kind: RequestKind, language: str) -> dict[str, Value]:
    """The fields that the rulebook itself knows: kind, article, law."""
    rule = rulebook.kinds[kind]
    return {
        "kind": rule.title[language],
        "article": rule.article[language],
        "law": rulebook.law[language],
    }


def filled(template: str, values: Mapping[str, str | tuple[str, ...]]) -> str:
    """The template with every field replaced, once, from left to right."""
    return FIELD.sub(lambda match: str(values[match[1]]), template)


def written_date(day: date, language: str) -> str:
    """The date as people write it: 2026年11月2日, 2 November 2026, 2. November 2026.

    Raises:
        InvalidInput: Nobody knows how dates are written in this language.
    """
    try:
        locale = Locale.parse(_FORMATS.get(language, language))
    except (UnknownLocaleError, ValueError):
        raise InvalidInput(
            f"it is not known how dates are written in `{language}`", hint="Write a language of ISO 639-1."
        ) from None
    return format_date(day, format="long", locale=locale)


def plain(text: str) -> str:
    """One line: control characters and runs of white space become a single space."""
    visible = "".join(" " if unicodedata.category(each) == "Cc" else each for each in text)
    return re.sub(r"[ \u2028\u2029]+", " ", visible).strip()


def paragraphs_of(text: str) -> tuple[str, ...]:
    """The paragraphs that blank lines divide, with their lines joined as the script asks.

    A line break becomes a space between Latin letters, and nothing beside an
    ideograph, kana or full-width punctuation (UAX #11: Wide and Fullwidth).
    """
    blocks = re.split(r"\n[ ]*\n", text.strip("\n"))
    return tuple(_joined(block.split("\n")) for block in blocks if block.strip())


def _joined(lines: Sequence[str]) -> str:
    whole = ""
    for line in (each.strip() for each in lines):
        between = "" if not whole or not line or _is_wide(whole[-1]) or _is_wide(line[0]) else " "
        whole += between + line
    return whole


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in _WIDE


def _values(fields: Mapping[str, Value], language: str) -> dict[str, str | tuple[str, ...]]:
    strange = sorted(fields.keys() - FIELDS)
    if strange:
        raise InvalidInput(
            f"a letter has no field {', '.join(strange)}", hint=f"The fields are {', '.join(sorted(FIELDS))}."
        )
    return {name: _value(name, value, language) for name, value in fields.items()}


def _value(name: str, value: Value, language: str) -> str | tuple[str, ...]:
    if isinstance(value, date):
        return written_date(value, language)
    if (name in LIST_FIELDS) is isinstance(value, str):
        raise InvalidInput(
            f"the field {name} takes {'a list' if name in LIST_FIELDS else 'one text'}",
            hint="Change its form.",
        )
    if isinstance(value, str):
        return plain(value)
    return tuple(filter(None, map(plain, value)))


def _refuse_missing(letter: Letter, language: str, values: Mapping[str, str | tuple[str, ...]]) -> None:
    templates = (letter.subject[language], *letter.paragraphs[language])
    used = {name for template in templates for name in FIELD.findall(template)}
    missing = sorted(name for name in used if not values.get(name))
    if missing:
        raise InvalidInput(
            f"the letter {letter.key} needs {', '.join(missing)}", hint="Give every field that it uses."
        )


def _paragraph(template: str, values: Mapping[str, str | tuple[str, ...]]) -> Paragraph:
    alone = FIELD.fullmatch(template)
    value = values[alone[1]] if alone else ()
    if isinstance(value, tuple) and value:
        return Paragraph(items=value)
    return Paragraph(filled(template, values))
