"""An event has happened (a case closed, a contract ended): its open cohorts get their day.

The recordings of an open cohort move to the cohort of that day: their data
keys are wrapped under its key and no longer under the open cohort's, whose key
the caller destroys once the move is committed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import delete, insert, select, update
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.catalogue.lots import BATCH, CohortKey, LotKey, cohort_for, move_recordings
from retention.catalogue.tables import CohortRow, LotCohortRow, LotRow, RecordingRow, WrapRow
from retention.database import in_batches, table_of
from retention.kernel.errors import NotFound
from retention.schedule.model import Schedule
from retention.vault.model import KeyService
from retention.vault.reasons import data_keys


@dataclass(frozen=True, slots=True)
class Triggered:
    """What an event moved."""

    recordings: int
    cohorts: tuple[str, ...]  #: where they are now
    spent_keys: tuple[str, ...]  #: of the cohorts that are empty now: destroy them after the commit


def record_trigger(
    session: Session,
    keys: KeyService,
    schedule: Schedule,
    event: str,
    reference: str,
    on: date,
    at: datetime,
    actor: str,
) -> Triggered:
    """Start the count, on `on`, for every recording that waits for `event` under `reference`.

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
        moved += move_cohort(session, keys, cohort, dated)
        names.append(dated.name)
    detail = {"event": event, "on": on, "recordings": moved, "cohorts": names}
    record(session, at, Act(Tag.TRIGGER_RECORDED, actor, reference or event, detail=detail))
    return Triggered(moved, tuple(names), tuple(cohort.key_id for cohort in waiting))


def move_cohort(session: Session, keys: KeyService, old: CohortRow, new: CohortRow) -> int:
    """Move every recording of cohort `old` into `new`; how many. `old` is expired then, without a run."""
    member, recording = table_of(LotCohortRow), table_of(RecordingRow)
    lots = select(member.c.lot_id).where(member.c.cohort_id == old.id)
    ids = list(session.execute(select(recording.c.id).where(recording.c.lot_id.in_(lots))).scalars())
    in_batches(ids, BATCH, lambda some: _rewrap(session, keys, some, old.key_id, new.key_id))
    move_recordings(session, ids, _exchange(old, new))
    session.execute(update(table_of(CohortRow)).where(col(CohortRow.id) == old.id).values(state="expired"))
    session.execute(
        update(table_of(LotRow)).where(col(LotRow.id).in_(lots)).values(living=table_of(LotRow).c.living - 1)
    )
    return len(ids)


def _rewrap(session: Session, keys: KeyService, recording_ids: list[str], old_key: str, new_key: str) -> None:
    rows = [
        {"recording_id": each, "key_id": new_key, "wrapped": keys.wrap(new_key, key, each.encode())}
        for each, key in data_keys(session, keys, recording_ids)
    ]
    wrap = table_of(WrapRow)
    session.execute(
        delete(wrap).where(wrap.c.key_id.in_([old_key, new_key]), wrap.c.recording_id.in_(recording_ids))
    )
    if rows:
        session.execute(insert(wrap), rows)


def _exchange(old: CohortRow, new: CohortRow) -> Callable[[LotKey], LotKey]:
    assert new.id is not None
    new_id = new.id

    def relocate(lot: LotKey) -> LotKey:
        cohorts = frozenset(
            (new_id if cohort == old.id else cohort, purpose) for cohort, purpose in lot.cohorts
        )
        return replace(lot, cohorts=cohorts)

    return relocate
