"""What one version of the schedule changed for the people in the recordings, in a line. Pure."""

from collections.abc import Iterator

from retention.notice.phrases import Phrases
from retention.schedule.model import RetentionClass, Schedule


def in_a_line(old: Schedule | None, new: Schedule, phrases: Phrases) -> str:
    """What `new` keeps otherwise than `old`; "first version" where there is no old one."""
    if old is None:
        return phrases.label("changes.first")
    join = phrases.label("changes.join")
    return join.join(_changes(old, new, phrases)) or phrases.label("changes.other")


def _changes(old: Schedule, new: Schedule, phrases: Phrases) -> Iterator[str]:
    for name, rule in new.classes.items():
        before = old.classes.get(name)
        what = phrases.what(new, rule)
        if before is None:
            yield phrases.label("changes.added", what=what, new=phrases.period(rule.period))
        elif before.period != rule.period:
            periods = {"old": phrases.period(before.period), "new": phrases.period(rule.period)}
            yield phrases.label("changes.period", what=what, **periods)
        elif _rule(before) != _rule(rule):
            yield phrases.label("changes.rule", what=what)
    for name, rule in old.classes.items():
        if name not in new.classes:
            yield phrases.label("changes.ended", what=phrases.what(old, rule))


def _rule(rule: RetentionClass) -> tuple[object, ...]:
    return rule.purpose, rule.selector, rule.trigger, rule.count_first_day, rule.month_rule, rule.is_floor
