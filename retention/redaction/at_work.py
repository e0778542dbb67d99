"""What work on the copies of a request has in common: which recordings, when, and what it needs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session

from retention.audit.tags import Tag
from retention.catalogue.model import NewRecording
from retention.catalogue.schedules import schedule_in_force
from retention.kernel.errors import IllegalTransition, InvalidInput, NotFound, RetentionError
from retention.redaction.redactor import Medium, Redactor, Review
from retention.requests.cases import find_request, put_on_record
from retention.requests.match import granted
from retention.requests.model import Stage
from retention.requests.papers import PURPOSE, Area, write_paper
from retention.requests.rules.model import RequestKind
from retention.requests.tables import RenditionRow, RequestRow
from retention.vault.door import Door, Way
from retention.vault.intake import Intake
from retention.vault.papers import Tools

_BEFORE = frozenset({Stage.FILED, Stage.IDENTIFIED})


@dataclass(frozen=True, slots=True)
class Means:
    """What working on copies needs besides."""

    door: Door
    redactor: Redactor
    folder: Path  #: private, on a disk with room for a recording and its copy


def request_at_work(session: Session, name: str) -> RequestRow:
    """A request whose copies can be worked on now.

    Raises:
        NotFound: There is none of this name.
        InvalidInput: Nothing is handed over for a request of its kind.
        IllegalTransition: It has not been searched for, or is decided.
    """
    row = find_request(session, name)
    if row.kind != RequestKind.DISCLOSURE:
        raise InvalidInput(
            f"request {row.receipt} is a {row.kind}: only a disclosure hands copies over",
            hint=f"`retention request show {row.receipt}` says what it asks for.",
        )
    if row.stage != Stage.MATCHED:
        earlier = f"`retention request match {row.receipt}` comes first"
        later = f"`retention request send-back {row.receipt}` opens a decision again, until it is approved"
        raise IllegalTransition(
            f"request {row.receipt} is {row.stage}: copies are made while it is matched and not yet decided",
            hint=f"{earlier if row.stage in _BEFORE else later}.",
        )
    return row


def its_recordings(session: Session, row: RequestRow, recording_id: str) -> tuple[str, ...]:
    """Those that the request is about; only the one that is named, if one is.

    Raises:
        NotFound: The request is not about it, or about nothing that is held.
    """
    about = granted(session, row.id)
    if recording_id and recording_id not in about:
        raise NotFound(
            f"request {row.receipt} is not about recording {recording_id}",
            hint=f"`retention request show {row.receipt}` lists what it is about.",
        )
    if not about:
        raise NotFound(
            f"no recording about request {row.receipt} is held",
            hint=f"`retention request decide {row.receipt} nothing-held`.",
        )
    return (recording_id,) if recording_id else about


def find_rendition(session: Session, row: RequestRow, recording_id: str) -> RenditionRow:
    """How far the copy of a recording is.

    Raises:
        NotFound: Nothing was proposed for it.
    """
    found = session.get(RenditionRow, (row.id, recording_id))
    if found is None:
        raise NotFound(
            f"nothing is proposed for recording {recording_id} of request {row.receipt}",
            hint=f"`retention request propose {row.receipt} --recording {recording_id}` comes first.",
        )
    return found


def opened_review(tools: Tools, means: Means, found: RenditionRow, actor: str) -> Review:
    """The review document in force; an opening of a paper, and on record as one.

    Raises:
        NotPermitted: It may not be opened; the reason is on record.
    """
    return Review(opened_paper(tools, means, found.review_id, actor), tuple(found.open_points))


def opened_paper(tools: Tools, means: Means, paper_id: str, actor: str) -> bytes:
    """What stands in a paper of the case; on record as an opening.

    Raises:
        NotPermitted: It may not be opened; the reason is on record.
    """
    with tools.database.read() as session:
        schedule = schedule_in_force(session)
    reader = means.door.open(schedule, paper_id, Way(PURPOSE), actor, tools.clock.now())
    return b"".join(reader.chunks())


def sealed_review(tools: Tools, intake: Intake, row: RequestRow, review: Review) -> NewRecording:
    """A review document as a paper of the case, not yet registered."""
    with tools.database.read() as session:
        schedule = schedule_in_force(session)
    return write_paper(tools, intake, schedule, Area.RENDITION, [review.text], row.id)


def without_copy(found: RenditionRow, paper: NewRecording, review: Review) -> None:
    """Put a review document in force: a copy that was made by an earlier one no longer counts."""
    found.review_id, found.open_points = paper.id, list(review.open_points)
    found.rendition_id = found.report_id = found.page_id = found.suffix = found.rendered_by = ""
    found.sha256, found.size_bytes, found.summary, found.rendered_at = None, 0, {}, None


def with_hand(found: RenditionRow, actor: str) -> None:
    """`actor` had a hand in it."""
    found.hands = [*found.hands, *({actor} - set(found.hands))]


def put_work_on_record(
    session: Session,
    tools: Tools,
    row: RequestRow,
    found: RenditionRow,
    at: datetime,
    actor: str,
    tag: Tag,
    detail: dict[str, Any],
) -> None:
    """One act on a copy, in the diary and on the trail."""
    session.add(found)
    told = {"recording": found.recording_id, "open": len(found.open_points), **detail}
    put_on_record(session, tools, row, at, actor, tag, told, told)


def medium_of(found: RenditionRow) -> Medium:
    """What the recording is."""
    return Medium(found.kind)


@contextmanager
def about(recording_id: str) -> Iterator[None]:
    """Whatever goes wrong says with which recording."""
    try:
        yield
    except RetentionError as error:
        if recording_id not in error.message:
            error.args = (f"recording {recording_id}: {error.message}",)
        raise
