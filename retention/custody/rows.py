"""What the catalogue's rows must be among themselves, and against the keys that are there.

Each function asks one thing with one statement, so that the database does the
work and only what is wrong comes back.
"""

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Select, and_, exists, func, or_, select, union
from sqlmodel import Session, col

from retention.catalogue.states import State
from retention.catalogue.tables import (
    CohortRow,
    IdentifierRow,
    LotHoldRow,
    LotRow,
    ObjectRow,
    ReasonRow,
    RecordingRow,
    TombstoneRow,
    WrapRow,
)
from retention.custody.model import Findings, Kind
from retention.database import table_of
from retention.disposal.night import UNFINISHED
from retention.disposal.tables import RunRow
from retention.holds.tables import HoldMatchRow, HoldRow
from retention.ingest.tables import QuarantineRow
from retention.redaction.destroy import unfinished

READ_AT_ONCE = 5_000
DESTROY = "`retention check --repair spent-keys` destroys it; so does the next night."


def check_rows(session: Session, alive: Collection[str], findings: Findings) -> None:
    """Everything that rows and keys can tell without looking at bytes.

    Args:
        session: A consistent view.
        alive: The ids of the keys that are there.
        findings: Where to note what is wrong.
    """
    _cohort_keys(session, alive, findings)
    _hold_keys(session, alive, findings)
    _quarantine_keys(session, alive, findings)
    _wraps(session, findings)
    _holds(session, findings)
    _lots(session, findings)
    _disposed(session, findings)


def _stream(session: Session, statement: Select[Any]) -> Iterator[Any]:
    with session.execute(statement.execution_options(yield_per=READ_AT_ONCE)) as rows:
        yield from rows


def _cohort_keys(session: Session, alive: Collection[str], findings: Findings) -> None:
    for cohort in _stream(session, select(table_of(CohortRow)).order_by(col(CohortRow.id))):
        if cohort.state == "active" and cohort.key_id not in alive:
            what = f"cohort {cohort.name} is active, but its key {cohort.key_id} is gone"
            findings.add(
                Kind.REASON_KEY_GONE,
                cohort.name,
                what,
                "Import the newest escrow of the keys: `retention keys restore`.",
            )
        if cohort.state == "expired" and cohort.key_id in alive:
            what = f"cohort {cohort.name} has expired, but its key {cohort.key_id} is still there"
            findings.add(Kind.SPENT_KEY_LEFT, cohort.name, what, DESTROY)


def _hold_keys(session: Session, alive: Collection[str], findings: Findings) -> None:
    hold, match = table_of(HoldRow), table_of(HoldMatchRow)
    waiting = exists().where(match.c.hold_id == hold.c.id).label("waiting")
    for row in _stream(
        session, select(hold.c.id, hold.c.key_id, hold.c.lifted_at, waiting).order_by(hold.c.id)
    ):
        if row.lifted_at is None and row.key_id not in alive:
            what = f"hold {row.id} is in force, but its key {row.key_id} is gone"
            findings.add(
                Kind.REASON_KEY_GONE,
                row.id,
                what,
                "Import the newest escrow of the keys, or lift the hold and place it again.",
            )
        if row.lifted_at is not None and not row.waiting and row.key_id in alive:
            what = f"hold {row.id} was lifted and keeps nothing, but its key {row.key_id} is still there"
            findings.add(Kind.SPENT_KEY_LEFT, row.id, what, DESTROY)


def _quarantine_keys(session: Session, alive: Collection[str], findings: Findings) -> None:
    item, wrap = table_of(QuarantineRow), table_of(WrapRow)
    leaving = exists().where(wrap.c.recording_id == item.c.id)
    columns = select(item.c.id, item.c.key_id, item.c.state, leaving.label("leaving"))
    for row in _stream(session, columns.order_by(item.c.id)):
        if row.state == "waiting" and row.key_id not in alive:
            what = f"item {row.id} waits in quarantine, but its key {row.key_id} is gone"
            findings.add(
                Kind.REASON_KEY_GONE,
                row.id,
                what,
                "Import the newest escrow of the keys, or reject the item and offer the file again.",
            )
        if row.state != "waiting" and not row.leaving and row.key_id in alive:
            what = f"item {row.id} has left the quarantine, but its key {row.key_id} is still there"
            findings.add(Kind.SPENT_KEY_LEFT, row.id, what, DESTROY)


