"""Holds placed and lifted after the backup."""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import select, update

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.custody.replay.context import ACTOR, Entry, Replaying, instant_of, kept, wraps_of
from retention.database import table_of
from retention.holds.find import hold_of
from retention.holds.lift import lift
from retention.holds.place import cover
from retention.holds.tables import HoldMatchRow, HoldRow


def hold_placed(here: Replaying, entry: Entry) -> None:
    """The hold with its own id and key; its recordings follow in `hold_wraps`."""
    if here.session.get(HoldRow, entry["hold"]) is not None:
        return
    at = instant_of(entry)
    here.session.add(
        HoldRow(
            id=entry["hold"],
            kind=entry["hold_kind"],
            reason=entry["reason"],
            owner=entry["owner"],
            review_on=date.fromisoformat(entry["review_on"]),
            key_id=entry["key_id"],
            suspends_use=entry["suspends_use"],
            criteria=entry["criteria"],
            placed_at=at,
            placed_by=entry["placed_by"],
        )
    )
    here.session.flush()
    here.done.holds_placed += 1
    detail = {"kind": entry["hold_kind"], "review_on": entry["review_on"], "replayed": True}
    record(here.session, at, Act(Tag.HOLD_PLACED, entry["placed_by"], entry["hold"], detail=detail))


def hold_wraps(here: Replaying, entry: Entry) -> None:
    """Recordings that a hold in force covers and the backup does not know to be under it, each with its data key."""
    row = here.session.get(HoldRow, entry["hold"])
    if row is None or row.lifted_at is not None:
        return
    hold, wraps = hold_of(row), wraps_of(entry)
    rows = [
        {"recording_id": each, "key_id": hold.key_id, "wrapped": wraps[each]}
        for each in sorted(kept(here.session, wraps) - _under(here, hold.id, wraps))
    ]
    if rows:
        cover(here.session, hold, rows)


def _under(here: Replaying, hold_id: str, recording_ids: Iterable[str]) -> frozenset[str]:
    table = table_of(HoldMatchRow)
    known = (table.c.hold_id == hold_id, table.c.recording_id.in_(list(recording_ids)))
    return frozenset(here.session.execute(select(table.c.recording_id).where(*known)).scalars())


def hold_lifted(here: Replaying, entry: Entry) -> None:
    """A hold that is in force, lifted as it was then."""
    row = here.session.get(HoldRow, entry["hold"])
    if row is None or row.lifted_at is not None:
        return
    reason = entry.get("reason") or "lifted before the backup was restored"
    lift(here.session, entry["hold"], reason, instant_of(entry), entry.get("by") or ACTOR)
    here.done.holds_lifted += 1


def note_dead_keys(here: Replaying) -> None:
    """Lifted holds whose keys were destroyed since: nobody need destroy them again."""
    table = table_of(HoldRow)
    waiting = select(table.c.id, table.c.key_id).where(
        table.c.lifted_at.is_not(None), table.c.key_destroyed_at.is_(None)
    )
    spent = [row.id for row in here.session.execute(waiting) if row.key_id in here.ahead.dead]
    if spent:
        gone = update(table).where(table.c.id.in_(spent)).values(key_destroyed_at=here.tools.clock.now())
        here.session.execute(gone)
