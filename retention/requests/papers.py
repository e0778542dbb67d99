"""A request's papers are recordings of a kind of their own.

What was asked and by whom, evidence of identity, redacted copies and packages
are sealed, catalogued, held, opened and disposed of exactly as recordings are:
each area of papers has its own retention class in the policy, its own cohorts
and so its own keys (ADR 0014). The diary of a request is encrypted under the
data key of its file, and dies with it.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from retention.audit.witness import SignedJournal
from retention.catalogue.model import ORIGINAL, Assigned, NewRecording, SealedObject, Source
from retention.catalogue.register import register
from retention.catalogue.tables import SourceRow
from retention.database import Database
from retention.kernel.canonical import canonical_json
from retention.kernel.clock import Clock
from retention.kernel.errors import InvalidInput
from retention.requests.tables import RequestNoteRow, RequestPaperRow
from retention.schedule.model import Kind, Schedule
from retention.vault.intake import Intake
from retention.vault.model import KeyService, ObjectStore
from retention.vault.note import open_note, seal_note
from retention.vault.seal import new_data_key, seal

PURPOSE = "request-handling"  #: the purpose of use that every paper carries
CLOSED = "request-closed"  #: the event from which the classes of papers may count


class Area(StrEnum):
    """What a paper is; the area word by which the policy chooses its class."""

    FILE = "file"  #: what was asked, and by whom
    EVIDENCE = "evidence"  #: of identity
    RENDITION = "rendition"  #: a redacted copy
    PACKAGE = "package"  #: what was handed over


@dataclass(frozen=True, slots=True)
class Tools:
    """What requests need."""

    database: Database
    store: ObjectStore
    keys: KeyService
    journal: SignedJournal
    clock: Clock
    locks: Path  #: a local folder for the locks that show which writers live
    index_key: bytes  #: of the blind index

    def intake(self) -> Intake:
        """Hands out ids under which papers may be written."""
        return Intake(self.database, self.store, self.clock, self.locks)


def source_of_papers(schedule: Schedule, area: Area) -> Source:
    """The source that papers of an area come from: the office itself."""
    return Source(
        id=f"requests.{area}",
        kind=Kind.CASE_FILE,
        site="",
        zone=schedule.controller.zone,
        area=str(area),
        owner="",
        notice=schedule.purposes[PURPOSE].notice if PURPOSE in schedule.purposes else "",
        purposes=(PURPOSE,),
        clock_error_s=0.0,
        channels=(),
        mount="",
        raw_format="",
    )


def write_paper(
    tools: Tools, intake: Intake, schedule: Schedule, area: Area, content: Iterable[bytes], request_id: str
) -> NewRecording:
    """Seal a paper; it is registered with `keep_paper`, or swept when that never happens.

    Raises:
        InvalidInput: The policy has no class for papers of this area.
    """
    source, now = source_of_papers(schedule, area), tools.clock.now()
    assigned = _assigned(schedule, source, now, request_id)
    recording_id, key = intake.next_id(), new_data_key()
    sealed = seal(tools.store, key, recording_id, ORIGINAL, content)
    return NewRecording(
        id=recording_id,
        source=source,
        native_index=recording_id.encode(),  # two papers may read alike
        started_at=now,
        ended_at=now,
        received_at=now,
        claimed_start="",
        time_basis="received",
        facts={"request": request_id},
        personal=None,
        data_key=key,
        objects=(
            SealedObject(ORIGINAL, sealed.size_bytes, sealed.stored_bytes, sealed.sha256, sealed.commitment),
        ),
        assigned=assigned,
    )


def _assigned(schedule: Schedule, source: Source, now: datetime, request_id: str) -> tuple[Assigned, ...]:
    found = schedule.classify(source.facts, source.purposes)
    if not found.assigned:
        raise InvalidInput(
            f"the policy has no retention class for the {source.area} of requests",
            hint=f"Give it the purpose {PURPOSE} and classes for {Kind.CASE_FILE}; policies/defaults/japan.yaml shows how.",
        )
    assigned = []
    for each in found.assigned:
        day = schedule.trigger_on(each.class_name, started_at=now, ended_at=now, zone=source.zone, events={})
        assigned.append(Assigned(each.purpose, each.class_name, day, "" if day else request_id))
    return tuple(assigned)


def keep_paper(
    session: Session, tools: Tools, intake: Intake, new: NewRecording, request_id: str, label: str
) -> None:
    """Register a sealed paper of a request, in the caller's transaction."""
    intake.check(session, [new.id])
    if session.get(SourceRow, new.source.id) is None:
        session.add(SourceRow(**new.source.particulars(), registered_at=new.received_at))
    register(session, [new], new_key=tools.keys.new_key, wrap=tools.keys.wrap, holds_for=lambda _: ())
    session.add(
        RequestPaperRow(recording_id=new.id, request_id=request_id, area=new.source.area, label=label)
    )


@dataclass(frozen=True, slots=True)
class Note:
    """An entry of a request's diary."""

    at: datetime
    actor: str
    about: str
    said: dict[str, Any]


def note(
    session: Session,
    request_id: str,
    file_id: str,
    key: bytes,
    at: datetime,
    actor: str,
    about: str,
    said: dict[str, Any],
) -> None:
    """Add to the diary of a request, in the caller's transaction."""
    count = select(func.count()).where(col(RequestNoteRow.request_id) == request_id)
    session.add(
        RequestNoteRow(
            request_id=request_id,
            position=session.execute(count).scalar_one(),
            at=at,
            actor=actor,
            about=about,
            note=seal_note(key, file_id, canonical_json(said)),
        )
    )
    session.flush()


def diary(session: Session, request_id: str, file_id: str, key: bytes) -> Iterator[Note]:
    """Every entry, oldest first."""
    rows = session.execute(
        select(RequestNoteRow)
        .where(col(RequestNoteRow.request_id) == request_id)
        .order_by(col(RequestNoteRow.position))
    )
    for row in rows.scalars():
        yield Note(row.at, row.actor, row.about, json.loads(open_note(key, file_id, row.note)))
