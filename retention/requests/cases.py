"""Find a request, move it on, and reach what is encrypted of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.kernel.errors import NotFound
from retention.requests.model import NOT_IDENTIFIED, WITHDRAWN, Stage, Step, step
from retention.requests.papers import note
from retention.requests.rules.model import Outcome, RequestKind
from retention.requests.tables import RequestRow
from retention.vault.papers import Tools
from retention.vault.reasons import data_keys


def find_request(session: Session, name: str) -> RequestRow:
    """The request with this receipt number or id.

    Raises:
        NotFound: There is none.
    """
    named = or_(col(RequestRow.receipt) == name, col(RequestRow.id) == name)
    row: RequestRow | None = session.execute(select(RequestRow).where(named)).scalar_one_or_none()
    if row is None:
        raise NotFound(f"there is no request {name!r}", hint="`retention request list --all` shows them.")
    return row


def move_on(row: RequestRow, action: Step) -> None:
    """Bring the request to its next stage.

    Raises:
        IllegalTransition: The step is not possible now.
    """
    row.stage = check_step(row, action)


def check_step(row: RequestRow, action: Step) -> Stage:
    """The stage that the request would come to.

    Raises:
        IllegalTransition: The step is not possible now.
    """
    decided = row.outcome and row.outcome not in (NOT_IDENTIFIED, WITHDRAWN)
    outcome = Outcome(row.outcome) if decided else None
    return step(row.receipt, RequestKind(row.kind), Stage(row.stage), action, outcome)


def file_key(session: Session, tools: Tools, row: RequestRow) -> bytes:
    """The data key of the request's file, under which its diary is encrypted.

    Raises:
        KeyMissing: The file was disposed of.
    """
    return dict(data_keys(session, tools.keys, [row.file_id]))[row.file_id]


def put_on_record(
    session: Session,
    tools: Tools,
    row: RequestRow,
    at: datetime,
    actor: str,
    tag: Tag,
    said: dict[str, Any],
    detail: dict[str, Any],
) -> None:
    """One act on a request: `said` goes into its diary, encrypted, and `detail` into the audit trail."""
    session.add(row)
    note(
        session, row.id, row.file_id, file_key(session, tools, row), at, actor, tag.value.split(":")[-1], said
    )
    record(session, at, Act(tag, actor, row.id, detail={"stage": row.stage, **detail}))
