"""Spans that were destroyed after the backup: the recording is what it became, and its old bytes go."""

from datetime import datetime

from retention.custody.replay.context import Entry, Replaying, instant_of, kept
from retention.redaction.tables import DestructionRow
from retention.redaction.version import Version, put_in_place, told, version_of


def span_destroyed(here: Replaying, entry: Entry) -> None:
    """The new version, where it was committed, or is in the vault whole: one too many, never one too few."""
    new = told(entry)
    if not kept(here.session, [new.recording_id]) or version_of(here.session, new.recording_id) >= new.number:
        return
    was_confirmed = (entry["digest"], new.number) in here.ahead.destroyed
    if not was_confirmed and not _is_there(here, new):
        return
    put_in_place(here.session, new)
    here.session.merge(_row(entry, new, instant_of(entry)))
    here.done.spans_destroyed += 1


def _is_there(here: Replaying, new: Version) -> bool:
    sizes = zip(new.names(), new.objects, strict=True)
    return all(here.tools.store.size_of(name) == each.stored_bytes for name, each in sizes)


def _row(entry: Entry, new: Version, at: datetime) -> DestructionRow:
    return DestructionRow(
        digest=entry["digest"],
        recording_id=new.recording_id,
        spans=entry["spans"],
        reason=entry["reason"],
        needs_approval=bool(entry["approved_by"]),
        planned_at=at,
        planned_by=entry["planned_by"],
        approved_at=at if entry["approved_by"] else None,
        approved_by=entry["approved_by"],
        # Its old bytes may have come back with a copy of the vault: `redaction.destroy.finish` erases them.
        state="destroyed",
        version=new.number,
        old_sha256=bytes.fromhex(entry["old_sha256"]),
        old_size_bytes=entry["old_size_bytes"],
        new_sha256=new.original.sha256,
        new_size_bytes=new.original.size_bytes,
        how=entry["how"],
        destroyed_at=at,
        destroyed_by=entry["destroyed_by"],
    )
