"""retention keys: what there is, a new root, a copy to keep apart, that copy brought back."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.bootstrap import App
from retention.cli.shared import EPILOG, home, instant, named_actor, say, show, store, table
from retention.custody.keys import bring_back, report_keys, rotate_root, write_escrow
from retention.custody.repair import spent_keys
from retention.founding import has_catalogue
from retention.kernel.errors import InvalidInput
from retention.wiring import keys_in_escrow

app = typer.Typer(
    help="The keys: list, rotate their root, keep a copy apart, bring it back.", no_args_is_help=True
)

PassphraseFile = Annotated[
    Path | None, typer.Option(help="A file whose first line is the passphrase; asked for otherwise.")
]


@app.command("list", epilog=EPILOG)
def list_() -> None:
    """Count the keys by what they are for, and name those that no row knows."""
    with store() as opened, opened.database.read() as session:
        found = report_keys(session, opened.keys)
    value = {
        "keys": found.keys,
        "cohorts": dict(found.cohorts),
        "holds": dict(found.holds),
        "quarantine": found.quarantine,
        "without_row": list(found.without_row),
    }
    rows = [
        *((f"cohorts, {state}", count) for state, count in sorted(found.cohorts.items())),
        *((f"holds, {state}", count) for state, count in sorted(found.holds.items())),
        ("quarantined items", found.quarantine),
        ("without a row", len(found.without_row)),
    ]
    show(value, table("Keys", ["for", ">keys"], rows))


@app.command(epilog=EPILOG)
def rotate() -> None:
    """Protect all keys by a new root. No recording is touched; older copies of the keyring no longer open."""
    who = named_actor()
    with store() as opened:
        rotate_root(opened.custody_tools(), who)
        count = len(opened.keys.key_ids())
    show({"rotated": count}, f"{count} keys are protected by a new root.")
    say("Escrows keep their own passphrases; make a new one now.")


@app.command(epilog=EPILOG)
def escrow(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The file to make; keep it apart from backups.")
    ],
    expires_in_days: Annotated[
        int,
        typer.Option(help="After so many days the copy ends; certificates state that date.", min=1, max=366),
    ],
    passphrase_file: PassphraseFile = None,
) -> None:
    """Write a copy of all keys, encrypted under a passphrase. Without one, losing the keyring loses everything."""
    who = named_actor()
    with store() as opened:
        passphrase = _passphrase(passphrase_file, confirm=True)
        expires_at = opened.clock.now() + timedelta(days=expires_in_days)
        count = write_escrow(
            opened.custody_tools(), file, who, expires_at, lambda: opened.export_keys(passphrase, expires_at)
        )
    show(
        {"path": str(file), "keys": count, "expires_at": instant(expires_at)},
        f"{file}: {count} keys, until {instant(expires_at)}. Destroy it then; it is refused from that date on.",
    )


@app.command("restore", epilog=EPILOG)
def restore_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An escrow of this store's keys.")],
    passphrase_file: PassphraseFile = None,
) -> None:
    """Bring the keys of an escrow back. Keys that were destroyed since it was made stay dead."""
    who = named_actor()
    try:
        copy = file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}") from error
    key_ids = keys_in_escrow(copy)
    opened = App(home(), is_new=True)
    try:
        passphrase = _passphrase(passphrase_file, confirm=False)
        new = bring_back(
            key_ids,
            lambda living: opened.import_keys(copy, passphrase, living),
            lambda: opened.journal,
            _spent(opened),
        )
        _put_on_record(opened, who, file, len(new))
    finally:
        opened.close()
    left = len(key_ids) - len(key_ids & opened.keys.key_ids())
    show(
        {"restored": len(new), "stay_destroyed": left},
        f"{len(new)} keys are back; {left} of the escrow were destroyed since and stay dead.",
    )


def _spent(opened: App) -> frozenset[str]:
    if not has_catalogue(opened):
        return frozenset()
    with opened.database.read() as session:
        return spent_keys(session)


def _put_on_record(opened: App, who: str, file: Path, count: int) -> None:
    if not has_catalogue(opened):
        say("There is no catalogue yet: bring it back with `retention restore FILE`.")
        return
    with opened.database.write() as session:
        record(session, opened.clock.now(), Act(Tag.KEYS_RESTORED, who, file.name, detail={"keys": count}))


def _passphrase(file: Path | None, *, confirm: bool) -> str:
    if file is None and not sys.stdin.isatty():
        raise InvalidInput(
            "there is no terminal to ask for the passphrase", hint="Name a file with --passphrase-file."
        )
    if file is None:
        return str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True))
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} cannot be read: {error}") from error
    if not lines or not lines[0].strip():
        raise InvalidInput(f"{file} holds no passphrase", hint="Its first line is the passphrase.")
    return lines[0]
