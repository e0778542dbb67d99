"""What every command shares: the store it works on, who acts, how it prints.

stdout carries the answer (a table for people, JSON with --json), stderr the
talk. `--json`, `--home` and `--as` may stand anywhere on the line.
"""

import getpass
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING, Any, BinaryIO
from unicodedata import category, normalize
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from retention.kernel.errors import InvalidInput

if TYPE_CHECKING:
    from retention.bootstrap import App

#: Taken out of the line wherever they stand: name → whether a value follows.
GLOBAL_OPTIONS = {"--json": False, "--home": True, "--as": True}
EPILOG = "Every command also takes --json (machine-readable answer), --home DIR (which store) and --as NAME (who acts)."


@dataclass(slots=True)
class Invocation:
    """What was said about the whole invocation."""

    json: bool = False
    home: Path | None = None
    actor: str | None = None


INVOCATION = Invocation()
#: Without a terminal there is nothing to fold for: a line stays a line.
WIDE = None if sys.stdout.isatty() else 250
#: What a column keeps in a narrow terminal, in cells.
LEAST_WIDTH = 12
#: Without markup: a path or a reason may hold brackets, and is printed as it is.
out = Console(highlight=False, markup=False, width=WIDE)
err = Console(stderr=True, highlight=False, markup=False, width=None if sys.stderr.isatty() else 250)


def take_global_options(arguments: Sequence[str]) -> list[str]:
    """Set INVOCATION from the global options and return the rest of the line.

    Raises:
        InvalidInput: An option lacks its value.
    """
    INVOCATION.json, INVOCATION.home, INVOCATION.actor = False, None, os.environ.get("RETENTION_AS")
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        name, has_value, value = argument.partition("=")
        if argument == "--":
            return [*rest, argument, *waiting]
        if name not in GLOBAL_OPTIONS:
            rest.append(argument)
        elif name == "--json":
            INVOCATION.json = True
        else:
            _set(name, value if has_value else next(waiting, None))
    return rest


def _set(name: str, value: str | None) -> None:
    if value is None:
        raise InvalidInput(f"{name} needs a value")
    if name == "--home":
        INVOCATION.home = Path(value)
    else:
        INVOCATION.actor = value


def home_given() -> Path | None:
    """The store's folder, as --home or RETENTION_HOME name it."""
    named = os.environ.get("RETENTION_HOME")
    return INVOCATION.home or (Path(named) if named else None)


def home() -> Path:
    """The store's folder: --home, RETENTION_HOME, or ./retention-store."""
    return home_given() or Path("retention-store")


def actor() -> str:
    """Who acts: --as, RETENTION_AS, or the operating system's user; "" when nobody can be named.

    Raises:
        InvalidInput: The name holds what cannot be printed.
    """
    if INVOCATION.actor is not None:
        # One written form: no second person by typing one's own name in full-width letters.
        name = normalize("NFKC", INVOCATION.actor).strip()
        if not name.isprintable():
            raise InvalidInput("the name given with --as holds characters that cannot be printed")
        return name
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def named_actor() -> str:
    """Who acts.

    Raises:
        InvalidInput: Nobody can be named.
    """
    name = actor()
    if not name:
        raise InvalidInput("nobody is named who does this", hint="Say who you are with --as NAME.")
    return name


@contextmanager
def store() -> Iterator["App"]:
    """The store, open for one command."""
    from retention.founding import open_app  # noqa: PLC0415 - --version and a mistyped line stay quick

    app = open_app(home())
    try:
        yield app
    finally:
        app.close()


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file for its owner alone, under its name only when all of it was written.

    The temporary name cannot be guessed: in a folder that others may write to,
    nobody can have put a link or a file of their own there before.

    Raises:
        InvalidInput: It cannot be written there, or something else than a file has the name.
    """
    if not path.name or (path.exists() and not path.is_file()):
        # A rename would put a file in the place of a device for everybody on this machine.
        raise InvalidInput(
            f"{path} is not a file: only a file is written or replaced", hint="Name a file in a folder."
        )
    try:
        descriptor, name = mkstemp(prefix=f".{path.name[:40]}.", suffix=".part", dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "w+b") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}") from error


def is_json() -> bool:
    """Whether the answer is to be JSON."""
    return INVOCATION.json


def print_json(value: Any) -> None:
    """One JSON document on one line."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_plain) + "\n")
    sys.stdout.flush()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def instant(at: datetime) -> str:
    """An instant as JSON carries it: UTC, seconds, Z."""
    return (
        at.strftime("%Y-%m-%dT%H:%M:%S")
        + (f".{at.microsecond:06d}".rstrip("0") if at.microsecond else "")
        + "Z"
    )


