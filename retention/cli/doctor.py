"""retention doctor: try out what the store stands on, and say what does not hold."""

import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import typer
from sqlalchemy import make_url, select, text
from sqlmodel import Session, col

from retention.audit.verify import ask
from retention.bootstrap import App
from retention.cli.shared import EPILOG, show, size, store, styled, table
from retention.custody.keys import UNREADABLE_REMEDY, unreadable_keys
from retention.disposal.approve import approved_cohorts
from retention.disposal.certificate import document_name
from retention.disposal.model import RunState, tripped
from retention.disposal.plan import make_plan, not_ahead_of
from retention.disposal.surroundings import surroundings
from retention.disposal.tables import RunRow
from retention.holds.drill import faults, rounds
from retention.kernel.errors import IntegrityError, NotFound, RetentionError
from retention.requests.model import Stage
from retention.requests.show import requests_at
from retention.wiring import prove_store, tool_versions
from retention.workers.bell import missed, overdue_reviews

#: Below this, taking in stops soon.
FREE_BYTES = 5_000_000_000
SHARE = "Look at `retention due --why`. If it is right, let the night trip, and two people reset it."


@dataclass(frozen=True, slots=True)
class Finding:
    """What was tried, whether it holds, and what to do when it does not."""

    ok: bool
    subject: str
    what: str
    remedy: str = ""


#: What to do when the night would trip, by guard.
REMEDIES = {
    "overall-fraction": SHARE,
    "class-fraction": SHARE,
    "size": SHARE,
    "clock": "Set the machine's clock. If it is right, let the night trip, and two people reset it.",
    "trail": "An old copy was put back, or the witness folder was changed: bring the folder back, or restore the last"
    " backup with `retention restore FILE`. Do not reset.",
    "trigger": "Somebody changed the database: `retention check`, then restore the last backup. Do not reset.",
    "holds": "Restore the last backup: the journal brings holds back. Do not reset.",
    "journal": "Bring the witness folder back from a copy, or correct `witness`. If it is lost, place those holds again.",
    "backup": "`retention backup FILE`.",
    "store": "Correct `store_url`, or mount the right disk.",
}


def add_to(root: typer.Typer) -> None:
    """Hang the command into the tree."""
    root.command("doctor", epilog=EPILOG)(doctor)


def doctor() -> None:
    """Try out what the store stands on: tools, keys, object store, database, witness, guards, nights."""
    with store() as opened:
        findings = [finding for examine in EXAMINATIONS for finding in _safely(examine, opened)]
    rows = [
        (
            styled("ok", "green") if f.ok else styled("FAULT", "red"),
            f.subject,
            f"{f.what}. {f.remedy}".strip(". "),
        )
        for f in findings
    ]
    is_well = all(f.ok for f in findings)
    value = {"ok": is_well, "findings": [asdict(finding) for finding in findings]}
    show(value, table("", ["", "subject", "finding"], rows))
    if not is_well:
        raise IntegrityError(
            "the store stands on something that does not hold", hint="Correct what is marked FAULT."
        )


def _safely(examine: Callable[[App], Iterator[Finding]], app: App) -> Iterator[Finding]:
    try:
        yield from examine(app)
    except (RetentionError, OSError) as error:
        subject = examine.__name__.removeprefix("_").replace("_", " ")
        yield Finding(ok=False, subject=subject, what=str(error), remedy=getattr(error, "hint", ""))


def _tools(_: App) -> Iterator[Finding]:
    for name, version in tool_versions().items():
        yield Finding(ok=True, subject="tools", what=f"{name}: {version}")


