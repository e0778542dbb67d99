"""Cohorts and lots: get or make them, and keep their counts true.

Every function works inside the caller's writing transaction.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlmodel import Session, col

from retention.catalogue.tables import CohortRow, LotHoldRow, LotRow, ReasonRow, ReasonsRow, RecordingRow
from retention.database import in_batches, table_of
from retention.kernel.canonical import digest_of

NewKey = Callable[[], str]
#: Recordings handled with one statement; below SQLite's limit of bound variables.
BATCH = 5_000


@dataclass(frozen=True, slots=True)
class CohortKey:
    """What makes a cohort: class x zone x trigger day, or an open trigger's reference."""

    class_name: str
    zone: str
    trigger_on: date | None
    reference: str = ""

    @property
    def name(self) -> str:
        """The cohort's name, without its generation."""
        day = self.trigger_on.isoformat() if self.trigger_on else f"open:{self.reference}"
        return f"{self.class_name}@{self.zone}@{day}"


@dataclass(frozen=True, slots=True)
class LotKey:
    """What the recordings of a lot share."""

    kind: str
    site: str
    zone: str
    area: str
    cohorts: frozenset[tuple[int, str]]  #: (cohort id, purpose)
    holds: frozenset[str] = frozenset()
    restricted: bool = False  #: follows from the holds

    @property
    def signature(self) -> str:
        """Equal exactly for equal lots."""
        return digest_of(
            [self.kind, self.site, self.zone, self.area, _members(self.cohorts), sorted(self.holds)]
        )


def _members(cohorts: Iterable[tuple[int, str]]) -> list[list[int | str]]:
    return [list(each) for each in sorted(cohorts)]


def digest_of_reasons(cohorts: Iterable[tuple[int, str]]) -> str:
    """Equal exactly for equal sets of (cohort id, purpose)."""
    return digest_of(_members(cohorts))


def cohort_for(session: Session, wanted: CohortKey, new_key: NewKey) -> CohortRow:
    """The living cohort for `wanted`; made, with its key, when there is none.

    A cohort that has expired is never filled again: what arrives late (a
    backlog) joins the next generation, which is due the next night.
    """
    table = table_of(CohortRow)
    found = session.execute(
        select(CohortRow)
        .where(
            col(CohortRow.class_name) == wanted.class_name,
            col(CohortRow.zone) == wanted.zone,
            col(CohortRow.trigger_on).is_(None)
            if wanted.trigger_on is None
            else col(CohortRow.trigger_on) == wanted.trigger_on,
            col(CohortRow.reference) == wanted.reference,
        )
        .order_by(table.c.id)
    ).scalars()
    generations: list[CohortRow] = list(found)
    if generations and generations[-1].state == "active":
        return generations[-1]
    return next_generation(session, wanted, new_key)


def next_generation(session: Session, wanted: CohortKey, new_key: NewKey) -> CohortRow:
    """A new cohort for `wanted`, with a key of its own; what arrives from now on joins it."""
    cohort = CohortRow(
        name=_free_name(session, wanted.name),
        class_name=wanted.class_name,
        zone=wanted.zone,
        trigger_on=wanted.trigger_on,
        reference=wanted.reference,
        key_id=new_key(),
    )
    session.add(cohort)
    session.flush()
    return cohort


def _free_name(session: Session, wanted: str) -> str:
    """`wanted`, or its next generation: a name stays with its key, also when a new schedule changes the class."""
    name, generation = wanted, 1
    while session.execute(select(col(CohortRow.id)).where(col(CohortRow.name) == name)).first() is not None:
        generation += 1
        name = f"{wanted}#{generation}"
    return name


def lot_for(session: Session, wanted: LotKey) -> int:
    """The id of the lot for `wanted`; made when there is none."""
    signature = wanted.signature
    found: int | None = session.execute(
        select(col(LotRow.id)).where(col(LotRow.signature) == signature)
    ).scalar_one_or_none()
    if found is not None:
        return found
    cohort_ids = {cohort_id for cohort_id, _ in wanted.cohorts}
    lot = LotRow(
        signature=signature,
        kind=wanted.kind,
        site=wanted.site,
        zone=wanted.zone,
        area=wanted.area,
        reasons_id=reasons_for(session, wanted.cohorts),
        holds=len(wanted.holds),
        restricted=wanted.restricted,
        living=_living(session, cohort_ids),
    )
    session.add(lot)
    session.flush()
    assert lot.id is not None
    holds = [{"hold_id": hold, "lot_id": lot.id} for hold in sorted(wanted.holds)]
    if holds:
        session.execute(insert(table_of(LotHoldRow)), holds)
    return lot.id


