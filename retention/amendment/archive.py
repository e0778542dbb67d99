"""Read what a change concerns: lots and their living reasons, never recordings.

With one exception: where a class starts to count from the other end of a
recording, the dates of its recordings decide, and are read (`pieces`).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlmodel import Session

from retention.amendment.impact import Piece
from retention.amendment.model import Days, Lot, Member, Place, Reasons, unmarked
from retention.amendment.routes import Routes
from retention.catalogue.tables import CohortRow, LotRow, ReasonRow, RecordingRow
from retention.database import table_of
from retention.kernel.clock import local_date
from retention.schedule.model import Facts, Kind

COHORT, MEMBER, LOT, RECORDING = (table_of(t) for t in (CohortRow, ReasonRow, LotRow, RecordingRow))
READ_AT_ONCE = 5_000


def classes_present(session: Session) -> frozenset[str]:
    """The classes of all living cohorts."""
    rows = session.execute(select(COHORT.c.class_name).where(COHORT.c.state == "active").distinct())
    return frozenset(rows.scalars())


def living_lots(
    session: Session, condition: ColumnElement[bool], floors: Collection[str] = frozenset()
) -> list[Lot]:
    """The lots with recordings in a living cohort of which `condition` holds, with all their living reasons.

    Args:
        session: A reading or writing transaction.
        condition: About columns of the cohort.
        floors: Purposes of floors: which of them a lot had, and has outlived, is told as well.
    """
    sets = select(MEMBER.c.reasons_id).join(COHORT, COHORT.c.id == MEMBER.c.cohort_id)
    sets = sets.where(condition, COHORT.c.state == "active")
    reasons = _reasons(session, sets, floors)
    rows = session.execute(
        select(*_LOT_COLUMNS).where(LOT.c.reasons_id.in_(sets), LOT.c.recordings > 0, LOT.c.run_id.is_(None))
    ).all()
    known: dict[tuple[str, ...], Facts] = {}
    found: list[Lot] = []
    for lot_id, reasons_id, holds, recordings, size_bytes, *where in rows:
        place = tuple(where)
        facts = known.get(place)
        if facts is None:
            kind, site, area, zone = place
            facts = known[place] = Facts(Kind(kind), site, area, zone)
        found.append(Lot(lot_id, facts, holds > 0, recordings, size_bytes, reasons[reasons_id]))
    return found


_LOT_COLUMNS = (
    LOT.c.id,
    LOT.c.reasons_id,
    LOT.c.holds,
    LOT.c.recordings,
    LOT.c.size_bytes,
    LOT.c.kind,
    LOT.c.site,
    LOT.c.area,
    LOT.c.zone,
)


def _reasons(session: Session, sets: Select[Any], floors: Collection[str]) -> dict[int, Reasons]:
    rows = session.execute(
        select(
            MEMBER.c.reasons_id,
            MEMBER.c.purpose,
            COHORT.c.id,
            COHORT.c.state,
            COHORT.c.class_name,
            COHORT.c.trigger_on,
            COHORT.c.reference,
        )
        .join(COHORT, COHORT.c.id == MEMBER.c.cohort_id)
        .where(MEMBER.c.reasons_id.in_(sets))
    )
    living: dict[int, list[Member]] = defaultdict(list)
    ended: dict[int, set[str]] = defaultdict(set)
    for reasons_id, purpose, cohort_id, state, class_name, trigger_on, reference in rows:
        if state == "active":
            name, mark = unmarked(class_name)
            living[reasons_id].append(Member(purpose, cohort_id, Place(name, trigger_on, reference), mark))
        elif purpose in floors:
            ended[reasons_id].add(purpose)
    return {
        reasons_id: Reasons(tuple(sorted(members)), frozenset(ended.get(reasons_id, ())))
        for reasons_id, members in living.items()
    }


def stand_for(cohort: CohortRow, place: Place) -> None:
    """The cohort stands for another place, with the name and the key it has."""
    cohort.class_name, cohort.trigger_on, cohort.reference = (
        place.class_name,
        place.trigger_on,
        place.reference,
    )


def pieces(session: Session, routes: Routes, lots: Iterable[Lot]) -> Iterator[Piece]:
    """The lots; those of which each recording's dates decide, in pieces of like dates."""
    for lot in lots:
        if routes.of(lot).needs_days:
            yield from _pieces(session, lot)
        else:
            yield lot, None


def _pieces(session: Session, lot: Lot) -> Iterator[Piece]:
    counts: dict[Days, tuple[int, int]] = {}
    for _, days, size_bytes in dated(session, lot):
        recordings, total_bytes = counts.get(days, (0, 0))
        counts[days] = (recordings + 1, total_bytes + size_bytes)
    for days, (recordings, total_bytes) in counts.items():
        yield lot._replace(recordings=recordings, size_bytes=total_bytes), days


def dated(session: Session, lot: Lot) -> Iterator[tuple[str, Days, int]]:
    """Every recording of a lot: its id, its local dates, its size in bytes."""
    zone = lot.facts.zone
    rows = session.execute(
        select(RECORDING.c.id, RECORDING.c.started_at, RECORDING.c.ended_at, RECORDING.c.size_bytes)
        .where(RECORDING.c.lot_id == lot.id)
        .execution_options(yield_per=READ_AT_ONCE)
    )
    for row in rows:
        yield row.id, Days(local_date(row.started_at, zone), local_date(row.ended_at, zone)), row.size_bytes


def holdings(session: Session) -> dict[str, tuple[int, int]]:
    """Class → recordings and bytes that it keeps now; one with two purposes counts in both classes."""
    rows = session.execute(
        select(
            COHORT.c.class_name,
            func.sum(LOT.c.recordings).label("recordings"),
            func.sum(LOT.c.size_bytes).label("size_bytes"),
        )
        .join(MEMBER, MEMBER.c.cohort_id == COHORT.c.id)
        .join(LOT, LOT.c.reasons_id == MEMBER.c.reasons_id)
        .where(COHORT.c.state == "active", LOT.c.recordings > 0)
        .group_by(COHORT.c.class_name)
    )
    return {row.class_name: (int(row.recordings), int(row.size_bytes)) for row in rows}
