"""Bring every reason to where it belongs under the schedule in force.

What is left to do is in the rows: cohorts marked as moving. Each batch is one
transaction; a process that was killed is followed by another that goes on.

A cohort and its key stay with the part of its recordings that is due first. The
data keys of the others are wrapped under the keys of the cohorts that they go
to, and the wraps they had are deleted. So nothing is ever without a wrap, no
key is destroyed here, and a backup made before can still be opened for as long
as any of what it holds is kept.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from sqlalchemy import delete, select
from sqlmodel import Session, col

from retention.amendment.approve import find_plan
from retention.amendment.archive import COHORT, LOT, MEMBER, RECORDING, dated, living_lots
from retention.amendment.model import MOVING, Days, Lot, Place, PlanState, step
from retention.amendment.plan import floors_of
from retention.amendment.routes import Routes, heir
from retention.amendment.tables import SchedulePlanRow
from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.catalogue.lots import BATCH, CohortKey, LotKey, cohort_for, move_recordings
from retention.catalogue.tables import CohortRow, LotHoldRow, WrapRow
from retention.database import Database, insert_or_ignore, table_of
from retention.kernel.clock import Clock
from retention.vault.model import KeyService
from retention.vault.reasons import data_keys

WRAP, HELD = table_of(WrapRow), table_of(LotHoldRow)
#: What looking at one cohort costs, in recordings: so that a batch is short where cohorts are many and small.
COHORT_COST = 25


def finish(
    database: Database,
    keys: KeyService,
    clock: Clock,
    digest: str,
    routes: Routes,
    actor: str,
    progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Sort the cohorts that are marked, batch by batch, and close the plan; nothing if that is done.

    Args:
        database: The catalogue.
        keys: Where the cohorts' keys are.
        clock: Tells when the plan is closed.
        digest: The plan that is in force.
        routes: From the version that it replaced to the one in force.
        actor: Who does it.
        progress: Is told how many data keys have been wrapped anew so far.
    """
    with database.read() as session:
        plan = find_plan(session, digest)
    routes = Routes(routes.old, routes.new, is_sorting=True)
    while plan.state == PlanState.MOVING:
        with database.write() as session:
            plan = find_plan(session, digest)
            sorter = _Sorter(session, keys, routes)
            if sorter.sort(BATCH):
                plan.rewrapped += sorter.rewrapped
            else:
                _close(session, plan, clock, actor)
        progress(plan.rewrapped)


def _close(session: Session, plan: SchedulePlanRow, clock: Clock, actor: str) -> None:
    plan.state = step(plan.digest, PlanState(plan.state), "finish")
    detail = {"version": plan.version, "rewrapped": plan.rewrapped}
    record(session, clock.now(), Act(Tag.SCHEDULE_MOVED, actor, plan.digest, detail=detail))


@dataclass(frozen=True, slots=True)
class _Part:
    """Recordings of a lot that go the same way."""

    lot: Lot
    places: tuple[Place, ...]  #: of the lot's members, in order, then of the floors it gains
    recordings: int
    ids: tuple[str, ...]  #: none: all that are in the lot

    def of(self, cohort_id: int) -> Iterator[tuple[str, Place]]:
        """Purpose and place of the members that are in the cohort."""
        for member, place in zip(self.lot.members, self.places, strict=False):
            if member.cohort_id == cohort_id:
                yield member.purpose, place


