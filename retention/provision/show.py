"""What is on the ledger: every provision without its recipient, and one with all of it, through the door."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from retention.provision.model import ITEMS, RECIPIENT, Stage
from retention.provision.papers import is_kept, open_paper
from retention.provision.propose import items_of
from retention.provision.tables import ProvisionItemRow, ProvisionRow
from retention.schedule.model import Schedule
from retention.vault.door import Door
from retention.vault.papers import Tools


@dataclass(frozen=True, slots=True)
class Provided:
    """A provision as the person whose recording it was is told of it."""

    digest: str
    at: datetime
    basis: str
    recipient: str
    what: str
    recording_ids: tuple[str, ...]


def provisions(
    session: Session,
    *,
    recording_ids: tuple[str, ...] = (),
    recipient: bytes = b"",
    handed_over: bool = False,
) -> list[ProvisionRow]:
    """The provisions of these recordings (of any, where none is named), oldest first."""
    statement = select(ProvisionRow).order_by(col(ProvisionRow.id))
    if recording_ids:
        of_them = select(col(ProvisionItemRow.provision_id)).where(
            col(ProvisionItemRow.recording_id).in_(recording_ids)
        )
        statement = statement.where(col(ProvisionRow.id).in_(of_them))
    if recipient:
        statement = statement.where(col(ProvisionRow.recipient) == recipient)
    if handed_over:
        statement = statement.where(col(ProvisionRow.stage) == Stage.HANDED_OVER)
    return list(session.execute(statement).scalars())


def opened(tools: Tools, door: Door, schedule: Schedule, row: ProvisionRow, actor: str) -> dict[str, Any]:
    """To whom, why, by which fields. It is an opening of the provision's paper, and on record as one.

    Raises:
        NotPermitted: The paper was disposed of, or may not be opened; the reason is on record.
    """
    return open_paper(tools, door, schedule, row.record_id or row.proposal_id, actor)


def told(
    tools: Tools, door: Door, schedule: Schedule, recording_ids: tuple[str, ...], actor: str
) -> tuple[Provided, ...]:
    """What was handed over of these recordings, as far as its record is still kept; each is opened, on record."""
    with tools.database.read() as session:
        rows = provisions(session, recording_ids=recording_ids, handed_over=True) if recording_ids else []
        kept = [(row, items_of(session, row.id)) for row in rows if is_kept(session, schedule, row.record_id)]
    found = []
    for row, items in kept:
        fields = opened(tools, door, schedule, row, actor)["fields"]
        assert row.handed_over_at is not None
        mine = tuple(each.recording_id for each in items if each.recording_id in recording_ids)
        found.append(
            Provided(
                row.digest, row.handed_over_at, row.basis, fields[RECIPIENT], fields.get(ITEMS, ""), mine
            )
        )
    return tuple(found)
