"""Papers: what the house itself writes about people, sealed and catalogued as recordings of a kind of their own.

A room that keeps papers has a shelf. The policy chooses a paper's class by its
area, so each area has its own periods, its own cohorts and so its own keys, and
a paper is held, opened and disposed of as every recording is (ADR 0014).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from retention.audit.witness import SignedJournal
from retention.catalogue.model import ORIGINAL, Assigned, NewRecording, SealedObject, Source
from retention.catalogue.register import register
from retention.catalogue.tables import SourceRow
from retention.database import Database
from retention.kernel.clock import Clock
from retention.kernel.errors import InvalidInput
from retention.schedule.model import Kind, Schedule
from retention.vault.intake import Intake
from retention.vault.model import KeyService, ObjectStore
from retention.vault.seal import new_data_key, seal


@dataclass(frozen=True, slots=True)
class Tools:
    """What a room that keeps papers needs."""

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


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where a room's papers come from, as the catalogue sees it."""

    name: str  #: the sources of its papers are called `name.area`
    purpose: str  #: the purpose of use that every paper on it carries

    def source(self, schedule: Schedule, area: str) -> Source:
        """The source that papers of an area come from: the office itself."""
        purpose = schedule.purposes.get(self.purpose)
        return Source(
            id=f"{self.name}.{area}",
            kind=Kind.CASE_FILE,
            site="",
            zone=schedule.controller.zone,
            area=area,
            owner="",
            notice=purpose.notice if purpose else "",
            purposes=(self.purpose,),
            clock_error_s=0.0,
            channels=(),
            mount="",
            raw_format="",
        )

    def assigned(
        self, schedule: Schedule, area: str, at: datetime, reference: str = ""
    ) -> tuple[Assigned, ...]:
        """The classes that a paper sealed at `at` falls into; `reference` names the event that some wait for.

        Raises:
            InvalidInput: The policy has none, or one that waits for an event where there is no reference.
        """
        source = self.source(schedule, area)
        assigned = []
        for each in schedule.classify(source.facts, source.purposes).assigned:
            day = schedule.trigger_on(each.class_name, started_at=at, ended_at=at, zone=source.zone)
            assigned.append(Assigned(each.purpose, each.class_name, day, "" if day else reference))
        if not assigned or any(not each.trigger_on and not each.reference for each in assigned):
            counting = "" if reference else " that counts from the recording's end"
            raise InvalidInput(
                f"the policy has no retention class for {self.name} of the area {area}{counting}",
                hint=f"Give it the purpose {self.purpose} and classes for {Kind.CASE_FILE}; "
                "policies/defaults/japan.yaml shows how.",
            )
        return tuple(assigned)


def write_paper(
    tools: Tools,
    intake: Intake,
    source: Source,
    assigned: Sequence[Assigned],
    content: Iterable[bytes],
    facts: Mapping[str, str],
) -> NewRecording:
    """Seal a paper; it is registered with `keep_paper`, or swept when that never happens."""
    recording_id, key, now = intake.next_id(), new_data_key(), tools.clock.now()
    sealed = seal(tools.store, key, recording_id, ORIGINAL, content)
    original = SealedObject(
        ORIGINAL, sealed.size_bytes, sealed.stored_bytes, sealed.sha256, sealed.commitment
    )
    return paper(source, recording_id, now, facts, key, original, assigned)


def paper(
    source: Source,
    recording_id: str,
    at: datetime,
    facts: Mapping[str, str],
    data_key: bytes,
    original: SealedObject,
    assigned: Sequence[Assigned],
) -> NewRecording:
    """A sealed paper as the catalogue registers it."""
    return NewRecording(
        id=recording_id,
        source=source,
        native_index=recording_id.encode(),  # two papers may read alike
        started_at=at,
        ended_at=at,
        received_at=at,
        claimed_start="",
        time_basis="received",
        facts=dict(facts),
        personal=None,
        data_key=data_key,
        objects=(original,),
        assigned=tuple(assigned),
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
