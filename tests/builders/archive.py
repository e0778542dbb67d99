"""An archive for tests: sources, cohorts, lots, recordings and wraps as ingest would have made them, without bytes.

What is put in goes through the catalogue's own door (`register`), so counts,
lots and wraps agree. Data keys are remembered, so that a test can tell whether
a wrap still holds the right one.
"""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

from sqlalchemy import event, select, update
from sqlmodel import Session

from retention.audit.record import start_trail
from retention.audit.witness import Follow, SignedJournal
from retention.catalogue.find import Recording, find_recording
from retention.catalogue.model import Assigned, NewRecording, SealedObject, Source
from retention.catalogue.register import HeldBy, register
from retention.catalogue.schedules import schedule_in_force
from retention.catalogue.states import State
from retention.catalogue.tables import (
    CohortRow,
    LotRow,
    ReasonRow,
    RecordingRow,
    ScheduleRow,
    SourceRow,
    StoreRow,
)
from retention.database import Database, table_of
from retention.kernel.ids import new_id
from retention.migrations.migrate import migrate
from retention.schedule.model import Facts, Kind
from tests.builders.schedules import FILE, Policy
from tests.fakes.hand_clock import HandClock
from tests.fakes.memory_keys import MemoryKeys

_NUMBERS = count()


@dataclass(frozen=True)
class Take:
    """A recording that is to be put in."""

    source: str
    ended_at: datetime
    length_s: int = 60
    purposes: tuple[str, ...] = ()  #: besides the source's
    events: Mapping[str, date] = field(default_factory=dict)
    reference: str = ""
    size_bytes: int = 1_000
    holds: tuple[str, ...] = ()

    @property
    def started_at(self) -> datetime:
        """When it starts."""
        return self.ended_at - timedelta(seconds=self.length_s)


class MemoryJournal:
    """A journal in memory."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.documents: dict[str, bytes] = {}

    def append(self, follow: Follow) -> None:
        self.written.append(follow(self.written[-1] if self.written else b""))

    def lines(self) -> Iterator[bytes]:
        return iter(list(self.written))

    def keep(self, name: str, chunks: Iterable[bytes]) -> None:
        self.documents[name] = b"".join(chunks)

    def kept(self, name: str) -> Iterator[bytes]:
        return iter(self.documents[name].splitlines(keepends=True))


@cache
def _empty_catalogue() -> Path:
    """A catalogue with the present schema; made once, then copied."""
    file = Path(mkdtemp(prefix="retention-archive-")) / "catalogue.db"
    database = Database(f"sqlite:///{file}")
    migrate(database.engine)
    database.close()
    return file


def open_quickly(url: str) -> Database:
    """A database that does not wait for the disk: what a power cut does is SQLite's own business."""
    database = Database(url)
    if database.is_sqlite:
        event.listen(database.engine, "connect", _without_fsync)
    return database


