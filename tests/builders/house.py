"""A store in a test's folder, with everything around it in memory and the clock in the test's hand.

The verbs are those of the command line, and take the same steps.
"""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select, text

from retention.audit.tables import AuditRow
from retention.audit.verify import Verdict, ask, verify_trail
from retention.bootstrap import JOURNAL_NAME, App
from retention.catalogue.find import Recording, find_recording
from retention.catalogue.identifiers import blind_all, sought
from retention.catalogue.journal import tell_of_do_not_record, tell_of_source
from retention.catalogue.model import ORIGINAL, Source
from retention.catalogue.sources import register_source
from retention.catalogue.tables import DoNotRecordRow
from retention.disposal.model import DisposalPlan, RunKind
from retention.disposal.night import dispose_of_refused, run_disposal
from retention.disposal.plan import make_plan
from retention.disposal.tables import RunRow
from retention.holds.enforce import end, put_in_force
from retention.holds.find import find_hold
from retention.holds.lift import Lifted
from retention.holds.model import Criteria, HoldKind
from retention.holds.place import Placed, new_hold
from retention.ingest.discover import discover
from retention.ingest.manifest import Entry
from retention.ingest.model import Candidate, Outcome, Status
from retention.ingest.quarantine import (
    check_waiting,
    decided,
    find_item,
    items,
    mark_for_disposal,
    note_of_item,
    unsealed,
)
from retention.ingest.receive import Receiver
from retention.ingest.tables import QuarantineRow
from retention.redaction.destroy import destroy
from retention.redaction.model import Span
from retention.redaction.plan import plan as plan_destruction
from retention.redaction.tables import DestructionRow
from retention.schedule.model import Kind
from retention.vault.door import Way
from retention.vault.model import KeyService, ObjectStore
from retention.vault.trigger import Triggered, start_count
from tests.fakes.hand_clock import HandClock
from tests.fakes.memory_keys import MemoryKeys
from tests.fakes.memory_store import MemoryStore
from tests.fakes.scripted_inspector import ScriptedInspector, media
from tests.fakes.scripted_player import ScriptedPlayer
from tests.fakes.scripted_redactor import ScriptedRedactor
from tests.fakes.scripted_silencer import ScriptedSilencer

STORE_ID = "0123456789abcdef"
ACTOR = "sato"
SECOND = "tanaka"
CALLER = "+81355500143"


def same_store(clock: HandClock) -> MemoryStore:
    """An empty object store that the template's catalogue takes for its own."""
    store = MemoryStore(clock)
    store._id = STORE_ID
    return store


def same_keys() -> MemoryKeys:
    """A key service whose journal key is the one that the template's heads were witnessed under."""
    keys = MemoryKeys()
    keys.secrets[JOURNAL_NAME] = b"the journal key of all templates"
    return keys


@dataclass(frozen=True)
class AuditEntry:
    """An entry of the trail, as tests compare it."""

    tag: str
    actor: str
    subject: str
    purpose: str
    detail: dict[str, Any]


