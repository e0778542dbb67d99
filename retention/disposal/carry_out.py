"""Carry out a run that is on the ledger. Row first, key second, bytes third.

Every step finds out from the rows what is left to do, so a run that was killed
at any line is finished by running it again. Nothing here decides: what goes was
decided, guarded and committed when the run was started (`start.py`), and from
that commit on no hold can be placed on it and nobody can open it.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, tuple_, update
from sqlmodel import Session, col

from retention.audit.record import Act, record, record_all
from retention.audit.tags import Tag
from retention.audit.witness import End, SignedJournal, Witness
from retention.catalogue.lots import adjust_counts, forget_lots
from retention.catalogue.schedules import schedule_in_force
from retention.catalogue.states import Action, State, step
from retention.catalogue.tables import (
    CohortRow,
    IdentifierRow,
    LotRow,
    ObjectRow,
    ReasonRow,
    RecordingRow,
    TombstoneRow,
    WrapRow,
)
from retention.database import Database, table_of
from retention.disposal.model import Limits, RunKind, RunState
from retention.disposal.tables import RunRow
from retention.holds.tables import HoldMatchRow, HoldRow
from retention.kernel.canonical import canonical_json, isoformat
from retention.kernel.clock import Clock
from retention.kernel.errors import DependencyError
from retention.schedule.model import Schedule
from retention.vault.model import KeyService, ObjectName, ObjectStore, object_name
from retention.vault.reasons import destroy_for_good
from retention.vault.signing import Signer
from retention.vault.single_out import emptied_cohorts

#: Recordings whose rows change in one transaction and whose bytes go in one call.
BATCH = 1_000

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Tools:
    """What carrying out needs."""

    database: Database
    store: ObjectStore
    keys: KeyService
    journal: SignedJournal
    witness: Witness
    clock: Clock
    signer: Signer
    limits: Limits


def destroy_keys(tools: Tools, run_id: str, actor: str) -> None:
    """Destroy the keys of the run's cohorts, and of lifted holds on which only its recordings depended."""
    with tools.database.read() as session:
        run = session.get_one(RunRow, run_id)
        if run.keys_destroyed_at is not None:
            return
        cohorts = session.execute(
            select(col(CohortRow.key_id), col(CohortRow.name)).where(
                col(CohortRow.run_id) == run_id, col(CohortRow.state) == "expiring"
            )
        ).all()
        holds = _lifted_holds(session)
        moved = emptied_cohorts(session) & tools.keys.key_ids()
        own = _own_keys(session, run)
    tools.journal.write(
        "cohorts-expired",
        run.started_at,
        {
            "run": run_id,
            "run_kind": run.kind,
            "on": run.on,
            "started_by": run.started_by,
            "schedule_version": run.schedule_version,
            "cohorts": [name for _, name in cohorts],
        },
    )
    now = tools.clock.now()
    spent = {key_id for key_id, _ in cohorts} | {key_id for _, key_id in holds} | moved | own
    destroy_for_good(tools.keys, tools.journal, now, spent)
    with tools.database.write() as session:
        session.execute(
            update(table_of(CohortRow))
            .where(col(CohortRow.run_id) == run_id)
            .values(state="expired", expired_at=now)
        )
        session.execute(
            update(table_of(HoldRow))
            .where(col(HoldRow.id).in_([h for h, _ in holds]))
            .values(key_destroyed_at=now)
        )
        session.execute(
            update(table_of(RunRow)).where(col(RunRow.id) == run_id).values(keys_destroyed_at=now)
        )
        record(session, now, Act(Tag.KEYS_DESTROYED, actor, run_id, detail={"keys": len(spent)}))


def _own_keys(session: Session, run: RunRow) -> set[str]:
    """Keys of what left the quarantine: each item has one of its own."""
    if run.kind != RunKind.REFUSED:
        return set()
    wrap, recording, lot = table_of(WrapRow), table_of(RecordingRow), table_of(LotRow)
    mine = (
        select(wrap.c.key_id)
        .join(recording, recording.c.id == wrap.c.recording_id)
        .join(lot, lot.c.id == recording.c.lot_id)
        .where(lot.c.run_id == run.id)
    )
    return set(session.execute(mine).scalars())


