"""retention doctor: try out what the store stands on, and say what does not hold."""

import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import typer
from sqlalchemy import make_url, text

from retention.bootstrap import App, prove_store, tool_versions
from retention.cli.shared import EPILOG, show, size, store, styled, table
from retention.disposal.start import last_activity
from retention.kernel.errors import IntegrityError, RetentionError
from retention.workers.bell import missed, overdue_reviews

#: Below this, taking in stops soon.
FREE_BYTES = 5_000_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """What was tried, and whether it holds."""

    ok: bool
    subject: str
    what: str


def add_to(root: typer.Typer) -> None:
    """Hang the command into the tree."""
    root.command("doctor", epilog=EPILOG)(doctor)


def doctor() -> None:
    """Try out what the store stands on: tools, keys, object store, database, witness, clock, nights."""
    with store() as opened:
        findings = [finding for examine in EXAMINATIONS for finding in _safely(examine, opened)]
    rows = [(styled("ok", "green") if f.ok else styled("FAULT", "red"), f.subject, f.what) for f in findings]
    is_well = all(f.ok for f in findings)
    value = {
        "ok": is_well,
        "findings": [{"ok": f.ok, "subject": f.subject, "what": f.what} for f in findings],
    }
    show(value, table("", ["", "subject", "finding"], rows))
    if not is_well:
        raise IntegrityError(
            "the store stands on something that does not hold", hint="Correct what is marked FAULT."
        )


def _safely(examine: Callable[[App], Iterator[Finding]], app: App) -> Iterator[Finding]:
    try:
        yield from examine(app)
    except (RetentionError, OSError) as error:
        yield Finding(ok=False, subject=examine.__name__.removeprefix("_"), what=str(error))


def _tools(_: App) -> Iterator[Finding]:
    for name, version in tool_versions().items():
        yield Finding(ok=True, subject="tools", what=f"{name}: {version}")


def _keys(app: App) -> Iterator[Finding]:
    key_id = app.keys.new_key()
    wrapped = app.keys.wrap(key_id, b"doctor", b"doctor")
    ok = app.keys.unwrap(key_id, wrapped, b"doctor") == b"doctor"
    app.keys.destroy([key_id])
    gone = key_id not in app.keys.key_ids()
    yield Finding(
        ok=ok and gone,
        subject="keys",
        what="a key was made, used and destroyed" if ok and gone else "a key could not be used or destroyed",
    )
    for path in _key_files(app):
        mode = stat.S_IMODE(path.stat().st_mode)
        closed = not mode & 0o077
        yield Finding(
            ok=closed,
            subject="keys",
            what=f"{path} is readable by {'its owner only' if closed else f'others ({mode:o}): chmod 600 it'}",
        )


def _key_files(app: App) -> list[Path]:
    kind, _, rest = app.settings.key_root.partition(":")
    names = [app.settings.keyring, *([rest] if kind in {"file", "passphrase-file"} else [])]
    return [path for path in (app.home / name for name in names) if path.exists()]


def _object_store(app: App) -> Iterator[Finding]:
    for ok, what in prove_store(app):
        yield Finding(ok=ok, subject="object store", what=what)


def _database(app: App) -> Iterator[Finding]:
    with app.database.read() as session:
        if app.database.is_sqlite:
            answer = session.execute(text("PRAGMA quick_check")).scalar_one()
            yield Finding(ok=answer == "ok", subject="database", what=f"SQLite quick_check: {answer}")
            mode = session.execute(text("PRAGMA journal_mode")).scalar_one()
            yield Finding(ok=mode == "wal", subject="database", what=f"journal mode {mode}")
        else:
            version = session.execute(text("SHOW server_version")).scalar_one()
            synced = session.execute(text("SHOW synchronous_commit")).scalar_one()
            yield Finding(
                ok=synced != "off",
                subject="database",
                what=f"PostgreSQL {version}, synchronous_commit {synced}",
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
    )


def _clock(app: App) -> Iterator[Finding]:
    now = app.clock.now()
    with app.database.read() as session:
        last = last_activity(session)
    ok = last is None or now > last - timedelta(minutes=5)
    yield Finding(
        ok=ok,
        subject="clock",
        what=f"{now:%Y-%m-%d %H:%M:%S} UTC"
        + ("" if ok else f", but something was done at {last:%Y-%m-%d %H:%M:%S}"),
    )


def _nights(app: App) -> Iterator[Finding]:
    night = missed(app)
    yield Finding(
        ok=night is None,
        subject="nights",
        what="no night was missed"
        if night is None
        else f"the night of {night} did not run: is `retention serve` running?",
    )
    late = overdue_reviews(app, app.today())
    yield Finding(
        ok=not late,
        subject="holds",
        what=f"{len(late)} holds are past their review date: {', '.join(late)}"
        if late
        else "no hold is past its review date",
    )


EXAMINATIONS = (_tools, _keys, _object_store, _database, _witness, _disk, _clock, _nights)
