"""The commands: what they print for machines, their exit codes, and what they refuse."""

import json
import os
import pty
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from retention.cli.main import run
from retention.founding import create_store
from retention.kernel.clock import SystemClock
from retention.vault.model import object_name
from tests.builders.house import House
from tests.builders.policy import FILE, policy_text
from tests.fakes.hand_clock import HandClock


@pytest.fixture
def real(tmp_path: Path) -> Iterator[House]:
    """A store with real parts, in the present."""
    clock = HandClock(SystemClock().now())
    made = create_store(tmp_path / "store", policy_text(), FILE, "founder", clock=clock)
    made.database.close()
    house = House(tmp_path, keys=made.keys, store=made.store, clock=clock)
    house.add_source()
    house.take_in()
    house.app.database.close()
    yield house
    house.close()
    made.close()


class Line:
    """Runs commands on one store, as a person or a machine."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self._capsys = capsys

    def ask(self, *words: object, code: int = 0) -> Any:
        """The command's JSON; what it says on stderr when it fails."""
        found = run(["--json", "--as", "sato", "--home", str(self.home), *map(str, words)])
        out, err = self._capsys.readouterr()
        assert found == code, (out, err)
        return json.loads(out or err)

    def read(self, *words: object, code: int = 0) -> str:
        """What a person reads."""
        assert run(["--as", "sato", "--home", str(self.home), *map(str, words)]) == code
        return self._capsys.readouterr().out


@pytest.fixture
def line(real: House, capsys: pytest.CaptureFixture[str]) -> Line:
    return Line(real.app.home, capsys)


@pytest.mark.parametrize("level", ["presence", "size", "digest"])
def test_check_answers_ok(line: Line, level: str) -> None:
    found = line.ask("check", "--level", level)

    assert found["ok"] is True
    assert found["level"] == level
    assert found["recordings"] == 1
    assert found["findings"] == []


def test_check_ends_with_34_when_anything_is_found(line: Line, real: House) -> None:
    ((name, _, _), *_) = real.app.store.list_names()
    real.app.store.erase_many([name])

    found = line.ask("check", code=34)

    assert found["ok"] is False
    assert found["findings"][0].keys() == {"kind", "subject", "what", "remedy"}
    assert found["findings"][0]["kind"] == "missing-bytes"
    assert found["counts"] == {"missing-bytes": 1}
    assert name in line.read("check", code=34).replace("\n", "")


def test_check_repairs_what_is_named_first(line: Line, real: House) -> None:
    real.sql("UPDATE lot SET recordings = 9")
    line.ask("check", code=34)

    assert line.ask("check", "--repair", "counts")["ok"] is True


def test_reconcile_lists_and_erases_only_when_told(line: Line, real: House) -> None:
    assert line.ask("reconcile")["erased"] == 0
    name = object_name("01KJZZZZZZ0000000000000000", "original")
    real.app.store.put_new(name, [b"?"])
    os.utime(real.app.home / "vault" / "objects" / name, (0, 0))

    assert "Nothing was erased: --erase-orphans does it." in line.read("reconcile")
    assert line.ask("reconcile", "--erase-orphans")["erased"] == 1
    assert "agree" in line.read("reconcile")


def test_backup_and_restore(line: Line, real: House, tmp_path: Path) -> None:
    made = line.ask("backup", tmp_path / "b")
    assert made["recordings"] == 1
    assert made["path"] == str(tmp_path / "b")
    line.ask("backup", tmp_path / "b", code=11)
    line.ask("backup", tmp_path / "b", "--force")

    found = line.ask("restore", tmp_path / "b", "--yes")

    assert found["recordings"] == 1
    assert found["findings"] == []
    assert Path(found["aside"]).exists()
    assert line.ask("check", "--level", "digest")["ok"] is True
    assert real.verify().ok


def test_restore_says_what_it_would_do_and_changes_nothing(line: Line, tmp_path: Path) -> None:
    line.ask("backup", tmp_path / "b")
    before = (line.home / "catalogue.db").read_bytes()

    found = line.ask("restore", tmp_path / "b", "--preview")

    assert found["recordings"] == 1
    assert found["rows"]["recording"] == 1
    assert found["stored_since"] == 0
    assert "A backup of" in line.read("restore", tmp_path / "b", "--preview")
    assert (line.home / "catalogue.db").read_bytes() == before


