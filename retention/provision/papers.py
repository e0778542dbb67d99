"""The papers of a provision: to whom, why and by which fields, sealed as recordings of a kind of their own.

A proposal's paper is short-lived. What was handed over gets a paper of its own,
whose period counts from that day, so that the ledger forgets the recipient when
the law says it may, with a certificate, as every recording is forgotten. The
rows that stay name nobody.

Papers are recordings for the same reasons as a request's are (ADR 0014).
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlmodel import Session

from retention.audit.witness import SignedJournal
from retention.catalogue.find import find_recording
from retention.catalogue.model import ORIGINAL, Assigned, NewRecording, SealedObject, Source
from retention.catalogue.register import register
from retention.catalogue.states import State
from retention.catalogue.tables import SourceRow
from retention.database import Database
from retention.kernel.canonical import canonical_json
from retention.kernel.clock import Clock, local_date
from retention.kernel.errors import InvalidInput, NotFound
from retention.schedule import calendar
from retention.schedule.model import Kind, Period, Schedule
from retention.vault.door import Door, Way
from retention.vault.intake import Intake
from retention.vault.model import KeyService, ObjectStore
from retention.vault.seal import new_data_key, seal

PURPOSE = "provision-records"  #: the purpose of use that every paper of a provision carries
SECRET_BYTES = 16


class Area(StrEnum):
    """What a paper is; the area word by which the policy chooses its class."""

    PROPOSAL = "provision-proposal"
    RECORD = "provision"  #: what was handed over: kept for as long as the rulebook says


@dataclass(frozen=True, slots=True)
class Tools:
    """What provisions need."""

    database: Database
    store: ObjectStore
    keys: KeyService
    journal: SignedJournal
    clock: Clock
    locks: Path  #: a local folder for the locks that show which writers live
    index_key: bytes  #: of the blind index

    def intake(self) -> Intake:
        """Hands out ids under which papers may be written."""
        return Intake(self.database, self.store, self.clock, self.locks)


def text_of(said: Mapping[str, Any]) -> bytes:
    """A paper's content. The secret number in it keeps its digest from being guessed."""
    return canonical_json({**said, "secret": os.urandom(SECRET_BYTES).hex()})


def write_paper(
    tools: Tools, intake: Intake, schedule: Schedule, area: Area, content: bytes, provision_id: str
) -> NewRecording:
    """Seal a paper; it is registered with `keep_paper`, or swept when that never happens.

    Raises:
        InvalidInput: The policy has no class for it.
    """
    source, now = source_of_papers(schedule, area), tools.clock.now()
    assigned = classes_of(schedule, area, now)
    recording_id, key = intake.next_id(), new_data_key()
    sealed = seal(tools.store, key, recording_id, ORIGINAL, [content])
    return NewRecording(
        id=recording_id,
        source=source,
        native_index=recording_id.encode(),  # two papers may read alike
        started_at=now,
        ended_at=now,
        received_at=now,
        claimed_start="",
        time_basis="received",
        facts={"provision": provision_id},
        personal=None,
        data_key=key,
        objects=(
            SealedObject(ORIGINAL, sealed.size_bytes, sealed.stored_bytes, sealed.sha256, sealed.commitment),
        ),
        assigned=assigned,
    )


def keep_paper(session: Session, tools: Tools, intake: Intake, new: NewRecording) -> None:
    """Register a sealed paper, in the caller's transaction."""
    intake.check(session, [new.id])
    add_source_of_papers(session, new)
    register(session, [new], new_key=tools.keys.new_key, wrap=tools.keys.wrap, holds_for=lambda _: ())


def add_source_of_papers(session: Session, new: NewRecording) -> None:
    """Make the source that a paper comes from, where there is none yet."""
    if session.get(SourceRow, new.source.id) is None:
        session.add(SourceRow(**new.source.particulars(), registered_at=new.received_at))
        session.flush()


def source_of_papers(schedule: Schedule, area: Area) -> Source:
    """The source that papers of an area come from: the office itself."""
    return Source(
        id=f"provisions.{area}",
        kind=Kind.CASE_FILE,
        site="",
        zone=schedule.controller.zone,
        area=str(area),
        owner="",
        notice=schedule.purposes[PURPOSE].notice if PURPOSE in schedule.purposes else "",
        purposes=(PURPOSE,),
        clock_error_s=0.0,
        channels=(),
        mount="",
        raw_format="",
    )


def classes_of(schedule: Schedule, area: Area, at: datetime) -> tuple[Assigned, ...]:
    """The classes that a paper sealed at `at` falls into.

    Raises:
        InvalidInput: The policy has none, or one that waits for an event.
    """
    source = source_of_papers(schedule, area)
    found = schedule.classify(source.facts, source.purposes).assigned
    days = [
        schedule.trigger_on(each.class_name, started_at=at, ended_at=at, zone=source.zone) for each in found
    ]
    if not found or None in days:
        raise InvalidInput(
            f"the policy has no retention class for papers of the area {area} that counts from the recording's end",
            hint=f"Give it the purpose {PURPOSE} and classes for {Kind.CASE_FILE}; policies/defaults/japan.yaml shows how.",
        )
    return tuple(Assigned(each.purpose, each.class_name, day) for each, day in zip(found, days, strict=True))


def check_kept_long_enough(schedule: Schedule, keep: Period, at: datetime) -> None:
    """Refuse where the policy would forget a provision before the law allows it.

    Raises:
        InvalidInput: The message names the class.
    """
    for each in classes_of(schedule, Area.RECORD, at):
        counting = schedule.class_named(each.class_name).counting
        today = local_date(at, schedule.controller.zone)
        if calendar.due_on(today, counting) < calendar.due_on(today, replace(counting, period=keep)):
            raise InvalidInput(
                f"{each.class_name} keeps the record of a provision for {counting.period}, and the rulebook asks for {keep}",
                hint="Change the schedule first.",
            )


def open_paper(tools: Tools, door: Door, schedule: Schedule, paper_id: str, actor: str) -> dict[str, Any]:
    """What a paper says. It is an opening, and on record as one.

    Raises:
        NotPermitted: It may not be opened; the reason is on record.
    """
    reader = door.open(schedule, paper_id, Way(PURPOSE), actor, tools.clock.now())
    found: dict[str, Any] = json.loads(b"".join(reader.chunks()))
    return found


def is_kept(session: Session, schedule: Schedule, paper_id: str) -> bool:
    """Whether a paper is still here and no disposal has claimed it."""
    try:
        found = find_recording(session, schedule, paper_id)
    except NotFound:
        return False
    return found.state == State.SEALED and found.run_id is None
