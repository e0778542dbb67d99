"""retention disposal certificate, and retention open: a file appears under its name whole, or not at all."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from retention.disposal import verifier
from tests.integration.cli.conftest import Shell

NO_ID = "01M830MZXAGYEW048JPZB8DVN5"


@pytest.fixture
def run(shell: Shell) -> dict[str, Any]:
    """A run that disposed of two calls."""
    found: dict[str, Any] = shell.json("disposal", "run").value
    assert found["disposed"] == 2
    return found


def test_a_certificate_comes_with_the_script_that_checks_it(
    shell: Shell, run: dict[str, Any], tmp_path: Path
) -> None:
    out = tmp_path / "certificate.jsonl"
    answer = shell.json("disposal", "certificate", run["run"], "--out", str(out), "--with-verifier")
    assert (answer.value["recordings"], answer.value["root"]) == (2, run["certificate"])
    assert verifier.main([str(out), "--key", answer.value["public_key"]]) == 0
    assert (tmp_path / "verify_certificate.py").read_text() == Path(verifier.__file__).read_text()
    kept = shell.home / "witness" / f"certificate-{run['run']}.jsonl"
    assert out.read_bytes() == kept.read_bytes()


def test_one_recording_has_a_proof(shell: Shell, run: dict[str, Any], tmp_path: Path) -> None:
    out, recording = tmp_path / "proof.json", shell.ids()["overdue"]
    line = ("disposal", "certificate", run["run"], "--out", str(out), "--recording")
    assert shell(*line, recording).code == 0
    assert verifier.main([str(out), "--recording", recording]) == 0


@pytest.mark.parametrize("recording", [NO_ID, "young"])
def test_what_did_not_go_has_no_proof_and_no_file(
    shell: Shell, run: dict[str, Any], tmp_path: Path, recording: str
) -> None:
    out = tmp_path / "proof.json"
    recording = shell.ids().get(recording, recording)
    line = ("disposal", "certificate", run["run"], "--out", str(out), "--recording", recording)
    assert shell(*line).code == 12
    assert list(tmp_path.glob("*proof*")) == []


def test_a_run_that_disposed_of_nothing_has_no_certificate(
    shell: Shell, run: dict[str, Any], tmp_path: Path
) -> None:
    empty = shell.json("disposal", "run").value
    assert (empty["run"] != run["run"], empty["disposed"]) == (True, 0)
    answer = shell("disposal", "certificate", empty["run"], "--out", str(tmp_path / "c"))
    assert (answer.code, list(tmp_path.glob("c"))) == (12, [])


def test_tombstones_that_were_changed_are_not_signed_anew(
    shell: Shell, run: dict[str, Any], tmp_path: Path
) -> None:
    with sqlite3.connect(shell.home / "catalogue.db") as database:
        database.execute("UPDATE tombstone SET leaf = replace(leaf, '\"expired\"', '\"by mistake\"')")
    database.close()
    answer = shell.json("disposal", "certificate", run["run"], "--out", str(tmp_path / "c"))
    assert (answer.code, answer.error["error"]) == (34, "catalogue-disagrees")
    assert "witness folder" in answer.error["hint"]
    assert not (tmp_path / "c").exists()


def test_a_place_that_cannot_be_written_is_named(shell: Shell, run: dict[str, Any], tmp_path: Path) -> None:
    nowhere = tmp_path / "no" / "such" / "folder" / "c"
    answer = shell("disposal", "certificate", run["run"], "--out", str(nowhere))
    assert answer.code == 11
    assert str(nowhere) in answer.err


def test_what_is_opened_is_for_its_owner_alone(shell: Shell, tmp_path: Path) -> None:
    out = tmp_path / "call.wav"
    line = ("open", shell.ids()["young"], "--purpose", "service-quality", "--out", str(out))
    assert shell(*line).code == 0
    assert out.read_bytes() == (shell.folder / "first" / "young.wav").read_bytes()
    assert out.stat().st_mode & 0o777 == 0o600


def test_an_opening_that_fails_leaves_what_was_there_before(shell: Shell, tmp_path: Path) -> None:
    young, out = shell.ids()["young"], tmp_path / "call.wav"
    out.write_bytes(b"before")
    (stored,) = (shell.home / "vault").rglob(f"{young}.original")
    content = bytearray(stored.read_bytes())
    content[len(content) // 2] ^= 1
    stored.write_bytes(content)
    assert shell("open", young, "--purpose", "service-quality", "--out", str(out)).code == 31
    assert out.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir() if "call" in path.name] == ["call.wav"]