def _keys(app: App) -> Iterator[Finding]:
    # Before the keys are used: what rewrites the keyring closes it, and then nobody would hear that it was open.
    for path in _key_files(app):
        mode = stat.S_IMODE(path.stat().st_mode)
        closed = not mode & 0o077
        yield Finding(
            ok=closed,
            subject="keys",
            what=f"{path} is readable by {'its owner only' if closed else f'others ({mode:o})'}",
            remedy="" if closed else f"`chmod 600 {path}`; whoever read it may read everything: rotate.",
        )
    key_id = app.keys.new_key()
    wrapped = app.keys.wrap(key_id, b"doctor", b"doctor")
    ok = app.keys.unwrap(key_id, wrapped, b"doctor") == b"doctor"
    app.keys.destroy([key_id])
    well = ok and key_id not in app.keys.key_ids()
    yield Finding(
        ok=well,
        subject="keys",
        what="a key was made, used and destroyed" if well else "a key could not be used or destroyed",
        remedy="" if well else "Dispose of nothing before `key_root` and `keyring` name what they should.",
    )
    yield from _keys_read(app)


def _keys_read(app: App) -> Iterator[Finding]:
    with app.database.read() as session:
        spoilt = unreadable_keys(session, app.keys)
    for key in spoilt:
        yield Finding(ok=False, subject="keys", what=key.what, remedy=UNREADABLE_REMEDY)
    if not spoilt:
        yield Finding(ok=True, subject="keys", what=f"{len(app.keys.key_ids())} keys, each can be read")


def _key_files(app: App) -> list[Path]:
    kind, _, rest = app.settings.key_root.partition(":")
    names = [app.settings.keyring, *([rest] if kind in {"file", "passphrase-file"} else [])]
    return [path for path in (app.home / name for name in names) if path.exists()]


def _object_store(app: App) -> Iterator[Finding]:
    remedy = "Correct the object store, or choose another one with `store_url`."
    for ok, what in prove_store(app.store, app.clock.now()):
        yield Finding(ok=ok, subject="object store", what=what, remedy="" if ok else remedy)


def _database(app: App) -> Iterator[Finding]:
    with app.database.read() as session:
        if app.database.is_sqlite:
            answer = session.execute(text("PRAGMA quick_check")).scalar_one()
            well = answer == "ok"
            remedy = "" if well else "Stop, keep the file, and `retention restore FILE`."
            yield Finding(ok=well, subject="database", what=f"SQLite quick_check: {answer}", remedy=remedy)
            mode = session.execute(text("PRAGMA journal_mode")).scalar_one()
            remedy = "" if mode == "wal" else "Put the catalogue on a local disk."
            yield Finding(ok=mode == "wal", subject="database", what=f"journal mode {mode}", remedy=remedy)
        else:
            version = session.execute(text("SHOW server_version")).scalar_one()
            synced = session.execute(text("SHOW synchronous_commit")).scalar_one()
            yield Finding(
                ok=synced != "off",
                subject="database",
                what=f"PostgreSQL {version}, synchronous_commit {synced}",
                remedy="" if synced != "off" else "Switch it on: a certificate must survive a power cut.",
            )


def _witness(app: App) -> Iterator[Finding]:
    entries = sum(1 for _ in app.journal.entries())
    yield Finding(ok=True, subject="witness", what=f"{entries} journal entries, each as it was written")
    folder = app.home / app.settings.witness
    apart = not _is_beside(app, folder)
    yield Finding(
        ok=True,
        subject="witness",
        what=f"{folder} is on {'another' if apart else 'the same'} disk as the catalogue"
        + ("" if apart else ": another one would survive more"),
    )
    with app.database.read() as session:
        for run_id in _lost_certificates(app, session):
            name = document_name(run_id)
            yield Finding(
                ok=False,
                subject="witness",
                what=f"{name} is not in {folder}: a restore would carry the run out again",
                remedy=f"`retention disposal certificate {run_id} --out {folder / name}`.",
            )


def _lost_certificates(app: App, session: Session) -> Iterator[str]:
    for run_id in session.execute(select(col(RunRow.id)).where(col(RunRow.certificate) != "")).scalars():
        try:
            app.journal.documents.kept(document_name(run_id))
        except NotFound:
            yield run_id


