"""What a person is told when the work is not done with the command: who must act next, and how."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from retention.adapters.store_folder import FolderStore
from retention.founding import open_app
from tests.builders.calls import CALLER, write_call
from tests.integration.cli.conftest import Shell

SHIPPED = Path(__file__).parents[3] / "policies" / "defaults" / "japan.yaml"
LINE = ("--kind", "call", "--site", "tokyo", "--zone", "Asia/Tokyo", "--purpose", "service-quality")


def test_what_needs_a_second_person_is_said_in_the_plan_and_in_the_run(nowhere: Shell) -> None:
    head, name, rest = SHIPPED.read_text(encoding="utf-8").partition("\n  calls.service-quality:\n")
    policy = nowhere.folder / "policy.yaml"
    rest = rest.replace("approval: routine", "approval: each-run", 1)
    policy.write_text(head + name + rest, encoding="utf-8")
    assert nowhere("init", "--pack", str(policy)).code == 0
    assert nowhere("source", "add", "line", *LINE).code == 0
    write_call(nowhere.folder / "in" / "old.wav", 300)
    assert nowhere("ingest", str(nowhere.folder / "in"), "--source", "line").code == 0
    planned = nowhere("disposal", "plan")
    assert "Some of it needs a second person: `retention disposal approve DIGEST" in planned.out
    assert "1 wait for a second person's approval" in nowhere("disposal", "run").out
    digest = nowhere.json("disposal", "plan").value["digest"]
    assert nowhere("disposal", "approve", digest, who="suzuki").code == 0
    assert nowhere.json("disposal", "run").value["disposed"] == 1


def test_bytes_that_cannot_be_erased_are_said_to_be_left_and_how_to_go_on(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as failing:
        failing.setattr(FolderStore, "erase_many", lambda _, names: dict.fromkeys(names, "read-only"))
        told = shell("disposal", "run")
    assert "Some bytes could not be erased; nobody can read them." in told.out
    assert "`retention disposal resume` tries again." in told.out
    assert shell("disposal", "resume").code == 0
    assert shell.json("show", shell.ids()["overdue"]).value["state"] == "disposed"
    assert shell.json("check").value["ok"]


def test_a_restore_names_the_requests_that_it_lost_and_keeps_what_they_froze(shell: Shell) -> None:
    backup = str(shell.folder / "backup")
    assert shell("backup", backup).code == 0
    asked = ("erasure", "--name", "髙橋 花子", "--phone", CALLER)
    receipt = shell.json("request", "file", *asked).value["receipt"]
    told = shell("restore", backup, "--yes")
    assert told.code == 0, told.err
    words = " ".join(told.out.split())
    assert (
        f"Requests filed since are not in this backup: {receipt}. What they froze is held; file them again."
        in words
    )
    assert "The catalogue of before is kept in " in words
    assert shell.json("request", "list").value == []
    assert len(shell.json("show", shell.ids()["young"]).value["holds"]) == 1


def test_a_change_that_moves_recordings_says_how_many_before_and_after(shell: Shell) -> None:
    """A class of another name has the keys of the one it takes the place of."""
    text = (shell.home / "policy.yaml").read_text(encoding="utf-8")
    renamed = shell.folder / "renamed.yaml"
    renamed.write_text(text.replace("calls.service-quality:", "calls.quality:"), encoding="utf-8")
    digest = shell.json("schedule", "plan", str(renamed)).value["digest"]
    said = "3 recordings move to another class or trigger; 0 data keys are wrapped anew"
    assert said in shell("schedule", "plan", str(renamed)).out
    assert shell("schedule", "approve", digest, who="suzuki").code == 0
    with closing(sqlite3.connect(shell.home / "catalogue.db")) as database, database:
        database.execute("UPDATE schedule_plan SET cool_off_until = '2020-01-01 00:00:00.000000'")
    applied = shell("schedule", "apply", digest)
    assert "3 recordings moved; 0 data keys were wrapped anew." in applied.out, applied.err


def test_a_restore_says_which_runs_have_lost_their_certificates_before_it_begins(shell: Shell) -> None:
    backup = str(shell.folder / "backup")
    assert shell("backup", backup).code == 0
    run_id = shell.json("disposal", "run").value["run"]
    (certificate,) = (shell.home / "witness").glob(f"*{run_id}*")
    certificate.unlink()
    previewed = " ".join(shell("restore", backup, "--preview").out.split())
    assert f"The certificates of runs {run_id} are not in the journal's folder" in previewed
    assert shell.json("restore", backup, "--preview").value["certificates_missing"] == [run_id]
    told = shell("restore", backup, "--yes")
    assert "A disposal run is not finished: `retention disposal resume` finishes it." in told.out
    assert shell("disposal", "resume").code == 0
    assert shell.json("show", shell.ids()["overdue"]).value["state"] == "disposed"


def test_a_backup_of_a_past_that_was_abandoned_is_named_as_such(shell: Shell) -> None:
    first, second = str(shell.folder / "first-backup"), str(shell.folder / "second-backup")
    assert shell("backup", first).code == 0
    assert shell("search", "--phone", CALLER).code == 0
    assert shell("backup", second).code == 0
    assert shell("restore", first, "--yes").code == 0
    told = shell("restore", second, "--yes")
    assert "The witness knows other audit entries from" in " ".join(told.out.split()), told.err
    assert shell.json("audit", "verify").value["ok"]


def test_a_key_that_nobody_knows_is_reported_and_left(shell: Shell) -> None:
    app = open_app(shell.home)
    app.keys.new_key()
    app.close()
    assert "Keys without a row, which are only reported: 1." in shell("reconcile").out