def harmless(text: object) -> str:
    r"""`text` as a terminal may show it: a file name or a reason that a stranger wrote commands no terminal.

    Control characters, and what turns the direction of writing, are shown as
    `\x1b` or `\u202e`; line ends and tabulators stay.
    """
    return "".join(
        each
        if each in "\n\t" or category(each) not in {"Cc", "Cf", "Cs"}
        else each.encode("unicode_escape").decode("ascii")
        for each in str(text)
    )


def say(text: str) -> None:
    """Talk to the person, on stderr; silent with --json."""
    if not INVOCATION.json:
        err.print(harmless(text))


def show(value: Any, human: Any) -> None:
    """`value` as JSON, or `human` (text, a table, or several) for a person."""
    if INVOCATION.json:
        print_json(value)
        return
    for part in human if isinstance(human, list | tuple) else [human]:
        out.print(harmless(part) if isinstance(part, str) else part, crop=False)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A table; columns that start with '>' are aligned right."""
    found = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        right = column.startswith(">")
        found.add_column(
            column.lstrip(">"),
            justify="right" if right else "left",
            overflow="fold",
            no_wrap=column in {"id", "due"},
        )
    for row in rows:
        found.add_row(*[cell if isinstance(cell, Text) else Text(harmless(cell)) for cell in row])
    for made, heading in zip(found.columns, columns, strict=True):
        # Where the terminal is too narrow, the table is wider than it: no column disappears.
        widest = max((cell.cell_len for cell in made.cells if isinstance(cell, Text)), default=0)
        made.min_width = min(LEAST_WIDTH, max(widest, len(heading.lstrip(">"))))
    return found


def styled(text: object, style: str) -> Text:
    """`text`, for people, in a style."""
    return Text(harmless(text), style=style)


def size(size_bytes: int) -> str:
    """A size for people."""
    amount = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if amount < 1000 or unit == "TB":
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    raise AssertionError


def amount(number: int, noun: str) -> str:
    """A number of things: "1 recording", "2 recordings"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def local(at: datetime, zone: str) -> str:
    """An instant for people, in the site's own time."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}"


@contextmanager
def progress(description: str, total: int | None = None) -> Iterator[Any]:
    """A progress bar on stderr; yields a function that is told what is done, and of how much where that is known.

    Where it is, it shows the share and the time left; what begins anew with less done is measured anew.
    """
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        _TimeLeftColumn(),
    )
    with Progress(
        *columns, console=err, transient=True, disable=INVOCATION.json or not err.is_terminal
    ) as bar:
        task = bar.add_task(description, total=total)
        before = 0

        def tell(done: int, of: int | None = None) -> None:
            nonlocal before
            if done < before:
                bar.reset(task)
            before = done
            bar.update(task, completed=done, total=of)

        yield tell


class _TimeLeftColumn(TimeRemainingColumn):
    """The time left, with the word; nothing where it cannot be said."""

    def render(self, task: Task) -> Text:
        """See `ProgressColumn`."""
        left = super().render(task)
        is_known = task.total is not None and task.time_remaining is not None and not task.finished
        return Text.assemble(left, " left") if is_known else Text("")


def parse_date(text: str) -> date:
    """An ISO date.

    Raises:
        InvalidInput: It is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is no date", hint="Write it as 2026-03-20.") from None
