"""What a change makes due when, compared with the schedule it replaces. Pure.

Lots go in, sums come out. A lot comes in pieces, with its days, only where a
class starts to count from the other end of a recording.

Rules:
- A recording goes when its last reason ends, and stands under the class of that
  reason. What would go but for a hold is counted apart.
- Each purpose ends on its own: `uses` counts the recordings that lose one sooner
  or later, whether or not they go.
- What is overdue counts as due today, before and after.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from retention.amendment.model import Days, Lot, Place, Sums, due_on
from retention.amendment.routes import Route, Routes
from retention.schedule.model import Schedule

HORIZON = timedelta(days=365)  #: people plan for a year
NEVER = date.max
NOW, SOONER, LATER, ADDED = "now", "sooner", "later", "added"

#: (class, site, date or NEVER, direction)
Change = tuple[str, str, date, str]
#: A lot, or a part of one whose recordings started and ended on the same days.
Piece = tuple[Lot, Days | None]


def _sums() -> defaultdict[str, int]:
    return defaultdict(int)


@dataclass(slots=True)
class Impact:
    """What a change amounts to."""

    due_now: Sums = field(default_factory=Sums)
    sooner: Sums = field(default_factory=Sums)  #: within the horizon
    sooner_after_horizon: Sums = field(default_factory=Sums)
    later: Sums = field(default_factory=Sums)  #: or never
    changes: defaultdict[Change, Sums] = field(default_factory=lambda: defaultdict(Sums))
    #: (class, direction) → recordings that it keeps for its purpose until another day
    uses: defaultdict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    days: defaultdict[date, Sums] = field(default_factory=lambda: defaultdict(Sums))  #: what goes sooner
    #: (zone, date) → by how much the number of recordings that are gone sooner changes on that date
    curve: defaultdict[tuple[str, date], int] = field(default_factory=lambda: defaultdict(int))
    moved: int = 0  #: recordings whose class or trigger changes, or that a floor is added to
    floors: defaultdict[str, int] = field(default_factory=_sums)  #: floor → recordings it is added to
    unclassified: defaultdict[str, int] = field(default_factory=_sums)  #: purpose → recordings
    lost_class: int = 0  #: recordings with a purpose that finds no class
    #: (class that ends sooner, floor) → recordings that stay because of the floor
    kept_by_floor: defaultdict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    without_end: defaultdict[str, int] = field(
        default_factory=_sums
    )  #: ceiling → recordings that have no end yet


class _DueDates:
    """Due dates under one schedule; each place is counted out once."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._known: dict[tuple[str, date | None], date] = {}

    def __call__(self, place: Place) -> date:
        key = (place.class_name, place.trigger_on)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = due_on(self._schedule, place) or NEVER
        return found


class Preview:
    """Sums up what a change amounts to, lot by lot."""

    def __init__(self, routes: Routes, today: Callable[[str], date], horizon: timedelta = HORIZON) -> None:
        """Begin with nothing; `today` tells the date in a zone."""
        self.impact = Impact()
        self._routes = routes
        self._new = routes.new
        self._due_before = _DueDates(routes.old)
        self._due_after = _DueDates(routes.new)
        self._today = today
        self._todays: dict[str, date] = {}
        self._horizon = horizon

    def add(self, pieces: Iterable[Piece]) -> None:
        """Count lots, or pieces of them; what the change treats alike is counted together."""
        groups: dict[tuple[object, ...], _Group] = {}
        for lot, days in pieces:
            facts = lot.facts
            key = (self._routes.alike(facts), facts.zone, lot.reasons, days)
            group = groups.get(key)
            if group is None:
                group = groups[key] = _Group(lot, days)
            group.sites[facts.site].add(lot)
        for group in groups.values():
            self._count(group, group.lot)

    def _count(self, group: "_Group", lot: Lot) -> None:
        route, sums = self._routes.of(lot), group.sums()
        today = self._today_in(lot.facts.zone)
        places = route.places(lot.members, group.days)
        before = [max(self._due_before(member.place), today) for member in lot.members]
        after = [max(self._due_after(place), today) for place in places]
        if route.is_move:
            self._count_move(sums, route)
        if before != after:
            self._count_uses(sums, before, after, places, today)
            self._count_recording(group, sums, max(before), after, places, today)
        if NEVER in after:
            self._count_without_end(sums, lot, places)

    def _today_in(self, zone: str) -> date:
        found = self._todays.get(zone)
        if found is None:
            found = self._todays[zone] = self._today(zone)
        return found

    def _count_uses(
        self, sums: Sums, before: list[date], after: list[date], places: Sequence[Place], today: date
    ) -> None:
        uses, last = self.impact.uses, places[after.index(max(after))].class_name
        keeps_longest = self._new.classes.get(last)
        for position, place in enumerate(places):
            on = after[position]
            if position >= len(before):
                uses[place.class_name, ADDED] += sums.total
            elif on > before[position]:
                uses[place.class_name, LATER] += sums.total
            elif on < before[position]:
                uses[place.class_name, NOW if on == today else SOONER] += sums.total
                if keeps_longest and keeps_longest.is_floor and on < max(after):
                    self.impact.kept_by_floor[place.class_name, last] += sums.total

    def _count_recording(
        self,
        group: "_Group",
        sums: Sums,
        before: date,
        after: list[date],
        places: Sequence[Place],
        today: date,
    ) -> None:
        impact, on = self.impact, max(after)
        if on == before:
            return
        direction = LATER if on > before else NOW if on == today else SOONER
        class_name = places[after.index(on)].class_name
        for site, at_site in group.sites.items():
            impact.changes[class_name, site, on, direction].plus(at_site)
        if direction == LATER:
            impact.later.plus(sums)
            return
        impact.days[on].plus(sums)
        if direction == NOW:
            impact.due_now.plus(sums)
        else:
            (impact.sooner if on <= today + self._horizon else impact.sooner_after_horizon).plus(sums)
        if sums.recordings:
            zone = group.lot.facts.zone
            impact.curve[zone, on] += sums.recordings
            if before != NEVER:
                impact.curve[zone, before] -= sums.recordings

    def _count_move(self, sums: Sums, route: Route) -> None:
        self.impact.moved += sums.total
        for each in route.added:
            self.impact.floors[each.class_name] += sums.total
        for purpose in route.lost:
            self.impact.unclassified[purpose] += sums.total
        if route.lost:
            self.impact.lost_class += sums.total

    def _count_without_end(self, sums: Sums, lot: Lot, places: Sequence[Place]) -> None:
        purposes = [member.purpose for member in lot.members]
        purposes += [self._new.classes[place.class_name].purpose for place in places[len(purposes) :]]
        for ceiling in self._new.ceilings_for(lot.facts, purposes):
            self.impact.without_end[ceiling.name] += sums.total


@dataclass(slots=True)
class _Group:
    """Lots that have the same reasons, and facts between which no rule tells a difference."""

    lot: Lot  #: any of them
    days: Days | None
    sites: defaultdict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))

    def sums(self) -> Sums:
        """Of all sites."""
        total = Sums()
        for each in self.sites.values():
            total.plus(each)
        return total


def gone_sooner(curve: Iterable[tuple[str, date, int]], today: Callable[[str], date]) -> int:
    """How many recordings would be gone today under the new schedule that the old one would still keep."""
    return sum(change for zone, on, change in curve if on <= today(zone))
