"""Read a policy's text into a Schedule, or say everything that is wrong with it.

Text in, Schedule out. No files: callers read them, and `file` is only a name
to show. Nothing but PolicyError is ever raised for any text; it carries all
findings at once, each with file, line, message and remedy.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from retention.schedule import shape
from retention.schedule.document import Finding, PolicyError, read
from retention.schedule.fit import fit, readable
from retention.schedule.model import (
    ANY,
    BusinessCalendar,
    Ceiling,
    Changes,
    Closure,
    Controller,
    DoNotRecord,
    Kind,
    MonthRule,
    Notice,
    Purpose,
    RetentionClass,
    Schedule,
    Selector,
    Words,
)
from retention.schedule.rules import Parts, breaches

__all__ = ["Finding", "PolicyError", "json_schema", "parse_policy"]

#: Sections whose entries are read one by one where the whole cannot be read.
_SECTIONS: Final[dict[str, type[BaseModel]]] = {
    "notices": shape.NoticeShape,
    "purposes": shape.PurposeShape,
    "classes": shape.ClassShape,
    "floors": shape.FloorShape,
    "ceilings": shape.CeilingShape,
}


def parse_policy(text: str, file: str) -> Schedule:
    """The schedule that a policy's text states.

    Args:
        text: One YAML document, in the form of `policies/schema.json`.
        file: The name to show in findings.

    Raises:
        PolicyError: The text cannot be used; all findings at once.
    """
    document = read(text, file)
    policy, findings = fit(shape.PolicyShape, document, _languages(document.value))
    parts = _parts(policy or _salvaged(document.value), document.value)
    findings += (document.finding(breach.path, breach.message, breach.remedy) for breach in breaches(parts))
    if policy is None or findings:
        raise PolicyError(findings)
    return _schedule(policy, parts, hashlib.sha256(text.encode()).hexdigest())


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a policy file, for editors and reviewers."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **shape.PolicyShape.model_json_schema(),
    }


def _languages(value: Any) -> list[str]:
    """The languages a policy says it is written in, as far as that can be read."""
    languages = _section(value, "languages", list)
    return [language for language in languages if isinstance(language, str)]


def _section(value: Any, name: str, form: type) -> Any:
    section = value.get(name) if isinstance(value, dict) else None
    return section if isinstance(section, form) else form()


def _salvaged(value: Any) -> shape.PolicyShape:
    """What can be read of a broken policy, so that its rules are checked in the same pass."""
    sections: dict[str, Any] = {
        section: {
            name: entry
            for name, raw in _section(value, section, dict).items()
            if (entry := readable(model, raw)) is not None
        }
        for section, model in _SECTIONS.items()
    }
    forbidden = _section(value, "forbidden_purposes", dict)
    return shape.PolicyShape.model_construct(
        **sections,
        counting=readable(shape.CountingShape, _section(value, "counting", dict))
        or shape.CountingShape(months=MonthRule.CIVIL_CODE, count_first_day=False, basis="assumed"),
        forbidden_purposes={name: why for name, why in forbidden.items() if isinstance(why, str)},
    )


def _parts(policy: shape.PolicyShape, value: Any) -> Parts:
    purposes = {name: _purpose(name, stated) for name, stated in policy.purposes.items()}
    classes = [_class(name, stated, policy, purposes) for name, stated in policy.classes.items()]
    floors = [_class(name, stated, policy, purposes) for name, stated in policy.floors.items()]
    return Parts(
        purposes=purposes,
        classes=(*classes, *floors),
        ceilings=tuple(_ceiling(name, stated, policy) for name, stated in policy.ceilings.items()),
        notices={name: _notice(name, stated) for name, stated in policy.notices.items()},
        forbidden=policy.forbidden_purposes,
        names={section: frozenset(_section(value, section, dict)) for section in _SECTIONS},
    )


def _schedule(policy: shape.PolicyShape, parts: Parts, digest: str) -> Schedule:
    return Schedule(
        name=policy.policy,
        title=policy.title,
        jurisdiction=policy.jurisdiction,
        languages=tuple(policy.languages),
        reviewed_on=policy.reviewed_on,
        controller=Controller(
            name=policy.controller.name,
            zone=policy.controller.zone,
            manager=policy.controller.manager,
            phone=policy.controller.phone,
            email=policy.controller.email,
            hours=policy.controller.hours,
        ),
        calendar=_calendar(policy.calendar),
        purposes=parts.purposes,
        classes={rule.name: rule for rule in parts.classes},
        ceilings={ceiling.name: ceiling for ceiling in parts.ceilings},
        notices=parts.notices,
        forbidden_purposes=policy.forbidden_purposes,
        do_not_record=DoNotRecord(frozenset(policy.do_not_record.tags), policy.do_not_record.basis),
        changes=Changes(policy.changes.cool_off),
        digest=digest,
    )


def _calendar(stated: shape.CalendarShape) -> BusinessCalendar:
    return BusinessCalendar(
        holidays=stated.holidays,
        open_days=tuple(stated.open_days),
        opens=stated.opens,
        closes=stated.closes,
        closures=tuple(Closure(each.from_, each.to, each.why) for each in stated.closed),
    )


def _notice(name: str, stated: shape.NoticeShape) -> Notice:
    return Notice(name, stated.form, stated.version, stated.effective_on, stated.text, stated.states)


def _purpose(name: str, stated: shape.PurposeShape) -> Purpose:
    return Purpose(
        name=name,
        kinds=frozenset(stated.kinds),
        title=stated.title,
        description=stated.description,
        clause=stated.clause,
        acquisition=stated.acquisition.basis,
        acquisition_reason=stated.acquisition.reason,
        notice=stated.notice,
    )


def _class(
    name: str,
    stated: shape.ClassShape,
    policy: shape.PolicyShape,
    purposes: Mapping[str, Purpose],
) -> RetentionClass:
    purpose = purposes.get(stated.purpose)
    return RetentionClass(
        name=name,
        purpose=stated.purpose,
        selector=_selector(stated.applies_to, purpose.kinds if purpose else frozenset(Kind)),
        period=stated.keep,
        trigger=stated.from_,
        count_first_day=_counts_first_day(stated.count_first_day, policy),
        month_rule=policy.counting.months,
        approval=stated.approval,
        law=stated.law if isinstance(stated, shape.FloorShape) else None,
        basis=stated.basis,
        source=stated.source,
        reviewed_on=stated.reviewed_on,
    )


def _ceiling(name: str, stated: shape.CeilingShape, policy: shape.PolicyShape) -> Ceiling:
    return Ceiling(
        name=name,
        selector=_selector(stated.applies_to, frozenset(Kind)),
        period=stated.keep,
        count_first_day=_counts_first_day(stated.count_first_day, policy),
        month_rule=policy.counting.months,
        unless=frozenset(stated.unless),
        basis=stated.basis,
        source=stated.source,
        reviewed_on=stated.reviewed_on,
    )


def _counts_first_day(stated: bool | None, policy: shape.PolicyShape) -> bool:
    return policy.counting.count_first_day if stated is None else stated


def _selector(stated: shape.SelectorShape, kinds: frozenset[Kind]) -> Selector:
    """A rule that names no kind is about every kind that its purpose is stated for."""
    return Selector(
        kinds=kinds if stated.kind is None else frozenset({stated.kind}),
        sites=_words(stated.site),
        areas=_words(stated.area),
    )


def _words(stated: list[str] | shape.Excluded | None) -> Words:
    match stated:
        case None:
            return ANY
        case shape.Excluded():
            return Words(frozenset(stated.not_), is_excluded=True)
        case _:
            return Words(frozenset(stated))
