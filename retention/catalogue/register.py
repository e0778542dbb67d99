"""Put sealed recordings into the catalogue: one transaction for a whole batch.

The caller's transaction covers the rows, the data keys' wraps, the lots' counts
and the audit entries: a recording is either held with every reason to keep it,
or not at all.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, insert, select, tuple_, update
from sqlmodel import Session, col

from retention.catalogue.lots import CohortKey, LotKey, NewKey, adjust_counts, cohort_for, lot_for
from retention.catalogue.model import NewRecording
from retention.catalogue.states import State
from retention.catalogue.tables import (
    CohortRow,
    IdentifierRow,
    IntakeRow,
    ObjectRow,
    RecordingRow,
    SourceRow,
    WrapRow,
)
from retention.database import table_of

#: (key id, data key, context) → wrapped data key
Wrap = Callable[[str, bytes, bytes], bytes]


@dataclass(frozen=True, slots=True)
class HeldBy:
    """A hold that a recording falls under."""

    hold_id: str
    key_id: str
    suspends_use: bool


#: The holds a new recording falls under.
HoldsFor = Callable[[NewRecording], Sequence[HeldBy]]


@dataclass(slots=True)
class _Rows:
    recordings: list[dict[str, Any]] = field(default_factory=list)
    wraps: list[dict[str, Any]] = field(default_factory=list)
    objects: list[dict[str, Any]] = field(default_factory=list)
    identifiers: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[int, tuple[int, int]] = field(default_factory=dict)


def register(
    session: Session, batch: Iterable[NewRecording], *, new_key: NewKey, wrap: Wrap, holds_for: HoldsFor
) -> None:
    """Register `batch` as sealed and forget its intakes."""
    rows = _Rows()
    cohorts: dict[CohortKey, CohortRow] = {}
    lots: dict[LotKey, int] = {}
    for new in batch:
        chosen = frozenset(_cohort(session, new, each, cohorts, new_key) for each in new.assigned)
        holds = holds_for(new)
        lot = LotKey(
            new.source.kind,
            new.source.site,
            new.source.zone,
            new.source.area,
            frozenset((cohort_id, purpose) for cohort_id, purpose, _ in chosen),
            frozenset(held.hold_id for held in holds),
            any(held.suspends_use for held in holds),
        )
        if lot not in lots:
            lots[lot] = lot_for(session, lot)
        key_ids = {key_id for _, _, key_id in chosen} | {held.key_id for held in holds}
        _add(
            rows, new, lots[lot], {key_id: wrap(key_id, new.data_key, new.id.encode()) for key_id in key_ids}
        )
    _write(session, rows)


def _cohort(
    session: Session, new: NewRecording, each: Any, cohorts: dict[CohortKey, CohortRow], new_key: NewKey
) -> tuple[int, str, str]:
    wanted = CohortKey(each.class_name, new.source.zone, each.trigger_on, each.reference)
    if wanted not in cohorts:
        cohorts[wanted] = cohort_for(session, wanted, new_key)
    cohort = cohorts[wanted]
    assert cohort.id is not None
    return cohort.id, each.purpose, cohort.key_id


def _add(rows: _Rows, new: NewRecording, lot_id: int, wraps: dict[str, bytes]) -> None:
    original = new.original
    rows.recordings.append(
        {
            "id": new.id,
            "source_id": new.source.id,
            "kind": str(new.source.kind),
            "native_index": new.native_index,
            "sha256": original.sha256,
            "size_bytes": original.size_bytes,
            "started_at": new.started_at,
            "ended_at": new.ended_at,
            "received_at": new.received_at,
            "claimed_start": new.claimed_start,
            "time_basis": new.time_basis,
            "state": str(State.SEALED),
            "lot_id": lot_id,
            "facts": dict(new.facts),
            "personal": new.personal,
        }
    )
    rows.wraps += [{"recording_id": new.id, "key_id": key_id, "wrapped": w} for key_id, w in wraps.items()]
    rows.objects += [
        {
            "recording_id": new.id,
            "role": each.role,
            "size_bytes": each.size_bytes,
            "stored_bytes": each.stored_bytes,
            "sha256": each.sha256,
            "commitment": each.commitment,
        }
        for each in new.objects
    ]
    rows.identifiers += [{"blind": blind, "recording_id": new.id} for blind in new.blinds]
    recordings, size_bytes = rows.counts.get(lot_id, (0, 0))
    rows.counts[lot_id] = (recordings + 1, size_bytes + original.size_bytes)


def _write(session: Session, rows: _Rows) -> None:
    for model, found in (
        (RecordingRow, rows.recordings),
        (WrapRow, rows.wraps),
        (ObjectRow, rows.objects),
        (IdentifierRow, rows.identifiers),
    ):
        if found:
            session.execute(insert(table_of(model)), found)
    adjust_counts(session, rows.counts)
    _keep_longest(session, rows.recordings)
    ids = [row["id"] for row in rows.recordings]
    if ids:
        session.execute(delete(table_of(IntakeRow)).where(col(IntakeRow.recording_id).in_(ids)))


def _keep_longest(session: Session, recordings: Iterable[dict[str, Any]]) -> None:
    longest: dict[str, float] = defaultdict(float)
    for row in recordings:
        duration_s = (row["ended_at"] - row["started_at"]).total_seconds()
        longest[row["source_id"]] = max(longest[row["source_id"]], duration_s)
    source = table_of(SourceRow)
    for source_id, longest_s in longest.items():
        is_longer = (source.c.id == source_id) & (source.c.longest_s < longest_s)
        session.execute(update(source).where(is_longer).values(longest_s=longest_s))


def known_already(
    session: Session, wanted: Iterable[tuple[str, bytes, bytes]]
) -> dict[tuple[str, bytes, bytes], tuple[str, str]]:
    """Which (source, native index, SHA-256) are in the catalogue: their id and state.

    A disposed recording counts: what was let go does not come back by being
    taken in again.
    """
    table = table_of(RecordingRow)
    by_source: dict[str, list[tuple[bytes, bytes]]] = defaultdict(list)
    for source_id, native_index, sha256 in wanted:
        by_source[source_id].append((native_index, sha256))
    found: dict[tuple[str, bytes, bytes], tuple[str, str]] = {}
    for source_id, pairs in by_source.items():
        rows = session.execute(
            select(table.c.id, table.c.state, table.c.native_index, table.c.sha256).where(
                table.c.source_id == source_id, tuple_(table.c.native_index, table.c.sha256).in_(pairs)
            )
        )
        found |= {(source_id, row.native_index, row.sha256): (row.id, row.state) for row in rows}
    return found
