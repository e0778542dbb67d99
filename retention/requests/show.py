"""What is on file: requests, without whom they are from; and one with everything, through the door."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from retention.kernel.canonical import isoformat
from retention.requests.cases import file_key
from retention.requests.model import Stage
from retention.requests.papers import PURPOSE, diary
from retention.requests.tables import RequestRow
from retention.schedule.model import Schedule
from retention.vault.door import Door, Way
from retention.vault.papers import Tools


def requests_at(session: Session, stages: Collection[Stage]) -> list[RequestRow]:
    """Requests at these stages, by the date on which they must be answered; closed ones last."""
    rows = session.execute(
        select(RequestRow)
        .where(col(RequestRow.stage).in_(list(stages)))
        .order_by(col(RequestRow.stage) == Stage.CLOSED, col(RequestRow.due_on), col(RequestRow.id))
    )
    return list(rows.scalars())


def opened_file(
    tools: Tools, door: Door, schedule: Schedule, row: RequestRow, actor: str
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What was asked and by whom, and the diary. It is an opening of the request's file, and on record as one.

    Raises:
        NotPermitted: The file may not be opened; the reason is on record.
    """
    reader = door.open(schedule, row.file_id, Way(PURPOSE), actor, tools.clock.now())
    received: dict[str, Any] = json.loads(b"".join(reader.chunks()))
    with tools.database.read() as session:
        key = file_key(session, tools, row)
        notes = [
            {"at": isoformat(each.at), "by": each.actor, "about": each.about, "said": each.said}
            for each in diary(session, row.id, row.file_id, key)
        ]
    return received, notes
