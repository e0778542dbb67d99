"""Put a hold in force, and end it: the steps around the transaction, in the order that loses nothing.

Placing: the journal, the commit, the journal again (`place.py`), and the
store's own lock as the second line of defence. Ending goes the other way: the
commit, the journal, the locks, and the key at last, unless a night needs it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from retention.audit.witness import SignedJournal
from retention.catalogue.lots import BATCH
from retention.catalogue.model import ORIGINAL
from retention.catalogue.tables import ObjectRow
from retention.database import Database, in_batches, table_of
from retention.holds.lift import Lifted, confirm_lift, key_was_destroyed, lift
from retention.holds.model import Hold
from retention.holds.place import Placed, confirm, place
from retention.kernel.clock import Clock
from retention.vault.model import KeyService, ObjectName, ObjectStore, object_name
from retention.vault.reasons import destroy_for_good


@dataclass(frozen=True, slots=True)
class Tools:
    """What holds need."""

    database: Database
    store: ObjectStore
    keys: KeyService
    journal: SignedJournal
    clock: Clock


def put_in_force(tools: Tools, hold: Hold) -> Placed:
    """Place `hold`; on return nothing it covers can be disposed of.

    Raises:
        NotFound: A named recording or source does not exist.
        DatabaseBusy: Another writer held the database for too long.
    """
    with tools.database.write() as session:
        placed = place(session, tools.keys, tools.journal, hold)
    confirm(tools.journal, hold)
    tools.store.protect(_originals(tools.database, placed.recording_ids), held=True)
    return placed


def end(tools: Tools, hold_id: str, reason: str, actor: str) -> Lifted:
    """Lift the hold; what nothing else keeps is the next night's work.

    Raises:
        NotFound: There is no such hold.
        IllegalTransition: It was lifted before.
        InvalidInput: There is no reason.
    """
    now = tools.clock.now()
    with tools.database.write() as session:
        lifted = lift(session, hold_id, reason, now, actor)
    confirm_lift(tools.journal, lifted.hold, reason, actor)
    tools.store.protect(_originals(tools.database, lifted.unprotected), held=False)
    if not lifted.due:
        destroy_for_good(tools.keys, tools.journal, now, [lifted.hold.key_id])
        with tools.database.write() as session:
            key_was_destroyed(session, hold_id, now)
    return lifted


def _originals(database: Database, recording_ids: Iterable[str]) -> list[ObjectName]:
    table = table_of(ObjectRow)
    found: list[ObjectName] = []

    def look(some: list[str]) -> None:
        rows = select(table.c.recording_id, table.c.version).where(
            table.c.recording_id.in_(some), table.c.role == ORIGINAL
        )
        found.extend(object_name(each, ORIGINAL, version) for each, version in session.execute(rows))

    with database.read() as session:
        in_batches(list(recording_ids), BATCH, look)
    return found
