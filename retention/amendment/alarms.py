"""What the schedule in force does not provide for: kept, and alarmed.

Asked for on demand. Unknown classes are summed over lots. A ceiling that has
passed needs the dates of recordings, but only of those that an event, or the
lack of a class, may keep for longer: for the others the policy was checked when
it was read. Holds are not looked at: they have a review date of their own.
"""

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta

from sqlalchemy import func, or_, select
from sqlmodel import Session

from retention.amendment.archive import COHORT, READ_AT_ONCE, RECORDING, holdings, living_lots
from retention.amendment.model import due_on, purpose_without_class, unmarked
from retention.database import in_batches
from retention.kernel.clock import local_date
from retention.schedule.calendar import cutoff, due_at
from retention.schedule.model import Schedule

DAY = timedelta(days=1)


def alarms(session: Session, schedule: Schedule, now: datetime) -> list[str]:
    """What a person must see to, a sentence each; empty when all is well."""
    return [
        *_unknown_classes(session, schedule),
        *_ceilings_passed(session, schedule, now),
    ]


def _unknown_classes(session: Session, schedule: Schedule) -> list[str]:
    unknown = holdings(session)
    return [_unknown(name, unknown[name][0]) for name in sorted(unknown.keys() - schedule.classes.keys())]


def _unknown(class_name: str, recordings: int) -> str:
    name, mark = unmarked(class_name)
    if mark is not None:
        return (
            f"{recordings} recordings of {name} wait to be brought to their classes, and are kept:"
            " `retention schedule apply` does it"
        )
    purpose = purpose_without_class(class_name)
    if purpose:
        return (
            f"{recordings} recordings carry the purpose {purpose}, for which the schedule has no class: kept"
        )
    return f"{recordings} recordings are in the class {class_name}, which the schedule does not know: kept"


def _ceilings_passed(session: Session, schedule: Schedule, now: datetime) -> list[str]:
    found: Counter[str] = Counter()
    for (ceiling, zone), lot_ids in _without_checked_end(session, schedule, now).items():
        last_on = cutoff(local_date(now, zone), schedule.ceilings[ceiling].counting)
        if last_on > date.min:
            found[ceiling] += _ended_before(session, lot_ids, due_at(last_on + DAY, zone))
    return [
        f"{count} recordings are kept beyond the ceiling {name} ({schedule.ceilings[name].period}):"
        " they wait for an event, count from a late one, or have no class"
        for name, count in sorted(found.items())
        if count
    ]


def _without_checked_end(
    session: Session, schedule: Schedule, now: datetime
) -> dict[tuple[str, str], list[int]]:
    """(ceiling, zone) → lots under it that are still kept, and that an event or the lack of a class may keep."""
    events = sorted(name for name, rule in schedule.classes.items() if rule.has_open_trigger)
    may_outlast = or_(COHORT.c.class_name.in_(events), COHORT.c.class_name.not_in(sorted(schedule.classes)))
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for lot in living_lots(session, may_outlast):
        today = local_date(now, lot.facts.zone)
        if any((due_on(schedule, member.place) or date.max) > today for member in lot.members):
            for ceiling in schedule.ceilings_for(lot.facts, (member.purpose for member in lot.members)):
                found[ceiling.name, lot.facts.zone].append(lot.id)
    return found


def _ended_before(session: Session, lot_ids: list[int], at: datetime) -> int:
    counts: list[int] = []
    statement = select(func.count()).select_from(RECORDING).where(RECORDING.c.ended_at < at)
    in_batches(
        lot_ids,
        READ_AT_ONCE,
        lambda some: counts.append(
            session.execute(statement.where(RECORDING.c.lot_id.in_(some))).scalar_one()
        ),
    )
    return sum(counts)
