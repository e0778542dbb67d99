"""Whether a file may be sealed, and into which classes. Pure.

What cannot be decided is a `Fault`: the file is kept aside, never guessed at.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from retention.catalogue.identifiers import Identifier, call_agent, customer, native, phone
from retention.catalogue.model import Assigned, Source
from retention.ingest.manifest import Entry
from retention.ingest.model import Admission, Code, Fault, Seen, Times
from retention.kernel.errors import InvalidInput
from retention.schedule.model import Schedule

#: A recorder's clock may run ahead by this much and no more.
AHEAD = timedelta(days=1)
#: How purposes are called. A reason stands in the catalogue in the clear.
WORD = re.compile(r"[a-z]+(-[a-z]+)*")
#: No recorder we take in from is older; an earlier start is a clock that was never set.
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


def parse_time(text: str, zone: str) -> datetime:
    """An ISO 8601 time; without an offset it is local time in `zone` (its first occurrence, when doubled).

    Raises:
        InvalidInput: It is no time.
    """
    try:
        # Python takes any character between date and time, a NUL as well, and the claim is kept as it is.
        at = datetime.fromisoformat(text.strip() if text.isprintable() else "")
        local = at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput(
            f"{text!r} is no time", hint="Write 2026-03-20T14:05:00+09:00 or 2026-03-20T14:05."
        ) from None


def resolve_times(
    source: Source, entry: Entry | None, given: str, seen: Seen, modified_at: datetime | None
) -> Times | Fault:
    """When the recording started and ended: the manifest's word, then the operator's, the container's, the file's."""
    claimed = (entry.started_at if entry else "") or given
    try:
        length = timedelta(microseconds=seen.duration_us)
        if claimed:
            start, basis = (
                parse_time(claimed, source.zone),
                "manifest" if entry and entry.started_at else "operator",
            )
        elif seen.started_at is not None:
            start, basis, claimed = seen.started_at, "container", seen.started_at_text
        elif modified_at is not None:
            start, basis = modified_at - length, "file"
        else:
            return Fault(Code.BAD_TIME, "nothing says when it was made: the file's own time is not possible")
        end = parse_time(entry.ended_at, source.zone) if entry and entry.ended_at else start + length
    except InvalidInput:
        # Not repeated: where columns have slipped, a telephone number stands in the time's place.
        return Fault(Code.BAD_TIME, "what is given as a time is none: `retention quarantine show` has it")
    except OverflowError:
        return Fault(Code.BAD_TIME, "it starts or ends outside the calendar")
    return Times(start, end, claimed, basis)


def check_times(times: Times, now: datetime) -> Fault | None:
    """A fault when the times cannot be true."""
    if times.ended_at < times.started_at:
        return Fault(
            Code.BAD_TIME,
            f"it ends ({times.ended_at:%Y-%m-%d %H:%M}) before it starts ({times.started_at:%Y-%m-%d %H:%M})",
        )
    if times.ended_at > now + AHEAD:
        return Fault(Code.BAD_TIME, f"it ends on {times.ended_at:%Y-%m-%d}, which is in the future")
    if times.started_at < EARLIEST:
        return Fault(
            Code.BAD_TIME, f"it starts on {times.started_at:%Y-%m-%d}: the recorder's clock was never set"
        )
    return None


def admit(
    schedule: Schedule,
    source: Source,
    entry: Entry | None,
    given: str,
    seen: Seen,
    modified_at: datetime | None,
    now: datetime,
) -> Admission | Fault:
    """An admission with the classes that keep the recording, or why a person must look at it."""
    if seen.kind != source.kind:
        holds = {"call": "sound", "footage": "pictures"}[seen.kind]
        return Fault(Code.WRONG_KIND, f"source {source.id} records {source.kind}, but the file holds {holds}")
    times = resolve_times(source, entry, given, seen, modified_at)
    if isinstance(times, Fault):
        return times
    fault = check_times(times, now)
    if fault:
        return fault
    assigned = assign(schedule, source, entry, times)
    return assigned if isinstance(assigned, Fault) else Admission(times, assigned, dict(seen.facts))


def assign(
    schedule: Schedule, source: Source, entry: Entry | None, times: Times
) -> tuple[Assigned, ...] | Fault:
    """The purposes the recording carries, each with its class and trigger day."""
    purposes = {*source.purposes, *(entry.purposes if entry else ())}
    found = schedule.classify(source.facts, purposes)
    if found.unknown:
        return Fault(Code.UNKNOWN_PURPOSE, f"the policy knows no purpose {_listed(found.unknown)}")
    if found.unclassified or not found.assigned:
        names = _listed(found.unclassified) or "any purpose"
        return Fault(Code.NO_CLASS, f"no retention class of the policy covers {names} for source {source.id}")
    events = entry.events if entry else {}
    reference = entry.reference.strip() if entry else ""
    assigned = []
    for each in found.assigned:
        day = schedule.trigger_on(
            each.class_name,
            started_at=times.started_at,
            ended_at=times.ended_at,
            zone=source.zone,
            events=events,
        )
        assigned.append(Assigned(each.purpose, each.class_name, day, reference if day is None else ""))
    return tuple(assigned)


def _listed(names: Iterable[str]) -> str:
    """Names that strangers wrote, as a reason may show them: one that could be a number or a person is not repeated."""
    return ", ".join(
        repr(name[:40]) if WORD.fullmatch(name) else "that is no word" for name in list(names)[:5]
    )


def must_not_be_recorded(schedule: Schedule, entry: Entry | None) -> bool:
    """Whether a tag says that somebody refused."""
    return bool(entry and schedule.do_not_record.tags & {tag.strip().casefold() for tag in entry.tags})


def identifiers_of(entry: Entry | None, region: str) -> tuple[Identifier, ...] | Fault:
    """Everything by which the recording and the people in it can be found; a fault does not repeat what was written."""
    if entry is None:
        return ()
    found = [native(entry.native_id)]
    try:
        for person in entry.participants:
            found += [phone(person.phone, region), customer(person.customer_id)]
            found += [call_agent(each) for each in person.known_as]
    except InvalidInput:
        return Fault(
            Code.BAD_IDENTIFIER,
            "a participant's telephone number is none: `retention quarantine show` has it",
        )
    return tuple(dict.fromkeys(each for each in found if each))
