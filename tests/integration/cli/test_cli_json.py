"""What others build on: with --json every command answers with JSON on standard output, and nothing else."""

from pathlib import Path
from typing import Any

import pytest

from tests.builders.calls import CALLER
from tests.integration.cli.conftest import Shell

RECORDING = {
    "id", "kind", "source", "started_at", "ended_at", "state", "size_bytes", "sha256", "purposes", "holds",
    "restricted",
}  # fmt: skip
PURPOSE = {"purpose", "class", "cohort", "trigger_on", "due_on", "state"}
COHORT = {"cohort", "class", "trigger_on", "due_on", "recordings", "bytes", "held"}
IN_A_MONTH = "2100-01-01"


def has(value: dict[str, Any], *names: str) -> bool:
    return set(names) <= set(value)


def test_ingest_tells_one_object_a_file(shell: Shell) -> None:
    outcomes = shell.json(
        "ingest", str(shell.folder / "first"), str(shell.folder / "second"), "--source", "line"
    ).lines
    assert all(has(each, "path", "id", "status", "reason") for each in outcomes)
    assert {Path(each["path"]).name: each["status"] for each in outcomes} == {
        "cut.wav": "quarantined", "overdue.wav": "duplicate", "other.wav": "duplicate", "young.wav": "duplicate",
        "new.wav": "sealed",
    }  # fmt: skip


def test_show_tells_everything_that_is_known_of_a_recording(shell: Shell) -> None:
    found = shell.json("show", shell.ids()["young"]).value
    assert has(found, *RECORDING)
    assert has(found["purposes"][0], *PURPOSE)
    assert (found["kind"], found["state"], found["restricted"]) == ("call", "sealed", False)


def test_search_tells_one_object_a_recording(shell: Shell) -> None:
    found = shell.json("search", "--phone", CALLER).lines
    assert {each["id"] for each in found} == {shell.ids()["overdue"], shell.ids()["young"]}
    assert all(has(each, *RECORDING) for each in found)
    assert shell.json("search", "--phone", "03-5550-0100").lines == []


def test_due_and_the_plan_tell_the_same_cohorts(shell: Shell) -> None:
    due = shell.json("due").value
    assert has(due, "on", "recordings", "bytes", "cohorts")
    assert due["recordings"] == 2
    assert all(has(each, *COHORT) for each in due["cohorts"])
    plan = shell.json("disposal", "plan").value
    assert has(plan, "digest", "on", "recordings", "held", "needs_approval", "cohorts")
    assert plan["cohorts"] == due["cohorts"]


def test_a_run_tells_what_it_did_and_names_its_certificate(shell: Shell, tmp_path: Path) -> None:
    run = shell.json("disposal", "run").value
    assert has(run, "run", "on", "disposed", "held", "failed", "certificate")
    assert (run["disposed"], run["held"], run["failed"]) == (2, 0, 0)
    told = shell.json("disposal", "certificate", run["run"], "--out", str(tmp_path / "c.jsonl")).value
    assert told["root"] == run["certificate"]
    again = shell.json("disposal", "run").value
    assert (again["disposed"], again["certificate"]) == (0, None)


def test_audit_verify_tells_whether_the_trail_holds(shell: Shell) -> None:
    assert has(shell.json("audit", "verify").value, "ok", "entries", "first_bad")


def test_check_tells_what_it_looked_at_and_found(shell: Shell) -> None:
    found = shell.json("check", "--level", "digest")
    assert found.code == 0
    assert has(found.value, "ok", "level", "recordings", "findings")
    assert (found.value["ok"], found.value["recordings"], found.value["findings"]) == (True, 3, [])


HOLD = ("hold", "place", "--kind", "legal", "--reason", "r", "--review-on", IN_A_MONTH)
EVERYTHING = [
    ("settings",), ("doctor",), ("check",), ("reconcile",), ("search",), ("due", "--why"), ("source", "list"),
    ("source", "show", "line"), ("disposal", "plan"), ("disposal", "list"), ("disposal", "resume"), ("disposal", "run"),
    ("quarantine", "list"), ("schedule", "show"), ("hold", "list"), ("hold", "list", "--all"), ("do-not-record", "list"),
    ("do-not-record", "add", "--phone", "03-5550-0111"), ("audit", "verify"), ("audit", "sign"), ("audit", "key"),
    ("keys", "list"), ("keys", "rotate"), ("upgrade",), (*HOLD, "--phone", CALLER), ("explain", "young"),
    ("show", "young"), ("quarantine", "show", "cut"), ("quarantine", "reject", "cut"), ("source", "add", "line",
    "--kind", "call", "--site", "osaka", "--purpose", "service-quality"), ("backup", "FILE"),
    ("open", "young", "--purpose", "service-quality", "--out", "FILE"),
]  # fmt: skip


@pytest.mark.parametrize("line", EVERYTHING, ids=lambda line: " ".join(line[:2]))
def test_every_command_answers_a_machine_in_json(shell: Shell, line: tuple[str, ...]) -> None:
    named = shell.ids() | {"FILE": str(shell.folder / "file")}
    answer = shell.json(*(named.get(word, word) for word in line))
    assert answer.code == 0, answer.err
    assert answer.lines is not None
    assert answer.out.endswith("\n") or answer.out == ""


@pytest.mark.parametrize("line", [("due",), ("search",), ("hold", "list"), ("quarantine", "list")])
def test_the_same_commands_talk_to_people_otherwise(shell: Shell, line: tuple[str, ...]) -> None:
    assert not shell(*line).out.startswith(("{", "["))


def test_a_long_answer_is_not_folded_where_there_is_no_terminal(shell: Shell) -> None:
    place = "x" * 60
    long = shell.folder / place / place
    long.mkdir(parents=True)
    broken = long / f"{place}.wav"
    broken.write_bytes(b"no sound")
    answer = shell("ingest", str(broken), "--source", "line")
    assert any(str(broken) in line for line in answer.out.splitlines())
