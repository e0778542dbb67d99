"""Correct what is kept about the people of a recording: put together, previewed, decided by two, carried out.

What is to be changed stands in the request's diary, encrypted, until the
decision is carried out. Then one transaction writes the note anew with what
stood there before, carries the identifiers over to the index, brings the
recording under what now matches it, and leaves it under what held it before.
Sound and picture are never changed: they are evidence of what was said.

The journal is told after the commit, and again before the answer is made: a
restore of a backup from before brings the request and the particulars back to
the same point, or neither.
"""

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlmodel import Session, col

from retention.audit.tags import Tag
from retention.catalogue.identifiers import Identifier, blind_all, blind_index
from retention.catalogue.schedules import schedule_in_force
from retention.catalogue.tables import IdentifierRow, RecordingRow
from retention.database import table_of
from retention.holds.find import find_hold
from retention.holds.rematch import extend_to, kept_by_former
from retention.holds.tables import HoldMatchRow
from retention.ingest.admit import identifiers_of
from retention.ingest.manifest import Entry
from retention.ingest.model import Fault
from retention.kernel.canonical import canonical_json
from retention.kernel.errors import InvalidInput, NotFound, NotPermitted, StaleApproval
from retention.kernel.people import is_same_person
from retention.provision.blocks import keep_blocked
from retention.requests.cases import check_step, file_key, find_request, put_on_record
from retention.requests.corrected import corrections_of
from retention.requests.match import granted, matches
from retention.requests.model import Step
from retention.requests.papers import diary
from retention.requests.particulars import Change, Correction, corrected_note, is_made, people_of, work_out
from retention.requests.rules.model import RequestKind
from retention.requests.tables import CorrectionRow, RequestHoldRow, RequestRow
from retention.vault.door import Door, Way
from retention.vault.note import open_note, seal_note
from retention.vault.papers import Tools
from retention.vault.reasons import data_keys

PROPOSED = "correct"  #: what the diary calls an entry that says what is to be changed
SEEN_CHARACTERS = 12


def propose(
    tools: Tools,
    door: Door,
    name: str,
    recording_id: str,
    changes: Sequence[Change],
    actor: str,
    *,
    may_add: bool = False,
    statement: str = "",
) -> Correction:
    """Put together what is to be changed about a recording, in place of what was before; no changes: nothing is.

    A statement is what the person says about it. It is kept beside what stands
    there, also where the correction is refused.

    What stands there is opened through the request's hold, on record.

    Raises:
        InvalidInput: It is no request for correction, or a change does not fit what stands there.
        IllegalTransition: The request is not at its search.
        NotFound: The request is not about this recording, or nothing was said about anybody in it.
        NotPermitted: The particulars may not be opened; the reason is on record.
    """
    with tools.database.read() as session:
        schedule, row = schedule_in_force(session), find_request(session, name)
        _check_proposable(session, row, recording_id)
        way = _way_in(session, row, recording_id)
    now = tools.clock.now()
    note = json.loads(door.particulars(schedule, recording_id, way, actor, now))
    made = replace(
        work_out(recording_id, people_of(note), changes, may_add=may_add), statement=statement.strip()
    )
    _identifiers(note, made.becomes, schedule.jurisdiction)
    with tools.database.write() as session:
        row = find_request(session, name)
        _check_proposable(session, row, recording_id)
        detail = {"recording": recording_id, "particulars": made.places}
        put_on_record(session, tools, row, now, actor, Tag.REQUEST_CORRECTING, made.told(), detail)
    return made


def proposed(session: Session, tools: Tools, row: RequestRow) -> tuple[Correction, ...]:
    """What is to be changed, by recording; the last word about each."""
    last: dict[str, Correction] = {}
    for each in diary(session, row.id, row.file_id, file_key(session, tools, row)):
        if each.about == PROPOSED:
            last[each.said["recording"]] = Correction.of(each.said)
    return tuple(last[each] for each in sorted(last) if last[each].places)


def code_of(session: Session, tools: Tools, row: RequestRow) -> str:
    """Equal exactly for the same decision about the same corrections; says nothing about them.

    It is keyed: a plain digest of a telephone number could be guessed.
    """
    entries = list(diary(session, row.id, row.file_id, file_key(session, tools, row)))
    decided = [each.said for each in entries if each.about == "decide"][-1:]
    seen = [decided, [each.told() for each in proposed(session, tools, row)]]
    return blind_index(tools.index_key, PROPOSED, canonical_json(seen).decode()).hex()[:SEEN_CHARACTERS]


def check_granted(session: Session, tools: Tools, row: RequestRow) -> None:
    """Refuse to grant a correction that does not say what is corrected.

    Raises:
        InvalidInput: Nothing is proposed, or something for a recording for which it is not granted.
    """
    found, living = proposed(session, tools, row), granted(session, row.id)
    if not any(each.differences for each in found):
        raise InvalidInput(
            f"nothing is to be corrected for request {row.receipt} yet",
            hint=f"`retention request correct {row.receipt} ID SIDE.FIELD=VALUE` says what.",
        )
    strange = [each.recording_id for each in found if each.differences and each.recording_id not in living]
    if strange:
        raise InvalidInput(
            f"a correction of {', '.join(strange)} is proposed, for which request {row.receipt} is not granted",
            hint=f"`retention request correct {row.receipt} ID` without changes takes it back.",
        )


