"""Read what a change concerns: lots and their living reasons, never recordings.

With one exception: where a class starts to count from the other end of a
recording, the dates of its recordings decide, and are read (`pieces`).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlmodel import Session

from retention.amendment.impact import Piece
from retention.amendment.model import Days, Lot, Member, Place, unmarked
from retention.amendment.routes import Routes
from retention.catalogue.tables import CohortRow, LotCohortRow, LotRow, RecordingRow
from retention.database import in_batches, table_of
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
    reasons = _Reasons(session)
    reasons.learn(and_(condition, COHORT.c.state == "active"))
    rows: dict[int, tuple[Any, ...]] = {}
    members: dict[int, tuple[Member, ...]] = {}
    for lot_id, living, purpose, cohort_id, *facts in session.execute(_lots(condition, *_LOT_COLUMNS)).all():
        rows[lot_id] = tuple(facts)
        if living == 1:
            members[lot_id] = reasons.together(((purpose, cohort_id),))
    if len(members) < len(rows):
        members |= _several(session, condition, reasons)
    outlived = _outlived(session, condition, floors)
    known: dict[tuple[str, ...], Facts] = {}
    return [
        _lot(lot_id, row, members[lot_id], outlived.get(lot_id, NOTHING), known)
        for lot_id, row in rows.items()
    ]


NOTHING: frozenset[str] = frozenset()
_WHERE = (COHORT.c.class_name, COHORT.c.trigger_on, COHORT.c.reference)
_LOT_COLUMNS = (
    LOT.c.id,
    LOT.c.living,
    MEMBER.c.purpose,
    MEMBER.c.cohort_id,
    LOT.c.kind,
    LOT.c.site,
    LOT.c.area,
    LOT.c.zone,
    LOT.c.holds,
    LOT.c.recordings,
    LOT.c.size_bytes,
)


class _Reasons:
    """Reasons to keep, each made once: lots of many sites share them."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._places: dict[int, tuple[Place, str | None] | None] = {}
        self._members: dict[tuple[str, int], Member | None] = {}
        self._together: dict[tuple[tuple[str, int], ...], tuple[Member, ...]] = {}

    def learn(self, condition: ColumnElement[bool]) -> None:
        """Learn the cohorts of which `condition` holds."""
        rows = self._session.execute(select(COHORT.c.id, COHORT.c.state, *_WHERE).where(condition)).all()
        for cohort_id, state, class_name, trigger_on, reference in rows:
            name, mark = unmarked(class_name)
            place = Place(name, trigger_on, reference)
            self._places[cohort_id] = (place, mark) if state == "active" else None

    def learn_these(self, cohort_ids: Iterable[int]) -> None:
        """Learn those of the cohorts that are not known yet."""
        unknown = sorted(set(cohort_ids) - self._places.keys())
        in_batches(unknown, READ_AT_ONCE, lambda some: self.learn(COHORT.c.id.in_(some)))

    def member(self, purpose: str, cohort_id: int) -> Member | None:
        """The reason that is a purpose in a cohort; None where it has ended."""
        key = (purpose, cohort_id)
        if key not in self._members:
            where = self._places[cohort_id]
            self._members[key] = Member(purpose, cohort_id, *where) if where else None
        return self._members[key]

    def together(self, keys: tuple[tuple[str, int], ...]) -> tuple[Member, ...]:
        """The living ones of the reasons (purpose, cohort), in order; made once for all lots that have them."""
        found = self._together.get(keys)
        if found is None:
            living = (self.member(purpose, cohort_id) for purpose, cohort_id in keys)
            found = self._together[keys] = tuple(sorted(member for member in living if member is not None))
        return found


def _lots(condition: ColumnElement[bool], *columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(COHORT)
        .join(MEMBER, MEMBER.c.cohort_id == COHORT.c.id)
        .join(LOT, LOT.c.id == MEMBER.c.lot_id)
        .where(condition, COHORT.c.state == "active", LOT.c.recordings > 0, LOT.c.run_id.is_(None))
    )


def _several(
    session: Session, condition: ColumnElement[bool], reasons: _Reasons
) -> dict[int, tuple[Member, ...]]:
    """Lot → its living reasons, for lots of several: some may be in cohorts that nobody asked about."""
    lots = _lots(condition, LOT.c.id).where(LOT.c.living > 1)
    rows = session.execute(
        select(MEMBER.c.lot_id, MEMBER.c.purpose, MEMBER.c.cohort_id).where(MEMBER.c.lot_id.in_(lots))
    ).all()
    reasons.learn_these(cohort_id for _, _, cohort_id in rows)
    keys: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for lot_id, purpose, cohort_id in rows:
        keys[lot_id].append((purpose, cohort_id))
    return {lot_id: reasons.together(tuple(sorted(found))) for lot_id, found in keys.items()}


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
    lot_id: int,
    row: tuple[Any, ...],
    members: tuple[Member, ...],
    outlived: frozenset[str],
    known: dict[tuple[str, ...], Facts],
) -> Lot:
    kind, site, area, zone, holds, recordings, size_bytes = row
    facts = known.get((kind, site, area, zone))
    if facts is None:
        facts = known[kind, site, area, zone] = Facts(Kind(kind), site, area, zone)
    return Lot(lot_id, facts, holds > 0, recordings, size_bytes, members, outlived)


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
        .join(LOT, LOT.c.id == MEMBER.c.lot_id)
        .where(COHORT.c.state == "active", LOT.c.recordings > 0)
        .group_by(COHORT.c.class_name)
    )
    return {row.class_name: (int(row.recordings), int(row.size_bytes)) for row in rows}
