"""The command tree and its edge: errors become messages and exit codes here, and nowhere else."""

import gc
import json
import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from io import TextIOWrapper
from typing import Any

import typer
from typer.core import TyperGroup

from retention import __version__
from retention.cli.shared import EPILOG, INVOCATION, err, harmless, take_global_options
from retention.kernel.errors import RetentionError

CANCELLED = 130  #: the exit code after Ctrl-C
MISUSED = 2  #: the exit code after a line that no command understands
#: The parser's own error; it is exported under this name alone.
UsageError: Any = typer.BadParameter.__base__
#: Each command's module of this folder and its line in the help, in the order of help. A command imports its own
#: module alone, and the help imports none: importing all of them takes longer than most commands do.
COMMANDS = {
    "init": ("store", "Make a new store: keys, vault, catalogue, schedule."),
    "upgrade": ("store", "Bring the catalogue to this version's schema."),
    "settings": ("store", "Print every setting and where its value comes from."),
    "doctor": ("doctor", "Try out what the store stands on."),
    "check": ("custody", "Check that everything we say we hold is there and whole."),
    "reconcile": ("custody", "List bytes without a row, and rows without bytes or keys."),
    "backup": ("custody", "Write all the catalogue knows to one encrypted file."),
    "restore": ("custody", "Bring back a backup, with every hold and disposal since."),
    "ingest": ("ingest", "Take recordings in: inspect, seal, register."),
    "search": ("recording", "Find recordings by person, source and time."),
    "show": ("recording", "Show what the catalogue knows of a recording."),
    "explain": ("recording", "Say why a recording is kept, and until when."),
    "open": ("recording", "Open a recording for a purpose it carries."),
    "due": ("disposal", "List what is due on a date, past or to come."),
    "serve": ("serve", "Run the store by itself: the nightly disposal and the rest."),
    "demo": ("demo", "Tell the whole story on a new store."),
    "source": ("source", "Register recorders, lines, queues and cameras; list them."),
    "disposal": ("disposal", "The nightly disposal: plan, approve, run, certificate."),
    "quarantine": ("quarantine", "What could not be taken in: list, show, release, reject."),
    "schedule": ("schedule", "The retention schedule in force, and changing it."),
    "policy": ("policy", "Policies as text: check them, try their cases."),
    "hold": ("hold", "Suspend disposal: place, list and lift holds."),
    "request": ("request", "A person's request: from receipt to answer."),
    "disclosure": ("disclosure", "What was handed over to whoever asked: list, collect, serve links."),
    "provision": ("provision", "Give a recording to somebody else, on a basis, on record."),
    "notice": ("notice", "The public notice, from what is in force."),
    "trigger": ("trigger", "Tell that a case was closed or a contract ended."),
    "do-not-record": ("do_not_record", "Callers who are not to be recorded."),
    "audit": ("audit", "The audit trail: verify, export, sign."),
    "keys": ("keys", "The keys: list, rotate their root, keep a copy apart."),
    "redaction": ("redaction", "Destroy what may not be stored, in the original."),
    "models": ("models", "The detectors' weights: list, fetch, take."),
    "redact": ("redact", "Redact a copy of a file: faces in footage, words in calls."),
}


class _Commands(TyperGroup):
    """The commands, each imported when it is named."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Every command's name."""
        del ctx
        return list(COMMANDS)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands' section of the help."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name; None if there is none."""
        del ctx
        return _command(cmd_name) if cmd_name in COMMANDS else None


@cache
def _command(name: str) -> Any:
    """A command with all its verbs: to build them takes longer than most of them do."""
    module = import_module(f"retention.cli.{COMMANDS[name][0]}")
    if not gc.isenabled():
        # What a command needs lives as long as the process: no collection has to walk it again.
        gc.freeze()
        gc.enable()
    some = typer.Typer(rich_markup_mode=None)
    if hasattr(module, "add_to"):
        module.add_to(some)
    else:
        some.add_typer(module.app, name=name, epilog=EPILOG)
    # Nothing of a run stays in a command: its context does, and that ends with the run.
    return typer.main.get_group(some).commands[name]


app = typer.Typer(
    name="retention",
    cls=_Commands,
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


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # An answer that a poor terminal cannot show in full is better than none.
            stream.reconfigure(errors="backslashreplace")
    try:
        return _run(take_global_options(arguments))
    except RetentionError as error:
        return _fail(error)


def _run(rest: list[str]) -> int:
    command = typer.main.get_command(app)
    try:
        code = command.main(args=rest, prog_name="retention", standalone_mode=False)
    except UsageError as error:
        return _misused(error)
    except typer.Abort:
        err.print("Not agreed to: nothing was done.")
        return CANCELLED
    if code == CANCELLED:
        err.print("Cancelled. What was finished stays finished; run the same command to go on.")
    return code if isinstance(code, int) else 0


def _misused(error: Any) -> int:
    if INVOCATION.json:
        _tell_machine("usage", error.format_message(), "The command's --help says what it takes.", MISUSED)
    else:
        error.show()
    return MISUSED


def _tell_machine(code: str, message: str, hint: str, exit_code: int) -> None:
    found = {"error": code, "message": message, "hint": hint, "exit_code": exit_code}
    sys.stderr.write(json.dumps(found, ensure_ascii=False) + "\n")


def _fail(error: RetentionError) -> int:
    if INVOCATION.json:
        _tell_machine(error.code, error.message, error.hint, error.exit_code)
        return error.exit_code
    err.print(f"Error: {harmless(error.message)}", style="bold red", markup=False)
    if error.hint:
        err.print(harmless(error.hint), markup=False)
    return error.exit_code
