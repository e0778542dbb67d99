"""What a person is told besides the answer, where there is more to say than usual."""

import json
import os
import sqlite3
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest

from retention import __version__, founding
from retention.cli.main import run
from retention.kernel.errors import DatabaseBusy
from tests.builders.calls import CALLER, write_call
from tests.integration.cli.conftest import Shell

LINE = ("--kind", "call", "--site", "tokyo", "--zone", "Asia/Tokyo", "--purpose", "service-quality")


def changed(shell: Shell, *statements: str) -> None:
    """Change the catalogue behind the service's back."""
    with closing(sqlite3.connect(shell.home / "catalogue.db")) as database, database:
        for statement in statements:
            database.execute(statement)


def test_the_version_is_told_without_a_store(nowhere: Shell) -> None:
    assert nowhere("--version").out == f"retention {__version__}\n"


def test_a_global_option_without_its_value_is_refused(nowhere: Shell) -> None:
    answer = nowhere("settings", "--home")
    assert answer.code == 11
    assert "--home needs a value" in answer.err


def test_a_store_of_another_version_is_upgraded_before_it_is_used(shell: Shell) -> None:
    changed(shell, "UPDATE alembic_version SET version_num = '0000'")
    told = shell("due")
    assert told.code == 11
    assert "has another version's schema" in told.err
    assert "Run `retention upgrade`." in told.err
    assert "there is a store" in shell("init").err
    assert shell("due").code == 11


