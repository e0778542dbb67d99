"""The register of sources: nothing is taken in from a recorder that is not in it."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import ColumnElement, and_, select
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.catalogue.model import Source
from retention.catalogue.tables import RecordingRow, SourceRow
from retention.database import table_of
from retention.kernel.errors import InvalidInput, NotFound
from retention.schedule.model import Kind, Schedule

#: A clock that may be off by more than a day says nothing; set it, or correct its recordings' times.
MAX_CLOCK_ERROR_S = 86_400.0
#: How a camera hangs; "" where nobody has said.
MOUNTS = ("", "upright", "90", "180", "270", "ceiling")


def register_source(session: Session, schedule: Schedule, source: Source, at: datetime, actor: str) -> None:
    """Register `source`, or change its particulars; what is sealed keeps the cohorts it has.

    Raises:
        InvalidInput: The id, the zone, the clock error or a purpose is not possible, no
            retention class matches, or the kind would change.
    """
    _check(schedule, source)
    row = session.get(SourceRow, source.id)
    if row is not None and row.kind != source.kind:
        raise InvalidInput(
            f"source {source.id} records {row.kind}s and cannot become a source of {source.kind}s",
            hint="Register the new recorder under its own id.",
        )
    values = source.particulars()
    registered_at, longest_s = (row.registered_at, row.longest_s) if row else (at, 0.0)
    session.merge(SourceRow(**values, registered_at=registered_at, longest_s=longest_s))
    record(
        session,
        at,
        Act(
            Tag.SOURCE_REGISTERED,
            actor,
            source.id,
            detail=values | {"clock_error_s": str(source.clock_error_s)},
        ),
    )


def _check(schedule: Schedule, source: Source) -> None:
    if source.kind is Kind.CASE_FILE:
        raise InvalidInput(
            "the papers of requests come from no recorder", hint="`retention request` keeps them."
        )
    if not source.id or any(c.isspace() or not c.isprintable() or c in "@/\\" for c in source.id):
        raise InvalidInput(
            f"{source.id!r} cannot be a source's id", hint="Use letters, digits, '-', '_' and '.'."
        )
    try:
        ZoneInfo(source.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInput(
            f"{source.zone!r} is no time zone", hint="Use a name of the IANA database, such as Asia/Tokyo."
        ) from error
    if not 0 <= source.clock_error_s <= MAX_CLOCK_ERROR_S:
        raise InvalidInput(
            f"a clock error of {source.clock_error_s} seconds is not possible",
            hint="Say how far the recorder's clock may be off either way, in seconds, at most a day.",
        )
    if source.mount not in MOUNTS:
        raise InvalidInput(
            f"{source.mount!r} is no way in which a camera hangs",
            hint=f"Say one of {', '.join(filter(None, MOUNTS))}.",
        )
    if not source.purposes:
        raise InvalidInput(f"source {source.id} has no purpose of use", hint="Give at least one --purpose.")
    found = schedule.classify(source.facts, source.purposes)
    if found.unknown:
        raise InvalidInput(
            f"the policy knows no purpose {', '.join(found.unknown)}",
            hint=f"It knows {', '.join(sorted(schedule.purposes))}.",
        )
    if found.unclassified:
        raise InvalidInput(
            f"no retention class of the policy covers {', '.join(found.unclassified)} for {source.kind}s"
            f" at {source.site!r}{f' in area {source.area!r}' if source.area else ''}",
            hint="Give another purpose, or add a class to the policy with `retention schedule plan`.",
        )


def source_of(row: SourceRow) -> Source:
    """The value behind `row`."""
    return Source(
        id=row.id,
        kind=Kind(row.kind),
        site=row.site,
        zone=row.zone,
        area=row.area,
        owner=row.owner,
        notice=row.notice,
        purposes=tuple(row.purposes),
        clock_error_s=row.clock_error_s,
        channels=tuple(row.channels),
        mount=row.mount,
        raw_format=row.raw_format,
    )


def find_source(session: Session, source_id: str) -> Source:
    """The source called `source_id`.

    Raises:
        NotFound: It is not registered.
    """
    row = session.get(SourceRow, source_id)
    if row is None:
        raise NotFound(
            f"there is no source {source_id!r}", hint="`retention source list` shows those registered."
        )
    return source_of(row)


def overlapping(
    session: Session, source_id: str, from_at: datetime, until_at: datetime
) -> ColumnElement[bool]:
    """That a recording of the source may have been made in an interval, which its clock error widens.

    Raises:
        NotFound: The source is not registered.
    """
    row = session.get(SourceRow, source_id)
    if row is None:
        raise NotFound(
            f"there is no source {source_id!r}", hint="`retention source list` shows those registered."
        )
    slack, longest = timedelta(seconds=row.clock_error_s), timedelta(seconds=row.longest_s)
    table = table_of(RecordingRow)
    return and_(
        table.c.source_id == source_id,
        table.c.started_at < until_at + slack,
        table.c.started_at >= from_at - slack - longest,
        table.c.ended_at > from_at - slack,
    )


def all_sources(session: Session) -> list[Source]:
    """Every registered source, by id."""
    return [
        source_of(row) for row in session.execute(select(SourceRow).order_by(col(SourceRow.id))).scalars()
    ]
