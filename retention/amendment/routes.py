"""Where every reason to keep a recording goes under a new schedule. Pure.

Rules:
- A purpose goes to the class that the new schedule has for it and the
  recording's facts. Where it has none, the purpose becomes unclassified: kept,
  and alarmed. What has expired stays expired.
- A floor of the new schedule reaches what is already here, but for what a hold
  alone still keeps: that is past its schedule.
- A trigger day is kept where the new class counts from the same event. Where it
  counts from another end of the recording, each recording's own day is needed;
  where from another event, the count waits for it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum, auto

from retention.amendment.model import (
    Days,
    Lot,
    Member,
    Place,
    due_on,
    marked,
    purpose_without_class,
    trigger_of,
    unclassified,
)
from retention.schedule.model import RECORDING_ENDED, RECORDING_STARTED, Facts, RetentionClass, Schedule


class Day(Enum):
    """Where a trigger day comes from."""

    SAME = auto()  #: from the reason it had, or from another that counts from the same event
    STARTED = auto()
    ENDED = auto()
    OPEN = auto()  #: the event has not been told yet


BY_RECORDING = frozenset({Day.STARTED, Day.ENDED})


@dataclass(frozen=True, slots=True)
class Step:
    """Where one reason goes."""

    purpose: str
    class_name: str
    day: Day
    like: int = 0  #: for SAME: the position of the member whose day it has

    def place(self, members: Sequence[Member], days: Days | None) -> Place:
        """The place this reason has in the end; `days` are needed for STARTED and ENDED."""
        if self.day is Day.OPEN:
            return Place(self.class_name, None, _reference(members))
        if self.day is Day.SAME:
            like = members[self.like].place
            return Place(self.class_name, like.trigger_on, like.reference)
        assert days is not None
        return Place(self.class_name, days.started_on if self.day is Day.STARTED else days.ended_on)


def _reference(members: Sequence[Member]) -> str:
    return next((m.place.reference for m in members if m.place.trigger_on is None), "")


@dataclass(frozen=True, slots=True)
class Route:
    """Where the reasons of a lot go: one step for each of its members, in order, then the floors added."""

    steps: tuple[Step, ...]
    added: tuple[Step, ...]
    lost: tuple[str, ...]  #: purposes that find no class any more
    is_move: bool  #: any class or trigger changes, or a floor is added
    needs_days: bool  #: each recording's own dates decide

    def places(self, members: Sequence[Member], days: Days | None) -> list[Place]:
        """Where the members stand in the end, in order, then the floors added."""
        if not self.is_move:
            return [member.place for member in members]
        return [step.place(members, days) for step in (*self.steps, *self.added)]


class Routes:
    """Tells the route of lots; lots that no rule tells apart are asked about once."""

    def __init__(self, old: Schedule, new: Schedule, *, is_sorting: bool = False) -> None:
        """With `is_sorting`, `new` is in force, and what is not marked is where it belongs already."""
        self.old = old
        self.new = new
        self._is_sorting = is_sorting
        self._settled = {name for name in old.classes if not _differs(old, new, name)}
        self._known: dict[tuple[object, ...], Route] = {}
        self._shapes: dict[tuple[object, ...], Route] = {}
        self._alike: dict[Facts, tuple[bool, ...]] = {}

    def alike(self, facts: Facts) -> tuple[bool, ...]:
        """Equal for facts between which no class and no ceiling of the new schedule tells a difference."""
        found = self._alike.get(facts)
        if found is None:
            selectors = [rule.selector for rule in self.new.classes.values()]
            selectors += [ceiling.selector for ceiling in self.new.ceilings.values()]
            found = self._alike[facts] = tuple(selector.match(facts) for selector in selectors)
        return found

    def of(self, lot: Lot) -> Route:
        """The route of a lot."""
        key = (self.alike(lot.facts), lot.reasons)
        route = self._known.get(key)
        if route is None:
            reasons = tuple((m.purpose, m.place.class_name, m.mark) for m in lot.members)
            shape = (key[0], lot.expired, reasons)
            route = self._shapes.get(shape) or self._route(lot)
            self._known[key] = self._shapes[shape] = route
        return route

    def _route(self, lot: Lot) -> Route:
        purposes = {member.purpose for member in lot.members}
        found = self.new.classify(lot.facts, purposes)
        classes = {each.purpose: each.class_name for each in found.assigned}
        triggers = [self._trigger(member) for member in lot.members]
        steps = tuple(
            self._step(member, position, triggers[position], classes.get(member.purpose))
            for position, member in enumerate(lot.members)
        )
        missing = classes.keys() - purposes - lot.expired
        added = tuple(self._added(purpose, classes[purpose], triggers) for purpose in sorted(missing))
        stays = all(
            step.class_name == member.place.class_name and step.day is Day.SAME
            for step, member in zip(steps, lot.members, strict=True)
        )
        return Route(
            steps,
            added,
            lost=tuple(
                step.purpose
                for step, member in zip(steps, lot.members, strict=True)
                if step.class_name != member.place.class_name and purpose_without_class(step.class_name)
            ),
            is_move=bool(added) or not stays,
            needs_days=any(step.day in BY_RECORDING for step in (*steps, *added)),
        )

    def _trigger(self, member: Member) -> str | None:
        if member.mark is not None:
            return member.mark or None
        return trigger_of(self.old, member.place.class_name)

    def _stays(self, member: Member) -> bool:
        if member.mark is not None:
            return False
        return self._is_sorting or member.place.class_name in self._settled

    def _step(self, member: Member, position: int, trigger: str | None, target: str | None) -> Step:
        name = member.place.class_name
        if self._stays(member):
            return Step(member.purpose, name, Day.SAME, position)
        if target is not None:
            wanted = self.new.classes[target].trigger
            day = Day.SAME if trigger == wanted else _day(wanted)
            return Step(member.purpose, target, day, position)
        label = name if trigger is None else unclassified(member.purpose, trigger)
        return Step(member.purpose, label, Day.SAME, position)

    def _added(self, purpose: str, target: str, triggers: Sequence[str | None]) -> Step:
        wanted = self.new.classes[target].trigger
        if wanted in triggers:
            return Step(purpose, target, Day.SAME, triggers.index(wanted))
        return Step(purpose, target, _day(wanted))


def _day(trigger: str) -> Day:
    return {RECORDING_STARTED: Day.STARTED, RECORDING_ENDED: Day.ENDED}.get(trigger, Day.OPEN)


def touched_classes(old: Schedule, new: Schedule, present: Iterable[str]) -> frozenset[str]:
    """The classes, of those `present` in the archive, whose recordings a change can concern at all."""
    floors = [rule for rule in new.classes.values() if rule.is_floor and _differs(old, new, rule.name)]
    raised = [each for each in new.ceilings.values() if each != old.ceilings.get(each.name)]

    def is_touched(name: str) -> bool:
        if _differs(old, new, name):
            return True
        before = old.classes[name]
        if any(floor.selector.overlap(before.selector) for floor in floors):
            return True
        return before.has_open_trigger and any(each.selector.overlap(before.selector) for each in raised)

    return frozenset(name for name in present if is_touched(name))


def _differs(old: Schedule, new: Schedule, name: str) -> bool:
    before, after = old.classes.get(name), new.classes.get(name)
    return before is None or after is None or _reach(before) != _reach(after)


def _reach(rule: RetentionClass) -> tuple[object, ...]:
    """All that decides which recordings a class keeps, and how long."""
    return (rule.purpose, rule.selector, rule.counting, rule.trigger, rule.is_floor)


def rename_cohorts(routes: Routes, lots: Iterable[Lot]) -> dict[int, Place]:
    """The cohorts that stand for something else from now on, given every lot of each.

    Where all recordings of a cohort go to one place, so does the cohort, with
    its key. Where they go different ways, or gain a floor, it is marked, to be
    sorted one recording after the other.
    """
    here: dict[int, Place] = {}
    triggers: dict[int, str | None] = {}
    ways: dict[int, set[Place]] = defaultdict(set)
    one_by_one: set[int] = set()
    for lot in lots:
        route = routes.of(lot)
        for member, step in zip(lot.members, route.steps, strict=True):
            here[member.cohort_id] = member.place
            triggers[member.cohort_id] = trigger_of(routes.old, member.place.class_name)
            if route.added or step.day in BY_RECORDING:
                one_by_one.add(member.cohort_id)
            else:
                ways[member.cohort_id].add(step.place(lot.members, None))
    one_by_one.update(cohort for cohort, places in ways.items() if len(places) > 1)
    renamed = {cohort: place for cohort, places in ways.items() for place in places if place != here[cohort]}
    return renamed | {cohort: marked(here[cohort], triggers[cohort]) for cohort in one_by_one}


def count_rewraps(routes: Routes, pieces: Iterable[tuple[Lot, Days | None]]) -> int:
    """How many data keys are wrapped anew, given every lot of each cohort that is sorted."""
    parts: dict[int, dict[Place, int]] = defaultdict(lambda: defaultdict(int))
    total = 0
    for lot, days in pieces:
        route = routes.of(lot)
        total += lot.recordings * len(route.added)
        for member, place in zip(lot.members, route.places(lot.members, days), strict=False):
            parts[member.cohort_id][place] += lot.recordings
    return total + sum(sum(sizes.values()) - sizes[heir(sizes, routes.new)] for sizes in parts.values())


def heir(parts: Mapping[Place, int], new: Schedule) -> Place:
    """The part of a cohort that keeps the cohort and its key; the recordings of the others are wrapped anew.

    It is the part that is due first, so that the key dies with the first of what
    it ever opened, old backups included. Of equals, the largest.
    """
    if len(parts) == 1:
        return next(iter(parts))
    return min(
        parts,
        key=lambda place: (
            due_on(new, place) or date.max,
            -parts[place],
            place.class_name,
            str(place.trigger_on),
            place.reference,
        ),
    )
