"""The two repairs that take nothing away from anybody: each is asked for by its own name.

A repair makes the catalogue or the key service agree with what is certain.
Lost bytes, lost rows and broken trails are not repaired: they are restored.
"""

from enum import StrEnum

from sqlalchemy import exists, select, union_all, update
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.catalogue.tables import CohortRow, LotRow, WrapRow
from retention.custody.rows import LOT_COUNTS, lot_recount
from retention.custody.tools import Tools
from retention.database import table_of
from retention.holds.tables import HoldMatchRow, HoldRow
from retention.ingest.tables import QuarantineRow
from retention.vault.reasons import destroy_for_good


class Repair(StrEnum):
    """What to repair."""

    COUNTS = "counts"  #: write each lot's recount
    SPENT_KEYS = "spent-keys"  #: destroy the keys of expired cohorts and of lifted holds that keep nothing


def repair(tools: Tools, what: Repair, actor: str) -> int:
    """Carry out one repair; how many things it changed."""
    return _counts(tools, actor) if what is Repair.COUNTS else _spent_keys(tools, actor)


def _counts(tools: Tools, actor: str) -> int:
    table = table_of(LotRow)
    with tools.database.write() as session:
        wrong = list(lot_recount(session))
        for row in wrong:
            true = {name: int(getattr(row, f"true_{name}")) for name in LOT_COUNTS}
            session.execute(update(table).where(table.c.id == row.id).values(true))
        if wrong:
            act = Act(Tag.LOTS_RECOUNTED, actor, "", detail={"lots": [row.id for row in wrong]})
            record(session, tools.clock.now(), act)
    return len(wrong)


def _spent_keys(tools: Tools, actor: str) -> int:
    with tools.database.write() as session:
        spent = spent_keys(session) & tools.keys.key_ids()
        if spent:
            record(
                session, tools.clock.now(), Act(Tag.KEYS_DESTROYED, actor, "", detail={"keys": len(spent)})
            )
    destroy_for_good(tools.keys, tools.journal, tools.clock.now(), spent)
    return len(spent)


def spent_keys(session: Session) -> frozenset[str]:
    """The keys of expired cohorts, of lifted holds on which nothing depends, and of items that left the quarantine."""
    waiting = select(col(HoldMatchRow.hold_id))
    cohorts = select(col(CohortRow.key_id)).where(col(CohortRow.state) == "expired")
    holds = select(col(HoldRow.key_id)).where(
        col(HoldRow.lifted_at).is_not(None), col(HoldRow.id).not_in(waiting)
    )
    items = select(col(QuarantineRow.key_id)).where(
        col(QuarantineRow.state) != "waiting",
        ~exists().where(col(WrapRow.recording_id) == col(QuarantineRow.id)),
    )
    return frozenset(session.execute(union_all(cohorts, holds, items)).scalars())