def reasons_for(session: Session, cohorts: Collection[tuple[int, str]]) -> int:
    """The id of the set of reasons; made when there is none."""
    digest = digest_of_reasons(cohorts)
    found: int | None = session.execute(
        select(col(ReasonsRow.id)).where(col(ReasonsRow.digest) == digest)
    ).scalar_one_or_none()
    if found is not None:
        return found
    reasons = ReasonsRow(digest=digest)
    session.add(reasons)
    session.flush()
    assert reasons.id is not None
    members = [
        {"cohort_id": c, "reasons_id": reasons.id, "purpose": purpose} for c, purpose in sorted(cohorts)
    ]
    if members:
        session.execute(insert(table_of(ReasonRow)), members)
    return reasons.id


def _living(session: Session, cohort_ids: Iterable[int]) -> int:
    table = table_of(CohortRow)
    rows = session.execute(select(table.c.state).where(table.c.id.in_(list(cohort_ids))))
    return sum(1 for (state,) in rows if state == "active")


def lot_key(session: Session, lot_id: int) -> LotKey:
    """What the recordings of lot `lot_id` share."""
    lot = session.get_one(LotRow, lot_id)
    cohorts = session.execute(
        select(col(ReasonRow.cohort_id), col(ReasonRow.purpose)).where(
            col(ReasonRow.reasons_id) == lot.reasons_id
        )
    )
    holds = session.execute(select(col(LotHoldRow.hold_id)).where(col(LotHoldRow.lot_id) == lot_id)).scalars()
    return LotKey(
        lot.kind,
        lot.site,
        lot.zone,
        lot.area,
        frozenset((c, p) for c, p in cohorts),
        frozenset(holds),
        lot.restricted,
    )


def lots_of(cohort_ids: Iterable[int]) -> ColumnElement[bool]:
    """That a lot has one of the cohorts among its reasons."""
    member = table_of(ReasonRow)
    return table_of(LotRow).c.reasons_id.in_(
        select(member.c.reasons_id).where(member.c.cohort_id.in_(list(cohort_ids)))
    )


def forget_lots(session: Session, condition: ColumnElement[bool]) -> None:
    """Take out the lots of which `condition` holds and that are empty, and the sets of reasons that no lot has then."""
    lot, held, reasons, member = (table_of(t) for t in (LotRow, LotHoldRow, ReasonsRow, ReasonRow))
    rows = session.execute(select(lot.c.id, lot.c.reasons_id).where(condition, lot.c.recordings == 0)).all()

    def forget(some: list[int]) -> None:
        session.execute(delete(held).where(held.c.lot_id.in_(some)))
        session.execute(delete(lot).where(lot.c.id.in_(some)))

    def forget_reasons(some: list[int]) -> None:
        used = select(lot.c.reasons_id).where(lot.c.reasons_id.in_(some))
        session.execute(delete(member).where(member.c.reasons_id.in_(some), member.c.reasons_id.not_in(used)))
        session.execute(delete(reasons).where(reasons.c.id.in_(some), reasons.c.id.not_in(used)))

    in_batches([row.id for row in rows], BATCH, forget)
    in_batches(sorted({row.reasons_id for row in rows}), BATCH, forget_reasons)


def adjust_counts(session: Session, changes: Mapping[int, tuple[int, int]]) -> None:
    """Add (recordings, bytes) to each lot's counts; negative numbers take away."""
    table = table_of(LotRow)
    for lot_id, (recordings, size_bytes) in changes.items():
        session.execute(
            update(table)
            .where(table.c.id == lot_id)
            .values(recordings=table.c.recordings + recordings, size_bytes=table.c.size_bytes + size_bytes)
        )


Relocate = Callable[[LotKey], LotKey]


def move_recordings(session: Session, recording_ids: Iterable[str], relocate: Relocate) -> None:
    """Move recordings to the lot that `relocate` makes of their present one."""
    table = table_of(RecordingRow)
    ids = list(recording_ids)
    targets: dict[int, int] = {}
    counts: dict[int, tuple[int, int]] = {}

    def move(some: list[str]) -> None:
        rows = session.execute(
            select(table.c.id, table.c.lot_id, table.c.size_bytes).where(table.c.id.in_(some))
        ).all()
        by_lot: dict[int, list[str]] = {}
        for row in rows:
            if row.lot_id not in targets:
                targets[row.lot_id] = lot_for(session, relocate(lot_key(session, row.lot_id)))
            _count(counts, row.lot_id, -1, -row.size_bytes)
            _count(counts, targets[row.lot_id], 1, row.size_bytes)
            by_lot.setdefault(targets[row.lot_id], []).append(row.id)
        for lot_id, moved in by_lot.items():
            session.execute(update(table).where(table.c.id.in_(moved)).values(lot_id=lot_id))

    in_batches(ids, BATCH, move)
    adjust_counts(session, counts)


def _count(counts: dict[int, tuple[int, int]], lot_id: int, recordings: int, size_bytes: int) -> None:
    before = counts.get(lot_id, (0, 0))
    counts[lot_id] = (before[0] + recordings, before[1] + size_bytes)
