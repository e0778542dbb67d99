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
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from retention.catalogue.model import NewRecording
from retention.kernel.canonical import canonical_json
from retention.requests.tables import RequestNoteRow, RequestPaperRow
from retention.schedule.model import Schedule
from retention.vault import papers
from retention.vault.intake import Intake
from retention.vault.note import open_note, seal_note
from retention.vault.papers import Shelf, Tools

PURPOSE = "request-handling"  #: the purpose of use that every paper carries
SHELF = Shelf("requests", PURPOSE)
CLOSED = "request-closed"  #: the event from which the classes of papers may count


class Area(StrEnum):
    """What a paper is; the area word by which the policy chooses its class."""

    FILE = "file"  #: what was asked, and by whom
    EVIDENCE = "evidence"  #: of identity
    RENDITION = "rendition"  #: a redacted copy
    PACKAGE = "package"  #: what was handed over


def write_paper(
    tools: Tools, intake: Intake, schedule: Schedule, area: Area, content: Iterable[bytes], request_id: str
) -> NewRecording:
    """Seal a paper; it is registered with `keep_paper`, or swept when that never happens.

    Raises:
        InvalidInput: The policy has no class for papers of this area.
    """
    assigned = SHELF.assigned(schedule, area, tools.clock.now(), request_id)
    source, facts = SHELF.source(schedule, area), {"request": request_id}
    return papers.write_paper(tools, intake, source, assigned, content, facts)


def keep_paper(
    session: Session, tools: Tools, intake: Intake, new: NewRecording, request_id: str, label: str
) -> None:
    """Register a sealed paper of a request, in the caller's transaction."""
    papers.keep_paper(session, tools, intake, new)
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
