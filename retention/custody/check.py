"""Is everything we say we hold there, whole, readable for every reason, and nothing else?

`examine` looks at one consistent view of the catalogue and at one listing of
the vault. `check` adds what needs time: anything that seems lost is looked at
again, because the service goes on meanwhile, and at level `digest` every object
is read, decrypted and hashed.

Repairs nothing, apart from `repair.py`, which is asked for by name. Holds one
row, one listed object and a bounded number of findings in memory.
"""

from collections.abc import Callable
from functools import partial

from sqlalchemy import func, select
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.audit.verify import Vouched, ask, verify_trail
from retention.catalogue.states import State
from retention.catalogue.tables import RecordingRow, StoreRow
from retention.custody.agree import check_agreement
from retention.custody.digests import check_digests
from retention.custody.keys import UNREADABLE_REMEDY, unreadable_keys
from retention.custody.model import INTAKE_AGE, Findings, Kind, Report
from retention.custody.objects import Expected, Known, Stranger, is_still_missing, walk
from retention.custody.rows import check_rows, unfinished_destructions, unfinished_runs
from retention.custody.schema import check_schema
from retention.custody.tools import Progress, Tools, silent
from retention.database import Database
from retention.disposal.night import LOCK as DISPOSAL
from retention.disposal.surroundings import holds_accounted_for, lost_of_journal, told_by
from retention.kernel.errors import AuditChainBroken, DatabaseBusy
from retention.redaction.destroy import LOCK as REDACTION
from retention.vault.fixity import Level
from retention.vault.model import ObjectStore

#: Asked before an object is called missing: is it still, going by what the catalogue says now?
StillMissing = Callable[[Expected], bool]

BRING_BACK = "Bring back the witness folder from a copy of it."
SAME_BYTES = "Restore the object from a copy of the vault, or ingest the original file again."
ALIEN = "it lies in the vault and is no object that we made"
ERASE_ALIENS = "Find out who put it there; `retention reconcile --erase-aliens` erases it."
STRANGE = {
    Kind.ORPHAN: (
        "the catalogue knows no such object",
        "`retention reconcile` lists them; with --erase-orphans it erases them.",
    ),
    Kind.STRANDED: (
        "its row was lost when a backup was restored",
        "Ingest the original file again; then `retention reconcile --erase-stranded`.",
    ),
    Kind.UNDEAD: (
        "its recording, or a span of it, was destroyed",
        "`retention reconcile --erase-orphans` erases it.",
    ),
}


def check(tools: Tools, level: Level, actor: str, progress: Progress = silent) -> Report:
    """Check the whole store; at level `digest` the reading is put on record.

    Raises:
        StoreUnavailable: The vault did not answer, so nothing was found out.
    """
    findings = Findings()
    with tools.database.sorting_on_disk().read() as session:
        objects = examine(
            session, tools, level, findings, partial(is_still_missing, tools.database, tools.store), progress
        )
        recordings = count_sealed(session)
    if level is Level.DIGEST and Kind.OTHER_STORE not in findings.counts:
        objects = check_digests(tools, findings, progress)
        _put_on_record(tools, actor, objects, findings)
    return Report(level, recordings, objects, tuple(findings.kept), findings.counts)


def examine(
    session: Session,
    tools: Tools,
    level: Level,
    findings: Findings,
    still_missing: StillMissing = lambda _: True,
    progress: Progress = silent,
) -> int:
    """Everything that can be told without reading content; how many objects the catalogue knows."""
    vouched = ask(tools.witness)  # before the first statement: what is witnessed later is not in its view
    check_schema(session.connection(), findings)
    check_rows(session, tools.keys.key_ids(), findings)
    for key in unreadable_keys(session, tools.keys):
        findings.add(Kind.KEY_UNREADABLE, key.key_id, key.what, UNREADABLE_REMEDY)
    check_agreement(session, findings)
    if not _is_busy(tools.database, DISPOSAL):
        unfinished_runs(session, findings)
    if not _is_busy(tools.database, REDACTION):
        unfinished_destructions(session, findings)
    _check_audit(session, tools, vouched, findings)
    _check_journal(session, tools, vouched, findings)
    if not _is_our_store(session, tools.store, findings):
        return 0
    return _check_objects(session, tools, level, findings, still_missing, progress)


