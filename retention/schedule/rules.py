"""What must hold between the parts of a policy.

Each rule looks at all parts and yields what breaks it, with the place in the
text and the remedy. A rule looks only at parts that could be read; whether a
name exists is asked of the text, so that a broken entry is not also missed.

The rules are what lets `Schedule` promise: at most one class for each purpose
of any recording; a class for every purpose on every kind that it is stated
for; and no static way in which a ceiling and a class contradict each other.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final

from retention.schedule.calendar import can_outlast
from retention.schedule.document import Path
from retention.schedule.fit import did_you_mean
from retention.schedule.model import Ceiling, Facts, Kind, Notice, Purpose, RetentionClass

_OTHER: Final = "\n"  #: stands for every site and area that no rule names; no word holds a line break


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a policy that could be read."""

    purposes: Mapping[str, Purpose]
    classes: tuple[RetentionClass, ...]  #: floors included
    ceilings: tuple[Ceiling, ...]
    notices: Mapping[str, Notice]
    forbidden: Mapping[str, str]
    names: Mapping[str, frozenset[str]]  #: section → every name that is written there, readable or not


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that does not hold, where, and what to do."""

    path: Path
    message: str
    remedy: str


def breaches(parts: Parts) -> Iterator[Breach]:
    """Everything that does not hold between the parts."""
    for rule in (
        _purposes_exist,
        _notices_exist,
        _notices_state_what_is_kept,
        _forbidden_stays_forbidden,
        _names_are_unique,
        _kinds_agree,
        _one_class_per_purpose,
        _every_purpose_has_a_class,
        _nothing_is_above_a_ceiling,
    ):
        yield from rule(parts)


def place_of(rule: RetentionClass) -> Path:
    """Where a class or floor stands in the text."""
    return ("floors" if rule.is_floor else "classes", rule.name)


def _purposes_exist(parts: Parts) -> Iterator[Breach]:
    known = parts.names["purposes"]
    remedy = "Add it to purposes"
    for rule in parts.classes:
        where = (*place_of(rule), "purpose")
        if rule.purpose in parts.forbidden:
            why = parts.forbidden[rule.purpose]
            yield Breach(where, f"the purpose `{rule.purpose}` is forbidden: {why}", "Remove the class")
        elif rule.purpose not in known:
            yield Breach(
                where, f"there is no purpose `{rule.purpose}`", did_you_mean(rule.purpose, known, remedy)
            )
    for ceiling in parts.ceilings:
        for purpose in sorted(ceiling.unless - known):
            where = ("ceilings", ceiling.name, "unless")
            yield Breach(where, f"there is no purpose `{purpose}`", did_you_mean(purpose, known, remedy))


def _notices_exist(parts: Parts) -> Iterator[Breach]:
    known = parts.names["notices"]
    for purpose in parts.purposes.values():
        if purpose.notice not in known:
            remedy = did_you_mean(purpose.notice, known, "Add it to notices")
            yield Breach(
                ("purposes", purpose.name, "notice"), f"there is no notice `{purpose.notice}`", remedy
            )


def _notices_state_what_is_kept(parts: Parts) -> Iterator[Breach]:
    periods = {rule.name: rule.period for rule in parts.classes}
    known = parts.names["classes"] | parts.names["floors"]
    for notice in parts.notices.values():
        for class_name, period in notice.states.items():
            where = ("notices", notice.name, "states", class_name)
            if class_name not in known:
                remedy = did_you_mean(class_name, known, "Remove the line")
                yield Breach(where, f"there is no class `{class_name}`", remedy)
            elif periods.get(class_name, period) != period:
                yield Breach(
                    where,
                    f"the notice tells people {period}, but {class_name} keeps {periods[class_name]}",
                    "Change the notice's text and version, or the class",
                )


def _forbidden_stays_forbidden(parts: Parts) -> Iterator[Breach]:
    for name in sorted(parts.names["purposes"] & parts.forbidden.keys()):
        yield Breach(
            ("purposes", name),
            f"the purpose `{name}` is forbidden: {parts.forbidden[name]}",
            "Remove the purpose; what is forbidden cannot be allowed in the same text",
        )


def _names_are_unique(parts: Parts) -> Iterator[Breach]:
    for name in sorted(parts.names["classes"] & parts.names["floors"]):
        yield Breach(("floors", name), f"`{name}` is also the name of a class", "Give the floor another name")


def _kinds_agree(parts: Parts) -> Iterator[Breach]:
    for rule in parts.classes:
        purpose = parts.purposes.get(rule.purpose)
        if purpose and rule.selector.kinds - purpose.kinds:
            kinds = " and ".join(sorted(purpose.kinds))
            yield Breach(
                (*place_of(rule), "applies_to"),
                f"the purpose `{purpose.name}` is stated for {kinds} only",
                f"Choose kind: {kinds}, or state the purpose for more kinds",
            )


def _one_class_per_purpose(parts: Parts) -> Iterator[Breach]:
    for position, rule in enumerate(parts.classes):  # floors come after classes
        other = next((each for each in parts.classes[:position] if _both_match(each, rule)), None)
        if other is None:
            continue
        message = f"{other.name} and {rule.name} can both match a recording with the purpose `{rule.purpose}`"
        if rule.is_floor:
            yield Breach(place_of(rule), message, "Give the floor a purpose of its own")
        else:
            remedy = "Narrow one: area: [x] here, area: {not: [x]} there"
            yield Breach((*place_of(rule), "applies_to"), message, remedy)


def _both_match(one: RetentionClass, other: RetentionClass) -> bool:
    return one.purpose == other.purpose and one.selector.overlap(other.selector)


def _every_purpose_has_a_class(parts: Parts) -> Iterator[Breach]:
    unreadable = parts.names["classes"] | parts.names["floors"]
    unreadable -= {rule.name for rule in parts.classes}
    if unreadable:  # one of them may be the missing one
        return
    for purpose in parts.purposes.values():
        rules = [rule for rule in parts.classes if rule.purpose == purpose.name]
        if rules and all(rule.is_floor for rule in rules):
            continue  # a floor applies where its law does, and nowhere else
        for kind in sorted(purpose.kinds):
            gap = _gap(kind, rules)
            if gap:
                yield Breach(
                    ("purposes", purpose.name),
                    f"the purpose `{purpose.name}` has no class for {kind}{_described(gap)}",
                    "Add a class; recordings without one are kept for ever, with an alarm",
                )


def _gap(kind: Kind, rules: list[RetentionClass]) -> Facts | None:
    """Facts that no rule matches. One site and area of each sort that the rules can tell apart is enough."""
    sites = sorted({_OTHER}.union(*(rule.selector.sites.words for rule in rules)))
    areas = sorted({_OTHER, ""}.union(*(rule.selector.areas.words for rule in rules)))
    for site, area in product(sites, areas):
        facts = Facts(kind, site, area, "UTC")
        if not any(rule.selector.match(facts) for rule in rules):
            return facts
    return None


def _described(gap: Facts) -> str:
    site = "" if gap.site == _OTHER else f" at the site `{gap.site}`"
    area = "" if gap.area == _OTHER else f" in the area `{gap.area}`" if gap.area else " without an area"
    return site + area


def _nothing_is_above_a_ceiling(parts: Parts) -> Iterator[Breach]:
    for ceiling, rule in product(parts.ceilings, parts.classes):
        if rule.has_open_trigger or rule.purpose in ceiling.unless:
            continue  # events are reported as conflicts when they happen, see `evaluate`
        if ceiling.selector.overlap(rule.selector) and can_outlast(rule.counting, ceiling.counting):
            what = "floor" if rule.is_floor else "class"
            yield Breach(
                (*place_of(rule), "keep"),
                f"{what} above ceiling: {rule.name} keeps {rule.period}, {ceiling.name} allows {ceiling.period}",
                f"Shorten the {what}, raise the ceiling, or exempt `{rule.purpose}` with unless",
            )
