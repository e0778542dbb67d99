"""An original, opened for a request: through the door, on record, into a file without a name.

The engine has to seek, so the decrypted bytes lie on a disk while the work
lasts. No folder names the file, so it ends with the process, however that ends.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from retention.catalogue.find import Recording, find_recording
from retention.catalogue.identifiers import Identifier
from retention.catalogue.model import ORIGINAL
from retention.catalogue.schedules import schedule_in_force
from retention.catalogue.sources import find_source
from retention.catalogue.tables import RecordingRow
from retention.holds.find import find_hold
from retention.ingest.admit import identifiers_of
from retention.ingest.manifest import Entry
from retention.ingest.model import Fault
from retention.kernel.errors import NotPermitted
from retention.redaction.redactor import Medium, Original
from retention.requests.match import described, matches
from retention.requests.model import Stage
from retention.requests.tables import RequestHoldRow, RequestRow
from retention.schedule.model import Kind
from retention.vault.door import Door, Way, sealed_object
from retention.vault.note import open_note
from retention.vault.papers import Tools
from retention.vault.reasons import data_keys
from retention.vault.unseal import unsealed_file

_MEDIUM = {Kind.CALL: Medium.SOUND, Kind.FOOTAGE: Medium.VIDEO}


@contextmanager
def opened_original(
    tools: Tools, door: Door, row: RequestRow, recording_id: str, folder: Path, actor: str
) -> Iterator[Original]:
    """A recording that a request is about, ready to be searched or copied.

    Raises:
        NotPermitted: The request does not hold it, or it may not be opened; the reason is on record.
        FixityMismatch: Its bytes are not those that were sealed.
    """
    with tools.database.read() as session:
        schedule = schedule_in_force(session)
        recording = find_recording(session, schedule, recording_id)
        sealed = sealed_object(session, recording_id, ORIGINAL)
        way = way_in(session, row, recording)
        source = find_source(session, recording.source_id)
        own = _own_sides(session, tools, row, recording, schedule.jurisdiction)
    reader = door.open(schedule, recording.id, way, actor, tools.clock.now())
    with unsealed_file(folder, reader, sealed.sha256, recording.id) as path:
        yield Original(
            path,
            _MEDIUM[Kind(recording.kind)],
            recording.facts,
            source.mount,
            source.channels,
            own,
        )


def way_in(session: Session, row: RequestRow, recording: Recording) -> Way:
    """Through the hold by which the request keeps the recording: it opens also when every purpose has expired.

    Raises:
        NotPermitted: The request is not about it, or its requester has not been identified.
    """
    about = {each.recording_id for each in matches(session, row.id) if not each.is_left_out}
    if row.stage == Stage.FILED or recording.id not in about:
        raise NotPermitted(
            f"request {row.receipt} is not about recording {recording.id}, as far as it was searched",
            hint=f"`retention request show {row.receipt}` lists what it is about.",
        )
    mine = select(col(RequestHoldRow.hold_id)).where(col(RequestHoldRow.request_id) == row.id)
    for hold_id in session.execute(mine.order_by(col(RequestHoldRow.hold_id))).scalars():
        hold = find_hold(session, hold_id)
        if hold_id in recording.hold_ids and hold.lifted_at is None:
            return Way(hold_id=hold_id, hold_key_id=hold.key_id, request=row.receipt)
    raise NotPermitted(
        f"request {row.receipt} does not hold recording {recording.id}",
        hint=f"A request that is closed opens nothing; before, `retention request match {row.receipt}` searches again.",
    )


def _own_sides(
    session: Session, tools: Tools, row: RequestRow, recording: Recording, region: str
) -> frozenset[str]:
    """The sides on which the requester was, by the numbers and ids that they described."""
    personal = session.get_one(RecordingRow, recording.id).personal
    sought = frozenset(described(session, tools, row).identifiers)
    if personal is None or not sought:
        return frozenset()
    ((_, key),) = data_keys(session, tools.keys, [recording.id])
    said = json.loads(open_note(key, recording.id, personal)).get("entry") or {}
    return frozenset(
        person.get("side", "")
        for person in said.get("participants") or ()
        if _is_one_of(person, sought, region)
    ) - {""}


def _is_one_of(person: dict[str, Any], sought: frozenset[Identifier], region: str) -> bool:
    found = identifiers_of(Entry.model_validate({"participants": [person]}), region)
    return not isinstance(found, Fault) and not sought.isdisjoint(found)
