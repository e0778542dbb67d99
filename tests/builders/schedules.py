"""Policies for tests, as text: classes given in a few words, everything else as short as it may be."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import yaml

from retention.catalogue.schedules import read_schedule
from retention.schedule.model import Schedule

FILE = "policy.yaml"


@dataclass(frozen=True)
class Rule:
    """A class or a floor."""

    name: str
    purpose: str
    keep: str = "P30D"
    trigger: str = "recording-ended"
    kind: str = ""
    areas: tuple[str, ...] = ()
    but_areas: tuple[str, ...] = ()
    approval: str = "routine"
    count_first_day: bool = False

    def shape(self) -> dict[str, Any]:
        """The rule as a policy states it."""
        about: dict[str, Any] = {"kind": self.kind} if self.kind else {}
        if self.areas or self.but_areas:
            about["area"] = list(self.areas) if self.areas else {"not": list(self.but_areas)}
        return {
            "purpose": self.purpose,
            "applies_to": about,
            "keep": self.keep,
            "count_first_day": self.count_first_day,
            "from": self.trigger,
            "approval": self.approval,
            "basis": "because",
            "source": "a decision",
            "reviewed_on": "2026-01-01",
        }


@dataclass(frozen=True)
class Policy:
    """A policy in a few words."""

    classes: tuple[Rule, ...]
    floors: tuple[Rule, ...] = ()
    ceilings: dict[str, tuple[str, str]] = field(default_factory=dict)  #: name → kind, period
    states: dict[str, str] = field(default_factory=dict)  #: class → the period that the notice tells
    notice: tuple[str, str] = ("1", "Recordings are made.")  #: version and text
    kinds: dict[str, tuple[str, ...]] = field(default_factory=dict)  #: purpose → kinds, where not both
    cool_off: str = "PT72H"
    zone: str = "Asia/Tokyo"
    jurisdiction: str = "JP"

    @cached_property
    def text(self) -> str:
        """The policy's text."""
        purposes = {rule.purpose: None for rule in (*self.classes, *self.floors)}
        shape = {
            "policy": "test",
            "title": {"en": "A test"},
            "jurisdiction": self.jurisdiction,
            "languages": ["en"],
            "reviewed_on": "2026-01-01",
            "controller": {
                "name": {"en": "Example K.K."},
                "zone": self.zone,
                "manager": {"en": "Somebody"},
                "phone": "050-0000-0000",
                "email": "privacy@company.example",
                "hours": {"en": "always"},
            },
            "calendar": {"holidays": "JP", "open_days": ["mon"], "opens": "10:00", "closes": "19:00"},
            "counting": {"months": "jp-civil-code-143", "count_first_day": False, "basis": "a law"},
            "notices": {
                "notice": {
                    "form": "published",
                    "version": self.notice[0],
                    "effective_on": "2026-01-01",
                    "text": {"en": self.notice[1]},
                    "states": self.states,
                }
            },
            "purposes": {name: self._purpose(name) for name in purposes},
            "classes": {rule.name: rule.shape() for rule in self.classes},
            "floors": {rule.name: rule.shape() | {"law": {"en": "a law"}} for rule in self.floors},
            "ceilings": {name: _ceiling(*stated) for name, stated in self.ceilings.items()},
            "do_not_record": {"tags": ["no"], "basis": "because"},
            "changes": {"cool_off": self.cool_off},
        }
        return yaml.dump(shape, Dumper=_Plain, sort_keys=False, allow_unicode=True)

    def _purpose(self, name: str) -> dict[str, Any]:
        return {
            "kinds": list(self.kinds.get(name, ("call", "footage"))),
            "title": {"en": name},
            "description": {"en": name},
            "clause": {"en": "a clause"},
            "acquisition": {"basis": "notified", "reason": "published"},
            "notice": "notice",
        }

    @cached_property
    def schedule(self) -> Schedule:
        """The schedule that the text states."""
        return read_schedule(self.text, FILE)


class _Plain(yaml.SafeDumper):
    """Writes every value out: policies know no anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the base class names the argument
        return True


def _ceiling(kind: str, keep: str) -> dict[str, Any]:
    return {
        "applies_to": {"kind": kind},
        "keep": keep,
        "basis": "because",
        "source": "a decision",
        "reviewed_on": "2026-01-01",
    }


def one_class(keep: str, **particulars: Any) -> Policy:
    """The shortest policy: cameras, kept for one purpose in one class."""
    return Policy((Rule("cctv", "security", keep),), **particulars)
