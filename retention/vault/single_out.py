"""Let a cohort's key be destroyed for some recordings and nobody else.

A data key that was ever wrapped under a cohort's key can be unwrapped from an
old backup for as long as that key lives. To erase one recording for good its
cohorts' keys must die, so all other recordings leave first: their data keys are
wrapped under the keys of new cohorts of the same class, zone and day. The
journal is told before the commit, as of every move (`catalogue.journal`).
"""

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlmodel import Session, col

from retention.catalogue.journal import Moving
from retention.catalogue.lots import BATCH, CohortKey, lots_of, next_generation
from retention.catalogue.tables import CohortRow, LotRow, ReasonRow, RecordingRow
from retention.database import in_batches, table_of
from retention.vault.model import KeyService
from retention.vault.reasons import data_keys
from retention.vault.trigger import change_cohort, move_cohort


def single_out(
    session: Session, keys: KeyService, moving: Moving, recording_ids: Collection[str]
) -> list[int]:
    """Move everything else out of the living cohorts of these recordings; those cohorts, which hold only them.

    Takes as long as the cohorts are large: a data key is wrapped anew for every recording that leaves.
    """
    alone = sorted(recording_ids)
    cohorts = _living_cohorts(session, alone)
    for old in cohorts:
        others = _others(session, old, alone)
        if others:
            _leave(session, keys, moving, old, others)
    return [old.id for old in cohorts if old.id is not None]


def renew_cohorts(session: Session, keys: KeyService, moving: Moving, recording_ids: Collection[str]) -> None:
    """Give the living cohorts of these recordings new keys, for all they hold; `emptied_cohorts` has the old ones.

    For a recording of which a part was destroyed: it stays, and what its data key once opened must not.
    """
    for old in _living_cohorts(session, sorted(recording_ids)):
        new = next_generation(session, _key_of(old), keys.new_key)
        move_cohort(session, keys, moving, old, new)


def emptied_cohorts(session: Session) -> frozenset[str]:
    """The keys of cohorts that were emptied into others, and are nobody's reason to keep anything."""
    rows = session.execute(
        select(col(CohortRow.key_id)).where(
            col(CohortRow.state) == "expired", col(CohortRow.run_id).is_(None)
        )
    )
    return frozenset(rows.scalars())


def _key_of(cohort: CohortRow) -> CohortKey:
    return CohortKey(cohort.class_name, cohort.zone, cohort.trigger_on, cohort.reference)


def _living_cohorts(session: Session, recording_ids: Sequence[str]) -> list[CohortRow]:
    recording, lot, reason = table_of(RecordingRow), table_of(LotRow), table_of(ReasonRow)
    theirs = (
        select(reason.c.cohort_id)
        .join(lot, lot.c.reasons_id == reason.c.reasons_id)
        .join(recording, recording.c.lot_id == lot.c.id)
        .where(recording.c.id.in_(recording_ids))
    )
    rows = session.execute(
        select(CohortRow)
        .where(col(CohortRow.id).in_(theirs), col(CohortRow.state) == "active")
        .order_by(col(CohortRow.id))
    )
    return list(rows.scalars())


def _others(session: Session, cohort: CohortRow, alone: Sequence[str]) -> list[str]:
    assert cohort.id is not None
    recording = table_of(RecordingRow)
    lots = select(col(LotRow.id)).where(lots_of([cohort.id]))
    rows = session.execute(
        select(recording.c.id).where(recording.c.lot_id.in_(lots), recording.c.id.not_in(alone))
    )
    return list(rows.scalars())


def _leave(session: Session, keys: KeyService, moving: Moving, old: CohortRow, others: Sequence[str]) -> None:
    new = next_generation(session, _key_of(old), keys.new_key)

    def move(some: list[str]) -> None:
        found = list(data_keys(session, keys, some))
        wrapped = keys.wrap_many(new.key_id, [(data_key, each.encode()) for each, data_key in found])
        wraps = [(each, wrap) for (each, _), wrap in zip(found, wrapped, strict=True)]
        moving.moved(wraps, new, old=old)
        change_cohort(session, wraps, new, old)

    in_batches(list(others), BATCH, move)