def check_statements(session: Session, tools: Tools, row: RequestRow, refused: Iterable[str]) -> None:
    """Refuse to promise that a statement is kept where none was taken down.

    Raises:
        InvalidInput: It names the recordings that lack one.
    """
    stated = {each.recording_id for each in proposed(session, tools, row) if each.statement}
    missing = sorted(set(refused) - stated)
    if missing:
        raise InvalidInput(
            f"the letter promises to keep what the person states, and nothing was taken down for {', '.join(missing)}",
            hint=f"`retention request correct {row.receipt} ID --statement TEXT` takes it down.",
        )


def check_seen(session: Session, tools: Tools, row: RequestRow, seen: str) -> None:
    """Refuse an approval by somebody who has not seen what is to be changed.

    Raises:
        InvalidInput: No code is given.
        StaleApproval: It is the code of another decision.
    """
    hint = (
        f"`retention request corrections {row.receipt}` shows what is to be changed, and the code for --seen."
    )
    if not seen.strip():
        raise InvalidInput("this does not say which corrections were looked at", hint=hint)
    if seen.strip().lower() != code_of(session, tools, row):
        raise StaleApproval(
            f"what was looked at is not what is decided about request {row.receipt} now", hint=hint
        )


def check_not_own(session: Session, tools: Tools, row: RequestRow, actor: str) -> None:
    """Refuse an approval by somebody who put a correction together.

    Raises:
        NotPermitted: They did.
    """
    entries = diary(session, row.id, row.file_id, file_key(session, tools, row))
    if any(each.about == PROPOSED and is_same_person(actor, each.actor) for each in entries):
        raise NotPermitted(
            f"{actor} put a correction of request {row.receipt} together, and nobody approves work of their own",
            hint="Have another person do it.",
        )


def put_right(session: Session, tools: Tools, row: RequestRow, at: datetime, actor: str) -> dict[str, Any]:
    """Make the corrections, in the caller's writing transaction; what was done, without personal data.

    Raises:
        StaleApproval: A recording's particulars are not what they were when the correction was put together.
    """
    found = [_correct(session, tools, row, each, at, actor) for each in proposed(session, tools, row)]
    made = [each for each in found if each]
    return {"corrected": made, "recordings": [each["recording"] for each in made]}


def keep_statements(session: Session, tools: Tools, row: RequestRow, at: datetime, actor: str) -> None:
    """Refused, nothing is changed; what the person says is kept beside it, as the letter promises."""
    found = proposed(session, tools, row)
    changes = [each.recording_id for each in found if each.differences]
    if changes:
        raise InvalidInput(
            f"a correction of {', '.join(changes)} is proposed, and request {row.receipt} is refused",
            hint=f"Send it back; `retention request correct {row.receipt} ID --statement TEXT` keeps a statement alone.",
        )
    row.effect = put_right(session, tools, row, at, actor)


def tell(tools: Tools, name: str) -> None:
    """Tell the journal of corrections that were committed and that it does not know; may be done again."""
    with tools.database.read() as session:
        row = find_request(session, name)
        mine = (col(CorrectionRow.request_id) == row.id, col(CorrectionRow.told_at).is_(None))
        untold = list(session.execute(select(CorrectionRow).where(*mine)).scalars())
        entries = [_entry(session, each) for each in untold]
    now = tools.clock.now()
    for entry in entries:
        tools.journal.write("particulars-corrected", now, entry)
    if untold:
        with tools.database.write() as session:
            session.execute(update(table_of(CorrectionRow)).where(*mine).values(told_at=now))


def put_in_index(session: Session, recording_id: str, blinds: frozenset[bytes]) -> None:
    """Let a recording be found by these identifiers and by no other."""
    table = table_of(IdentifierRow)
    session.execute(delete(table).where(table.c.recording_id == recording_id))
    if blinds:
        rows = [{"blind": each, "recording_id": recording_id} for each in sorted(blinds)]
        session.execute(insert(table), rows)


def _check_proposable(session: Session, row: RequestRow, recording_id: str) -> None:
    if row.kind != RequestKind.CORRECTION:
        raise InvalidInput(
            f"request {row.receipt} is for {row.kind}, not for a correction", hint="File one for correction."
        )
    check_step(row, Step.DECIDE)  # where it can be decided, it was searched, and nobody waits for an approval
    if recording_id not in granted(session, row.id):
        known = ", ".join(each.recording_id for each in matches(session, row.id)) or "nothing"
        raise NotFound(
            f"request {row.receipt} is not about recording {recording_id}", hint=f"It is about {known}."
        )


