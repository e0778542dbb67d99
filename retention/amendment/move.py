"""Bring every reason to where it belongs under the schedule in force.

What is left to do is in the rows: cohorts that are marked. Each batch is one
transaction; a process that was killed is followed by another that goes on.

A cohort and its key stay with the part of its recordings that is due first. The
data keys of the others are wrapped under the keys of the cohorts that they go
to, and the wraps they had are deleted. So nothing is ever without a wrap, no
key is destroyed here, and a backup made before can still be opened for as long
as any of what it holds is kept.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session, col

from retention.amendment.approve import find_plan
from retention.amendment.archive import COHORT, RECORDING, dated, living_lots, stand_for
from retention.amendment.model import MARK, Days, Lot, Place, unmarked
from retention.amendment.plan import floors_of
from retention.amendment.routes import Routes, heir
from retention.amendment.tools import Progress, Tools
from retention.catalogue.journal import Moving
from retention.catalogue.lots import BATCH, CohortKey, cohort_for, forget_lots, lots_of
from retention.catalogue.schedules import schedule_in_force
from retention.catalogue.tables import CohortRow
from retention.vault.model import KeyService
from retention.vault.reasons import data_keys
from retention.vault.trigger import change_cohort

#: What looking at one cohort costs, in recordings: so that a batch is short where cohorts are many and small.
COHORT_COST = 25


def sort_marked(tools: Tools, progress: Progress, digest: str = "") -> int:
    """Sort the cohorts that are marked, batch by batch; how many data keys were wrapped anew.

    Args:
        tools: The store.
        progress: Is told how many data keys have been wrapped anew so far.
        digest: The plan to count them for.
    """
    with tools.database.read() as session:
        schedule = schedule_in_force(session)
    routes = Routes(schedule, schedule, is_sorting=True)
    total = 0
    while True:
        moving = Moving(tools.journal, tools.clock.now())
        with tools.database.write() as session:
            sorter = _Sorter(session, tools.keys, moving, routes)
            if not sorter.sort(BATCH):
                return total
            if digest:
                plan = find_plan(session, digest)
                plan.rewrapped, plan.move_id = plan.rewrapped + sorter.rewrapped, moving.id
        moving.confirm()
        total += sorter.rewrapped
        progress(total)


@dataclass(frozen=True, slots=True)
class _Part:
    """Recordings of a lot that go the same way."""

    lot: Lot
    places: tuple[Place, ...]  #: of the lot's members, in order, then of the floors it gains
    recordings: int
    ids: tuple[str, ...]  #: none: all that are in the lot


@dataclass(frozen=True, slots=True)
class _Way:
    """Where recordings go from a cohort: they change to another, or gain a floor besides."""

    place: Place
    gains: str = ""  #: the floor's purpose


class _Sorter:
    """Sorts cohorts inside one writing transaction."""

    def __init__(self, session: Session, keys: KeyService, moving: Moving, routes: Routes) -> None:
        self.rewrapped = 0
        self._session = session
        self._keys = keys
        self._moving = moving
        self._routes = routes

    def sort(self, budget: int) -> bool:
        """Sort cohorts until about `budget` data keys have been wrapped anew; False when there was none left."""
        rows = self._session.execute(
            select(CohortRow)
            .where(
                col(CohortRow.class_name).startswith(MARK, autoescape=True), col(CohortRow.state) == "active"
            )
            .order_by(col(CohortRow.id))
            .limit(1 + budget // COHORT_COST)
        ).scalars()
        settled: list[CohortRow] = []
        found = False
        for cohort in rows:
            found = True
            before = self.rewrapped
            if self._sort(cohort, budget):
                settled.append(cohort)
            budget -= COHORT_COST + self.rewrapped - before
            if budget <= 0:
                break
        if settled:
            self._moving.renamed(settled)
        return found

    def _sort(self, cohort: CohortRow, budget: int) -> bool:
        """Let recordings leave a cohort, `budget` of them at most; when all have left that should, give it its class."""
        assert cohort.id is not None
        parts = list(self._parts(cohort.id))
        stays = self._heir(cohort, parts)
        leaving: dict[_Way, list[str]] = defaultdict(list)
        room = budget
        for part in parts:
            ways = list(self._ways(cohort.id, part, stays))
            ids = (part.ids[:room] or self._some_of(part.lot, room)) if ways else ()
            room -= len(ids)
            for way in ways:
                leaving[way] += ids
        for way, some in leaving.items():
            self._move(cohort, way, some)
        if leaving:
            return False
        stand_for(cohort, stays)
        forget_lots(self._session, lots_of([cohort.id]))
        return True

    def _parts(self, cohort_id: int) -> Iterator[_Part]:
        for lot in living_lots(self._session, COHORT.c.id == cohort_id, floors_of(self._routes.new)):
            route = self._routes.of(lot)
            if not route.needs_days:
                yield _Part(lot, tuple(route.places(lot.members, None)), lot.recordings, ())
                continue
            ids: dict[Days, list[str]] = defaultdict(list)
            for recording_id, days, _ in dated(self._session, lot):
                ids[days].append(recording_id)
            for days, some in ids.items():
                yield _Part(lot, tuple(route.places(lot.members, days)), len(some), tuple(some))

    def _heir(self, cohort: CohortRow, parts: list[_Part]) -> Place:
        sizes: dict[Place, int] = defaultdict(int)
        for part in parts:
            for member, place in zip(part.lot.members, part.places, strict=False):
                if member.cohort_id == cohort.id:
                    sizes[place] += part.recordings
        if not sizes:
            return Place(unmarked(cohort.class_name)[0], cohort.trigger_on, cohort.reference)
        return heir(sizes, self._routes.new)

    def _ways(self, cohort_id: int, part: _Part, stays: Place) -> Iterator[_Way]:
        for member, place in zip(part.lot.members, part.places, strict=False):
            if member.cohort_id == cohort_id and place != stays:
                yield _Way(place)
        floors = zip(self._routes.of(part.lot).added, part.places[len(part.lot.members) :], strict=True)
        for step, place in floors:
            yield _Way(place, step.purpose)

    def _some_of(self, lot: Lot, room: int) -> tuple[str, ...]:
        rows = self._session.execute(select(RECORDING.c.id).where(RECORDING.c.lot_id == lot.id).limit(room))
        return tuple(rows.scalars())

    def _move(self, cohort: CohortRow, way: _Way, recording_ids: list[str]) -> None:
        place = way.place
        wanted = CohortKey(place.class_name, cohort.zone, place.trigger_on, place.reference)
        target = cohort_for(self._session, wanted, self._keys.new_key)
        found = list(data_keys(self._session, self._keys, recording_ids))
        wrapped = self._keys.wrap_many(target.key_id, [(key, each.encode()) for each, key in found])
        wraps = [(each, wrap) for (each, _), wrap in zip(found, wrapped, strict=True)]
        old = None if way.gains else cohort
        self._moving.moved(wraps, target, old=old, purpose=way.gains)
        change_cohort(self._session, wraps, target, old, way.gains)
        self.rewrapped += len(wraps)