class House:
    """A store with a drop folder."""

    def __init__(
        self,
        folder: Path,
        *,
        keys: KeyService | None = None,
        store: ObjectStore | None = None,
        clock: HandClock | None = None,
    ) -> None:
        self.clock = clock or HandClock()
        self.memory_keys = same_keys()
        self.memory_store = same_store(self.clock)
        self.inspector = ScriptedInspector()
        self.silencer = ScriptedSilencer()
        self.redactor = ScriptedRedactor()
        self.player = ScriptedPlayer()
        self.drop = folder / "drop"
        self.drop.mkdir(parents=True, exist_ok=True)
        self.app = App(
            folder / "store",
            clock=self.clock,
            keys=keys or self.memory_keys,
            store=store or self.memory_store,
            inspector=self.inspector,
            silencer=self.silencer,
            redactor=self.redactor,
            player=self.player,
        )
        self._numbers = count(1)

    def close(self) -> None:
        self.app.close()

    # --- sources and what comes in

    def add_source(
        self,
        source_id: str = "line-1",
        *,
        kind: Kind = Kind.CALL,
        purposes: Sequence[str] = ("quality",),
        zone: str = "Asia/Tokyo",
        site: str = "tokyo",
        area: str = "",
        clock_error_s: float = 0.0,
        raw_format: str = "",
    ) -> Source:
        """Register a source, or change one."""
        source = Source(
            id=source_id,
            kind=kind,
            site=site,
            zone=zone,
            area=area,
            owner="",
            notice="v1",
            purposes=tuple(purposes),
            clock_error_s=clock_error_s,
            channels=(),
            mount="",
            raw_format=raw_format,
        )
        with self.app.database.write() as session:
            register_source(session, self.app.schedule(), source, self.clock.now(), ACTOR)
        tell_of_source(self.app.journal, source, self.clock.now())
        return source

    def add_camera(self, source_id: str = "lobby", **particulars: Any) -> Source:
        """Register a camera."""
        return self.add_source(source_id, **({"kind": Kind.FOOTAGE, "purposes": ["security"]} | particulars))

    def write(self, name: str, content: bytes | None = None, *, sidecar: Any = None) -> Path:
        """Put a file into the drop folder, with its sidecar."""
        path = self.drop / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(media(content=name) if content is None else content)
        written_at = self.clock.now().timestamp()
        os.utime(path, (written_at, written_at))
        if sidecar is not None:
            path.with_name(f"{path.name}.json").write_text(json.dumps(sidecar), encoding="utf-8")
        return path

    def ingest(
        self,
        *paths: Path,
        source_id: str = "line-1",
        manifest: Path | None = None,
        started_at: str = "",
        actor: str = ACTOR,
    ) -> list[Outcome]:
        """Take files in, and dispose at once of what must not be recorded."""
        candidates = discover(paths or [self.drop], source_id, manifest=manifest, started_at=started_at)
        outcomes = list(Receiver(self.app.ingest_tools(), actor).receive(candidates))
        dispose_of_refused(self.app.disposal_tools(), actor)
        return outcomes

    def take_in(
        self,
        source_id: str = "line-1",
        *,
        ended_at: datetime | None = None,
        duration_s: float = 60,
        phone: str = "",
        customer_id: str = "",
        kind: Kind = Kind.CALL,
        **entry: Any,
    ) -> str:
        """Take one new recording in, ended just now unless said otherwise; its id."""
        number = next(self._numbers)
        ended_at = ended_at or self.clock.now()
        started_at = (ended_at - timedelta(seconds=duration_s)).astimezone(UTC)
        said = {"native_id": f"native-{number}", "started_at": started_at.isoformat(), **entry}
        if phone or customer_id:
            said["participants"] = [{"side": "caller", "phone": phone, "customer_id": customer_id}]
        path = self.write(
            f"{number}.rec", media(kind, duration_s=duration_s, content=f"content {number}"), sidecar=said
        )
        (outcome,) = self.ingest(path, source_id=source_id)
        assert outcome.status is Status.SEALED, outcome
        assert outcome.id
        return outcome.id

    def film(self, source_id: str = "lobby", **particulars: Any) -> str:
        """Take one new footage in; its id."""
        return self.take_in(source_id, kind=Kind.FOOTAGE, **particulars)

    def do_not_record(self, number: str) -> None:
        """Put a caller on the list."""
        blinds = self.blinds(number)
        with self.app.database.write() as session:
            for blind in blinds:
                session.merge(DoNotRecordRow(blind=blind, added_at=self.clock.now(), added_by=ACTOR))
        tell_of_do_not_record(self.app.journal, self.clock.now(), ACTOR, added=blinds)

    def blinds(
        self, number: str = "", customer_id: str = "", *, native_id: str = "", agent: str = ""
    ) -> frozenset[bytes]:
        """The keyed indexes of identifiers."""
        given = {"phone": number, "customer": customer_id, "native": native_id, "call-agent": agent}
        found = [sought(kind, text, "JP") for kind, text in given.items() if text]
        return blind_all(self.app.index_key, found)

    # --- quarantine

    def quarantined(self) -> list[QuarantineRow]:
        """What waits for a decision."""
        with self.app.database.read() as session:
            return list(items(session))

    def release(self, item_id: str, *, entry: Entry | None = None, source_id: str = "") -> Outcome:
        """Take an item in after all, with another entry than its own."""
        with self.app.database.read() as session:
            row = find_item(session, item_id)
        check_waiting(row)
        note = note_of_item(self.app.keys, row)
        with unsealed(self.app.store, self.app.keys, row, self.app.home / "tmp") as path:
            candidate = Candidate(
                path,
                source_id or row.source_id,
                entry or Entry.model_validate(note["entry"]),
                shown_as=note["name"],
            )
            (outcome,) = Receiver(self.app.ingest_tools(), ACTOR).receive([candidate])
        if outcome.status is not Status.QUARANTINED:
            self._leave(row, "released", outcome)
        return outcome

    def reject(self, item_id: str) -> RunRow | None:
        """Dispose of an item."""
        with self.app.database.read() as session:
            row = find_item(session, item_id)
        check_waiting(row)
        return self._leave(row, "rejected", None)

    def _leave(self, row: QuarantineRow, state: str, outcome: Outcome | None) -> RunRow | None:
        with self.app.database.write() as session:
            decided(session, row, state, self.clock.now(), ACTOR, outcome.id if outcome else None)
            mark_for_disposal(
                session, row, f"{state} from quarantine" + (f" as {outcome.id}" if outcome else "")
            )
        return dispose_of_refused(self.app.disposal_tools(), ACTOR)

    # --- holds and triggers

    def place(
        self,
        *recording_ids: str,
        phone: str = "",
        native_id: str = "",
        agent: str = "",
        source_id: str = "",
        from_at: datetime | None = None,
        until_at: datetime | None = None,
        suspends_use: bool = False,
        reason: str = "a dispute",
        actor: str = ACTOR,
    ) -> Placed:
        """Place a hold."""
        blinds = self.blinds(phone, native_id=native_id, agent=agent)
        criteria = Criteria(recording_ids, blinds, source_id, from_at, until_at)
        hold = new_hold(
            self.app.keys,
            self.clock.now(),
            actor,
            kind=HoldKind.LEGAL,
            reason=reason,
            review_on=date(2030, 1, 1),
            criteria=criteria,
            suspends_use=suspends_use,
        )
        return put_in_force(self.app.hold_tools(), hold)

    def lift(self, hold_id: str, reason: str = "it is settled", actor: str = ACTOR) -> Lifted:
        """Lift a hold."""
        return end(self.app.hold_tools(), hold_id, reason, actor)

    def trigger(self, event: str, reference: str, on: date) -> Triggered:
        """Record that an event has happened."""
        return start_count(
            self.app.database,
            self.app.keys,
            self.app.journal,
            self.app.schedule(),
            event=event,
            reference=reference,
            on=on,
            at=self.clock.now(),
            actor=ACTOR,
        )

    # --- disposal

    def plan(self, on: date | None = None) -> DisposalPlan:
        """What a run would dispose of, as `due` shows it."""
        with self.app.database.read() as session:
            return make_plan(session, self.app.schedule(), on or self.app.today())

    def dispose(self, on: date | None = None, kind: RunKind = RunKind.MANUAL, actor: str = ACTOR) -> RunRow:
        """Run the disposal of a date, of today by default."""
        return run_disposal(self.app.disposal_tools(), on or self.app.today(), actor, kind)

    def night(self, on: date | None = None) -> RunRow:
        """Run the night of a date, of today by default."""
        return self.dispose(on, RunKind.NIGHT, "bell")

    # --- destroying spans

    def plan_span(
        self, recording_id: str, *spans: str, reason: str = "a security code", actor: str = ACTOR
    ) -> DestructionRow:
        """Plan to destroy spans."""
        with self.app.database.write() as session:
            return plan_destruction(
                session,
                self.app.schedule(),
                recording_id,
                [Span.parse(span) for span in spans or ("1-2@1",)],
                reason,
                self.clock.now(),
                actor,
            )

    def destroy_span(self, recording_id: str, *spans: str, actor: str = ACTOR) -> DestructionRow:
        """Destroy spans, as the command does."""
        row = self.plan_span(recording_id, *spans, actor=actor)
        return destroy(self.app.redaction_tools(), self.app.redaction_means(), row.digest, actor)

    # --- what is there

    def find(self, recording_id: str) -> Recording:
        """What the catalogue knows of a recording."""
        with self.app.database.read() as session:
            return find_recording(session, self.app.schedule(), recording_id)

    def open(
        self,
        recording_id: str,
        purpose: str = "",
        *,
        hold_id: str = "",
        actor: str = ACTOR,
        role: str = ORIGINAL,
    ) -> bytes:
        """The recording's content, through the door."""
        key_id = ""
        if hold_id:
            with self.app.database.read() as session:
                key_id = find_hold(session, hold_id).key_id
        way = Way(purpose, hold_id, key_id)
        reader = self.app.door.open(self.app.schedule(), recording_id, way, actor, self.clock.now(), role)
        return b"".join(reader.chunks())

    def objects_of(self, recording_id: str) -> list[str]:
        """The names under which the vault holds anything of a recording."""
        return [name for name in self.memory_store.objects if recording_id in name]

    def audit(self, *tags: str) -> list[AuditEntry]:
        """The trail's entries, or those with one of the tags, in order."""
        with self.app.database.read() as session:
            rows = session.execute(select(AuditRow).order_by(AuditRow.seq)).scalars()  # type: ignore[arg-type]
            return [
                AuditEntry(row.tag, row.actor, row.subject, row.purpose, json.loads(row.detail))
                for row in rows
                if not tags or row.tag in tags
            ]

    def verify(self) -> Verdict:
        """Whether the trail holds."""
        vouched = ask(self.app.witness)
        with self.app.database.read() as session:
            return verify_trail(session, vouched, self.app.store_id, self.app.signer.is_ours)

    def rows(self, statement: str, **values: Any) -> Sequence[Row[Any]]:
        """What the database answers to SQL."""
        with self.app.database.read() as session:
            return session.execute(text(statement), values).all()

    def sql(self, *statements: str) -> None:
        """Change the database behind the service's back."""
        with self.app.database.engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def recount(self) -> dict[int, tuple[int, int]]:
        """Recordings and bytes of each lot that has any, counted one by one."""
        rows = self.rows(
            "SELECT lot_id AS id, count(*) AS recordings, sum(size_bytes) AS size_bytes FROM recording WHERE lot_id IS NOT NULL GROUP BY lot_id"
        )
        return {row.id: (row.recordings, int(row.size_bytes)) for row in rows}

    def lot_counts(self) -> dict[int, tuple[int, int]]:
        """The same, as the lots themselves say it."""
        rows = self.rows(
            "SELECT id, recordings, size_bytes FROM lot WHERE recordings <> 0 OR size_bytes <> 0"
        )
        return {row.id: (row.recordings, row.size_bytes) for row in rows}


def ids_of(outcomes: Iterable[Outcome], status: Status = Status.SEALED) -> list[str]:
    """The ids of the outcomes that have this status."""
    return [outcome.id for outcome in outcomes if outcome.status is status and outcome.id]


def local(text_of_time: str, zone: str = "Asia/Tokyo") -> datetime:
    """A local time, as an instant."""
    return datetime.fromisoformat(text_of_time).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
