"""Find recordings and say what is known of them: their reasons, due dates, state.

Nothing here reads content or shows who is in a recording; a search by a
person's identifier goes through the keyed blind index.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, exists, select
from sqlmodel import Session

from retention.catalogue.lots import BATCH
from retention.catalogue.states import State
from retention.catalogue.tables import (
    CohortRow,
    IdentifierRow,
    LotHoldRow,
    LotRow,
    ReasonRow,
    RecordingRow,
)
from retention.database import table_of
from retention.kernel.errors import NotFound
from retention.schedule.model import Facts, Kind, Schedule


@dataclass(frozen=True, slots=True)
class Reason:
    """A purpose that a recording carries, and how long that keeps it."""

    purpose: str
    class_name: str
    cohort: str
    key_id: str
    zone: str
    trigger_on: date | None
    due_on: date | None  #: None while the trigger is open or the class is unknown
    state: str  #: the cohort's: active, expiring, expired


@dataclass(frozen=True, slots=True)
class Recording:
    """What the catalogue knows of a recording."""

    id: str
    kind: str  #: "call" or "footage"; "unknown" for what was rejected from quarantine
    source_id: str
    started_at: datetime
    ended_at: datetime
    received_at: datetime
    claimed_start: str
    time_basis: str
    state: State
    size_bytes: int
    sha256: bytes
    reasons: tuple[Reason, ...]
    hold_ids: tuple[str, ...]
    restricted: bool
    place: Facts | None  #: None once it is disposed of
    facts: dict[str, Any]
    run_id: str | None  #: the disposal run that is letting it go


def find_recording(session: Session, schedule: Schedule, recording_id: str) -> Recording:
    """The recording called `recording_id`.

    Raises:
        NotFound: The catalogue has none.
    """
    table = table_of(RecordingRow)
    for found in _describe(session, schedule, select(table).where(table.c.id == recording_id)):
        return found
    raise NotFound(f"there is no recording {recording_id!r}", hint="`retention search` finds recordings.")


@dataclass(frozen=True, slots=True)
class Query:
    """What to search for; everything given must hold."""

    blinds: Collection[bytes] = ()  #: keyed indexes of identifiers; quickest where the rarest comes first
    source_id: str = ""
    from_at: datetime | None = None
    until_at: datetime | None = None


def search(session: Session, schedule: Schedule, query: Query) -> Iterator[Recording]:
    """The recordings that match, oldest first; disposed ones no longer carry identifiers."""
    table = table_of(RecordingRow)
    statement = select(table).order_by(table.c.started_at, table.c.id)
    identifier = table_of(IdentifierRow)
    for number, blind in enumerate(query.blinds):
        carries = identifier.c.blind == blind
        found = select(identifier.c.recording_id).where(carries)
        # The first is looked up, and each of its recordings is asked for the others: an agent has thousands.
        also = exists().where(carries, identifier.c.recording_id == table.c.id)
        statement = statement.where(also if number else table.c.id.in_(found))
    if query.source_id:
        statement = statement.where(table.c.source_id == query.source_id)
    if query.from_at:
        statement = statement.where(table.c.ended_at > query.from_at)
    if query.until_at:
        statement = statement.where(table.c.started_at < query.until_at)
    return _describe(session, schedule, statement)


def _describe(session: Session, schedule: Schedule, statement: Select[Any]) -> Iterator[Recording]:
    lots: dict[int, _Lot] = {}
    with session.execute(statement.execution_options(yield_per=BATCH)) as rows:
        for some in rows.partitions():
            new = {row.lot_id for row in some if row.lot_id is not None} - lots.keys()
            _learn_lots(session, schedule, new, lots)
            for row in some:
                yield _recording(row, lots.get(row.lot_id, _NO_LOT))


@dataclass(frozen=True, slots=True)
class _Lot:
    reasons: tuple[Reason, ...]
    hold_ids: tuple[str, ...]
    restricted: bool
    place: Facts | None
    run_id: str | None


_NO_LOT = _Lot((), (), restricted=False, place=None, run_id=None)


def _learn_lots(session: Session, schedule: Schedule, lot_ids: Iterable[int], known: dict[int, _Lot]) -> None:
    ids = list(lot_ids)
    if not ids:
        return
    lot, member, cohort, hold = (table_of(t) for t in (LotRow, ReasonRow, CohortRow, LotHoldRow))
    reasons: dict[int, list[Reason]] = {}
    for row in session.execute(
        select(lot.c.id.label("lot_id"), member.c.purpose, cohort)
        .join(member, member.c.reasons_id == lot.c.reasons_id)
        .join(cohort, cohort.c.id == member.c.cohort_id)
        .where(lot.c.id.in_(ids))
        .order_by(member.c.purpose)
    ):
        reasons.setdefault(row.lot_id, []).append(_reason(schedule, row))
    holds: dict[int, list[str]] = {}
    for row in session.execute(select(hold).where(hold.c.lot_id.in_(ids)).order_by(hold.c.hold_id)):
        holds.setdefault(row.lot_id, []).append(row.hold_id)
    for row in session.execute(select(lot).where(lot.c.id.in_(ids))):
        known[row.id] = _Lot(
            tuple(reasons.get(row.id, ())),
            tuple(holds.get(row.id, ())),
            row.restricted,
            Facts(kind=Kind(row.kind), site=row.site, area=row.area, zone=row.zone),
            row.run_id,
        )


def _reason(schedule: Schedule, row: Any) -> Reason:
    known = row.trigger_on is not None and row.class_name in schedule.classes
    return Reason(
        purpose=row.purpose,
        class_name=row.class_name,
        cohort=row.name,
        key_id=row.key_id,
        zone=row.zone,
        trigger_on=row.trigger_on,
        due_on=schedule.due_on(row.class_name, row.trigger_on) if known else None,
        state=row.state,
    )


def _recording(row: Any, lot: _Lot) -> Recording:
    return Recording(
        id=row.id,
        kind=row.kind,
        source_id=row.source_id,
        started_at=row.started_at,
        ended_at=row.ended_at,
        received_at=row.received_at,
        claimed_start=row.claimed_start,
        time_basis=row.time_basis,
        state=State(row.state),
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        reasons=lot.reasons,
        hold_ids=lot.hold_ids,
        restricted=lot.restricted,
        place=lot.place,
        facts=row.facts or {},
        run_id=lot.run_id,
    )
