"""What goes with the letter of a granted disclosure: its copies, under names that a person understands.

A name says when and what, in the time of the place where it was recorded, and
nothing else: no number, no line, no camera, nothing that a recorder called it.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from retention.catalogue.find import find_recording
from retention.requests.model import GRANTED
from retention.requests.renditions import renditions_of
from retention.requests.rules.model import RequestKind
from retention.requests.tables import RenditionRow, RequestRow
from retention.schedule.model import Schedule

FOLDER = "recordings"


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A redacted copy that is handed over."""

    name: str  #: in the package
    kind: str  #: of the recording: "call" or "footage"
    started_at: datetime  #: in the zone of the place
    ended_at: datetime
    zone: str
    copy: RenditionRow


def enclosures(session: Session, schedule: Schedule, row: RequestRow) -> list[Enclosure]:
    """The copies that a request's answer encloses, by time; none but for a granted disclosure."""
    if row.kind != RequestKind.DISCLOSURE or row.outcome not in GRANTED:
        return []
    found = [_enclosure(session, schedule, each) for each in renditions_of(session, row.id)]
    taken: Counter[str] = Counter()
    named = []
    for each in sorted(found, key=lambda each: (each.started_at, each.copy.recording_id)):
        taken[each.name] += 1
        number = f"_{taken[each.name]}" if taken[each.name] > 1 else ""
        named.append(replace(each, name=f"{each.name}{number}{each.copy.suffix}"))
    return named


def _enclosure(session: Session, schedule: Schedule, copy: RenditionRow) -> Enclosure:
    recording = find_recording(session, schedule, copy.recording_id)
    zone = recording.place.zone if recording.place else schedule.controller.zone
    start, end = (at.astimezone(ZoneInfo(zone)) for at in (recording.started_at, recording.ended_at))
    return Enclosure(
        f"{FOLDER}/{start:%Y-%m-%d_%H%M%S}_{recording.kind}", recording.kind, start, end, zone, copy
    )
