"""What a person is told when the work is not done with the command: who must act next, and how."""

import sqlite3
from contextlib import closing
from pathlib import Path

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


def test_bytes_that_cannot_be_erased_are_said_to_be_left_and_how_to_go_on(shell: Shell) -> None:
    call = shell.ids()["overdue"]
    (original,) = (path for path in (shell.home / "vault").rglob(f"{call}*original*") if path.is_file())
    original.unlink()
    (original / "something else").mkdir(parents=True)
    told = shell("disposal", "run")
    assert "Some bytes could not be erased; nobody can read them." in told.out
    assert "`retention disposal resume` tries again." in told.out
    (original / "something else").rmdir()
    original.rmdir()
    assert shell("disposal", "resume").code == 0
    assert shell.json("show", call).value["state"] == "disposed"


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
    text = (shell.home / "policy.yaml").read_text(encoding="utf-8")
    renamed = shell.folder / "renamed.yaml"
    renamed.write_text(text.replace("calls.service-quality:", "calls.quality:"), encoding="utf-8")
    planned = shell("schedule", "plan", str(renamed))
    assert planned.code == 0, planned.err
    assert "3 recordings move to another class or trigger; 3 data keys are wrapped anew" in planned.out
    digest = shell.json("schedule", "list").value[0]["digest"]
    assert shell("schedule", "approve", digest, who="suzuki").code == 0
    with closing(sqlite3.connect(shell.home / "catalogue.db")) as database, database:
        database.execute("UPDATE schedule_plan SET cool_off_until = '2020-01-01 00:00:00.000000'")
    applied = shell("schedule", "apply", digest)
    assert "3 recordings moved; 3 data keys were wrapped anew." in applied.out, applied.err
