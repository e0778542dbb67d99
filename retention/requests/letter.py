"""What a letter of a request says: the rulebook's words, filled with the facts of the case.

Whom it goes to stands in the request's file, which is opened for it through the
door and on record.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from retention.catalogue.find import find_recording
from retention.kernel.clock import local_date
from retention.provision.show import Provided, told
from retention.requests.cases import find_request
from retention.requests.correct import proposed
from retention.requests.decide import MEASURED
from retention.requests.enclosed import enclosures
from retention.requests.erased import erased
from retention.requests.match import granted
from retention.requests.model import GRANTED, NOT_IDENTIFIED, WITHDRAWN
from retention.requests.particulars import Correction, in_words
from retention.requests.print import Sender, Sheet, lay_out
from retention.requests.provisions import concerned
from retention.requests.rulebooks import Rules, rules_of
from retention.requests.rules.letters import Value, compose, stated
from retention.requests.rules.model import BasisCode, Outcome, RequestKind, letter_key
from retention.requests.show import opened_file
from retention.requests.tables import RequestRow
from retention.schedule.model import Schedule
from retention.vault.door import Door
from retention.vault.papers import Tools

RECEIPT, EXTENSION = "receipt", "extension"
#: What a package's manifest certifies of an erasure, by the letter's language.
CERTIFICATE = {
    "ja": "消去証明（manifest.json）",
    "de": "Löschnachweis (manifest.json)",
    "en": "Certificate of erasure (manifest.json)",
}


@dataclass(frozen=True, slots=True)
class Case:
    """All that a letter may draw on."""

    row: RequestRow
    rules: Rules
    schedule: Schedule
    received: Mapping[str, Any]
    notes: Sequence[Mapping[str, Any]]
    granted: tuple[str, ...]
    provided: tuple[Provided, ...] = ()  #: of these recordings; only where the request asks for it
    corrections: tuple[Correction, ...] = ()  #: what was changed, where it was granted

    def last(self, about: str) -> Mapping[str, Any]:
        """What the last entry of its diary about something says."""
        said = [each["said"] for each in self.notes if each["about"] == about]
        return said[-1] if said else {}


def open_case(tools: Tools, door: Door, schedule: Schedule, name: str, actor: str) -> Case:
    """Open the request's file for a letter.

    Raises:
        NotFound: There is no such request.
        NotPermitted: The file may not be opened; the reason is on record.
    """
    with tools.database.read() as session:
        row = find_request(session, name)
        rules = rules_of(session, row.rulebook_version)
        about, asked_about = granted(session, row.id), concerned(session, row.id)
        corrects = row.kind == RequestKind.CORRECTION and row.outcome in GRANTED
        corrections = proposed(session, tools, row) if corrects else ()
    received, notes = opened_file(tools, door, schedule, row, actor)
    provided: tuple[Provided, ...] = ()
    if row.kind == RequestKind.PROVISION_RECORDS and row.outcome in GRANTED:
        provided = told(tools, door, schedule, asked_about, actor)
    return Case(row, rules, schedule, received, notes, about, provided, corrections)


def answer_key(row: RequestRow) -> str:
    """Which letter answers the request."""
    if row.outcome in (NOT_IDENTIFIED, WITHDRAWN):
        return row.outcome
    return letter_key(RequestKind(row.kind), Outcome(row.outcome))


def sheet_of(tools: Tools, case: Case, key: str) -> Sheet:
    """The letter `key` of a case, ready to print.

    Raises:
        InvalidInput: The case lacks something that the letter says.
    """
    row, language = case.row, case.row.language
    today = local_date(tools.clock.now(), case.rules.zone)
    with tools.database.read() as session:
        fields = _fields(session, case, today)
    written = compose(case.rules.book, key, language, fields)
    to = case.received["agent"] or case.received["subject"]
    controller = case.schedule.controller
    return lay_out(
        case.rules.book,
        written,
        receipt_no=row.receipt,
        name=to["name"],
        dated_on=today,
        sender=Sender(
            _in(controller.name, language),
            _in(controller.manager, language),
            (controller.phone, controller.email, _in(controller.hours, language)),
        ),
        address=to["contact"].splitlines(),
    )


def _fields(session: Session, case: Case, today: date) -> dict[str, Value]:
    row, language, controller = case.row, case.row.language, case.schedule.controller
    lists = {
        "items": tuple(_items(session, case)),
        "reasons": tuple(_reasons(case)),
        "measures": tuple(_measures(case)),
        "attachments": tuple(_attachments(session, case)),
    }
    return {
        **stated(case.rules.book, RequestKind(row.kind), language),
        "name": case.received["subject"]["name"],
        "receipt_no": row.receipt,
        "received_on": local_date(row.received_at, case.rules.zone),
        "answered_on": today,
        "due_on": row.extended_from or row.due_on,
        "until": row.due_on,
        "controller": _in(controller.name, language),
        "manager": _in(controller.manager, language),
        "contact": f"{controller.phone}, {controller.email}",
        **{name: found for name, found in lists.items() if found},
    }


def _items(session: Session, case: Case) -> Iterator[str]:
    if case.row.outcome == Outcome.NOTHING_HELD:
        yield from case.last("match").get("searched", {})
    elif case.row.kind == RequestKind.COMPLAINT:
        yield case.last("decide").get("reason", "")
    elif case.row.kind == RequestKind.PURPOSE_NOTIFICATION:
        yield from _purposes(session, case)
    elif case.row.kind == RequestKind.PROVISION_RECORDS:
        yield from _provided(case)
    elif case.row.kind == RequestKind.CORRECTION:
        for each in (one for one in case.corrections if one.differences):
            said = "; ".join(in_words(change, case.row.language) for change in each.differences)
            yield f"{_recording(session, case, each.recording_id)}: {said}"
    else:
        yield from (_recording(session, case, each) for each in case.granted)


def _recording(session: Session, case: Case, recording_id: str) -> str:
    found = find_recording(session, case.schedule, recording_id)
    zone = ZoneInfo(found.place.zone if found.place else case.rules.zone)
    start, end = found.started_at.astimezone(zone), found.ended_at.astimezone(zone)
    return f"{start:%Y-%m-%d %H:%M:%S} - {end:%H:%M:%S} ({recording_id})"


def _provided(case: Case) -> Iterator[str]:
    """Each provision: when, to whom, what, on which basis."""
    language = case.row.language
    for each in case.provided:
        basis = case.rules.book.bases[BasisCode(each.basis)]
        on, what = local_date(each.at, case.rules.zone), ", ".join(each.recording_ids)
        yield f"{on}: {each.recipient} - {what} ({basis.title[language]}, {basis.article[language]})"


def _purposes(session: Session, case: Case) -> Iterator[str]:
    language = case.row.language
    names = {
        reason.purpose
        for recording_id in case.granted
        for reason in find_recording(session, case.schedule, recording_id).reasons
        if reason.state == "active"
    }
    for name in sorted(names & case.schedule.purposes.keys()):
        purpose = case.schedule.purposes[name]
        yield f"{_in(purpose.title, language)}: {_in(purpose.description, language)}"


def _reasons(case: Case) -> Iterator[str]:
    language = case.row.language
    for code in case.row.grounds:
        ground = case.rules.book.grounds[code]
        yield f"{ground.sentence[language]} ({ground.article[language]})"
    said = case.last("extend" if case.row.extended_from and not case.row.outcome else "decide").get(
        "reason", ""
    )
    if said and case.row.outcome != Outcome.ANSWERED:
        yield said


def _measures(case: Case) -> Iterator[str]:
    if case.row.outcome in MEASURED:
        yield case.last("decide").get("measure", "")


def _attachments(session: Session, case: Case) -> Iterator[str]:
    yield from (each.name for each in enclosures(session, case.schedule, case.row))
    if gone := erased(session, case.row):
        words = CERTIFICATE.get(case.row.language, CERTIFICATE["en"])
        yield f"{words} {gone[0]['run']} ({gone[0]['root']})"


def _in(texts: Mapping[str, str], language: str) -> str:
    """In the letter's language, or in the first that the policy has."""
    return texts.get(language) or next(iter(texts.values()))
