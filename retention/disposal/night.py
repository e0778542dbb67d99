"""A night, from the plan to the certificate; also its resumption.

One process at a time carries out disposals. An unfinished run comes first:
what was begun is finished before anything new is decided.
"""

from datetime import date, datetime

from sqlalchemy import func, select, text, update
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tables import AuditRow
from retention.audit.tags import Tag
from retention.catalogue.lots import reasons_for
from retention.catalogue.states import State
from retention.catalogue.tables import LotRow, RecordingRow, StoreRow
from retention.database import table_of
from retention.disposal import certificate
from retention.disposal.carry_out import Progress, Tools, close, count, destroy_keys, erase_recordings
from retention.disposal.model import RunKind, RunState
from retention.disposal.start import attempt, start_run
from retention.disposal.tables import RunRow
from retention.kernel.canonical import isoformat
from retention.kernel.clock import local_date
from retention.kernel.errors import DatabaseBusy, InvalidInput, NotFound
from retention.kernel.ids import new_id

LOCK = "disposal"
UNFINISHED = (RunState.STARTED, RunState.INCOMPLETE)


def run_disposal(
    tools: Tools, on: date, actor: str, kind: RunKind = RunKind.MANUAL, progress: Progress = lambda _: None
) -> RunRow:
    """Dispose of what is due on `on`; earlier runs, and what must not be recorded, come first.

    A night of the same date that is done already is returned as it is: a bell
    that rings twice changes nothing.

    Raises:
        InvalidInput: The date lies in the future.
        DatabaseBusy: Another process is disposing.
    """
    now = tools.clock.now()
    with tools.database.exclusive(LOCK):
        with tools.database.read() as session:
            today = local_date(now, session.execute(select(col(StoreRow.controller_zone))).scalar_one())
        if on > today:
            raise InvalidInput(
                f"{on} lies in the future: today is {today}",
                hint="`retention due --on DATE` previews a date to come.",
            )
        for run_id in unfinished(tools):
            finish(tools, run_id, actor, progress)
        _dispose_of_refused(tools, now, actor)
        with tools.database.write() as session:
            done = _night_done(session, on) if kind is RunKind.NIGHT else None
            if done:
                return done
            run = start_run(
                session,
                on=on,
                kind=kind,
                now=now,
                actor=actor,
                limits=tools.limits,
                journal=tools.journal,
                witness=tools.witness,
                store_id_in_store=tools.store.store_id(),
            )
        return run if run.state == RunState.TRIPPED else finish(tools, run.id, actor, progress)


def resume(tools: Tools, actor: str, progress: Progress = lambda _: None) -> list[RunRow]:
    """Finish every unfinished run.

    Raises:
        DatabaseBusy: Another process is disposing.
    """
    with tools.database.exclusive(LOCK):
        return [finish(tools, run_id, actor, progress) for run_id in unfinished(tools)]


def dispose_of_refused(tools: Tools, actor: str) -> RunRow | None:
    """Dispose at once of what must not be recorded or was rejected; None when there is nothing new.

    What an earlier call was killed in is finished first: it does not wait for the night. While another
    process disposes, it is None too: what is refused is marked, nobody can open it, and the next call or
    night takes it. Whoever takes recordings in must not stop for a night.
    """
    now = tools.clock.now()
    try:
        with tools.database.exclusive(LOCK):
            for earlier in unfinished(tools, RunKind.REFUSED):
                finish(tools, earlier, actor, lambda _: None)
            return _dispose_of_refused(tools, now, actor)
    except DatabaseBusy:
        return None


def _dispose_of_refused(tools: Tools, now: datetime, actor: str) -> RunRow | None:
    with tools.database.write() as session:
        run_id = _start_refused(session, now, actor)
    return finish(tools, run_id, actor, lambda _: None) if run_id else None


def unfinished(tools: Tools, *kinds: RunKind) -> list[str]:
    """The runs that are not finished, of these kinds or of any, oldest first."""
    with tools.database.read() as session:
        wanted = col(RunRow.state).in_(UNFINISHED) & col(RunRow.kind).in_(kinds or tuple(RunKind))
        return list(session.execute(select(col(RunRow.id)).where(wanted).order_by(col(RunRow.id))).scalars())