def _lifted_holds(session: Session) -> list[tuple[str, str]]:
    """(hold, key) of lifted holds whose last dependants this run, or none, lets go."""
    lot, recording, match = table_of(LotRow), table_of(RecordingRow), table_of(HoldMatchRow)
    waiting = (
        select(match.c.hold_id)
        .join(recording, recording.c.id == match.c.recording_id)
        .join(lot, lot.c.id == recording.c.lot_id)
        .where(lot.c.run_id.is_(None))
    )
    rows = session.execute(
        select(col(HoldRow.id), col(HoldRow.key_id)).where(
            col(HoldRow.lifted_at).is_not(None),
            col(HoldRow.key_destroyed_at).is_(None),
            col(HoldRow.id).not_in(waiting),
        )
    )
    return [(row[0], row[1]) for row in rows]


def erase_recordings(tools: Tools, run_id: str, progress: Progress) -> int:
    """Erase the bytes of the run's recordings, batch by batch; how many could not be erased."""
    failed = done = 0
    last = ("", "")
    while True:
        with tools.database.write() as session:
            batch = _next_batch(session, run_id, last)
        if not batch:
            return failed
        try:
            left = _erase(tools, batch)
        except DependencyError:
            with tools.database.read() as session:
                return _remaining(session, run_id)
        failed += len(left)
        gone = [row for row in batch if row.id not in left]
        with tools.database.write() as session:
            _bury(session, tools, run_id, gone)
        done += len(gone)
        progress(done)
        last = (batch[-1].lot_id, batch[-1].id)


def _next_batch(session: Session, run_id: str, after: tuple[Any, str]) -> list[Any]:
    """The run's next recordings after (lot, id) `after`, which are DISPOSING from now on."""
    table, lot = table_of(RecordingRow), table_of(LotRow)
    mine = select(lot.c.id).where(lot.c.run_id == run_id)
    statement = (
        select(table).where(table.c.lot_id.in_(mine)).order_by(table.c.lot_id, table.c.id).limit(BATCH)
    )
    if after[1]:
        statement = statement.where(tuple_(table.c.lot_id, table.c.id) > tuple_(*after))
    rows = list(session.execute(statement))
    sealed = [row.id for row in rows if row.state == State.SEALED]
    if sealed:
        session.execute(
            update(table)
            .where(table.c.id.in_(sealed))
            .values(state=str(step(State.SEALED, Action.BEGIN_DISPOSAL)))
        )
    return rows


def _remaining(session: Session, run_id: str) -> int:
    table, lot = table_of(RecordingRow), table_of(LotRow)
    mine = select(lot.c.id).where(lot.c.run_id == run_id)
    statement = select(func.count()).select_from(table).where(table.c.lot_id.in_(mine))
    return int(session.execute(statement).scalar_one())


def _erase(tools: Tools, batch: list[Any]) -> set[str]:
    """Erase every object of the batch and prove it gone; the ids for which that failed."""
    names: dict[ObjectName, str] = {}
    with tools.database.read() as session:
        table = table_of(ObjectRow)
        ids = [row.id for row in batch]
        for recording_id, role, latest in session.execute(
            select(table.c.recording_id, table.c.role, table.c.version).where(table.c.recording_id.in_(ids))
        ):
            # Of an earlier version something is left where a crash came before its erasure.
            for version in range(1, latest + 1):
                names[object_name(recording_id, role, version)] = recording_id
    failures = tools.store.erase_many(list(names))
    if failures:
        # A hold that was lifted just before a crash may have left its lock on the store. The catalogue,
        # asked under the writer's lock, knows of no hold: the lock is stale.
        tools.store.protect(list(failures), held=False)
        failures = tools.store.erase_many(list(failures))
    remaining = tools.store.remains(list(names))
    return {names[name] for name in failures} | {names[name] for name in remaining}


def _bury(session: Session, tools: Tools, run_id: str, gone: list[Any]) -> None:
    """Rows of recordings whose bytes are gone become tombstones."""
    if not gone:
        return
    now = tools.clock.now()
    reasons = _reasons(session, {row.lot_id for row in gone if row.lot_id is not None})
    last = session.execute(
        select(func.max(col(TombstoneRow.position))).where(col(TombstoneRow.run_id) == run_id)
    ).scalar_one()
    position = 0 if last is None else last + 1
    leaves = [
        {
            "recording_id": row.id,
            "run_id": run_id,
            "position": position + n,
            "leaf": leaf_text(row, position + n, reasons.get(row.lot_id, []), now),
        }
        for n, row in enumerate(gone)
    ]
    session.execute(insert(table_of(TombstoneRow)), leaves)
    forget(session, gone)
    record_all(
        session,
        now,
        [Act(Tag.RECORDING_DISPOSED, "retention", row.id, detail={"run": run_id}) for row in gone],
    )


