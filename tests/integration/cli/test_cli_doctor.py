"""retention doctor: a healthy store is told so; each fault is named with its remedy, and the exit code says it."""

import shutil
import sqlite3
from datetime import timedelta
from typing import Any

import pytest

from retention.cli import doctor
from retention.disposal.model import tripped
from retention.kernel.clock import SystemClock
from tests.builders.calls import CALLER, write_call
from tests.integration.cli.conftest import Answer, Shell

EXIT_CODE = 30


@pytest.fixture
def shell(shell: Shell) -> Shell:
    """A store whose nights have run, on a disk with room."""
    settle(shell)
    assert shell("disposal", "run").code == 0
    return shell


def settle(shell: Shell) -> None:
    """Quarter of an hour old, and a night every midnight: no night was missed."""
    with sqlite3.connect(shell.home / "catalogue.db") as database:
        database.execute("UPDATE store SET created_at = ?", (f"{SystemClock().now():%Y-%m-%d %H:%M:%S.%f}",))
    database.close()


def sql(shell: Shell, *statements: str) -> None:
    with sqlite3.connect(shell.home / "catalogue.db") as database:
        for statement in statements:
            database.execute(statement)
    database.close()


def faults(answer: Answer) -> list[dict[str, Any]]:
    """What is marked as a fault; each has a remedy, and the exit code is that of a fault."""
    found = [finding for finding in answer.value["findings"] if not finding["ok"]]
    assert (answer.code, answer.error["error"]) == (EXIT_CODE, "integrity-error")
    assert answer.value["ok"] is False
    assert found
    assert all(finding["remedy"] for finding in found), found
    return found


def fault(shell: Shell, subject: str) -> dict[str, Any]:
    """The one fault there is."""
    (found,) = faults(shell.json("doctor"))
    assert found["subject"] == subject, found
    return found


def test_a_healthy_store_is_told_so_and_what_was_tried(shell: Shell) -> None:
    answer = shell.json("doctor")
    assert (answer.code, answer.value["ok"]) == (0, True), answer.err
    subjects = {finding["subject"] for finding in answer.value["findings"]}
    assert subjects == {
        "tools", "keys", "object store", "database", "witness", "disk", "guards", "nights", "holds", "hold drill", "requests"
    }  # fmt: skip
    spoken = shell("doctor")
    assert spoken.code == 0
    assert "FAULT" not in spoken.out


def test_trying_leaves_nothing_behind(shell: Shell) -> None:
    def left() -> tuple[set[str], bytes]:
        stored = {path.name for path in (shell.home / "vault").rglob("*") if path.is_file()}
        return stored, (shell.home / "witness" / "head").read_bytes()

    before = left()
    shell("doctor")
    assert left() == before


def test_a_person_reads_fault_and_remedy_in_one_line(shell: Shell) -> None:
    (shell.home / "keys" / "keyring").chmod(0o644)
    answer = shell("doctor")
    assert answer.code == EXIT_CODE
    (line,) = [line for line in answer.out.splitlines() if line.startswith("FAULT")]
    assert "readable by others (644)" in line
    assert "chmod 600" in line
    assert "Correct what is marked FAULT" in answer.err


def test_keys_that_others_can_read(shell: Shell) -> None:
    """A root that others can read is not used: nothing that needs a key works until somebody has looked."""
    (shell.home / "keys" / "root.key").chmod(0o640)
    found = faults(shell.json("doctor"))
    assert "root.key is readable by others (640)" in found[0]["what"]
    assert "chmod 600" in found[0]["remedy"]
    assert {each["subject"] for each in found[1:]} == {"keys", "witness", "guards"}


def test_a_key_that_was_changed_in_the_keyring(shell: Shell) -> None:
    """Nothing else says so: the keyring opens, and every other key serves."""
    path = shell.home / "keys" / "keyring"
    lines = path.read_bytes().splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if line.startswith(b"key "))
    flipped = b"A" if lines[at][-9:-8] != b"A" else b"B"
    lines[at] = lines[at][:-9] + flipped + lines[at][-8:]
    path.write_bytes(b"".join(lines))
    found = fault(shell, "keys")
    assert "of quarantined item " in found["what"]
    assert "retention keys restore" in found["remedy"]


def test_a_keyring_that_is_not_there(shell: Shell) -> None:
    (shell.home / "keys" / "keyring").unlink()
    subjects = {found["subject"] for found in faults(shell.json("doctor"))}
    assert "keys" in subjects


def test_a_vault_that_is_not_mounted(shell: Shell) -> None:
    (shell.home / "vault").rename(shell.home / "unmounted")
    subjects = {found["subject"] for found in faults(shell.json("doctor"))}
    assert subjects == {"object store", "guards"}


def test_another_stores_vault(shell: Shell, tmp_path: Any) -> None:
    other = Shell(tmp_path / "other")
    assert other("init").code == 0
    shutil.rmtree(shell.home / "vault")
    (other.home / "vault").rename(shell.home / "vault")
    found = fault(shell, "store")
    assert "belongs to object store" in found["what"]
    assert "store_url" in found["remedy"]


def test_a_database_that_is_damaged(shell: Shell) -> None:
    path = shell.home / "catalogue.db"
    sql(shell, "PRAGMA wal_checkpoint(TRUNCATE)", "CREATE TABLE spare (a)", "DROP TABLE spare")
    sql(shell, "PRAGMA writable_schema = ON", "DELETE FROM sqlite_master WHERE name = 'recording_by_time'")
    assert path.exists()
    found = fault(shell, "database")
    assert "quick_check" in found["what"]
    assert "restore" in found["remedy"]