class _Sorter:
    """Sorts cohorts inside one writing transaction."""

    def __init__(self, session: Session, keys: KeyService, routes: Routes) -> None:
        self.rewrapped = 0
        self._session = session
        self._keys = keys
        self._routes = routes
        self._cohorts: dict[CohortKey, CohortRow] = {}

    def sort(self, budget: int) -> bool:
        """Sort cohorts until about `budget` recordings have been moved; False when there was none left."""
        marked = self._session.execute(
            select(CohortRow)
            .where(
                col(CohortRow.class_name).startswith(MOVING, autoescape=True),
                col(CohortRow.state) == "active",
            )
            .order_by(col(CohortRow.id))
            .limit(1 + budget // COHORT_COST)
        )
        found = False
        for cohort in marked.scalars():
            found = True
            budget -= COHORT_COST + self._sort(cohort, budget)
            if budget <= 0:
                break
        return found

    def _sort(self, cohort: CohortRow, budget: int) -> int:
        """Move at most `budget` recordings out of a cohort, and how many; when all have gone, give it its class."""
        assert cohort.id is not None
        parts = list(self._parts(cohort.id))
        stays = self._heir(cohort, parts)
        moved = 0
        for part in parts:
            if self._leaves(cohort.id, part, stays):
                if moved >= budget:
                    return moved
                moved += self._move(cohort, part, stays, budget - moved)
        if moved < budget:
            self._settle(cohort, stays)
        return moved

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
        assert cohort.id is not None
        sizes: dict[Place, int] = defaultdict(int)
        for part in parts:
            for _, place in part.of(cohort.id):
                sizes[place] += part.recordings
        if not sizes:
            return Place(cohort.class_name.removeprefix(MOVING), cohort.trigger_on, cohort.reference)
        return heir(sizes, self._routes.new)

    def _leaves(self, cohort_id: int, part: _Part, stays: Place) -> bool:
        gains = len(part.places) > len(part.lot.members)
        return gains or any(place != stays for _, place in part.of(cohort_id))

    def _move(self, cohort: CohortRow, part: _Part, stays: Place, budget: int) -> int:
        """Move at most `budget` recordings of a part to where they belong, but for its members in other cohorts."""
        assert cohort.id is not None
        ids = list(part.ids[:budget] or self._some_of(part.lot, budget))
        zone = part.lot.facts.zone
        here = list(part.of(cohort.id))
        wanted = [(purpose, place) for purpose, place in here if place != stays]
        added = zip(self._routes.of(part.lot).added, part.places[len(part.lot.members) :], strict=True)
        wanted += [(step.purpose, place) for step, place in added]
        targets = [(purpose, self._cohort(place, zone)) for purpose, place in wanted]
        left = {(cohort.id, purpose) for purpose, place in here if place != stays}
        joined = {(target.id, purpose) for purpose, target in targets if target.id is not None}
        self._wrap(ids, {target.key_id for _, target in targets})
        if len(left) == len(here):
            self._session.execute(
                delete(WRAP).where(WRAP.c.key_id == cohort.key_id, WRAP.c.recording_id.in_(ids))
            )

        def relocate(lot: LotKey) -> LotKey:
            return replace(lot, cohorts=(lot.cohorts - left) | joined)

        move_recordings(self._session, ids, relocate)
        return len(ids)

    def _some_of(self, lot: Lot, budget: int) -> tuple[str, ...]:
        rows = self._session.execute(select(RECORDING.c.id).where(RECORDING.c.lot_id == lot.id).limit(budget))
        return tuple(rows.scalars())

    def _cohort(self, place: Place, zone: str) -> CohortRow:
        wanted = CohortKey(place.class_name, zone, place.trigger_on, place.reference)
        if wanted not in self._cohorts:
            self._cohorts[wanted] = cohort_for(self._session, wanted, self._keys.new_key)
        return self._cohorts[wanted]

    def _wrap(self, recording_ids: list[str], key_ids: set[str]) -> None:
        """Wrap the data keys under each of the keys, too; through whichever reason is alive."""
        found = list(data_keys(self._session, self._keys, recording_ids))
        items = [(data_key, recording_id.encode()) for recording_id, data_key in found]
        for key_id in sorted(key_ids):
            wraps = self._keys.wrap_many(key_id, items)
            rows = [
                {"recording_id": recording_id, "key_id": key_id, "wrapped": wrapped}
                for (recording_id, _), wrapped in zip(found, wraps, strict=True)
            ]
            insert_or_ignore(self._session, WRAP, rows)
            self.rewrapped += len(rows)

    def _settle(self, cohort: CohortRow, stays: Place) -> None:
        """All that is left in the cohort belongs to one place: so does the cohort."""
        cohort.class_name, cohort.trigger_on, cohort.reference = (
            stays.class_name,
            stays.trigger_on,
            stays.reference,
        )
        here = select(MEMBER.c.lot_id).where(MEMBER.c.cohort_id == cohort.id)
        empty = list(
            self._session.execute(select(LOT.c.id).where(LOT.c.id.in_(here), LOT.c.recordings == 0)).scalars()
        )
        for table, column in ((MEMBER, MEMBER.c.lot_id), (HELD, HELD.c.lot_id), (LOT, LOT.c.id)):
            self._session.execute(delete(table).where(column.in_(empty)))
