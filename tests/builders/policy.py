"""A small policy for tests: short periods, every sort of rule once.

Calls carry `quality` (10 days) and `inquiry` (20 days); footage carries
`security` (5 days, 15 in the area `cash-desk`). `dispute` waits for the event
case-closed and asks for approval of each run; so does the floor that lies on
the area `contract-line`. Months are counted once, by `archive`. The papers of
requests carry `request-handling`, those of provisions `provision-records`.
"""

from retention.schedule.model import Schedule
from retention.schedule.parse import parse_policy

FILE = "test.yaml"

_HEAD = """\
policy: short-periods
title: {en: Short periods}
jurisdiction: JP
languages: [en]
reviewed_on: 2026-01-01
controller:
  name: {en: Example K.K.}
  zone: ZONE
  manager: {en: A manager}
  phone: 050-0000-0000
  email: privacy@company.example
  hours: {en: Always}
calendar: {holidays: JP, open_days: [mon], opens: 10:00, closes: 19:00}
counting: {months: jp-civil-code-143, count_first_day: false, basis: The Civil Code}
notices:
  published:
    form: published
    version: "1"
    effective_on: 2026-01-01
    text: {en: Recordings are made and erased.}
    states: {}
purposes:
"""

_PURPOSE = """\
  {name}:
    kinds: [{kinds}]
    title: {{en: {name}}}
    description: {{en: {name}}}
    clause: {{en: A clause}}
    acquisition: {{basis: notified, reason: Published}}
    notice: published
"""

_CLASS = """\
  {name}:
    purpose: {purpose}
    applies_to: {applies_to}
    keep: {keep}
    from: {trigger}
    approval: {approval}
    basis: A basis
    source: A decision
    reviewed_on: 2026-01-01
"""

_LAW = "    law: {en: A law}\n"

_TAIL = """\
ceilings: {}
do_not_record: {tags: [do-not-record, opt-out], basis: A person may refuse}
changes: {cool_off: PT72H}
"""

PURPOSES = {
    "quality": "call",
    "inquiry": "call",
    "security": "footage",
    "dispute": "call, footage",
    "archive": "call, footage",
    "contract-record": "call",
    "request-handling": "case-file",
    "provision-records": "case-file",
}

#: class → purpose, selector, period, trigger, approval
CLASSES = {
    "calls.quality": ("quality", "{kind: call}", "P10D", "recording-ended", "routine"),
    "calls.inquiry": ("inquiry", "{kind: call}", "P20D", "recording-ended", "routine"),
    "cctv.general": ("security", "{area: {not: [cash-desk]}}", "P5D", "recording-ended", "routine"),
    "cctv.cash-desk": ("security", "{area: [cash-desk]}", "P15D", "recording-ended", "routine"),
    "dispute": ("dispute", "{}", "P30D", "case-closed", "each-run"),
    "archive": ("archive", "{}", "P2M", "recording-ended", "routine"),
    "requests.file": (
        "request-handling",
        "{area: {not: [evidence, rendition, package]}}",
        "P90D",
        "request-closed",
        "routine",
    ),
    "requests.evidence": ("request-handling", "{area: [evidence]}", "P30D", "recording-ended", "routine"),
    "requests.rendition": ("request-handling", "{area: [rendition]}", "P30D", "request-closed", "routine"),
    "requests.package": ("request-handling", "{area: [package]}", "P90D", "recording-ended", "routine"),
    "provision.record": (
        "provision-records",
        "{area: {not: [provision-proposal]}}",
        "P3Y",
        "recording-ended",
        "routine",
    ),
    "provision.proposal": (
        "provision-records",
        "{area: [provision-proposal]}",
        "P90D",
        "recording-ended",
        "routine",
    ),
}
FLOORS = {
    "calls.contract-line": (
        "contract-record",
        "{kind: call, area: [contract-line]}",
        "P40D",
        "recording-ended",
        "each-run",
    )
}


def policy_text(*, zone: str = "Asia/Tokyo", **periods: str) -> str:
    """The policy's text.

    Args:
        zone: The controller's time zone.
        periods: Another period for a purpose's class: `quality="P3D"`.
    """
    purposes = "".join(_PURPOSE.format(name=name, kinds=kinds) for name, kinds in PURPOSES.items())
    sections = {
        section: "".join(
            _CLASS.format(
                name=name,
                purpose=purpose,
                applies_to=applies_to,
                keep=periods.get(purpose.replace("-", "_"), keep),
                trigger=trigger,
                approval=approval,
            )
            + more
            for name, (purpose, applies_to, keep, trigger, approval) in rules.items()
        )
        for section, rules, more in (("classes", CLASSES, ""), ("floors", FLOORS, _LAW))
    }
    head = _HEAD.replace("ZONE", zone)
    return f"{head}{purposes}classes:\n{sections['classes']}floors:\n{sections['floors']}{_TAIL}"


def schedule(**changes: str) -> Schedule:
    """The schedule that the text states."""
    return parse_policy(policy_text(**changes), FILE)