def _is_beside(app: App, folder: Path) -> bool:
    url = make_url(str(app.database.engine.url))
    if not app.database.is_sqlite or not url.database:
        return False
    return Path(url.database).stat().st_dev == folder.stat().st_dev


def _disk(app: App) -> Iterator[Finding]:
    free = shutil.disk_usage(app.home).free
    yield Finding(
        ok=free > FREE_BYTES,
        subject="disk",
        what=f"{size(free)} free; full disks stop the taking in, they never delete",
        remedy="" if free > FREE_BYTES else "Make room, or move the vault to a larger disk.",
    )


def _guards(app: App) -> Iterator[Finding]:
    """What would stand in the way of a night that began now."""
    now, on, tools = app.clock.now(), app.today(), app.disposal_tools()
    vouched = ask(app.witness)
    with app.database.read() as session:
        approved, effective = approved_cohorts(session), not_ahead_of(now, on)
        plan = make_plan(session, app.schedule(), on, effective=effective, approved=approved)
        seen = surroundings(session, plan, tools.limits, now, tools.journal, vouched, tools.store.store_id())
    stops = tripped(plan, tools.limits, seen)
    for guard, reason in stops.items():
        yield Finding(ok=False, subject=guard, what=f"a night would trip: {reason}", remedy=REMEDIES[guard])
    if not stops:
        yield Finding(ok=True, subject="guards", what=f"at {now:%Y-%m-%d %H:%M} UTC a night would run")


def _nights(app: App) -> Iterator[Finding]:
    night = missed(app)
    yield Finding(
        ok=night is None,
        subject="nights",
        what="no night was missed" if night is None else f"the night of {night} did not run",
        remedy=""
        if night is None
        else "Is `retention serve` running? `retention disposal run` makes up for it.",
    )
    with app.database.read() as session:
        incomplete = select(RunRow).where(col(RunRow.state) == RunState.INCOMPLETE)
        for run in session.execute(incomplete).scalars():
            what = f"the bytes of {run.failed} recordings of run {run.id} are not erased yet"
            yield Finding(ok=False, subject="nights", what=what, remedy="`retention disposal resume`.")
    late = overdue_reviews(app, app.today())
    yield Finding(
        ok=not late,
        subject="holds",
        what=f"{len(late)} past their review date: {', '.join(late)}"
        if late
        else "none is past its review date",
        remedy="Ask their owners; `retention hold lift` what is settled." if late else "",
    )


def _drills(app: App) -> Iterator[Finding]:
    """What the last drills of held recordings found."""
    with app.database.read() as session:
        broken = faults(session)
        held, never, oldest = rounds(session)
    for each in broken:
        what = f"recording {each.recording_id} under hold {each.hold_id} is {each.outcome}: {each.what}"
        yield Finding(ok=False, subject="hold drill", what=what, remedy=each.remedy)
    if not broken:
        since = f", the oldest drill is of {oldest:%Y-%m-%d}" if oldest else ""
        what = f"{held} held, {never} of them not drilled yet{since}" if held else "nothing is held"
        yield Finding(ok=True, subject="hold drill", what=what)


def _requests(app: App) -> Iterator[Finding]:
    """A fault three days before the last date, while there is still time to answer."""
    soon = app.today() + timedelta(days=3)
    with app.database.read() as session:
        rows = requests_at(session, set(Stage) - {Stage.DELIVERED, Stage.CLOSED})
    late = [f"{row.receipt} by {row.due_on}" for row in rows if row.due_on <= soon]
    yield Finding(
        ok=not late,
        subject="requests",
        what=f"to be answered: {', '.join(late)}"
        if late
        else f"{len(rows)} open, none close to its last date",
        remedy="`retention request show RECEIPT` says how far it is." if late else "",
    )


EXAMINATIONS = (
    _tools,
    _keys,
    _object_store,
    _database,
    _witness,
    _disk,
    _guards,
    _nights,
    _drills,
    _requests,
)
