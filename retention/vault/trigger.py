"""An event has happened (a case closed, a contract ended): its open cohorts get their day.

The recordings of an open cohort move to the cohort of that day: their data
keys are wrapped under its key and no longer under the open cohort's, whose key
the caller destroys once the move is committed. The journal is told first, so
that a backup that still knows the open cohort alone loses nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import delete, insert, select, update
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.audit.witness import SignedJournal
from retention.catalogue.journal import Moving
from retention.catalogue.lots import BATCH, CohortKey, LotKey, cohort_for, lots_of, move_recordings
from retention.catalogue.tables import CohortRow, LotRow, RecordingRow, WrapRow
from retention.database import Database, in_batches, table_of
from retention.kernel.errors import NotFound
from retention.schedule.model import Schedule
from retention.vault.model import KeyService
from retention.vault.reasons import data_keys, destroy_for_good


@dataclass(frozen=True, slots=True)
class Triggered:
    """What an event moved."""

    recordings: int
    cohorts: tuple[str, ...]  #: where they are now
    spent_keys: tuple[str, ...]  #: of the cohorts that are empty now: destroy them after the commit


def start_count(
    database: Database,
    keys: KeyService,
    journal: SignedJournal,
    schedule: Schedule,
    *,
    event: str,
    reference: str,
    on: date,
    at: datetime,
    actor: str,
) -> Triggered:
    """Record an event, with the steps around the transaction in the order that loses nothing.

    Raises:
        NotFound: Nothing waits for it.
    """
    moving = Moving(journal, at)
    with database.write() as session:
        found = record_trigger(session, keys, moving, schedule, event, reference, on, at, actor)
    moving.confirm()
    destroy_for_good(keys, journal, at, found.spent_keys)
    return found


def record_trigger(
    session: Session,
    keys: KeyService,
    moving: Moving,
    schedule: Schedule,
    event: str,
    reference: str,
    on: date,
    at: datetime,
    actor: str,
) -> Triggered:
    """Start the count, on `on`, for every recording that waits for `event` under `reference`.

    The caller confirms `moving` once its transaction is committed.

    Raises:
        NotFound: Nothing waits for it.
    """
    classes = [name for name, rule in schedule.classes.items() if rule.trigger == event]
    waiting = (
        session.execute(
            select(CohortRow)
            .where(
                col(CohortRow.class_name).in_(classes),
                col(CohortRow.trigger_on).is_(None),
                col(CohortRow.reference) == reference,
                col(CohortRow.state) == "active",
            )
            .order_by(col(CohortRow.id))
        )
        .scalars()
        .all()
    )
    if not waiting:
        raise NotFound(
            f"no recording waits for {event!r} of {reference!r}",
            hint="The reference comes from the manifest; `retention explain ID` shows what a recording waits for.",
        )
    moved = 0
    names: list[str] = []
    for cohort in waiting:
        dated = cohort_for(session, CohortKey(cohort.class_name, cohort.zone, on), keys.new_key)
        moved += move_cohort(session, keys, moving, cohort, dated)
        names.append(dated.name)
    detail = {"event": event, "on": on, "recordings": moved, "cohorts": names}
    record(session, at, Act(Tag.TRIGGER_RECORDED, actor, reference or event, detail=detail))
    return Triggered(moved, tuple(names), tuple(cohort.key_id for cohort in waiting))


def move_cohort(session: Session, keys: KeyService, moving: Moving, old: CohortRow, new: CohortRow) -> int:
    """Move every recording of cohort `old` into `new`; how many. `old` is expired then, without a run."""
    assert old.id is not None
    recording = table_of(RecordingRow)
    lots = select(col(LotRow.id)).where(lots_of([old.id]))
    ids = list(session.execute(select(recording.c.id).where(recording.c.lot_id.in_(lots))).scalars())

    def move(some: list[str]) -> None:
        wraps = [
            (each, keys.wrap(new.key_id, key, each.encode())) for each, key in data_keys(session, keys, some)
        ]
        moving.moved(wraps, new, old=old)
        change_cohort(session, wraps, new, old)

    in_batches(ids, BATCH, move)
    moving.closed(old)
    close_cohort(session, old)
    return len(ids)


def change_cohort(
    session: Session, wraps: list[tuple[str, bytes]], new: CohortRow, old: CohortRow | None, purpose: str = ""
) -> None:
    """Bring recordings from cohort `old` into `new`, given their data keys wrapped under its key.

    Args:
        session: A writing transaction.
        wraps: (recording id, wrapped data key).
        new: The cohort they join.
        old: The cohort they leave; None: they only gain a reason.
        purpose: Where they only gain a reason: for which purpose.
    """
    ids = [recording_id for recording_id, _ in wraps]
    wrap = table_of(WrapRow)
    gone = [row.key_id for row in (old, new) if row is not None]
    session.execute(delete(wrap).where(wrap.c.key_id.in_(gone), wrap.c.recording_id.in_(ids)))
    rows = [{"recording_id": each, "key_id": new.key_id, "wrapped": wrapped} for each, wrapped in wraps]
    if rows:
        session.execute(insert(wrap), rows)
    move_recordings(session, ids, _exchange(old, new, purpose))


def close_cohort(session: Session, old: CohortRow) -> None:
    """Cohort `old` has no recordings any more: it is expired, without a run."""
    assert old.id is not None
    lot = table_of(LotRow)
    session.execute(update(table_of(CohortRow)).where(col(CohortRow.id) == old.id).values(state="expired"))
    session.execute(update(lot).where(lots_of([old.id])).values(living=lot.c.living - 1))


def _exchange(old: CohortRow | None, new: CohortRow, purpose: str) -> Callable[[LotKey], LotKey]:
    assert new.id is not None
    new_id, old_id = new.id, old.id if old is not None else None

    def relocate(lot: LotKey) -> LotKey:
        left = {each for each in lot.cohorts if each[0] == old_id}
        joined = {(new_id, carried) for _, carried in left} if left else {(new_id, purpose)}
        return replace(lot, cohorts=(lot.cohorts - left) | joined)

    return relocate
