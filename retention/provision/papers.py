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
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Session

from retention.catalogue.find import find_recording
from retention.catalogue.model import NewRecording
from retention.catalogue.states import State
from retention.kernel.canonical import canonical_json
from retention.kernel.clock import local_date
from retention.kernel.errors import InvalidInput, NotFound
from retention.schedule import calendar
from retention.schedule.model import Period, Schedule
from retention.vault import papers
from retention.vault.door import Door, Way
from retention.vault.intake import Intake
from retention.vault.papers import Shelf, Tools

PURPOSE = "provision-records"  #: the purpose of use that every paper of a provision carries
SHELF = Shelf("provisions", PURPOSE)
SECRET_BYTES = 16


class Area(StrEnum):
    """What a paper is; the area word by which the policy chooses its class."""

    PROPOSAL = "provision-proposal"
    RECORD = "provision"  #: what was handed over: kept for as long as the rulebook says


def text_of(said: Mapping[str, Any]) -> bytes:
    """A paper's content. The secret number in it keeps its digest from being guessed."""
    return canonical_json({**said, "secret": os.urandom(SECRET_BYTES).hex()})


def write_paper(
    tools: Tools, intake: Intake, schedule: Schedule, area: Area, content: bytes, provision_id: str
) -> NewRecording:
    """Seal a paper; it is registered with `keep_paper`, or swept when that never happens.

    Raises:
        InvalidInput: The policy has no class for it, or one that waits for an event.
    """
    assigned = SHELF.assigned(schedule, area, tools.clock.now())
    source, facts = SHELF.source(schedule, area), {"provision": provision_id}
    return papers.write_paper(tools, intake, source, assigned, [content], facts)


def check_kept_long_enough(schedule: Schedule, keep: Period, at: datetime) -> None:
    """Refuse where the policy would forget a provision before the law allows it.

    Raises:
        InvalidInput: The message names the class.
    """
    for each in SHELF.assigned(schedule, Area.RECORD, at):
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
