"""Bring back a backup, and with it everything that must not be undone since it was made.

    1  verify     every byte of the backup, the vault it belongs to, the journal it relies on
    2  preview    what it holds, what the journal will add, what is lost; a person agrees
    3  load       into a new catalogue, beside the present one
    4  replay     the journal (`replay`)
    5  destroy    keys that must stay dead; erase bytes of what was disposed of
    6  check      the invariants; a restore that would undo a disposal or lose a hold ends here
    7  tell       the witness which heads no longer bind
    8  swap       the new catalogue in, the present one aside

Killed anywhere before the last step, the present catalogue is as it was;
killed anywhere after it, the new one is live. Running it again gives the same.
Bytes whose rows are lost are listed as stranded and never erased here.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection, delete, func, select
from sqlmodel import Session

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.audit.verify import head_of
from retention.catalogue.tables import IntakeRow
from retention.custody.archive import MANIFEST, members_of
from retention.custody.backup import SECRET
from retention.custody.check import count_sealed, examine
from retention.custody.heads import Bound, common_head
from retention.custody.model import Finding, Findings, Kind
from retention.custody.objects import Stranger, walk
from retention.custody.preview import Preview
from retention.custody.repair import spent_keys
from retention.custody.replay.context import Replayed
from retention.custody.replay.journal import replay
from retention.custody.swap import discard, has_tables, move_aside, new_file_beside, seal_file, swap_in
from retention.custody.tables import all_tables, load_part
from retention.custody.tools import Tools
from retention.database import Database, table_of
from retention.disposal.night import LOCK
from retention.kernel.errors import CatalogueDisagrees, FixityMismatch, InvalidInput
from retention.vault.erase import erase_for_good
from retention.vault.fixity import Level
from retention.vault.model import ObjectName
from retention.vault.reasons import destroy_for_good

ERASE_AT_ONCE = 1_000
#: What a restored store must not have: each would break a promise the moment it opens.
NEVER = frozenset({Kind.UNDEAD, Kind.HOLD_LOST, Kind.SPENT_KEY_LEFT, Kind.SCHEMA_DIFFERS})

#: Told the name of each step when it is done.
Step = Callable[[str], None]
#: Makes the present schema on a connection.
MakeSchema = Callable[[Connection], None]


@dataclass(frozen=True, slots=True)
class Restored:
    """A backup that was restored."""

    made_at: datetime
    recordings: int  #: sealed, after the replay
    replayed: Replayed
    keys_destroyed: int  #: that something had brought back
    objects_erased: int  #: of recordings that were disposed of
    findings: tuple[Finding, ...]
    counts: dict[Kind, int]
    diverged_at: int | None  #: the first audit entry of the backup that the witness knows otherwise
    aside: str  #: where the catalogue of before is kept; "" when there was none


@dataclass(frozen=True, slots=True)
class _Outcome:
    recordings: int
    replayed: Replayed
    keys_destroyed: int
    objects_erased: int
    findings: Findings
    diverged_at: int | None


def restore(
    tools: Tools,
    preview: Preview,
    actor: str,
    make_schema: MakeSchema,
    *,
    replace: bool = False,
    step: Step = lambda _: None,
) -> Restored:
    """Restore the backup that `preview` verified.

    Args:
        tools: The store; its database need not exist.
        preview: From `preview_restore`.
        actor: Who asks.
        make_schema: Makes the present schema on a connection.
        replace: PostgreSQL: move the tables that are there aside.
        step: Told the name of each step when it is done.

    Raises:
        DatabaseBusy: Another process has the catalogue open, or is disposing.
        InvalidInput: PostgreSQL: the database is not empty.
        AuditChainBroken: The journal or a certificate is not as it was written.
        CatalogueDisagrees: What came out would break a promise; nothing was changed.
        StoreUnavailable: Bytes of disposed recordings could not be erased; nothing was swapped.
    """
    with tools.database.exclusive(LOCK):
        if tools.database.is_sqlite:
            outcome, aside = _into_new_file(tools, preview, actor, make_schema, step)
        else:
            outcome, aside = _into_same_database(tools, preview, actor, make_schema, step, replace=replace)
    return Restored(
        made_at=preview.made_at,
        recordings=outcome.recordings,
        replayed=outcome.replayed,
        keys_destroyed=outcome.keys_destroyed,
        objects_erased=outcome.objects_erased,
        findings=tuple(outcome.findings.kept),
        counts=dict(outcome.findings.counts),
        diverged_at=outcome.diverged_at,
        aside=aside,
    )


def _stamp(tools: Tools) -> str:
    return f"{tools.clock.now():%Y%m%dT%H%M%SZ}"


def _into_new_file(
    tools: Tools, preview: Preview, actor: str, make_schema: MakeSchema, step: Step
) -> tuple[_Outcome, str]:
    live = Path(str(tools.database.engine.url.database))
    tools.database.close()
    new = new_file_beside(live)
    step("cleared")
    try:
        with _building(new) as building:
            with building.engine.begin() as connection:
                make_schema(connection)
            with building.write() as session:
                outcome = _bring_back(session, tools, preview, actor, step)
                head = head_of(session)
        step("built")
        seal_file(new)
        step("sealed")
        aside = swap_in(new, live, _stamp(tools), step)
    finally:
        discard(new)
    step("swapped")
    tools.witness.publish(head, tools.clock.now())
    return outcome, str(aside or "")


@contextmanager
def _building(file: Path) -> Iterator[Database]:
    building = Database(f"sqlite:///{file}")
    try:
        yield building.sorting_on_disk()
    finally:
        building.close()


def _into_same_database(
    tools: Tools, preview: Preview, actor: str, make_schema: MakeSchema, step: Step, *, replace: bool
) -> tuple[_Outcome, str]:
    aside = ""
    with tools.database.sorting_on_disk().write() as session:
        connection = session.connection()
        if has_tables(connection):
            if not replace:
                raise InvalidInput(
                    "the database is not empty", hint="--replace moves what is in it to a schema of its own."
                )
            aside = move_aside(connection, _stamp(tools))
        step("cleared")
        make_schema(connection)
        outcome = _bring_back(session, tools, preview, actor, step)
    step("swapped")
    return outcome, aside


def _bring_back(session: Session, tools: Tools, preview: Preview, actor: str, step: Step) -> _Outcome:
    """Everything but the swap, in one transaction of the new catalogue."""
    _load(session, tools, preview, step)
    replayed = replay(session, tools, lambda done: step(f"replayed {done}"))
    keys_destroyed = _keep_dead(session, tools, replayed)
    step("destroyed")
    erased = _erase_undead(session, tools)
    step("erased")
    after, diverged_at = common_head(session, tools.witness)
    _put_on_record(session, tools, preview, actor, replayed, diverged_at)
    findings = Findings()
    examine(session, Bound.of(tools, after), Level.PRESENCE, findings)
    broken = sorted(kind for kind in findings.counts if kind in NEVER)
    if broken:
        worst = next(each.what for each in findings.kept if each.kind in NEVER)
        raise CatalogueDisagrees(
            f"the restored store would not keep its promises ({', '.join(broken)}): {worst}. Nothing was changed"
        )
    step("checked")
    tools.witness.restart(after, tools.clock.now())
    step("told")
    return _Outcome(count_sealed(session), replayed, keys_destroyed, erased, findings, diverged_at)


def _load(session: Session, tools: Tools, preview: Preview, step: Step) -> None:
    expected = iter(preview.manifest["members"])
    for name, content in members_of(preview.path, tools.keys.secret(SECRET)):
        if name == MANIFEST:
            break
        if [name, sha256(content).hexdigest()] != next(expected, None):
            raise FixityMismatch(f"{preview.path} was changed since it was verified")
        load_part(session, name, content)
        step(f"loaded {name}")
    # What was being taken in then is stranded now: no later ingest may take it for its own and sweep it.
    session.execute(delete(table_of(IntakeRow)))
    if session.get_bind().dialect.name == "postgresql":
        _continue_numbering(session)


def _continue_numbering(session: Session) -> None:
    for table in all_tables():
        column = table.autoincrement_column
        if column is not None:
            highest = select(func.max(column)).scalar_subquery()
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            session.execute(
                select(func.setval(sequence, highest)).where(sequence.is_not(None), highest.is_not(None))
            )


def _keep_dead(session: Session, tools: Tools, replayed: Replayed) -> int:
    """Destroy keys that were destroyed before and that an old copy of the keys brought back."""
    alive = tools.keys.key_ids()
    undead = replayed.dead_keys & alive
    tools.keys.destroy(undead)
    spent = (spent_keys(session) & alive) - undead
    destroy_for_good(tools.keys, tools.journal, tools.clock.now(), spent)
    return len(undead) + len(spent)


def _erase_undead(session: Session, tools: Tools) -> int:
    """Erase whatever is left, or came back, of recordings that were disposed of."""
    erased = 0
    batch: list[ObjectName] = []
    for each in walk(session, tools.store, tools.clock.now()):
        if isinstance(each, Stranger) and each.kind is Kind.UNDEAD:
            batch.append(each.name)
        if len(batch) >= ERASE_AT_ONCE:
            erased += erase_for_good(tools.store, batch, locks_are_stale=True)
            batch = []
    return erased + erase_for_good(tools.store, batch, locks_are_stale=True)


def _put_on_record(
    session: Session, tools: Tools, preview: Preview, actor: str, replayed: Replayed, diverged_at: int | None
) -> None:
    now = tools.clock.now()
    detail = {
        "made_at": preview.made_at,
        "restored_at": now,
        "head": preview.manifest["audit"]["seq"],
        "diverged_at": diverged_at,
        "holds_placed": replayed.holds_placed,
        "holds_lifted": replayed.holds_lifted,
        "cohorts_expired": replayed.cohorts_expired,
        "disposed": replayed.recordings_disposed + replayed.recordings_unknown,
        "spans_destroyed": replayed.spans_destroyed,
        "corrections": replayed.corrections,
        "runs": replayed.runs,
    }
    record(session, now, Act(Tag.RESTORED, actor, preview.path.name, detail=detail))