def count_sealed(session: Session) -> int:
    """How many recordings are held."""
    statement = select(func.count()).where(col(RecordingRow.state) == State.SEALED)
    return int(session.execute(statement).scalar_one())


def _is_busy(database: Database, lock: str) -> bool:
    try:
        with database.exclusive(lock):
            return False
    except DatabaseBusy:
        return True


def _check_audit(session: Session, tools: Tools, vouched: Vouched, findings: Findings) -> None:
    store_id = session.execute(select(col(StoreRow.id))).scalar_one()
    verdict = verify_trail(session, vouched, store_id, tools.signer.is_ours)
    if not verdict.ok:
        findings.add(
            Kind.AUDIT_BROKEN,
            str(verdict.first_bad or "witness"),
            f"the audit trail does not hold: {verdict.reason}",
            "Stop and tell a person: `retention audit verify`.",
        )


def _check_journal(session: Session, tools: Tools, vouched: Vouched, findings: Findings) -> None:
    try:
        in_force = told_by(tools.journal.entries()).in_force
        lost = lost_of_journal(session, tools.journal, vouched)
    except AuditChainBroken as error:
        findings.add(Kind.JOURNAL_BROKEN, "journal", error.message, BRING_BACK)
        return
    if lost:
        findings.add(Kind.JOURNAL_BROKEN, "journal", lost, BRING_BACK)
    for hold_id in sorted(in_force - holds_accounted_for(session)):
        what = f"the journal knows hold {hold_id}, which the catalogue neither has nor lifted"
        findings.add(
            Kind.HOLD_LOST, hold_id, what, "Restore the last backup: the journal brings the hold back."
        )


def _is_our_store(session: Session, store: ObjectStore, findings: Findings) -> bool:
    wanted: str = session.execute(select(col(StoreRow.object_store_id))).scalar_one()
    found = store.store_id()
    if wanted != found:
        what = (
            f"the catalogue belongs to object store {wanted}, not to {found}; its objects were not looked at"
        )
        findings.add(Kind.OTHER_STORE, found, what, "Correct the setting store_url, or mount the right disk.")
    return wanted == found


def _check_objects(
    session: Session,
    tools: Tools,
    level: Level,
    findings: Findings,
    still_missing: StillMissing,
    progress: Progress,
) -> int:
    count = 0
    for found in walk(session, tools.store, tools.clock.now()):
        if isinstance(found, Stranger):
            what, remedy = STRANGE[found.kind]
            findings.add(found.kind, found.name, f"{found.name} ({found.stored_bytes} bytes): {what}", remedy)
            continue
        count += 1
        _check_known(found, level, findings, still_missing)
        if count % 1_000 == 0:
            progress(count)
    for name, stored_bytes, _ in tools.store.strangers(tools.clock.now() - INTAKE_AGE):
        findings.add(Kind.ALIEN, name, f"{name} ({stored_bytes} bytes): {ALIEN}", ERASE_ALIENS)
    return count


def _check_known(found: Known, level: Level, findings: Findings, still_missing: StillMissing) -> None:
    expected, sealed = found.expected, found.expected.sealed
    if found.stored_bytes is None:
        if expected.must_be_there and still_missing(expected):
            findings.add(
                Kind.MISSING_BYTES,
                sealed.name,
                f"the vault holds no {sealed.name}, which is {expected.owner}",
                SAME_BYTES,
            )
        return
    if expected.owner == State.DISPOSED:
        what, remedy = STRANGE[Kind.UNDEAD]
        findings.add(Kind.UNDEAD, sealed.name, f"{sealed.name} ({found.stored_bytes} bytes): {what}", remedy)
    elif level is not Level.PRESENCE and found.stored_bytes != sealed.stored_bytes:
        what = f"{sealed.name} has {found.stored_bytes} bytes in the store; {sealed.stored_bytes} were sealed"
        findings.add(Kind.WRONG_SIZE, sealed.name, what, SAME_BYTES)


def _put_on_record(tools: Tools, actor: str, objects: int, findings: Findings) -> None:
    detail = {"objects": objects, "findings": {str(kind): count for kind, count in findings.counts.items()}}
    with tools.database.write() as session:
        record(session, tools.clock.now(), Act(Tag.FIXITY_CHECKED, actor, "", detail=detail))