def _way_in(session: Session, row: RequestRow, recording_id: str) -> Way:
    """Through a hold of the request that keeps the recording."""
    mine = select(col(RequestHoldRow.hold_id)).where(col(RequestHoldRow.request_id) == row.id)
    rows = session.execute(
        select(col(HoldMatchRow.hold_id)).where(
            col(HoldMatchRow.recording_id) == recording_id, col(HoldMatchRow.hold_id).in_(mine)
        )
    ).scalars()
    holds = [hold for hold in (find_hold(session, each) for each in rows) if hold.lifted_at is None]
    if not holds:
        raise NotFound(f"recording {recording_id} is under no hold of request {row.receipt}")
    return Way(hold_id=holds[0].id, hold_key_id=holds[0].key_id)


def _identifiers(
    note: Mapping[str, Any], people: Sequence[dict[str, Any]], region: str
) -> tuple[Identifier, ...]:
    """By what a recording can be found that has this note, but these people.

    Raises:
        InvalidInput: A telephone number is none.
    """
    entry = {"native_id": (note.get("entry") or {}).get("native_id", ""), "participants": list(people)}
    found = identifiers_of(Entry.model_validate(entry), region)
    if isinstance(found, Fault):
        raise InvalidInput(
            "a telephone number of the correction is none", hint="Use +81312345678 or 03-1234-5678."
        )
    return found


def _correct(
    session: Session, tools: Tools, row: RequestRow, correction: Correction, at: datetime, actor: str
) -> dict[str, Any] | None:
    """Correct one recording; None where a restore brought this correction back, and the request to the point before it."""
    recording_id = correction.recording_id
    recording = session.get_one(RecordingRow, recording_id)
    ((_, key),) = data_keys(session, tools.keys, [recording_id])
    note = json.loads(open_note(key, recording_id, recording.personal or b""))
    if is_made(note, correction, row.receipt):
        return None
    if people_of(note) != correction.was:
        raise StaleApproval(
            f"the particulars of recording {recording_id} were changed since this correction was put together",
            hint=f"`retention request send-back {row.receipt}`, then put it together again.",
        )
    by = {
        "at": at,
        "by": actor,
        "decided_by": row.decided_by,
        "approved_by": row.approved_by,
        "request": row.receipt,
    }
    recording.personal = seal_note(key, recording_id, canonical_json(corrected_note(note, correction, by)))
    session.add(recording)
    known = corrections_of(session, recording_id)
    places, number = correction.places, max((each.number for each in known), default=0) + 1
    session.add(_correction_row(row, recording_id, number, places, at, actor))
    session.flush()
    return {
        "recording": recording_id,
        "particulars": places,
        **_carry_identifiers(session, tools, row, correction, note, key, at, actor),
    }


def _carry_identifiers(
    session: Session,
    tools: Tools,
    row: RequestRow,
    correction: Correction,
    note: Mapping[str, Any],
    key: bytes,
    at: datetime,
    actor: str,
) -> dict[str, Any]:
    """Index, holds and stops of provision after the people have changed."""
    recording_id, region = correction.recording_id, schedule_in_force(session).jurisdiction
    index = table_of(IdentifierRow)
    known = select(index.c.blind).where(index.c.recording_id == recording_id)
    before = frozenset(session.execute(known).scalars())
    after = blind_all(tools.index_key, _identifiers(note, correction.becomes, region))
    gained, lost = after - before, before - after
    reason = f"request {row.receipt}: stopped under an identifier that was corrected"
    stops = keep_blocked(
        session, tools.journal, at, actor, recording_id=recording_id, lost=lost, reason=reason
    )
    put_in_index(session, recording_id, after)
    own = select(col(RequestHoldRow.hold_id)).where(col(RequestHoldRow.request_id) == row.id)
    mine = frozenset(session.execute(own).scalars())
    still = kept_by_former(session, recording_id, lost)
    held = extend_to(session, tools.keys, tools.journal, at, actor, recording_id, key, gained)
    return {
        "held_by": list(held),
        "still_held_by": [each for each in still if each not in mine],
        "still_stopped_by": list(stops),
    }


def _correction_row(
    row: RequestRow, recording_id: str, number: int, places: list[str], at: datetime, actor: str
) -> CorrectionRow:
    return CorrectionRow(
        recording_id=recording_id,
        number=number,
        request_id=row.id,
        receipt=row.receipt,
        particulars=places,
        at=at,
        actor=actor,
        approved_by=row.approved_by,
    )


def _entry(session: Session, row: CorrectionRow) -> dict[str, Any]:
    """All that a restored backup needs to know the correction; the particulars as they are sealed."""
    recording = session.get_one(RecordingRow, row.recording_id)
    index = table_of(IdentifierRow)
    blinds = session.execute(select(index.c.blind).where(index.c.recording_id == row.recording_id)).scalars()
    return {
        "recording": row.recording_id,
        "number": row.number,
        "request": row.request_id,
        "receipt": row.receipt,
        "particulars": row.particulars,
        "corrected_at": row.at,
        "by": row.actor,
        "approved_by": row.approved_by,
        "personal": b64encode(recording.personal or b"").decode(),
        "identifiers": sorted(each.hex() for each in blinds),
    }
