"""Lay a letter out on a sheet, and the port through which it is printed.

A sheet says what stands where, in finished words; how it looks is the
printer's business. Nothing here knows a file or a font.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from retention.kernel.errors import InvalidInput
from retention.requests.rules.letters import Paragraph, Written, filled, plain, written_date
from retention.requests.rules.model import Form, Rulebook


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes, in the letter's language."""

    name: str
    manager: str
    contact: tuple[str, ...]  #: lines: telephone, e-mail, hours


@dataclass(frozen=True, slots=True)
class Sheet:
    """One letter, ready to print."""

    form: Form
    language: str
    number: str
    dated_on: date
    date: str  #: `dated_on`, written out
    addressee: str
    address: tuple[str, ...]  #: postal; may be empty
    sender: tuple[str, ...]
    subject: str
    greeting: str  #: empty where the language has none
    paragraphs: tuple[Paragraph, ...]
    regards: str  #: empty where the language has none
    contact_heading: str
    contact: tuple[str, ...]
    page: str  #: a template of {page} and {pages}


@dataclass(frozen=True, slots=True)
class Printed:
    """A letter as a file."""

    pdf: bytes
    warnings: tuple[str, ...]  #: characters that could not be printed as they are, for a person to look at


class Printer(Protocol):
    """Turns a sheet into a PDF."""

    def __call__(self, sheet: Sheet) -> Printed:
        """The letter on A4. The same sheet gives the same bytes, on any day.

        Text can be read out of it again, in the order of the letter. Every
        font is embedded. A character that cannot be printed leaves a visible
        mark and a warning; none is dropped.
        """


def lay_out(
    rulebook: Rulebook,
    written: Written,
    *,
    receipt_no: str,
    name: str,
    dated_on: date,
    sender: Sender,
    address: Sequence[str] = (),
) -> Sheet:
    """The letter on its sheet, in the words of the rulebook's frame.

    Raises:
        InvalidInput: A letter cannot go to nobody, from nobody, or without a number.
    """
    values = {"receipt_no": plain(receipt_no), "name": plain(name)}
    if not all(values.values()) or not plain(sender.name):
        raise InvalidInput(
            "a letter needs a receipt number, a name to write to and a sender", hint="Give all three."
        )
    frame, language = rulebook.frame, written.language
    return Sheet(
        form=frame.form[language],
        language=language,
        number=filled(frame.number[language], values),
        dated_on=dated_on,
        date=written_date(dated_on, language),
        addressee=filled(frame.addressee[language], values),
        address=_lines(address),
        sender=_lines((sender.name, sender.manager)),
        subject=written.subject,
        greeting=_optional(frame.greeting, language, values),
        paragraphs=written.paragraphs,
        regards=_optional(frame.regards, language, values),
        contact_heading=frame.contact[language],
        contact=_lines(sender.contact),
        page=frame.page[language],
    )


def _lines(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(filter(None, map(plain, lines)))


def _optional(texts: Mapping[str, str], language: str, values: Mapping[str, str]) -> str:
    return filled(texts[language], values) if language in texts else ""