def _without_fsync(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous = OFF")


class Archive:
    """A catalogue under a policy, with what a test puts into it."""

    def __init__(self, folder: Path, policy: Policy, clock: HandClock | None = None, url: str = "") -> None:
        """An archive on SQLite in `folder`, or in the empty, migrated database at `url`."""
        self.clock = clock or HandClock()
        self.keys = MemoryKeys()
        self.journal = SignedJournal(MemoryJournal(), b"journal key")
        self.data_keys: dict[str, bytes] = {}
        self.takes: dict[str, Take] = {}
        self.holds: dict[str, HeldBy] = {}
        self._file = self.kept = folder / "catalogue.db"
        if not url:
            shutil.copy(_empty_catalogue(), self._file)
        self.database = self._live = open_quickly(url or f"sqlite:///{self._file}")
        now = self.clock.now()
        with self.database.write() as session:
            start_trail(session)
            session.add(
                StoreRow(id="store", object_store_id="vault", created_at=now, controller_zone=policy.zone)
            )
            session.add(
                ScheduleRow(
                    version=1,
                    digest=policy.schedule.digest,
                    text=policy.text,
                    file_name=FILE,
                    planned_by="founder",
                    approved_by="founder",
                    applied_at=now,
                )
            )

    def remember(self) -> Callable[[], None]:
        """How to go back to where everything is now; on SQLite. Cheaper than to begin again."""
        at, keys, lines = self.clock.now(), dict(self.keys.keys), list(self.journal.documents.lines())
        known = [dict(each) for each in (self.data_keys, self.takes, self.holds)]
        live = self._file
        self.kept = kept = live.with_suffix(f".{next(_NUMBERS)}")
        with closing(sqlite3.connect(live)) as here, closing(sqlite3.connect(kept)) as there:
            here.backup(there)

        def go_back() -> None:
            self.database.close()
            self._live.close()
            self.database = self._live
            for leftover in live.parent.glob(f"{live.name}-*"):
                leftover.unlink()
            shutil.copy(kept, live)
            self.clock.set(at)
            self.keys.keys = dict(keys)
            self.data_keys, self.takes, self.holds = (dict(each) for each in known)  # type: ignore[assignment]
            journal = MemoryJournal()
            journal.written = list(lines)
            self.journal = SignedJournal(journal, b"journal key")

        return go_back

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    def add_source(
        self,
        name: str,
        *purposes: str,
        kind: Kind = Kind.FOOTAGE,
        site: str = "tokyo",
        area: str = "",
        zone: str = "Asia/Tokyo",
    ) -> None:
        """Register a source, whatever the policy says of it."""
        with self.database.write() as session:
            session.add(
                SourceRow(
                    id=name,
                    kind=str(kind),
                    site=site,
                    area=area,
                    zone=zone,
                    purposes=list(purposes),
                    registered_at=self.clock.now(),
                )
            )

    def add(self, *takes: Take) -> list[str]:
        """Put recordings in, under the schedule in force; their ids."""
        with self.database.write() as session:
            batch = [self._new(session, take) for take in takes]
            held = {
                new.id: [self.hold(name) for name in take.holds]
                for new, take in zip(batch, takes, strict=True)
            }
            register(
                session,
                batch,
                new_key=self.keys.new_key,
                wrap=self.keys.wrap,
                holds_for=lambda new: held[new.id],
            )
        return [new.id for new in batch]

    def hold(self, name: str) -> HeldBy:
        """A hold with a key of its own."""
        if name not in self.holds:
            self.holds[name] = HeldBy(name, self.keys.new_key(), suspends_use=False)
        return self.holds[name]

    def _new(self, session: Session, take: Take) -> NewRecording:
        source = _source(session.get_one(SourceRow, take.source))
        schedule = schedule_in_force(session)
        recording_id = new_id(take.ended_at)
        self.data_keys[recording_id] = os.urandom(32)
        self.takes[recording_id] = take
        digest = hashlib.sha256(recording_id.encode()).digest()
        assigned = []
        for each in schedule.classify(source.facts, {*source.purposes, *take.purposes}).assigned:
            day = schedule.trigger_on(
                each.class_name,
                started_at=take.started_at,
                ended_at=take.ended_at,
                zone=source.zone,
                events=take.events,
            )
            assigned.append(Assigned(each.purpose, each.class_name, day, "" if day else take.reference))
        return NewRecording(
            id=recording_id,
            source=source,
            native_index=b"",
            started_at=take.started_at,
            ended_at=take.ended_at,
            received_at=take.ended_at,
            claimed_start="",
            time_basis="test",
            facts={},
            personal=None,
            data_key=self.data_keys[recording_id],
            objects=(SealedObject("original", take.size_bytes, take.size_bytes + 100, digest, digest),),
            assigned=tuple(assigned),
        )

    def expire(self, on: date) -> None:
        """End the purposes that are due on `on`, and let go of what nothing keeps, as a night would."""
        cohort, member, lot, recording = (table_of(t) for t in (CohortRow, ReasonRow, LotRow, RecordingRow))
        with self.database.write() as session:
            schedule = schedule_in_force(session)
            due = [
                row.id
                for row in session.execute(select(cohort).where(cohort.c.state == "active"))
                if row.trigger_on is not None
                and row.class_name in schedule.classes
                and schedule.due_on(row.class_name, row.trigger_on) <= on
            ]
            self.keys.destroy(
                session.execute(select(cohort.c.key_id).where(cohort.c.id.in_(due))).scalars().all()
            )
            session.execute(update(cohort).where(cohort.c.id.in_(due)).values(state="expired"))
            for row in session.execute(select(lot)).all():
                living = session.execute(
                    select(cohort.c.id)
                    .join(member, member.c.cohort_id == cohort.c.id)
                    .where(member.c.reasons_id == row.reasons_id, cohort.c.state == "active")
                    .distinct()
                ).all()
                session.execute(update(lot).where(lot.c.id == row.id).values(living=len(living)))
                if not living and not row.holds:
                    session.execute(
                        update(recording)
                        .where(recording.c.lot_id == row.id)
                        .values(state=str(State.DISPOSED), lot_id=None)
                    )
                    session.execute(update(lot).where(lot.c.id == row.id).values(recordings=0, size_bytes=0))

    def recording(self, recording_id: str) -> Recording:
        """What the catalogue knows of a recording."""
        with self.database.read() as session:
            return find_recording(session, schedule_in_force(session), recording_id)


def _source(row: SourceRow) -> Source:
    return Source(
        id=row.id,
        kind=Kind(row.kind),
        site=row.site,
        zone=row.zone,
        area=row.area,
        owner="",
        notice="",
        purposes=tuple(row.purposes),
        clock_error_s=0.0,
        channels=(),
        mount="",
        raw_format="",
    )


def facts_of(recording: Recording) -> Facts:
    """The facts on which the choice of a class depends."""
    assert recording.place is not None
    return recording.place
