"""What rows say twice must agree: whoever changes one of them by hand is found.

A recording's digest and its original's (or, of a later version, what the ledger
of destroyed spans says), a wrap and the recording it is for. A certificate
states the recording's digest, and the bytes are checked against their object's.
A cohort's day and that of its recordings; its name is no witness of its day: it
stays with the key when the day moves.
"""

from typing import Any

from sqlalchemy import and_, case, exists, not_, select
from sqlmodel import Session

from retention.catalogue.days import days_of_cohorts
from retention.catalogue.schedules import schedule_in_force
from retention.catalogue.states import State
from retention.catalogue.tables import ObjectRow, RecordingRow, WrapRow
from retention.custody.model import Findings, Kind
from retention.database import table_of
from retention.redaction.tables import DestructionRow

READ_AT_ONCE = 5_000
CHANGED_BY_HAND = "Let no night run. Find out who changed the database, and bring back the last backup: `retention restore FILE`."


def check_agreement(session: Session, findings: Findings) -> None:
    """Note every row that another one contradicts."""
    _digests(session, findings)
    _wraps_of_nothing(session, findings)
    _days(session, findings)


def _stream(session: Session, statement: Any) -> Any:
    with session.execute(statement.execution_options(yield_per=READ_AT_ONCE)) as rows:
        yield from rows


def _digests(session: Session, findings: Findings) -> None:
    recording, sealed, destroyed = (table_of(each) for each in (RecordingRow, ObjectRow, DestructionRow))
    as_received = and_(recording.c.sha256 == sealed.c.sha256, recording.c.size_bytes == sealed.c.size_bytes)
    as_destroyed = exists().where(
        destroyed.c.recording_id == sealed.c.recording_id,
        destroyed.c.version == sealed.c.version,
        destroyed.c.new_sha256 == sealed.c.sha256,
        destroyed.c.new_size_bytes == sealed.c.size_bytes,
    )
    statement = (
        select(recording.c.id)
        .join(sealed, sealed.c.recording_id == recording.c.id)
        .where(
            recording.c.state == State.SEALED,
            sealed.c.role == "original",
            not_(case((sealed.c.version == 1, as_received), else_=as_destroyed)),
        )
    )
    for row in _stream(session, statement):
        what = f"recording {row.id} has another digest or size than what was sealed of it"
        findings.add(Kind.ROWS_DISAGREE, row.id, what, CHANGED_BY_HAND)


def _wraps_of_nothing(session: Session, findings: Findings) -> None:
    recording, wrap = table_of(RecordingRow), table_of(WrapRow)
    statement = (
        select(wrap.c.recording_id)
        .outerjoin(recording, recording.c.id == wrap.c.recording_id)
        .where(recording.c.id.is_(None))
        .distinct()
    )
    for row in _stream(session, statement):
        what = f"recording {row.recording_id} has a key, but no row: the row was removed"
        findings.add(Kind.ROWS_DISAGREE, row.recording_id, what, CHANGED_BY_HAND)


def _days(session: Session, findings: Findings) -> None:
    for found in days_of_cohorts(session, schedule_in_force(session)):
        if not found.agree:
            what = (
                f"cohort {found.name} counts from {found.trigger_on}, but its recordings are"
                f" of {found.first_on} to {found.last_on}"
            )
            findings.add(Kind.ROWS_DISAGREE, found.name, what, CHANGED_BY_HAND)
