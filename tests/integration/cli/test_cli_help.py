"""What `--help` says is part of the product: every text is kept in `help/`, one file a command.

After a change that is meant, write the files anew and read the difference:

    python -m tests.integration.cli.test_cli_help
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import typer

from retention.cli.main import app, run

TEXTS = Path(__file__).parent / "help"
WIDTH = "100"


def every_command() -> Iterator[tuple[str, ...]]:
    """The path of every command and noun, the program's own first."""
    yield ()
    root: Any = typer.main.get_command(app)
    for name in root.list_commands(None):
        yield (name,)
        for verb in getattr(root.get_command(None, name), "commands", {}):
            yield (name, verb)


def file_of(path: tuple[str, ...]) -> Path:
    return TEXTS / f"{'-'.join(['retention', *path])}.txt"


def help_of(path: tuple[str, ...]) -> str:
    printed = StringIO()
    with patch.dict(os.environ, {"COLUMNS": WIDTH, "TERM": "dumb"}), redirect_stdout(printed):
        assert run([*path, "--help"]) == 0
    return printed.getvalue()


COMMANDS = list(every_command())


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: " ".join(path) or "retention")
def test_the_help_is_as_it_was_agreed(path: tuple[str, ...]) -> None:
    assert help_of(path) == file_of(path).read_text(encoding="utf-8")


def test_no_text_is_left_of_a_command_that_is_gone() -> None:
    assert {file.name for file in TEXTS.iterdir()} == {file_of(path).name for path in COMMANDS}


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: " ".join(path) or "retention")
def test_every_help_says_what_the_command_does_and_names_the_options_of_all(path: tuple[str, ...]) -> None:
    text = help_of(path)
    what = text.splitlines()[2].strip()
    assert what.endswith((".", ":")) or text.splitlines()[3].strip(), what
    for option in ("--json", "--home", "--as"):
        assert option in text


def test_the_help_imports_no_command() -> None:
    """Importing all of them takes ten times as long as printing it."""
    code = (
        "import sys; from retention.__main__ import main; main(['--help']);"
        " sys.exit(len({'sqlalchemy', 'retention.bootstrap'} & set(sys.modules)))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=False).returncode == 0
    )


def write_all() -> None:
    """Write every text anew."""
    TEXTS.mkdir(exist_ok=True)
    for old in TEXTS.iterdir():
        old.unlink()
    for path in COMMANDS:
        file_of(path).write_text(help_of(path), encoding="utf-8")


if __name__ == "__main__":
    write_all()
