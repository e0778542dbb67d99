"""Erase recordings because the person in them asked for it: now, whatever their schedule says.

A run of its own, with the certificate of every run. What else is in the same
cohorts moves to new ones first (`vault.single_out`), so that the old keys can
be destroyed at once and no backup opens what was erased. Guards do not look at
it: two people have agreed to exactly these recordings.
"""

from collections.abc import Callable, Collection
from datetime import datetime

from sqlalchemy import func, select, update
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.catalogue.find import find_recording
from retention.catalogue.journal import Moving
from retention.catalogue.schedules import schedule_in_force, schedule_row
from retention.catalogue.states import State
from retention.catalogue.tables import CohortRow, RecordingRow, StoreRow
from retention.database import table_of
from retention.disposal.carry_out import Progress, Tools
from retention.disposal.model import RunKind, RunState
from retention.disposal.night import LOCK, finish, unfinished
from retention.disposal.start import attempt, check_going, commit_to
from retention.disposal.tables import RunRow
from retention.kernel.clock import local_date
from retention.kernel.errors import HoldInForce, IllegalTransition
from retention.kernel.ids import new_id
from retention.vault.single_out import single_out

WHY = "erased on request"

#: Takes away what of the asker's own stands in the way (its holds), in the transaction that decides.
Clear = Callable[[Session], None]
#: Notes the run, in the same transaction.
Note = Callable[[Session, RunRow], None]


def erase(
    tools: Tools,
    recording_ids: Collection[str],
    actor: str,
    *,
    clear: Clear,
    note: Note,
    settle: Callable[[], None],
    progress: Progress = lambda _: None,
) -> RunRow:
    """Erase recordings, with a certificate. What an earlier call was killed in comes first.

    Args:
        tools: The store.
        recording_ids: What goes.
        actor: Who does it.
        clear: Lifts the asker's own holds; called in the transaction.
        note: Keeps which run it is; called in the transaction, at its end.
        settle: Called once it is committed, before a byte goes.
        progress: Is told how many are gone.

    Raises:
        HoldInForce: One is under another hold.
        IllegalTransition: One is not sealed, or a disposal is letting it go.
        NotFound: There is no such recording.
        DatabaseBusy: Another process is disposing.
    """
    with tools.database.exclusive(LOCK):
        for run_id in unfinished(tools):
            finish(tools, run_id, actor, progress)
        moving = Moving(tools.journal, tools.clock.now())
        with tools.database.write() as session:
            clear(session)
            run = _start(session, tools, moving, sorted(recording_ids), actor)
            note(session, run)
        moving.confirm()
        settle()
        return finish(tools, run.id, actor, progress)


def _start(
    session: Session, tools: Tools, moving: Moving, recording_ids: Collection[str], actor: str
) -> RunRow:
    now = tools.clock.now()
    for recording_id in recording_ids:
        _refuse(session, recording_id)
    table = table_of(RecordingRow)
    mine = table.c.id.in_(recording_ids)
    size_bytes = session.execute(select(func.sum(table.c.size_bytes)).where(mine)).scalar_one()
    cohort_ids = single_out(session, tools.keys, moving, recording_ids)
    session.execute(update(table).where(mine).values(facts={"why": WHY}))
    names = session.execute(select(col(CohortRow.name)).where(col(CohortRow.id).in_(cohort_ids))).scalars()
    run = _row(session, now, len(recording_ids), int(size_bytes), actor)
    run.plan = {**run.plan, "cohorts": [{"cohort": name} for name in sorted(names)]}
    session.add(run)
    session.flush()
    commit_to(session, run.id, cohort_ids, RunKind.ERASURE)
    check_going(session, run)
    detail = {"on": run.on, "recordings": run.planned}
    record(session, now, Act(Tag.DISPOSAL_STARTED, actor, run.id, detail=detail))
    return run


def _refuse(session: Session, recording_id: str) -> None:
    found = find_recording(session, schedule_in_force(session), recording_id)
    if found.hold_ids:
        raise HoldInForce(
            f"recording {recording_id} is under hold {', '.join(found.hold_ids)}: it is not erased"
        )
    if found.state != State.SEALED or found.run_id is not None:
        raise IllegalTransition(
            f"recording {recording_id} is {found.state}, or on its way out: nothing was done"
        )


def _row(session: Session, now: datetime, recordings: int, size_bytes: int, actor: str) -> RunRow:
    on = local_date(now, session.execute(select(col(StoreRow.controller_zone))).scalar_one())
    return RunRow(
        id=new_id(now),
        kind=RunKind.ERASURE,
        on=on,
        attempt=attempt(session, RunKind.ERASURE, on),
        state=RunState.STARTED,
        plan={"cohorts": [], "recordings": recordings, "bytes": size_bytes},
        planned=recordings,
        schedule_version=schedule_row(session).version,
        started_at=now,
        started_by=actor,
    )
