"""Runs after the backup: cohorts that expired, and recordings that were certified as gone."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session, col
from ulid import ULID

from retention.audit.record import Act, record_all
from retention.audit.tags import Tag
from retention.catalogue.lots import forget_lots
from retention.catalogue.states import State
from retention.catalogue.tables import CohortRow, LotRow, RecordingRow, TombstoneRow
from retention.custody.replay.context import ACTOR, Entry, Replaying, instant_of
from retention.database import in_batches, insert_or_ignore, table_of
from retention.disposal import verifier
from retention.disposal.carry_out import forget
from retention.disposal.model import RunKind, RunState
from retention.disposal.start import attempt, commit_to
from retention.disposal.tables import RunRow
from retention.ingest.tables import QuarantineRow
from retention.kernel.errors import AuditChainBroken

LEAVES_AT_ONCE = 1_000


def cohorts_expired(here: Replaying, entry: Entry) -> None:
    """A run was certain to happen: its cohorts end, and what nothing keeps any more is its to dispose of."""
    if entry["run_kind"] == RunKind.REFUSED or here.session.get(RunRow, entry["run"]) is not None:
        return
    run = RunRow(
        id=entry["run"],
        kind=entry["run_kind"],
        on=date.fromisoformat(entry["on"]),
        attempt=attempt(here.session, RunKind(entry["run_kind"]), date.fromisoformat(entry["on"])),
        state=RunState.STARTED,
        plan={"cohorts": [{"cohort": name} for name in entry["cohorts"]], "replayed": True},
        schedule_version=entry["schedule_version"],
        started_at=instant_of(entry),
        started_by=entry["started_by"],
    )
    here.session.add(run)
    here.session.flush()
    cohort_ids = _active(here.session, entry["cohorts"])
    commit_to(here.session, run.id, cohort_ids, RunKind(entry["run_kind"]))
    run.planned = _waiting(here.session, run.id)
    here.done.cohorts_expired += len(cohort_ids)


def _active(session: Session, names: list[str]) -> list[int]:
    found: list[int] = []

    def look(some: list[str]) -> None:
        rows = select(col(CohortRow.id)).where(
            col(CohortRow.name).in_(some), col(CohortRow.state) == "active"
        )
        found.extend(each for each in session.execute(rows).scalars() if each is not None)

    in_batches(names, LEAVES_AT_ONCE, look)
    return found


def _waiting(session: Session, run_id: str) -> int:
    total = select(func.coalesce(func.sum(col(LotRow.recordings)), 0)).where(col(LotRow.run_id) == run_id)
    return int(session.execute(total).scalar_one())


def run_done(here: Replaying, entry: Entry) -> None:
    """A run that disposed of nothing has ended: only purposes did."""
    run = here.session.get(RunRow, entry["run"])
    if run is None or run.state == RunState.DONE:
        return
    run.keys_destroyed_at = run.keys_destroyed_at or instant_of(entry)
    run.state, run.finished_at = RunState.DONE, instant_of(entry)
    here.session.add(run)
    _expire(here.session, run.id, run.keys_destroyed_at)


def _expire(session: Session, run_id: str, at: datetime) -> None:
    session.execute(
        update(table_of(CohortRow))
        .where(col(CohortRow.run_id) == run_id, col(CohortRow.state) == "expiring")
        .values(state="expired", expired_at=at)
    )


def run_certified(here: Replaying, entry: Entry) -> None:
    """What the certificate lists is gone, whoever has a backup of it: the rows become the same tombstones."""
    name = here.ahead.documents.get(entry["run"])
    if name is None:
        return
    run = here.session.get(RunRow, entry["run"])
    certificate = Certificate(here, name)
    statement = certificate.statement()
    if run is not None and run.certificate == statement["root"]:
        return
    certificate.verify()
    leaves = certificate.leaves()
    while some := list(islice(leaves, LEAVES_AT_ONCE)):
        _bury(here, entry["run"], some)
    _close(here, statement)
    here.done.runs.append(entry["run"])


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that the journal keeps."""

    here: Replaying
    name: str

    def statement(self) -> dict[str, Any]:
        """What it states; its signature holds.

        Raises:
            AuditChainBroken: It does not.
        """
        try:
            return verifier.check_head(json.loads(next(self._lines(), b"")), self._key)
        except (verifier.NotAuthentic, ValueError, KeyError, TypeError) as error:
            raise AuditChainBroken(f"{self.name} of the journal does not hold: {error}") from error

    def verify(self) -> None:
        """Check every line.

        Raises:
            AuditChainBroken: A line was changed, removed, added or moved.
        """
        try:
            verifier.check_certificate((line + b"\n" for line in self._lines()), self._key)
        except (verifier.NotAuthentic, ValueError, KeyError, TypeError) as error:
            raise AuditChainBroken(f"{self.name} of the journal does not hold: {error}") from error

    def leaves(self) -> Iterator[str]:
        """Each disposed recording's line, exactly as certified."""
        return (line.decode() for line in islice(self._lines(), 1, None))

    @property
    def _key(self) -> bytes:
        return self.here.tools.signer.public_key

    def _lines(self) -> Iterator[bytes]:
        return self.here.tools.journal.documents.kept(self.name)


