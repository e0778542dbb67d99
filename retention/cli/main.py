"""The command tree and its edge: errors become messages and exit codes here, and nowhere else."""

import json
import sys
from collections.abc import Sequence

import click
import typer

from retention import __version__
from retention.cli import (
    audit,
    demo,
    disposal,
    do_not_record,
    doctor,
    hold,
    ingest,
    keys,
    policy,
    quarantine,
    recording,
    schedule,
    serve,
    source,
    store,
    trigger,
)
from retention.cli.shared import EPILOG, INVOCATION, err, take_global_options
from retention.kernel.errors import RetentionError

app = typer.Typer(
    name="retention",
    help="Keep recordings of people exactly as long as promised; let them go provably.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"retention {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    pass


for _noun in (store, source, ingest, recording, disposal, doctor, serve, demo):
    _noun.add_to(app)
for _name, _noun_with_verbs in (
    ("quarantine", quarantine),
    ("schedule", schedule),
    ("policy", policy),
    ("hold", hold),
    ("trigger", trigger),
    ("do-not-record", do_not_record),
    ("audit", audit),
    ("keys", keys),
):
    app.add_typer(_noun_with_verbs.app, name=_name, epilog=EPILOG)


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    try:
        return _run(take_global_options(arguments))
    except RetentionError as error:
        return _fail(error)


def _run(rest: list[str]) -> int:
    command = typer.main.get_command(app)
    try:
        result = command.main(args=rest, prog_name="retention", standalone_mode=False)
    except click.exceptions.Abort:
        err.print("Cancelled. What was finished stays finished; run the same command to go on.")
        return 130
    except click.ClickException as error:
        error.show(sys.stderr)
        return error.exit_code
    return result if isinstance(result, int) else 0


def _fail(error: RetentionError) -> int:
    if INVOCATION.json:
        found = {
            "error": error.code,
            "message": error.message,
            "hint": error.hint,
            "exit_code": error.exit_code,
        }
        sys.stderr.write(json.dumps(found, ensure_ascii=False) + "\n")
        return error.exit_code
    err.print(f"Error: {error.message}", style="bold red", markup=False)
    if error.hint:
        err.print(error.hint, markup=False)
    return error.exit_code
