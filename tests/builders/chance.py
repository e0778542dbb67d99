"""Random policies and random archives: everything that can meet, meets sooner or later.

All from one `Random`, so that a seed tells a story again.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from retention.kernel.clock import local_date
from retention.schedule.model import Kind
from tests.builders.archive import Archive, Take
from tests.builders.schedules import Policy, Rule

PURPOSES: dict[str, tuple[str, ...]] = {
    "security": ("call", "footage"),
    "quality": ("call",),
    "dispute": ("call", "footage"),
}
PERIODS = ("P1D", "P5D", "P2W", "P1M", "P2M", "P3M", "P1Y")
EVENTS = ("case-closed", "contract-ended")
TRIGGERS = ("recording-ended",) * 4 + ("recording-started", *EVENTS)
ZONES = ("Asia/Tokyo", "America/New_York")
NAMES = tuple(f"class-{letter}" for letter in "abcdefgh")
OLDEST_DAYS = 120


def random_policy(chance: Random) -> Policy:
    """Classes that cover one, two or three purposes, whole or split by area or kind, with or without a floor."""
    names = iter(chance.sample(NAMES, len(NAMES)))
    stated = chance.sample(sorted(PURPOSES), chance.randint(1, 3))
    classes = tuple(rule for purpose in stated for rule in _classes(chance, purpose, names))
    floors: tuple[Rule, ...] = ()
    if chance.random() < 1 / 3:
        areas = chance.choice(((), ("x",)))
        floors = (_rule(chance, "floor", "law", areas=areas),)
    return Policy(classes, floors, kinds={"quality": ("call",)}, cool_off="PT1H")


def _classes(chance: Random, purpose: str, names: Iterator[str]) -> Iterator[Rule]:
    way = chance.choice(("whole", "area", "kind"))
    if way == "area":
        yield _rule(chance, next(names), purpose, but_areas=("x",))
        yield _rule(chance, next(names), purpose, areas=("x",))
    elif way == "kind" and len(PURPOSES[purpose]) > 1:
        yield _rule(chance, next(names), purpose, kind="call")
        yield _rule(chance, next(names), purpose, kind="footage")
    else:
        yield _rule(chance, next(names), purpose)


def _rule(
    chance: Random,
    name: str,
    purpose: str,
    *,
    kind: str = "",
    areas: tuple[str, ...] = (),
    but_areas: tuple[str, ...] = (),
) -> Rule:
    return Rule(
        name,
        purpose,
        chance.choice(PERIODS),
        chance.choice(TRIGGERS),
        kind=kind,
        areas=areas,
        but_areas=but_areas,
        count_first_day=chance.random() < 1 / 4,
    )


def changed_policy(chance: Random, policy: Policy) -> Policy:
    """Another policy: entirely, or the same with another period, trigger or name here and there."""
    while True:
        other = random_policy(chance) if chance.random() < 1 / 3 else _edited(chance, policy)
        if other.text != policy.text:
            return other


def _edited(chance: Random, policy: Policy) -> Policy:
    free = [name for name in NAMES if name not in {rule.name for rule in policy.classes}]
    chance.shuffle(free)
    classes = tuple(_maybe_edited(chance, rule, free) for rule in policy.classes)
    return replace(policy, classes=classes)


def _maybe_edited(chance: Random, rule: Rule, free: list[str]) -> Rule:
    match chance.choice(("nothing", "keep", "keep", "trigger", "name")):
        case "keep":
            return replace(rule, keep=chance.choice(PERIODS))
        case "trigger":
            return replace(rule, trigger=chance.choice(TRIGGERS))
        case "name" if free:
            return replace(rule, name=free.pop())
        case _:
            return rule


def fill(chance: Random, archive: Archive, policy: Policy, recordings: int) -> list[str]:
    """Put random sources, and recordings of the last months, into an archive; their ids."""
    sources = [name for name in (_source(chance, archive, policy, n) for n in range(4)) if name]
    if not sources:
        return []
    now = archive.clock.now()
    return archive.add(*(_take(chance, chance.choice(sources), now) for _ in range(recordings)))


def _source(chance: Random, archive: Archive, policy: Policy, number: int) -> str:
    kind = chance.choice(list(Kind))
    possible = sorted({rule.purpose for rule in policy.classes if str(kind) in PURPOSES[rule.purpose]})
    if not possible:
        return ""
    name = f"source-{number}"
    archive.add_source(
        name,
        *chance.sample(possible, chance.randint(1, len(possible))),
        kind=kind,
        site=chance.choice(("tokyo", "osaka")),
        area=chance.choice(("", "x", "y")),
        zone=chance.choice(ZONES),
    )
    return name


def _take(chance: Random, source: str, now: datetime) -> Take:
    def some_days_ago() -> datetime:
        return now - timedelta(hours=chance.randint(0, 24 * OLDEST_DAYS))

    return Take(
        source,
        some_days_ago(),
        length_s=chance.choice((60, 3_600, 90_000)),
        events={event: local_date(some_days_ago(), ZONES[0]) for event in EVENTS if chance.random() < 1 / 2},
        reference=chance.choice(("", "case-7")),
        size_bytes=chance.randint(1, 9),
        holds=("hold-1",) if chance.random() < 1 / 5 else (),
    )
