"""Where two schedules differ, in words: classes, purposes, notices, and what contradicts what. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from retention.amendment.impact import Impact
from retention.catalogue.model import Source
from retention.schedule.calendar import can_outlast
from retention.schedule.model import (
    ANY,
    RECORDING_ENDED,
    RECORDING_STARTED,
    Approval,
    Kind,
    Notice,
    RetentionClass,
    Schedule,
    Words,
)


@dataclass(frozen=True, slots=True)
class ClassChange:
    """A class that is not what it was."""

    name: str
    old: str  #: "" where there was none
    new: str  #: "" where there is none any more
    is_longer: bool  #: it may keep a recording longer than before


@dataclass(frozen=True, slots=True)
class NoticeChange:
    """A notice in force that tells people a period which would no longer be true."""

    notice: str
    version: str
    class_name: str
    states: str
    keeps: str  #: "" where the class is gone
    is_replaced: bool  #: the new schedule has another text of another version


def class_changes(old: Schedule, new: Schedule) -> tuple[ClassChange, ...]:
    """The classes that differ, by name."""
    found = []
    for name in sorted(old.classes.keys() | new.classes.keys()):
        before, after = old.classes.get(name), new.classes.get(name)
        old_words, new_words = in_words(before) if before else "", in_words(after) if after else ""
        if old_words != new_words:
            longer = before is not None and after is not None and may_keep_longer(before, after)
            found.append(ClassChange(name, old_words, new_words, longer))
    return tuple(found)


def may_keep_longer(before: RetentionClass, after: RetentionClass) -> bool:
    """Whether a recording of the class may be kept longer than before."""
    if after.has_open_trigger and after.trigger != before.trigger:
        return True
    if (before.trigger, after.trigger) == (RECORDING_STARTED, RECORDING_ENDED):
        return True
    return can_outlast(after.counting, before.counting)


def in_words(rule: RetentionClass) -> str:
    """A class's rule, such as `P30D from recording-ended for crime-prevention: footage, area not cash-desk`."""
    counting = f" ({rule.month_rule})" if rule.period.total_months else ""
    said = [
        f"{'floor, ' if rule.is_floor else ''}{rule.period}{counting} from {rule.trigger}",
        *(["first day counted"] if rule.count_first_day else []),
        *(["approved for each run"] if rule.approval is Approval.EACH_RUN else []),
    ]
    about = [
        " and ".join(kind for kind in Kind if kind in rule.selector.kinds),
        *_words("site", rule.selector.sites),
        *_words("area", rule.selector.areas),
    ]
    return f"{', '.join(said)} for {rule.purpose}: {', '.join(about)}"


def _words(name: str, words: Words) -> Iterator[str]:
    if words != ANY:
        listed = " or ".join(sorted(word or "none" for word in words.words))
        yield f"{name} {'not ' if words.is_excluded else ''}{listed}"


def notice_changes(old: Schedule, new: Schedule) -> tuple[NoticeChange, ...]:
    """The notices in force whose text must change, for each class that makes it so."""
    found = []
    for notice in old.notices.values():
        for class_name, period in notice.states.items():
            rule = new.classes.get(class_name)
            keeps = str(rule.period) if rule else ""
            if keeps != str(period):
                replaced = _is_replaced(notice, new.notices.get(notice.name))
                found.append(
                    NoticeChange(notice.name, notice.version, class_name, str(period), keeps, replaced)
                )
    return tuple(found)


def _is_replaced(notice: Notice, by: Notice | None) -> bool:
    return by is not None and by.version != notice.version and by.text != notice.text


def conflicts(
    old: Schedule,
    new: Schedule,
    impact: Impact,
    notices: Iterable[NoticeChange],
    sources: Iterable[Source],
) -> tuple[str, ...]:
    """What a person must know before agreeing, a sentence each."""
    return (
        *_classless(impact),
        *_floors(new, impact),
        *_ceilings(new, impact),
        *_stale_notices(notices),
        *_shut_out(new, sources),
        *_hurry(old, new),
    )


def _classless(impact: Impact) -> Iterator[str]:
    for purpose, count in sorted(impact.unclassified.items()):
        yield (
            f"{count} recordings carry the purpose {purpose}, for which there would be no class:"
            " they would be kept, with an alarm, until there is one"
        )


def _floors(new: Schedule, impact: Impact) -> Iterator[str]:
    for (class_name, floor), count in sorted(impact.kept_by_floor.items()):
        yield (
            f"{class_name} would end sooner, but the floor {floor} ({new.classes[floor].period}) keeps {count} of its recordings"
        )
    for floor, count in sorted(impact.floors.items()):
        yield f"the floor {floor} ({new.classes[floor].period}) would reach {count} recordings that are here already"


def _ceilings(new: Schedule, impact: Impact) -> Iterator[str]:
    for name, count in sorted(impact.without_end.items()):
        yield (
            f"{count} recordings are under the ceiling {name} ({new.ceilings[name].period}), but have no end yet:"
            " they wait for an event, or have no class"
        )


def _stale_notices(notices: Iterable[NoticeChange]) -> Iterator[str]:
    for name, version in sorted({(n.notice, n.version) for n in notices if not n.is_replaced}):
        yield (
            f"the notice {name} (version {version}) tells people a period that would no longer be kept,"
            " and the new policy has no other text of another version for it"
        )


def _shut_out(new: Schedule, sources: Iterable[Source]) -> Iterator[str]:
    for source in sources:
        found = new.classify(source.facts, source.purposes)
        for purpose in (*found.unknown, *found.unclassified):
            yield f"source {source.id} names the purpose {purpose}, for which there would be no class: what it records would be quarantined"


def _hurry(old: Schedule, new: Schedule) -> Iterator[str]:
    if new.changes.cool_off < old.changes.cool_off:
        yield f"later changes would cool off for {new.changes.cool_off} only, instead of {old.changes.cool_off}"