def _night_done(session: Session, on: date) -> RunRow | None:
    return session.execute(
        select(RunRow).where(
            col(RunRow.kind) == RunKind.NIGHT, col(RunRow.on) == on, col(RunRow.state) != RunState.TRIPPED
        )
    ).scalar_one_or_none()


def finish(tools: Tools, run_id: str, actor: str, progress: Progress) -> RunRow:
    """Carry out what is left of a run, under the lock of disposals."""
    destroy_keys(tools, run_id, actor)
    failed = erase_recordings(tools, run_id, progress)
    with tools.database.write() as session:
        count(session, tools.clock.now(), run_id, failed)
    root = _certify(tools, run_id)
    with tools.database.write() as session:
        close(session, tools.clock.now(), run_id, root, actor, tools.journal.end())
    with tools.database.read() as session:
        return session.get_one(RunRow, run_id)


def _certify(tools: Tools, run_id: str) -> str:
    """Keep the run's certificate outside the database; its root, or nothing when nothing was disposed of."""
    with tools.database.read() as session:
        run = session.get_one(RunRow, run_id)
        at = run.finished_at or run.started_at
        if not run.disposed:
            if not run.failed:
                tools.journal.write("run-done", at, {"run": run_id})
            return ""
        first_line = certificate_head(session, tools, run)
        name = certificate.document_name(run_id)
        tools.journal.documents.keep(name, certificate.document(session, run_id, first_line))
    tools.journal.write("run-certified", at, {"run": run_id, "document": name})
    return certificate.root_of(first_line)


def certificate_head(session: Session, tools: Tools, run: RunRow) -> bytes:
    """The signed first line of a run's certificate."""
    store_id = session.execute(select(col(StoreRow.id))).scalar_one()
    return certificate.head(session, run, store_id, keys_gone_by(session, run), tools.signer)


def keys_gone_by(session: Session, run: RunRow) -> str:
    """When the last escrowed copy of the run's keys expires; the destruction itself when there is none."""
    destroyed = isoformat(run.keys_destroyed_at) if run.keys_destroyed_at else ""
    details = session.execute(
        select(col(AuditRow.detail)).where(
            col(AuditRow.tag) == Tag.KEYS_ESCROWED, col(AuditRow.at) <= run.keys_destroyed_at
        )
    ).scalars()
    return max([destroyed, *(certificate.expiry_in(detail) for detail in details)])


def find_run(session: Session, run_id: str) -> RunRow:
    """The run called `run_id`.

    Raises:
        NotFound: There is none.
    """
    run = session.get(RunRow, run_id)
    if run is None:
        raise NotFound(f"there is no run {run_id!r}", hint="`retention disposal list` shows them.")
    return run


def _start_refused(session: Session, now: datetime, actor: str) -> str | None:
    table = table_of(RecordingRow)
    # Written out, not bound: only then does the database see that its partial index serves. The plus keeps it from
    # the index by lot, where everything that was ever disposed of stands under NULL.
    waiting = text(f"recording.state = '{State.DISPOSING}' AND +recording.lot_id IS NULL")
    recordings, size_bytes = session.execute(
        select(func.count(), func.coalesce(func.sum(table.c.size_bytes), 0)).where(waiting)
    ).one()
    if not recordings:
        return None
    on = local_date(now, session.execute(select(col(StoreRow.controller_zone))).scalar_one())
    run = RunRow(
        id=new_id(now),
        kind=RunKind.REFUSED,
        on=on,
        attempt=attempt(session, RunKind.REFUSED, on),
        state=RunState.STARTED,
        plan={"cohorts": [], "recordings": recordings},
        planned=recordings,
        started_at=now,
        started_by=actor,
    )
    lot = LotRow(
        signature=f"run:{run.id}",
        kind="",
        site="",
        zone="",
        area="",
        reasons_id=reasons_for(session, ()),
        recordings=recordings,
        size_bytes=size_bytes,
        run_id=run.id,
    )
    session.add_all([run, lot])
    session.flush()
    session.execute(update(table).where(waiting).values(lot_id=lot.id))
    record(
        session, now, Act(Tag.DISPOSAL_STARTED, actor, run.id, detail={"on": on, "recordings": recordings})
    )
    return run.id