def test_a_store_that_was_never_finished_says_how_it_is(
    nowhere: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as failing:
        failing.setattr(founding, "start_trail", fail)
        assert nowhere("init").code != 0
    told = nowhere("due")
    assert "was never finished" in told.err
    assert "Run `retention init` again." in told.err
    assert nowhere("init").code == 0
    assert nowhere("due").code == 0


def fail(*_: object) -> None:
    raise DatabaseBusy("somebody else writes")


def test_a_store_whose_first_entry_nobody_witnessed_is_finished_by_making_it_again(nowhere: Shell) -> None:
    assert nowhere("init").code == 0
    heads = [nowhere.home / "witness" / name for name in ("head", "heads")]
    for path in heads:
        path.unlink()
    assert nowhere("init").code == 0
    assert all(path.exists() for path in heads)
    assert "there is a store" in nowhere("init").err


@pytest.mark.usefixtures("nobody_s_name")
def test_a_process_without_a_user_s_name_says_who_asks(shell: Shell) -> None:
    told = shell("hold", "lift", shell.ids()["young"], "--reason", "r", who=None)
    assert told.code != 0
    assert "--as" in told.err


@pytest.fixture
def nobody_s_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container's user: a number that no list of users has."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "RETENTION_AS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 424_242)


def test_a_hold_says_what_it_came_too_late_for(shell: Shell) -> None:
    call = shell.ids()["overdue"]
    changed(shell, f"UPDATE recording SET state = 'disposing' WHERE id = '{call}'")
    why = ("--kind", "legal", "--reason", "a dispute", "--review-on", "2100-01-01")
    told = shell("hold", "place", *why, "--phone", CALLER)
    assert f"Too late for 1, whose disposal had begun before: {call}" in " ".join(told.out.split())


def test_where_nobody_said_by_which_law_requests_are_answered_none_is_filed(shell: Shell) -> None:
    changed(shell, "DELETE FROM rulebook_version")
    told = shell("request", "file", "erasure", "--name", "髙橋 花子", "--phone", CALLER)
    assert told.code == 12
    assert "this store has no rulebook" in told.err
    assert "`retention request rules FILE` puts one in force" in " ".join(told.err.split())


def test_purposes_that_come_and_go_are_named_in_the_preview(shell: Shell) -> None:
    text = (shell.home / "policy.yaml").read_text(encoding="utf-8")
    path = shell.folder / "renamed.yaml"
    path.write_text(text.replace("dispute", "quarrel"), encoding="utf-8")
    told = shell("schedule", "plan", str(path))
    assert told.code == 0, told.err
    assert "Purposes added: quarrel." in told.out
    assert "Purposes removed: dispute." in told.out


def test_a_hold_is_shown_with_what_it_keeps_and_opens_what_it_keeps(shell: Shell) -> None:
    call, out = shell.ids()["young"], shell.folder / "out.wav"
    why = ("--kind", "legal", "--reason", "a dispute", "--review-on", "2100-01-01")
    hold = shell.json("hold", "place", *why, "--recording", call).value["id"]
    assert shell.json("hold", "show", hold).value["recordings"] == 1
    assert "reason: a dispute" in shell("hold", "show", hold).out
    assert shell("open", call, "--hold", hold, "--out", str(out)).code == 0
    assert out.read_bytes() == (shell.folder / "first" / "young.wav").read_bytes()


def test_why_a_disposed_recording_is_gone_is_explained_by_its_tombstone(shell: Shell) -> None:
    run_id = shell.json("disposal", "run").value["run"]
    explained = shell.json("explain", shell.ids()["overdue"]).value
    assert (explained["outcome"], explained["due_on"]) == ("disposed", None)
    assert explained["tombstone"]["run"] == run_id
    assert f"it was disposed of in run {run_id}" in shell("explain", shell.ids()["overdue"]).out


def test_a_person_who_is_on_the_list_is_taken_off_it(shell: Shell) -> None:
    assert shell("do-not-record", "add", "--phone", CALLER).code == 0
    assert shell("do-not-record", "remove", "--phone", CALLER).code == 0
    assert shell("do-not-record", "remove", "--phone", CALLER).code == 12


def test_a_source_without_a_notice_says_that_people_must_be_told(shell: Shell) -> None:
    assert shell("source", "add", "bare", *LINE).code == 0
    assert "No sign or announcement is noted" in shell("source", "show", "bare").err
    assert "announcement" not in shell("source", "show", "line").err


def test_a_class_that_the_schedule_does_not_know_is_kept_and_named(shell: Shell) -> None:
    changed(shell, "UPDATE cohort SET class_name = 'forgotten'")
    told = shell("due", "--why")
    assert told.code == 0
    assert "forgotten" in told.out


def test_an_event_starts_the_count_of_what_waits_for_it(shell: Shell) -> None:
    policy = (shell.home / "policy.yaml").read_text(encoding="utf-8")
    assert "case-closed" in policy
    purpose = shell.json("source", "add", "desk", *LINE[:-1], "dispute").value
    assert purpose["purposes"] == ["dispute"]
    path = shell.folder / "third" / "case.wav"
    write_call(path, 5)
    sidecar = path.with_name("case.wav.json")
    said = json.loads(sidecar.read_text(encoding="utf-8")) | {"reference": "case-7"}
    sidecar.write_text(json.dumps(said), encoding="utf-8")
    assert shell("ingest", str(path), "--source", "desk").code == 0
    found = shell.json("trigger", "record", "case-closed", "--reference", "case-7")
    assert found.code == 0, found.err
    assert found.value["recordings"] == 1


def test_a_stop_of_provision_is_taken_away_by_its_name(shell: Shell) -> None:
    changed(
        shell,
        "INSERT INTO provision_block (id, recording_id, blind, reason, placed_at, placed_by)"
        f" VALUES ('B1', '{shell.ids()['young']}', NULL, 'request 1', '2026-03-02 10:00:00.000000', 'sato')",
    )
    assert "Taken away: B1" in shell("provision", "unblock", "B1", "--reason", "she agreed").out
    assert shell.json("provision", "blocks").value == []


def test_what_does_not_fit_is_listed_with_what_to_do(shell: Shell) -> None:
    alien = shell.home / "vault" / "objects" / "alien"
    alien.write_bytes(b"x")
    os.utime(alien, (0, 0))
    told = shell("reconcile").out
    assert "objects/alien" in told
    assert "--erase-aliens does it" in told
    assert "1 objects were erased" in shell("reconcile", "--erase-aliens").out
    assert "Catalogue and vault agree" in shell("reconcile").out


def test_many_items_are_rejected_only_by_who_says_so(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    (shell.folder / "second" / "cut.wav").write_bytes(b"RIFF\x25\x00\x00\x00WAVEfmt \x10\x00")
    assert shell("ingest", str(shell.folder / "second"), "--source", "line").code in (0, 21, 22)
    items = [each["id"] for each in shell.json("quarantine", "list").value]
    assert len(items) == 2
    monkeypatch.setattr("sys.stdin", StringIO("n\n"))
    asked = shell("quarantine", "reject", *items)
    assert asked.code != 0
    assert "Dispose of 2 items for good?" in asked.err
    assert len(shell.json("quarantine", "list").value) == 2
    assert shell("quarantine", "reject", *items, "--yes").code == 0
    assert shell.json("quarantine", "list").value == []


def test_a_passphrase_is_asked_for_on_a_terminal_alone(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    line = ("keys", "escrow", str(shell.folder / "escrow"), "--expires-in-days", "1")
    with Path(os.devnull).open(encoding="utf-8") as nobody, monkeypatch.context() as patching:
        patching.setattr("sys.stdin", nobody)
        refused = shell(*line)
    assert refused.code == 11
    assert "no terminal" in refused.err


def test_a_recording_is_opened_into_a_pipe(shell: Shell, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    line = ("open", shell.ids()["young"], "--purpose", "service-quality", "--out", "-")
    assert run(["--home", str(shell.home), "--as", "sato", *line]) == 0
    assert capfdbinary.readouterr().out == (shell.folder / "first" / "young.wav").read_bytes()


def test_what_a_schedule_change_waits_for_is_said(shell: Shell) -> None:
    text = (shell.home / "policy.yaml").read_text(encoding="utf-8")
    path = shell.folder / "shorter.yaml"
    path.write_text(
        text.replace("calls.service-quality: P6M", "calls.service-quality: P3M").replace(
            "  calls.service-quality:\n    purpose: service-quality\n    keep: P6M",
            "  calls.service-quality:\n    purpose: service-quality\n    keep: P3M",
        ),
        encoding="utf-8",
    )
    digest = shell.json("schedule", "plan", str(path)).value["digest"]
    assert "a second person's approval" in shell("schedule", "list").out
    assert shell("schedule", "approve", digest, who="suzuki").code == 0
    assert "the cool-off, until" in shell("schedule", "list").out
    changed(shell, "UPDATE schedule_plan SET cool_off_until = '2020-01-01 00:00:00.000000'")
    assert "`retention schedule apply`" in shell("schedule", "list").out
    changed(shell, "UPDATE schedule_plan SET state = 'moving'")
    assert "to finish it" in shell("schedule", "list").out
    changed(shell, "UPDATE schedule_plan SET state = 'planned', base_version = 9")
    assert "make it again" in shell("schedule", "list").out


# --- what waits in quarantine


def test_an_item_is_taken_in_after_all_with_what_was_wrong_corrected(shell: Shell) -> None:
    path = shell.folder / "fourth" / "call.wav"
    write_call(path, 2, caller="nobody knows")
    shell("ingest", str(path), "--source", "line")
    item = shell.json("quarantine", "list").value[-1]["id"]
    again = shell("quarantine", "release", item)
    assert again.code == 11
    assert "still cannot be taken in" in again.err
    taken = shell.json("quarantine", "release", item, "--phone", CALLER, "--purpose", "dispute")
    assert taken.code == 0, taken.err
    found = shell.json("show", taken.value["recording"]).value
    assert {each["purpose"] for each in found["purposes"]} == {"service-quality", "dispute"}
    assert taken.value["recording"] in {each["id"] for each in shell.json("search", "--phone", CALLER).lines}
    assert shell("quarantine", "release", item).code != 0


@pytest.mark.parametrize("way", ["--drop-manifest", "--manifest"])
def test_an_item_is_taken_in_with_another_manifest_or_none(shell: Shell, way: str) -> None:
    path = shell.folder / "fourth" / "call.wav"
    write_call(path, 2, caller="nobody knows")
    shell("ingest", str(path), "--source", "line")
    item = shell.json("quarantine", "list").value[-1]["id"]
    write_call(shell.folder / "fifth" / "right.wav", 2, native_id="call")
    given = [way] if way == "--drop-manifest" else [way, str(shell.folder / "fifth" / "right.wav.json")]
    taken = shell.json("quarantine", "release", item, *given, "--started-at", "2026-03-02T10:00")
    assert taken.code == 0, taken.err
    assert shell.json("show", taken.value["recording"]).value["started_at"].startswith("2026-03-02T01:00")