def _wraps(session: Session, findings: Findings) -> None:
    """A kept recording's data key is wrapped under the key of every reason that keeps it."""
    recording, lot, wrap = table_of(RecordingRow), table_of(LotRow), table_of(WrapRow)
    cohort, member = table_of(CohortRow), table_of(ReasonRow)
    hold, held = table_of(HoldRow), table_of(LotHoldRow)
    kept = (
        select(recording.c.id)
        .join(lot, lot.c.id == recording.c.lot_id)
        .where(recording.c.state == State.SEALED, lot.c.run_id.is_(None))
    )
    for_cohorts = (
        kept.add_columns(cohort.c.name)
        .join(member, member.c.reasons_id == lot.c.reasons_id)
        .join(cohort, and_(cohort.c.id == member.c.cohort_id, cohort.c.state == "active"))
        .outerjoin(wrap, and_(wrap.c.recording_id == recording.c.id, wrap.c.key_id == cohort.c.key_id))
        .where(wrap.c.key_id.is_(None))
        .distinct()
    )
    for row in _stream(session, for_cohorts):
        what = f"recording {row.id} is kept in cohort {row.name}, but its data key is not wrapped under that cohort's key"
        findings.add(
            Kind.KEY_MISSING,
            row.id,
            what,
            "Restore a backup that has it, or open the recording for another purpose it carries.",
        )
    for_holds = (
        kept.add_columns(hold.c.id.label("hold_id"))
        .join(held, held.c.lot_id == lot.c.id)
        .join(hold, and_(hold.c.id == held.c.hold_id, hold.c.lifted_at.is_(None)))
        .outerjoin(wrap, and_(wrap.c.recording_id == recording.c.id, wrap.c.key_id == hold.c.key_id))
        .where(wrap.c.key_id.is_(None))
    )
    for row in _stream(session, for_holds):
        what = f"recording {row.id} is under hold {row.hold_id}, but its data key is not wrapped under the hold's key"
        findings.add(
            Kind.HOLD_WITHOUT_KEY,
            row.id,
            what,
            "Place the same hold again now: it wraps the key while another reason is alive.",
        )


def _holds(session: Session, findings: Findings) -> None:
    """A hold's matches, their lots and their states agree."""
    recording, match, hold, held = (table_of(t) for t in (RecordingRow, HoldMatchRow, HoldRow, LotHoldRow))
    in_lot = exists().where(held.c.lot_id == recording.c.lot_id, held.c.hold_id == match.c.hold_id)
    loose = (
        select(match.c.hold_id, match.c.recording_id, recording.c.state)
        .join(hold, and_(hold.c.id == match.c.hold_id, hold.c.lifted_at.is_(None)))
        .outerjoin(recording, recording.c.id == match.c.recording_id)
        .where(or_(recording.c.id.is_(None), recording.c.state != State.SEALED, ~in_lot))
    )
    unmatched = (
        select(held.c.hold_id, recording.c.id.label("recording_id"), recording.c.state)
        .join(recording, recording.c.lot_id == held.c.lot_id)
        .join(hold, and_(hold.c.id == held.c.hold_id, hold.c.lifted_at.is_(None)))
        .where(~exists().where(match.c.recording_id == recording.c.id, match.c.hold_id == held.c.hold_id))
    )
    found = union(loose, unmatched).subquery()
    for row in _stream(session, select(found)):
        state = row.state or "not in the catalogue"
        what = f"hold {row.hold_id} covers recording {row.recording_id}, which is {state} and not kept by it"
        findings.add(
            Kind.HOLD_INCOMPLETE, row.recording_id, what, "Place the same hold again, then lift this one."
        )