def _bury(here: Replaying, run_id: str, leaves: list[str]) -> None:
    session, table = here.session, table_of(RecordingRow)
    said = {found["recording"]: found for found in map(json.loads, leaves)}
    rows = session.execute(select(table).where(table.c.id.in_(list(said)))).all()
    known = {row.id for row in rows}
    gone = [row for row in rows if row.state != State.DISPOSED]
    tombstones = [
        {"recording_id": found["recording"], "run_id": run_id, "position": found["position"], "leaf": leaf}
        for found, leaf in zip(said.values(), leaves, strict=True)
    ]
    insert_or_ignore(session, table_of(TombstoneRow), tombstones)
    if gone:
        forget(session, gone)
    unknown = [found for each, found in said.items() if each not in known]
    _remember(session, unknown)
    _leave_quarantine(session, said)
    acts = [
        Act(Tag.RECORDING_DISPOSED, ACTOR, row.id, detail={"run": run_id, "replayed": True}) for row in gone
    ]
    record_all(session, here.tools.clock.now(), acts)
    here.done.recordings_disposed += len(gone)
    here.done.recordings_unknown += len(unknown)


def _remember(session: Session, unknown: list[dict[str, Any]]) -> None:
    """Rows of recordings that came and went after the backup, so that the same file is not taken in again.

    The recorder's own id is not on a certificate: the row says there was none,
    and where that is taken it is told apart by our id.
    """
    rows = [
        {
            "id": found["recording"],
            "source_id": found["source"],
            "kind": found["kind"],
            "native_index": b"",
            "sha256": bytes.fromhex(found["sha256"]),
            "size_bytes": found["size_bytes"],
            "started_at": datetime.fromisoformat(found["started_at"]),
            "ended_at": datetime.fromisoformat(found["ended_at"]),
            "received_at": ULID.from_str(found["recording"]).datetime,
            "claimed_start": "",
            "time_basis": "",
            "state": str(State.DISPOSED),
            "facts": {},
        }
        for found in unknown
    ]
    insert_or_ignore(session, table_of(RecordingRow), rows)
    insert_or_ignore(
        session, table_of(RecordingRow), [row | {"native_index": str(row["id"]).encode()} for row in rows]
    )


def _leave_quarantine(session: Session, said: dict[str, dict[str, Any]]) -> None:
    """Items that a person decided about after the backup; their certificate says how."""
    waiting = select(col(QuarantineRow.id)).where(
        col(QuarantineRow.id).in_(list(said)), col(QuarantineRow.state) == "waiting"
    )
    for item_id in list(session.execute(waiting).scalars()):
        why = str(said[item_id]["why"])
        values = {
            "state": "released" if why.startswith("released") else "rejected",
            "decided_at": datetime.fromisoformat(said[item_id]["disposed_at"]),
            "decided_by": ACTOR,
            "recording_id": why.partition(" as ")[2] or None,
        }
        session.execute(
            update(table_of(QuarantineRow)).where(col(QuarantineRow.id) == item_id).values(values)
        )


def _close(here: Replaying, statement: dict[str, Any]) -> None:
    """The ledger as the certificate states it; what could not be erased then is left to be resumed."""
    session, run_id = here.session, statement["run"]
    session.expire_all()
    run = session.get(RunRow, run_id)
    if run is None:
        kind, on = RunKind(statement["kind"]), date.fromisoformat(statement["on"])
        run = RunRow(
            id=run_id,
            kind=kind,
            on=on,
            attempt=attempt(session, kind, on),
            state=RunState.STARTED,
            plan={"cohorts": statement["cohorts"], "replayed": True},
            started_at=ULID.from_str(run_id).datetime,
            started_by=statement["started_by"],
            schedule_version=statement["schedule_version"],
        )
    keys_destroyed_at = datetime.fromisoformat(statement["keys_destroyed_at"])
    forget_lots(session, col(LotRow.run_id) == run_id)
    run.failed = _waiting(session, run_id)
    run.state = RunState.INCOMPLETE if run.failed else RunState.DONE
    run.disposed, run.size_bytes = statement["recordings"], statement["size_bytes"]
    run.planned = max(run.planned, run.disposed)
    run.keys_destroyed_at = keys_destroyed_at
    run.finished_at = datetime.fromisoformat(statement["finished_at"])
    run.certificate = statement["root"]
    session.add(run)
    _expire(session, run_id, keys_destroyed_at)