def test_a_journal_that_was_changed(shell: Shell) -> None:
    path = shell.home / "witness" / "journal"
    path.write_bytes(path.read_bytes().replace(b"tokyo", b"kyoto", 1))
    found = faults(shell.json("doctor"))
    assert {each["subject"] for each in found} == {"witness", "guards"}
    assert "line 1 of the journal" in found[0]["what"]


def test_an_old_copy_of_the_catalogue_that_was_put_back(shell: Shell) -> None:
    file = shell.home / "catalogue.db"
    old = file.read_bytes()
    assert shell("audit", "export", "--out", str(shell.home.parent / "trail")).code == 0
    file.write_bytes(old)
    found = fault(shell, "trail")
    assert "an old copy" in found["what"]
    assert "retention restore" in found["remedy"]


def test_a_witness_folder_that_is_not_there(shell: Shell) -> None:
    folder = shell.home / "witness"
    folder.rename(shell.home / "elsewhere")
    assert {each["subject"] for each in faults(shell.json("doctor"))} == {"witness", "guards"}
    assert not folder.exists(), "an empty one would hide that it is gone"
    for command in ("check", "audit verify"):
        answer = shell(*command.split())
        assert answer.code != 0
        assert "is not there" in answer.err


def test_a_journal_that_is_lost(shell: Shell) -> None:
    (shell.home / "witness" / "journal").unlink()
    found = fault(shell, "journal")
    assert "has 0" in found["what"]
    assert "witness folder" in found["remedy"]


def test_a_certificate_that_is_lost_and_how_it_is_made_again(shell: Shell) -> None:
    (path,) = (shell.home / "witness").glob("certificate-*.jsonl")
    before = path.read_bytes()
    path.unlink()
    found = fault(shell, "witness")
    assert path.name in found["what"]
    _, *line = found["remedy"].strip("`.").split()
    assert shell(*line).code == 0
    assert path.read_bytes() == before
    assert shell("doctor").code == 0


def test_a_disk_that_is_nearly_full(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "FREE_BYTES", 10**18)
    assert "Make room" in fault(shell, "disk")["remedy"]


def test_a_clock_behind_what_is_on_record(shell: Shell) -> None:
    ahead = SystemClock().now() + timedelta(hours=1)
    sql(
        shell,
        "DROP TRIGGER audit_entry_no_update",
        f"UPDATE audit_entry SET at = '{ahead:%Y-%m-%d %H:%M:%S.%f}' WHERE seq = (SELECT max(seq) FROM audit_entry)",
    )
    found = fault(shell, "clock")
    assert "something was done at" in found["what"]
    assert "Set the machine's clock" in found["remedy"]


def test_a_night_that_did_not_run(shell: Shell) -> None:
    sql(shell, "UPDATE store SET created_at = '2020-01-01 00:00:00.000000'", "DELETE FROM disposal_run")
    found = faults(shell.json("doctor"))
    (night,) = [each for each in found if each["subject"] == "nights"]
    assert "did not run" in night["what"]
    assert "retention serve" in night["remedy"]


def test_bytes_that_are_not_erased_yet(shell: Shell) -> None:
    sql(shell, "UPDATE disposal_run SET state = 'incomplete', failed = 3")
    found = [each for each in faults(shell.json("doctor")) if "not erased yet" in each["what"]]
    assert "3 recordings" in found[0]["what"]
    assert "resume" in found[0]["remedy"]


def place(shell: Shell) -> str:
    line = (
        "hold",
        "place",
        "--kind",
        "legal",
        "--reason",
        "r",
        "--review-on",
        "2100-01-01",
        "--phone",
        CALLER,
    )
    found: str = shell.json(*line).value["id"]
    return found


def test_a_hold_past_its_review(shell: Shell) -> None:
    hold = place(shell)
    sql(shell, "UPDATE hold SET review_on = '2026-01-01'")
    found = fault(shell, "holds")
    assert hold in found["what"]


def test_a_request_that_must_be_answered_soon(shell: Shell) -> None:
    filed = shell.json("request", "file", "complaint", "--name", "somebody").value
    assert shell.json("doctor").code == 0
    sql(shell, "UPDATE request SET due_on = '2020-01-01'")
    found = fault(shell, "requests")
    assert found["what"] == f"to be answered: {filed['receipt']} by 2020-01-01"


def test_a_hold_that_the_catalogue_has_lost(shell: Shell) -> None:
    hold = place(shell)
    sql(shell, "DELETE FROM hold")
    found = fault(shell, "holds")
    assert hold in found["what"]
    assert "Restore the last backup" in found["remedy"]


def test_a_night_that_would_be_too_large(shell: Shell) -> None:
    (shell.home / "settings.toml").write_text("guard_from_recordings = 1\n", encoding="utf-8")
    write_call(shell.folder / "third" / "late.wav", 302)
    write_call(shell.folder / "third" / "later.wav", 303)
    assert shell("ingest", str(shell.folder / "third"), "--source", "line").code == 0
    found = faults(shell.json("doctor"))
    assert {each["subject"] for each in found} == {"class-fraction", "overall-fraction"}
    assert "retention due --why" in found[0]["remedy"]


def test_every_guard_has_a_remedy() -> None:
    import inspect  # noqa: PLC0415 - the guards' names stand in the function's own text

    text = inspect.getsource(tripped)
    assert all(f'"{guard}":' in text for guard in doctor.REMEDIES)
    assert text.count('": ') == len(doctor.REMEDIES)
