"""The rulebooks that ship, an office, and a letter's facts, for tests."""

from collections.abc import Mapping
from datetime import date, time
from functools import cache
from importlib import resources

from retention.requests.print import Sender, Sheet, lay_out
from retention.requests.rules.clock import Office
from retention.requests.rules.letters import Value, compose, stated
from retention.requests.rules.model import RequestKind, Rulebook
from retention.requests.rules.parse import parse_rulebook
from retention.schedule.model import BusinessCalendar, Closure, Weekday

FOLDER = resources.files("policies").joinpath("jurisdictions")
NAMES = ("appi", "gdpr")
WEEKDAYS = (Weekday.MONDAY, Weekday.TUESDAY, Weekday.WEDNESDAY, Weekday.THURSDAY, Weekday.FRIDAY)

SENDERS = {
    "ja": Sender("株式会社サンプル", "個人情報保護管理者", ("電話 050-0000-0000", "privacy@company.example")),
    "en": Sender("Example K.K.", "Privacy Manager", ("Telephone 050-0000-0000", "privacy@company.example")),
    "de": Sender("Beispiel GmbH", "Datenschutzbeauftragte", ("Telefon +49 30 0000000",)),
}


def text_of(name: str) -> str:
    """The text of a file beside the rulebooks."""
    return FOLDER.joinpath(name).read_text(encoding="utf-8")


@cache
def rulebook(name: str) -> Rulebook:
    """A rulebook that ships."""
    return parse_rulebook(text_of(f"{name}.yaml"), f"{name}.yaml")


def office(
    country: str = "JP",
    *,
    open_days: tuple[Weekday, ...] = WEEKDAYS,
    closed: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = (),
) -> Office:
    """An office that is open from Monday to Friday, but for public holidays and `closed`."""
    closures = tuple(Closure(starts, ends, {"en": "closed"}) for starts, ends in closed)
    return Office(BusinessCalendar(country, open_days, time(10), time(19), closures))


def facts(book: Rulebook, kind: RequestKind, language: str, **more: Value) -> Mapping[str, Value]:
    """A value for every field of every letter."""
    sender = SENDERS[language]
    return {
        **stated(book, kind, language),
        "name": "髙橋 﨑子",
        "receipt_no": "R-2026-0042",
        "received_on": date(2026, 11, 2),
        "answered_on": date(2026, 11, 12),
        "due_on": date(2026, 11, 16),
        "until": date(2026, 11, 30),
        "controller": sender.name,
        "manager": sender.manager,
        "contact": sender.contact[0],
        "items": ["ITEM-ONE", "ITEM-TWO"],
        "reasons": ["REASON-ONE"],
        "measures": ["MEASURE-ONE"],
        "attachments": ["ATTACHMENT-ONE"],
        **more,
    }


def kind_of(key: str) -> RequestKind:
    """The kind that a letter is about; any kind for a letter that all can need."""
    return RequestKind(key.partition(".")[0]) if "." in key else RequestKind.DISCLOSURE


def sheet(book: str, key: str, language: str, **more: Value) -> Sheet:
    """A letter, laid out."""
    values = facts(rulebook(book), kind_of(key), language, **more)
    return lay_out(
        rulebook(book),
        compose(rulebook(book), key, language, values),
        receipt_no=str(values["receipt_no"]),
        name=str(values["name"]),
        dated_on=date(2026, 11, 12),
        sender=SENDERS[language],
        address=("1 Example Street", "Tokyo"),
    )