def forget(session: Session, gone: list[Any]) -> None:
    """Take out of the catalogue all that stood about recordings whose bytes are gone; the rows stay, bare."""
    ids = [row.id for row in gone]
    for model in (ObjectRow, WrapRow, IdentifierRow, HoldMatchRow):
        table = table_of(model)
        session.execute(delete(table).where(table.c.recording_id.in_(ids)))
    session.execute(
        update(table_of(RecordingRow))
        .where(col(RecordingRow.id).in_(ids))
        .values(
            state=str(step(State.DISPOSING, Action.FINISH_DISPOSAL)),
            lot_id=None,
            personal=None,
            facts={},
            claimed_start="",
        )
    )
    counts: dict[int, tuple[int, int]] = {}
    for row in gone:
        before = counts.get(row.lot_id, (0, 0))
        counts[row.lot_id] = (before[0] - 1, before[1] - row.size_bytes)
    adjust_counts(session, counts)


def leaf_text(row: Any, position: int, reasons: list[dict[str, Any]], at: datetime) -> str:
    """A tombstone, as it is certified: nothing personal, everything that identifies the recording to its keeper."""
    return canonical_json(
        {
            "position": position,
            "recording": row.id,
            "source": row.source_id,
            "kind": row.kind,
            "sha256": row.sha256.hex(),
            "size_bytes": row.size_bytes,
            "started_at": isoformat(row.started_at),
            "ended_at": isoformat(row.ended_at),
            "why": (row.facts or {}).get("why", "expired"),
            "reasons": reasons,
            "disposed_at": isoformat(at),
        }
    ).decode()


def _due_on(schedule: Schedule, class_name: str, trigger_on: date | None) -> str:
    known = trigger_on is not None and class_name in schedule.classes
    return schedule.due_on(class_name, trigger_on).isoformat() if known and trigger_on else ""


def _reasons(session: Session, lot_ids: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    schedule = schedule_in_force(session)
    cohort, member, lot = table_of(CohortRow), table_of(ReasonRow), table_of(LotRow)
    found: dict[int, list[dict[str, Any]]] = {}
    rows = session.execute(
        select(
            lot.c.id.label("lot_id"),
            member.c.purpose,
            cohort.c.name,
            cohort.c.class_name,
            cohort.c.trigger_on,
        )
        .join(member, member.c.reasons_id == lot.c.reasons_id)
        .join(cohort, cohort.c.id == member.c.cohort_id)
        .where(lot.c.id.in_(list(lot_ids)))
        .order_by(member.c.purpose)
    )
    for row in rows:
        found.setdefault(row.lot_id, []).append(
            {
                "purpose": row.purpose,
                "class": row.class_name,
                "cohort": row.name,
                "trigger_on": row.trigger_on.isoformat() if row.trigger_on else "",
                "due_on": _due_on(schedule, row.class_name, row.trigger_on),
            }
        )
    return found


def count(session: Session, now: datetime, run_id: str, failed: int) -> None:
    """Bring the ledger's counts up to what the tombstones say."""
    run = session.get_one(RunRow, run_id)
    table = table_of(TombstoneRow)
    leaves = session.execute(
        select(table.c.leaf).where(table.c.run_id == run_id).execution_options(yield_per=BATCH)
    ).scalars()
    sizes = [json.loads(leaf)["size_bytes"] for leaf in leaves]
    run.disposed, run.size_bytes, run.failed, run.finished_at = len(sizes), sum(sizes), failed, now
    session.add(run)


def close(session: Session, now: datetime, run_id: str, certificate: str, actor: str, journal: End) -> None:
    """End the run, or leave it to be resumed when bytes are left; `journal` is where the journal ends."""
    run = session.get_one(RunRow, run_id)
    run.state = RunState.INCOMPLETE if run.failed else RunState.DONE
    run.certificate = certificate
    session.add(run)
    forget_lots(session, col(LotRow.run_id) == run_id)
    record(
        session,
        now,
        Act(
            Tag.DISPOSAL_FINISHED,
            actor,
            run_id,
            detail={
                "disposed": run.disposed,
                "failed": run.failed,
                "held": run.held,
                "certificate": certificate,
                "journal": {"lines": journal.lines, "mac": journal.mac},
            },
        ),
    )