def lot_recount(session: Session) -> Iterator[Any]:
    """Lots whose counts are not what is there: the row's counts, then the true ones with `true_` before them."""
    lot, recording = table_of(LotRow), table_of(RecordingRow)
    cohort, member, held = table_of(CohortRow), table_of(ReasonRow), table_of(LotHoldRow)
    contents = (
        select(
            recording.c.lot_id,
            func.count().label("recordings"),
            func.sum(recording.c.size_bytes).label("size_bytes"),
        )
        .where(recording.c.lot_id.is_not(None))
        .group_by(recording.c.lot_id)
        .subquery()
    )
    living = (
        select(member.c.reasons_id, func.count(member.c.cohort_id.distinct()).label("living"))
        .join(cohort, and_(cohort.c.id == member.c.cohort_id, cohort.c.state == "active"))
        .group_by(member.c.reasons_id)
        .subquery()
    )
    holds = select(held.c.lot_id, func.count().label("holds")).group_by(held.c.lot_id).subquery()
    true = {
        "recordings": func.coalesce(contents.c.recordings, 0),
        "size_bytes": func.coalesce(contents.c.size_bytes, 0),
        "living": func.coalesce(living.c.living, 0),
        "holds": func.coalesce(holds.c.holds, 0),
    }
    statement = (
        select(lot.c.id, *(lot.c[n] for n in true), *(v.label(f"true_{n}") for n, v in true.items()))
        .outerjoin(contents, contents.c.lot_id == lot.c.id)
        .outerjoin(living, living.c.reasons_id == lot.c.reasons_id)
        .outerjoin(holds, holds.c.lot_id == lot.c.id)
        .where(or_(*(lot.c[name] != value for name, value in true.items())))
        .order_by(lot.c.id)
    )
    return _stream(session, statement)


LOT_COUNTS = ("recordings", "size_bytes", "living", "holds")


def _lots(session: Session, findings: Findings) -> None:
    for row in lot_recount(session):
        wrong = [
            f"{name} is {getattr(row, name)}, counted {getattr(row, f'true_{name}')}"
            for name in LOT_COUNTS
            if getattr(row, name) != getattr(row, f"true_{name}")
        ]
        findings.add(
            Kind.LOT_COUNTS,
            str(row.id),
            f"lot {row.id}: {', '.join(wrong)}",
            "`retention check --repair counts` writes the recount.",
        )
    table = table_of(RecordingRow)
    loose = select(table.c.id).where(table.c.state == State.SEALED, table.c.lot_id.is_(None))
    for row in _stream(session, loose):
        what = f"recording {row.id} is sealed but in no lot: no night will ever see it"
        findings.add(Kind.LOT_COUNTS, row.id, what, "Restore a backup that has its lot.")


def _disposed(session: Session, findings: Findings) -> None:
    """Of a disposed recording nothing is left but its tombstone."""
    recording, tombstone = table_of(RecordingRow), table_of(TombstoneRow)
    left = {
        "its sealed objects": exists().where(col(ObjectRow.recording_id) == recording.c.id),
        "its data key": exists().where(col(WrapRow.recording_id) == recording.c.id),
        "whom it is about": exists().where(col(IdentifierRow.recording_id) == recording.c.id),
        "a hold": exists().where(col(HoldMatchRow.recording_id) == recording.c.id),
        "its particulars": recording.c.personal.is_not(None),
        "no tombstone": ~exists().where(tombstone.c.recording_id == recording.c.id),
    }
    statement = (
        select(recording.c.id, *(clause.label(f"c{n}") for n, clause in enumerate(left.values())))
        .where(recording.c.state == State.DISPOSED, or_(*left.values()))
        .order_by(recording.c.id)
    )
    for row in _stream(session, statement):
        names = ", ".join(name for name, is_left in zip(left, row[1:], strict=True) if is_left)
        what = f"recording {row.id} was disposed of, but the catalogue still has: {names}"
        findings.add(
            Kind.DISPOSED_REMNANT, row.id, what, "Stop and tell a person: a row was changed by hand."
        )


def unfinished_destructions(session: Session, findings: Findings) -> None:
    """Spans whose destruction was begun and not ended; only where no process is at it."""
    for row in unfinished(session):
        what = f"the destruction of {', '.join(row.spans)} of {row.recording_id} is {row.state}, not finished"
        findings.add(Kind.UNFINISHED_RUN, row.digest, what, "`retention redaction resume` finishes it.")


def unfinished_runs(session: Session, findings: Findings) -> None:
    """Disposal runs that were begun and not ended; only where no process is at it."""
    table = table_of(RunRow)
    for row in _stream(session, select(table).where(table.c.state.in_(UNFINISHED)).order_by(table.c.id)):
        what = (
            f"disposal run {row.id} of {row.on} is {row.state}: {row.disposed} of {row.planned} disposed of"
        )
        findings.add(Kind.UNFINISHED_RUN, row.id, what, "`retention disposal resume` finishes it.")
