"""Corrections after the backup: the particulars are what they became, and are found by what is right."""

from base64 import b64decode
from datetime import datetime

from retention.catalogue.tables import RecordingRow
from retention.custody.replay.context import Entry, Replaying, instant_of, kept
from retention.requests.correct import put_in_index
from retention.requests.tables import CorrectionRow


def particulars_corrected(here: Replaying, entry: Entry) -> None:
    """A correction that the backup does not know; the holds that it brought about are replayed by themselves."""
    recording_id, number = entry["recording"], entry["number"]
    if not kept(here.session, [recording_id]):
        return
    if here.session.get(CorrectionRow, (recording_id, number)) is not None:
        return
    recording = here.session.get_one(RecordingRow, recording_id)
    recording.personal = b64decode(entry["personal"])
    here.session.add(recording)
    put_in_index(here.session, recording_id, frozenset(map(bytes.fromhex, entry["identifiers"])))
    here.session.add(
        CorrectionRow(
            recording_id=recording_id,
            number=number,
            request_id=entry["request"],
            receipt=entry["receipt"],
            particulars=entry["particulars"],
            at=datetime.fromisoformat(entry["corrected_at"]),
            actor=entry["by"],
            approved_by=entry["approved_by"],
            told_at=instant_of(entry),
        )
    )
    here.done.corrections += 1
