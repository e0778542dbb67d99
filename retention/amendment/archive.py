"""Read what a change concerns: lots and their living reasons, never recordings.

With one exception: where a class starts to count from the other end of a
recording, the dates of its recordings decide, and are read (`pieces`).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlmodel import Session

from retention.amendment.impact import Piece
from retention.amendment.model import Days, Lot, Member, Place, unmarked
from retention.amendment.routes import Routes
from retention.catalogue.tables import CohortRow, LotCohortRow, LotRow, RecordingRow
from retention.database import table_of
from retention.kernel.clock import local_date
from retention.schedule.model import Facts, Kind

COHORT, MEMBER, LOT, RECORDING = (table_of(t) for t in (CohortRow, LotCohortRow, LotRow, RecordingRow))
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
    cohorts = {
        row.id: _place(row)
        for row in session.execute(_cohorts(condition, COHORT.c.id, COHORT.c.class_name, *_WHERE))
    }
    facts: dict[tuple[str, ...], Facts] = {}
    lots: dict[int, tuple[Any, list[Member]]] = {}
    for row in session.execute(_lots(condition, *_LOT_COLUMNS, MEMBER.c.purpose, MEMBER.c.cohort_id)):
        _, members = lots.setdefault(row.id, (row, []))
        if row.living == 1 and row.cohort_id in cohorts:
            members.append(Member(row.purpose, row.cohort_id, *cohorts[row.cohort_id]))
    _learn_other_reasons(session, condition, lots)
    outlived = _outlived(session, condition, floors)
    return [
        _lot(row, members, outlived.get(lot_id, frozenset()), facts)
        for lot_id, (row, members) in lots.items()
    ]


_WHERE = (COHORT.c.trigger_on, COHORT.c.reference)
_LOT_COLUMNS = (
    LOT.c.id,
    LOT.c.kind,
    LOT.c.site,
    LOT.c.area,
    LOT.c.zone,
    LOT.c.holds,
    LOT.c.living,
    LOT.c.recordings,
    LOT.c.size_bytes,
)


def _cohorts(condition: ColumnElement[bool], *columns: Any) -> Select[Any]:
    return select(*columns).where(condition, COHORT.c.state == "active")


def _lots(condition: ColumnElement[bool], *columns: Any) -> Select[Any]:
    return (
        _cohorts(condition, *columns)
        .select_from(COHORT)
        .join(MEMBER, MEMBER.c.cohort_id == COHORT.c.id)
        .join(LOT, LOT.c.id == MEMBER.c.lot_id)
        .where(LOT.c.recordings > 0, LOT.c.run_id.is_(None))
    )


def _place(row: Any) -> tuple[Place, str | None]:
    """Where a cohort stands, or stood before it was marked; and its mark."""
    name, mark = unmarked(row.class_name)
    return Place(name, row.trigger_on, row.reference), mark


def _learn_other_reasons(
    session: Session, condition: ColumnElement[bool], lots: dict[int, tuple[Any, list[Member]]]
) -> None:
    """The reasons of lots that have several, some of them in cohorts that nobody asked about."""
    several = _lots(condition, LOT.c.id).where(LOT.c.living > 1)
    cohorts: dict[int, tuple[Place, str | None]] = {}
    for row in session.execute(
        select(MEMBER.c.lot_id, MEMBER.c.purpose, COHORT.c.id, COHORT.c.class_name, *_WHERE)
        .join(COHORT, COHORT.c.id == MEMBER.c.cohort_id)
        .where(MEMBER.c.lot_id.in_(several), COHORT.c.state == "active")
    ):
        if row.id not in cohorts:
            cohorts[row.id] = _place(row)
        if row.lot_id in lots:
            lots[row.lot_id][1].append(Member(row.purpose, row.id, *cohorts[row.id]))


def _outlived(
    session: Session, condition: ColumnElement[bool], floors: Collection[str]
) -> dict[int, frozenset[str]]:
    if not floors:
        return {}
    found: dict[int, set[str]] = defaultdict(set)
    for row in session.execute(
        select(MEMBER.c.lot_id, MEMBER.c.purpose)
        .join(COHORT, COHORT.c.id == MEMBER.c.cohort_id)
        .where(
            COHORT.c.state != "active",
            MEMBER.c.purpose.in_(sorted(floors)),
            MEMBER.c.lot_id.in_(_lots(condition, LOT.c.id)),
        )
    ):
        found[row.lot_id].add(row.purpose)
    return {lot_id: frozenset(purposes) for lot_id, purposes in found.items()}


def _lot(
    row: Any, members: list[Member], outlived: frozenset[str], known: dict[tuple[str, ...], Facts]
) -> Lot:
    key = (row.kind, row.site, row.area, row.zone)
    facts = known.get(key)
    if facts is None:
        facts = known[key] = Facts(Kind(row.kind), row.site, row.area, row.zone)
    members.sort(key=lambda member: (member.purpose, member.cohort_id))
    return Lot(row.id, facts, row.holds > 0, row.recordings, row.size_bytes, tuple(members), outlived)


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
        yield replace(lot, recordings=recordings, size_bytes=total_bytes), days


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
        .join(LOT, LOT.c.id == MEMBER.c.lot_id)
        .where(COHORT.c.state == "active", LOT.c.recordings > 0)
        .group_by(COHORT.c.class_name)
    )
    return {row.class_name: (int(row.recordings), int(row.size_bytes)) for row in rows}
