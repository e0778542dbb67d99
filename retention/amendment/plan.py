"""Plan a change of the schedule: what the new text would do to what is here today.

A plan's digest covers that, the text, the version it would replace, the reason,
and who planned it when: it is what a second person approves (`approve`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from retention.amendment.archive import COHORT, classes_present, living_lots, pieces
from retention.amendment.compare import ClassChange, class_changes, conflicts, notice_changes
from retention.amendment.impact import HORIZON, NEVER, Impact, Preview
from retention.amendment.model import Lot, PlanState, Sums, unmarked
from retention.amendment.routes import Routes, count_rewraps, touched_classes
from retention.amendment.tables import SchedulePlanRow
from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.catalogue.schedules import read_schedule, schedule_in_force, schedule_row
from retention.catalogue.sources import all_sources
from retention.kernel.canonical import digest_of
from retention.kernel.clock import local_date
from retention.kernel.errors import IllegalTransition, InvalidInput
from retention.schedule.model import Schedule


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change, and what it amounts to."""

    base_version: int
    schedule: Schedule
    text: str
    file_name: str
    impact: dict[str, Any]  #: as the plan keeps it and the command line prints it

    @property
    def longer(self) -> tuple[str, ...]:
        """The classes that may keep recordings longer than before."""
        return tuple(each["class"] for each in self.impact["classes"] if each["longer"])


def propose(session: Session, text: str, file_name: str, now: datetime) -> Proposal:
    """What would change if `text` were the schedule.

    Raises:
        PolicyError: The text cannot be used; all findings at once.
        InvalidInput: It is the text in force.
        IllegalTransition: An earlier change is still being carried out.
    """
    new = read_schedule(text, file_name)
    _nothing_moves(session)
    old, base = schedule_in_force(session), schedule_row(session)
    if new.digest == old.digest:
        raise InvalidInput(
            f"{file_name} is the text of version {base.version}, which is in force: nothing would change"
        )
    routes = Routes(old, new)
    impact, rewraps = assess(session, routes, now)
    notices = notice_changes(old, new)
    classes = class_changes(old, new)
    told: dict[str, Any] = {
        **_sums_json(impact, local_date(now, old.controller.zone)),
        "rewraps": rewraps,
        "classes": [_class_json(each) for each in classes],
        "purposes": {
            "added": sorted(new.purposes.keys() - old.purposes.keys()),
            "removed": sorted(old.purposes.keys() - new.purposes.keys()),
        },
        "conflicts": list(conflicts(old, new, impact, notices, all_sources(session))),
        "notices": [
            {
                "notice": each.notice,
                "version": each.version,
                "class": each.class_name,
                "states": each.states,
                "keeps": each.keeps or None,
                "replaced": each.is_replaced,
            }
            for each in notices
        ],
    }
    return Proposal(base.version, new, text, file_name, told)


def assess(session: Session, routes: Routes, now: datetime) -> tuple[Impact, int]:
    """What a change amounts to today, and how many data keys it wraps anew."""
    lots = lots_touched(session, routes)
    preview = Preview(routes, todays(now))
    found = list(pieces(session, routes, lots))
    preview.add(found)
    return preview.impact, count_rewraps(routes, found) if preview.impact.moved else 0


def lots_touched(session: Session, routes: Routes) -> list[Lot]:
    """The lots that the change may concern; every lot of each of their cohorts that it may sort."""
    touched = touched_classes(routes.old, routes.new, classes_present(session))
    return living_lots(session, COHORT.c.class_name.in_(sorted(touched)), floors_of(routes.new))


def floors_of(schedule: Schedule) -> frozenset[str]:
    """The purposes of the floors."""
    return frozenset(rule.purpose for rule in schedule.classes.values() if rule.is_floor)


def todays(now: datetime) -> Callable[[str], date]:
    """Tells the date in a zone."""
    return lambda zone: local_date(now, zone)


def _nothing_moves(session: Session) -> None:
    moving = session.execute(
        select(col(SchedulePlanRow.digest)).where(col(SchedulePlanRow.state) == PlanState.MOVING)
    ).first()
    if moving or any(unmarked(name)[1] is not None for name in classes_present(session)):
        raise IllegalTransition(
            "the schedule in force is still being carried out: recordings are on their way to their classes",
            hint="Finish it with `retention schedule apply`.",
        )


def _sums_json(impact: Impact, on: date) -> dict[str, Any]:
    changes = sorted(impact.changes.items())
    return {
        "on": on.isoformat(),
        "horizon_on": (on + HORIZON).isoformat(),
        "due_now": _counts(impact.due_now),
        "sooner": _counts(impact.sooner),
        "sooner_after_horizon": _counts(impact.sooner_after_horizon),
        "later": _counts(impact.later),
        "moved": impact.moved,
        "unclassified": impact.lost_class,
        "changes": [
            {"class": name, "site": site, "on": _day(day), "direction": direction, **_counts(sums)}
            for (name, site, day, direction), sums in changes
        ],
        "uses": [
            {"class": name, "direction": direction, "recordings": count}
            for (name, direction), count in sorted(impact.uses.items())
        ],
        "days": [{"on": _day(day), **_counts(sums)} for day, sums in sorted(impact.days.items())],
        "curve": [
            [zone, day.isoformat(), change] for (zone, day), change in sorted(impact.curve.items()) if change
        ],
    }


def _counts(sums: Sums) -> dict[str, int]:
    return {"recordings": sums.recordings, "bytes": sums.size_bytes, "held": sums.held}


def _day(day: date) -> str | None:
    return None if day == NEVER else day.isoformat()


def _class_json(change: ClassChange) -> dict[str, Any]:
    return {
        "class": change.name,
        "old": change.old or None,
        "new": change.new or None,
        "longer": change.is_longer,
    }


def keep(session: Session, proposal: Proposal, reason: str, at: datetime, actor: str) -> SchedulePlanRow:
    """Keep the plan, so that its digest can be approved.

    Raises:
        InvalidInput: It keeps recordings longer, and says no reason.
    """
    later = proposal.impact["later"]
    keeps_longer = proposal.longer or later["recordings"] or later["held"]
    if keeps_longer and not reason.strip():
        what = ", ".join(proposal.longer) or f"{later['recordings'] + later['held']} recordings"
        raise InvalidInput(
            f"this would keep {what} longer, and does not say why",
            hint="Give --reason TEXT: what is no longer needed must be erased (APPI Art. 22, GDPR Art. 5(1)(e)), so keeping longer needs a justification.",
        )
    row = SchedulePlanRow(
        digest="",
        base_version=proposal.base_version,
        text=proposal.text,
        file_name=proposal.file_name,
        reason=reason.strip(),
        impact=proposal.impact,
        planned_at=at,
        planned_by=actor,
    )
    row.digest = digest_of(
        {
            "base_version": row.base_version,
            "text": proposal.schedule.digest,
            "impact": row.impact,
            "reason": row.reason,
            "planned_at": at,
            "planned_by": actor,
        }
    )
    session.add(row)
    detail = {
        "base_version": row.base_version,
        "text": proposal.schedule.digest,
        "due_now": row.impact["due_now"]["recordings"],
        "moved": row.impact["moved"],
    }
    record(session, at, Act(Tag.SCHEDULE_PLANNED, actor, row.digest, detail=detail))
    return row
