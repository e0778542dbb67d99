"""Changes of the catalogue after the backup: schedules, sources, the do-not-record list, cohorts."""

from datetime import date
from typing import Any

from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from retention.catalogue.lots import lots_of
from retention.catalogue.schedules import read_schedule
from retention.catalogue.tables import (
    CohortRow,
    DoNotRecordRow,
    LotRow,
    RecordingRow,
    ScheduleRow,
    SourceRow,
    StoreRow,
)
from retention.custody.replay.context import Entry, Replaying, instant_of, kept, wraps_of
from retention.database import insert_or_ignore, table_of
from retention.kernel.errors import CatalogueDisagrees
from retention.vault.trigger import change_cohort, close_cohort


def schedule_applied(here: Replaying, entry: Entry) -> None:
    """A version of the schedule that the backup does not have."""
    if here.session.get(ScheduleRow, entry["version"]) is not None:
        return
    names = ("version", "digest", "text", "file_name", "planned_by", "approved_by")
    here.session.add(ScheduleRow(**{name: entry[name] for name in names}, applied_at=instant_of(entry)))
    zone = read_schedule(entry["text"], entry["file_name"]).controller.zone
    here.session.execute(update(table_of(StoreRow)).values(controller_zone=zone))
    here.done.schedules += 1


def source_registered(here: Replaying, entry: Entry) -> None:
    """A source as it was registered; the last telling stays."""
    present = here.session.get(SourceRow, entry["source"])
    names = ("site", "zone", "area", "owner", "notice", "purposes", "channels", "mount", "raw_format")
    values: dict[str, Any] = {name: entry[name] for name in names} | {
        "id": entry["source"],
        "kind": entry["source_kind"],
        "clock_error_s": float(entry["clock_error_s"]),
    }
    if present is not None and all(getattr(present, name) == value for name, value in values.items()):
        return
    at, longest_s = (
        (present.registered_at, present.longest_s) if present is not None else (instant_of(entry), 0.0)
    )
    here.session.merge(SourceRow(**values, registered_at=at, longest_s=longest_s))
    here.done.sources += 1


def do_not_record_changed(here: Replaying, entry: Entry) -> None:
    """Callers who came onto the list, or left it."""
    table, at = table_of(DoNotRecordRow), instant_of(entry)
    added = [
        {"blind": bytes.fromhex(each), "added_at": at, "added_by": entry["by"]} for each in entry["added"]
    ]
    insert_or_ignore(here.session, table, added)
    removed = [bytes.fromhex(each) for each in entry["removed"]]
    here.session.execute(delete(table).where(table.c.blind.in_(removed)))
    here.done.do_not_record += len(added) + len(removed)


def _is_true(here: Replaying, entry: Entry) -> bool:
    """Whether a change of cohorts was committed: it was confirmed, or its way back is gone."""
    return entry["move"] in here.ahead.confirmed or (
        "from" in entry and entry["from"]["key_id"] not in here.alive
    )


def recordings_moved(here: Replaying, entry: Entry) -> None:
    """Recordings that are still in the cohort they left, or that lack the reason they gained."""
    if not _is_true(here, entry):
        return
    old = _by_key(here.session, entry["from"]["key_id"]) if "from" in entry else None
    if "from" in entry and old is None:
        return
    wraps = wraps_of(entry)
    wanted = kept(here.session, wraps)
    if old is not None:
        wanted &= _members(here.session, old, wanted)
    else:
        there = _by_key(here.session, entry["to"]["key_id"])
        wanted -= _members(here.session, there, wanted) if there is not None else frozenset()
    if wanted:
        rows = [(each, wraps[each]) for each in sorted(wanted)]
        change_cohort(here.session, rows, _cohort(here.session, entry["to"]), old, entry["purpose"])
        here.done.recordings_moved += len(rows)


def cohort_closed(here: Replaying, entry: Entry) -> None:
    """A cohort that was emptied; one that still has recordings is left, to be found by `check`."""
    old = _by_key(here.session, entry["from"]["key_id"])
    if not _is_true(here, entry) or old is None or old.state != "active":
        return
    assert old.id is not None
    recording = table_of(RecordingRow)
    lots = select(col(LotRow.id)).where(lots_of([old.id]))
    if (
        here.session.execute(select(recording.c.id).where(recording.c.lot_id.in_(lots)).limit(1)).first()
        is None
    ):
        close_cohort(here.session, old)


def cohorts_renamed(here: Replaying, entry: Entry) -> None:
    """Cohorts that stand for something else now, with the keys they had; those the backup does not know are new."""
    if not _is_true(here, entry):
        return
    table = table_of(CohortRow)
    for said in entry["cohorts"]:
        here.session.execute(
            update(table)
            .where(table.c.key_id == said["key_id"], table.c.state == "active")
            .values(_facts(said))
        )


def _by_key(session: Session, key_id: str) -> CohortRow | None:
    found: CohortRow | None = session.execute(
        select(CohortRow).where(col(CohortRow.key_id) == key_id)
    ).scalar_one_or_none()
    return found


def _members(session: Session, cohort: CohortRow, recording_ids: frozenset[str]) -> frozenset[str]:
    assert cohort.id is not None
    recording = table_of(RecordingRow)
    lots = select(col(LotRow.id)).where(lots_of([cohort.id]))
    statement = select(recording.c.id).where(recording.c.id.in_(recording_ids), recording.c.lot_id.in_(lots))
    return frozenset(session.execute(statement).scalars())


def _cohort(session: Session, said: dict[str, Any]) -> CohortRow:
    """The cohort that recordings joined; made, with the key it had then, when the backup does not know it."""
    row = _by_key(session, said["key_id"])
    if row is not None:
        return row
    if session.execute(select(col(CohortRow.id)).where(col(CohortRow.name) == said["name"])).first():
        raise CatalogueDisagrees(
            f"the journal and the backup know cohort {said['name']} under different keys"
        )
    row = CohortRow(**_facts(said), key_id=said["key_id"])
    session.add(row)
    session.flush()
    return row


def _facts(said: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": said["name"],
        "class_name": said["class"],
        "zone": said["zone"],
        "trigger_on": date.fromisoformat(said["trigger_on"]) if said["trigger_on"] else None,
        "reference": said["reference"],
    }