def test_restore_asks_first(line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line.ask("backup", tmp_path / "b")
    before = (line.home / "catalogue.db").read_bytes()

    assert line.ask("restore", tmp_path / "b", code=11)["hint"].endswith("give --yes.")
    monkeypatch.setattr("typer.confirm", refuse)
    line.read("restore", tmp_path / "b", code=130)

    assert (line.home / "catalogue.db").read_bytes() == before


def refuse(*_: object, **__: object) -> None:
    raise typer.Abort


def test_restore_works_where_there_is_no_catalogue_and_keeps_the_settings_of_then(
    line: Line, tmp_path: Path
) -> None:
    settings = line.home / "settings.toml"
    settings.write_text('night_at = "03:00"\n', encoding="utf-8")
    line.ask("backup", tmp_path / "b")
    settings.unlink()
    (line.home / "catalogue.db").unlink()

    found = line.ask("restore", tmp_path / "b", "--yes")

    assert found["aside"] == ""
    assert Path(found["settings"]).read_text("utf-8") == 'night_at = "03:00"\n'
    assert not settings.exists()
    assert line.ask("check")["ok"] is True


def test_a_person_is_told_what_a_restore_did(line: Line, tmp_path: Path) -> None:
    line.ask("backup", tmp_path / "b")

    told = line.read("restore", tmp_path / "b", "--yes")

    assert "Restored: 1 recording as of" in told
    assert "kept in" in told


def test_keys_are_listed_rotated_copied_and_brought_back_on_a_new_machine(
    line: Line, real: House, tmp_path: Path
) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("correct horse battery staple\n", encoding="utf-8")
    assert line.ask("keys", "list")["cohorts"] == {"active": 1}
    assert line.ask("keys", "rotate") == {"rotated": 1}
    copied = line.ask(
        "keys", "escrow", tmp_path / "e", "--expires-in-days", 30, "--passphrase-file", passphrase
    )
    assert copied["keys"] == 1
    line.ask("backup", tmp_path / "b")
    there = tmp_path / "there"
    there.mkdir()
    for kept in ("vault", "witness"):
        shutil.copytree(real.app.home / kept, there / kept)
    line.home = there

    assert line.ask("keys", "restore", tmp_path / "e", "--passphrase-file", passphrase) == {
        "restored": 1,
        "stay_destroyed": 0,
    }
    assert line.ask("restore", tmp_path / "b", "--yes")["recordings"] == 1
    assert line.ask("check", "--level", "digest")["ok"] is True


def test_bringing_keys_back_into_a_store_that_has_a_catalogue_is_on_record(
    line: Line, real: House, tmp_path: Path
) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("correct horse\n", encoding="utf-8")
    line.ask("keys", "escrow", tmp_path / "e", "--expires-in-days", 1, "--passphrase-file", passphrase)

    line.ask("keys", "restore", tmp_path / "e", "--passphrase-file", passphrase)

    assert len(real.audit("vault:keys:restore")) == 1


def test_at_a_terminal_the_passphrase_is_asked_for_twice_and_never_shown(real: House, tmp_path: Path) -> None:
    copy = tmp_path / "escrow"
    words = ("keys", "escrow", str(copy), "--expires-in-days", "1")
    child, terminal = pty.fork()
    if not child:
        os.execv(
            sys.executable,
            [sys.executable, "-m", "retention", "--as", "sato", "--home", str(real.app.home), *words],
        )
    said = answers(terminal, b"Passphrase: ") + answers(terminal, b"confirmation: ")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    os.close(terminal)
    assert SECRET_WORDS not in said
    passphrase = tmp_path / "passphrase"
    passphrase.write_bytes(SECRET_WORDS)
    code = ("keys", "restore", str(copy), "--passphrase-file", str(passphrase))
    assert run(["--as", "sato", "--home", str(real.app.home), *code]) == 0


SECRET_WORDS = b"correct horse battery staple"


def answers(terminal: int, question: bytes) -> bytes:
    """Wait for a question, and type the passphrase."""
    said = b""
    while question not in said:
        said += os.read(terminal, 1000)
    os.write(terminal, SECRET_WORDS + b"\n")
    return said


def test_an_empty_passphrase_file_is_refused(line: Line, tmp_path: Path) -> None:
    (tmp_path / "passphrase").write_text("\n", encoding="utf-8")

    line.ask(
        "keys",
        "escrow",
        tmp_path / "e",
        "--expires-in-days",
        1,
        "--passphrase-file",
        tmp_path / "passphrase",
        code=11,
    )

    assert not (tmp_path / "e").exists()
