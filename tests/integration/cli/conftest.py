"""A store with a few calls, made once; and a shell in which commands are given to a copy of it."""

import json
import shutil
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from retention.cli.main import run
from tests.builders.calls import CALLER, write_call


@dataclass(frozen=True)
class Answer:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        """What it printed with --json, a value a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def value(self) -> Any:
        """The one value that it printed with --json."""
        (found,) = self.lines
        return found

    @property
    def error(self) -> dict[str, Any]:
        """The error that it told a machine, on standard error."""
        found: dict[str, Any] = json.loads(self.err.splitlines()[-1])
        assert found["exit_code"] == self.code
        return found


@dataclass
class Shell:
    """Gives commands in this process, exactly as the program would."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "store"

    def __call__(self, *line: str, who: str | None = "sato") -> Answer:
        told, talked = StringIO(), StringIO()
        named = [] if who is None else ["--as", who]
        with redirect_stdout(told), redirect_stderr(talked):
            code = run(["--home", str(self.home), *named, *line])
        assert "Traceback" not in told.getvalue() + talked.getvalue()
        return Answer(code, told.getvalue(), talked.getvalue())

    def json(self, *line: str, who: str | None = "sato") -> Answer:
        """The same with --json."""
        return self(*line, "--json", who=who)

    def ids(self) -> dict[str, str]:
        """The template's calls: name → recording id."""
        found: dict[str, str] = json.loads((self.folder / "ids.json").read_text(encoding="utf-8"))
        return found


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Calls `overdue`, `young` and `other`, one item in quarantine, and material that was not taken in."""
    folder = tmp_path_factory.mktemp("cli")
    shell = Shell(folder)
    assert shell("init").code == 0
    line = ("--kind", "call", "--site", "tokyo", "--zone", "Asia/Tokyo", "--purpose", "service-quality")
    assert shell("source", "add", "line", *line, "--notice", "ivr-3").code == 0
    write_call(folder / "first" / "overdue.wav", 300, caller=CALLER)
    write_call(folder / "first" / "young.wav", 10, caller=CALLER)
    write_call(folder / "first" / "other.wav", 301)
    (folder / "first" / "cut.wav").write_bytes(b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00")
    write_call(folder / "second" / "new.wav", 1)
    outcomes = shell.json("ingest", str(folder / "first"), "--source", "line").lines
    ids = {Path(each["path"]).stem: each["id"] for each in outcomes}
    (folder / "ids.json").write_text(json.dumps(ids), encoding="utf-8")
    return folder


@pytest.fixture
def new_shell(template: Path, tmp_path: Path) -> Callable[[], Shell]:
    made: list[Shell] = []

    def new() -> Shell:
        folder = tmp_path / f"shell-{len(made)}"
        shutil.copytree(template, folder)
        made.append(Shell(folder))
        return made[-1]

    return new


@pytest.fixture
def shell(new_shell: Callable[[], Shell]) -> Shell:
    return new_shell()


@pytest.fixture
def nowhere(tmp_path: Path) -> Shell:
    """A shell where there is no store."""
    return Shell(tmp_path)
