"""How a command says no: a message for people, JSON for machines, and an exit code that says whose fault it is."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.cli.main import COMMANDS
from tests.integration.cli.conftest import Shell

NO_ID = "01M830MZXAGYEW048JPZB8DVN5"


def audit_tags(shell: Shell) -> list[str]:
    with sqlite3.connect(shell.home / "catalogue.db") as database:
        found = [row[0] for row in database.execute("SELECT tag FROM audit_entry ORDER BY seq")]
    database.close()
    return found


# --- whose fault it is


@pytest.mark.parametrize(
    ("code", "line", "told"),
    [
        (11, ("due", "--on", "2026-13-01"), "2026-13-01"),
        (11, ("due", "--on", "yesterday"), "yesterday"),
        (11, ("search", "--phone", "call me"), "call me"),
        (11, ("search", "--from", "noon"), "noon"),
        (11, ("source", "add", "x", "--kind", "call", "--site", "s", "--purpose", "marketing"), "marketing"),
        (11, ("source", "add", "x", "--kind", "call", "--site", "s", "--zone", "Mars/X", "--purpose", "dispute"), "Mars/X"),
        (11, ("disposal", "run", "--on", "2999-01-01"), "2999-01-01"),
        (11, ("init",), "already"),
        (11, ("hold", "place", "--kind", "legal", "--reason", "r", "--review-on", "2000-01-01", "--recording", "young"), "2000-01-01"),
        (11, ("open", "young", "--out", "x"), "reason"),
        (11, ("trigger", "record", "case-closed", "--on", "2999-01-01"), "2999-01-01"),
        (11, ("search", "--phone", "withheld"), "identifies nobody"),
        (11, ("do-not-record", "add"), "name the person"),
        (11, ("source", "add", "x", "--kind", "call", "--site", "s", "--purpose", "dispute", "--raw-format", "tape"), "tape"),
        (11, ("ingest", ".", "--source", "line", "--watch", "--started-at", "2026-03-02T10:00"), "--watch takes neither"),
        (11, ("keys", "escrow", "x", "--expires-in-days", "1", "--passphrase-file", "/no/such/file"), "/no/such/file"),
        (11, ("keys", "restore", "/no/such/file"), "/no/such/file"),
        (11, ("audit", "export", "--out", "/no/such/folder/file"), "/no/such/folder/file"),
        (12, ("do-not-record", "remove", "--phone", "+81355500177"), "not on the do-not-record list"),
        (12, ("hold", "show", NO_ID), NO_ID),
        (12, ("open", "young", "--hold", NO_ID, "--out", "x"), NO_ID),
        (12, ("quarantine", "release", NO_ID), NO_ID),
        (12, ("ingest", "/no/such/folder", "--source", "line"), "/no/such/folder"),
        (12, ("show", NO_ID), NO_ID),
        (12, ("explain", NO_ID), NO_ID),
        (12, ("open", NO_ID, "--purpose", "dispute", "--out", "x"), NO_ID),
        (12, ("source", "show", "line-9"), "line-9"),
        (12, ("hold", "lift", NO_ID, "--reason", "r"), NO_ID),
        (12, ("hold", "place", "--kind", "legal", "--reason", "r", "--review-on", "2100-01-01", "--recording", NO_ID), NO_ID),
        (12, ("quarantine", "show", NO_ID), NO_ID),
        (12, ("disposal", "reset", NO_ID), NO_ID),
        (12, ("disposal", "approve", "abc"), "abc"),
        (12, ("disposal", "certificate", NO_ID, "--out", "x"), NO_ID),
        (12, ("trigger", "record", "case-closed", "--reference", "case-9"), "case-9"),
        (13, ("open", "young", "--purpose", "marketing", "--out", "x"), "marketing"),
        (13, ("open", "overdue", "--purpose", "service-quality", "--out", "x"), "expired"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else None,
)  # fmt: skip
def test_an_error_names_what_it_is_about_and_its_code_says_whose_fault_it_is(
    shell: Shell, code: int, line: tuple[str, ...], told: str
) -> None:
    words = [shell.ids().get(word, word) for word in line]
    answer = shell(*words)
    assert (answer.code, answer.out) == (code, "")
    assert told in answer.err
    machine = shell.json(*words)
    assert (machine.code, machine.out) == (code, "")
    assert told in machine.error["message"] + machine.error["hint"]


def test_lifting_twice_is_not_possible(shell: Shell) -> None:
    placed = shell.json(
        "hold", "place", "--kind", "legal", "--reason", "r", "--review-on", "2100-01-01", "--recording", shell.ids()["overdue"]
    ).value  # fmt: skip
    lift = ("hold", "lift", placed["id"], "--reason", "settled")
    assert shell(*lift).code == 0
    assert shell.json(*lift).error["error"] == "illegal-transition"
    assert shell(*lift).code == 14


def test_a_tripped_run_disposes_of_nothing_until_two_people_agree(shell: Shell) -> None:
    (shell.home / "settings.toml").write_text("guard_from_recordings = 1\n", encoding="utf-8")
    tripped = shell.json("disposal", "run")
    assert (tripped.code, tripped.error["error"]) == (17, "guard-tripped")
    assert (tripped.value["disposed"], tripped.value["state"]) == (0, "tripped")
    run = tripped.value["run"]
    assert shell("disposal", "reset", run, who="sato").code == 0
    assert shell("disposal", "reset", run, who="sato").code == 13
    assert shell("disposal", "run").code == 17
    assert shell("disposal", "reset", run, who="tanaka").code == 0
    assert shell.json("disposal", "run").value["disposed"] == 2


def test_who_made_a_plan_cannot_approve_it(shell: Shell) -> None:
    digest = shell.json("disposal", "plan", who="sato").value["digest"]
    assert shell("disposal", "approve", digest, who="sato").code == 13
    assert shell("disposal", "approve", digest, who="tanaka").code == 0
    assert shell("disposal", "approve", digest, who="ito").code == 14


def test_a_missing_vault_is_a_reason_to_try_again_later(shell: Shell) -> None:
    (shell.home / "vault").rename(shell.home / "unmounted")
    answer = shell.json("ingest", str(shell.folder / "second"), "--source", "line")
    assert (answer.code, answer.error["error"]) == (21, "store-unavailable")
    (shell.home / "unmounted").rename(shell.home / "vault")
    assert shell.json("ingest", str(shell.folder / "second"), "--source", "line").value["status"] == "sealed"


def test_changed_bytes_are_never_released(shell: Shell, tmp_path: Path) -> None:
    young = shell.ids()["young"]
    (stored,) = (shell.home / "vault").rglob(f"{young}.original")
    content = bytearray(stored.read_bytes())
    content[-1] ^= 1
    stored.write_bytes(content)
    answer = shell.json("open", young, "--purpose", "service-quality", "--out", str(tmp_path / "out"))
    assert (answer.code, answer.error["error"]) == (31, "fixity-mismatch")
    assert not (tmp_path / "out").exists()


def test_a_changed_trail_is_found_and_named(shell: Shell) -> None:
    with sqlite3.connect(shell.home / "catalogue.db") as database:
        database.execute("DROP TRIGGER audit_entry_no_update")
        database.execute("UPDATE audit_entry SET actor = 'nobody' WHERE seq = 3")
    database.close()
    answer = shell.json("audit", "verify")
    assert (answer.code, answer.error["error"]) == (33, "audit-chain-broken")
    assert (answer.value["ok"], answer.value["first_bad"]) == (False, 3)


# --- nobody is named


@pytest.mark.parametrize(
    "line",
    [
        ("ingest", "FOLDER", "--source", "line"), ("disposal", "run"), ("disposal", "plan"), ("audit", "export", "--out", "-"),
        ("hold", "place", "--kind", "legal", "--reason", "r", "--review-on", "2100-01-01", "--recording", "young"),
        ("source", "add", "x", "--kind", "call", "--site", "s", "--purpose", "dispute"), ("quarantine", "reject", "cut"),
    ],
    ids=lambda line: " ".join(line[:2]),
)  # fmt: skip
@pytest.mark.parametrize("who", ["", "  "])
def test_what_changes_something_needs_a_name(shell: Shell, line: tuple[str, ...], who: str) -> None:
    words = [(shell.ids() | {"FOLDER": str(shell.folder / "second")}).get(word, word) for word in line]
    before = audit_tags(shell)
    assert shell(*words, who=who).code == 11
    assert audit_tags(shell) == before


def test_nobody_opens_anything_and_the_attempt_is_on_record(shell: Shell, tmp_path: Path) -> None:
    answer = shell(
        "open", shell.ids()["young"], "--purpose", "service-quality", "--out", str(tmp_path / "x"), who=""
    )
    assert answer.code == 13
    assert audit_tags(shell)[-1] == "vault:recording:refuse"


# --- the line itself


def test_global_options_stand_anywhere(shell: Shell) -> None:
    spoken = ["show", shell.ids()["young"]]
    for at in range(3):
        line = [*spoken[:at], "--json", "--as=tanaka", *spoken[at:]]
        assert shell(*line).value["id"] == shell.ids()["young"]


def test_what_follows_two_dashes_is_no_option(shell: Shell) -> None:
    answer = shell("show", "--", "--json")
    assert (answer.code, answer.out) == (12, "")
    assert "'--json'" in answer.err


@pytest.mark.parametrize(
    "line",
    [
        ("nonsense",),
        ("ingest",),
        ("due", "--bogus"),
        ("hold", "place", "--kind", "x"),
        ("disposal", "nonsense"),
    ],
)
def test_a_line_that_no_command_understands_is_misuse(shell: Shell, line: tuple[str, ...]) -> None:
    assert shell(*line).code == 2
    assert shell.json(*line).error["error"] == "usage"


def test_without_a_store_a_command_says_how_to_make_one(nowhere: Shell) -> None:
    answer = nowhere("due")
    assert answer.code == 12
    assert "retention init" in answer.err


WORDS = st.one_of(
    st.sampled_from(
        [*COMMANDS, "list", "show", "add", "place", "plan", "run", "--json", "--why", "--on", "2026-02-30", "--phone", "+81",
         "--recording", "young", "--source", "line", "--from", "--to", "--limit", "-1", "--", "--help", "--level", "digest", "-"]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
)  # fmt: skip
#: They never end by themselves, or look for a terminal.
ENDLESS = {"serve", "demo", "doctor", "--watch", "--install-completion"}


@settings(max_examples=150)
@given(line=st.lists(WORDS, max_size=7))
def test_no_line_makes_it_crash(template: Path, line: list[str]) -> None:
    if ENDLESS & set(line):
        return
    answer = Shell(template)(*[word for word in line if word not in {"init", "--home", "--as"}], "--as", "")
    assert answer.code in {0, 2, 11, 12, 13, 14, 16, 23, 32}


# --- the real process


def process(*line: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "retention", *line],
        capture_output=True, text=True, check=False, env={**os.environ, **environment},
    )  # fmt: skip


def test_the_environment_names_the_store_and_the_person(shell: Shell) -> None:
    done = process("due", "--json", RETENTION_HOME=str(shell.home), RETENTION_AS="sato")
    assert done.returncode == 0
    assert json.loads(done.stdout)["recordings"] == 2


def test_the_shell_completes_nouns_and_verbs() -> None:
    def complete(*words: str) -> list[str]:
        done = process(
            _RETENTION_COMPLETE="complete_bash",
            COMP_WORDS=" ".join(["retention", *words]),
            COMP_CWORD=str(len(words)),
        )
        return done.stdout.split()

    assert complete("disp") == ["disposal"]
    assert complete("disposal", "re") == ["resume", "reset"]
    assert "--review-on" in complete("hold", "place", "--re")


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_every_shell(name: str) -> None:
    done = process("--show-completion", name)
    assert done.returncode == 0
    assert "_RETENTION_COMPLETE" in done.stdout


# --- where an answer is written, and how it is shown


def test_no_file_takes_the_place_of_a_pipe_or_a_device(shell: Shell, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    refused = shell("open", shell.ids()["young"], "--purpose", "service-quality", "--out", str(pipe))
    assert refused.code == 11
    assert pipe.is_fifo()


@pytest.mark.parametrize("place", ["/", "."])
def test_a_folder_is_no_place_for_an_answer(shell: Shell, place: str) -> None:
    refused = shell("open", shell.ids()["young"], "--purpose", "service-quality", "--out", place)
    assert refused.code == 11


def test_a_link_that_lies_in_wait_under_a_temporary_name_catches_nothing(
    shell: Shell, tmp_path: Path
) -> None:
    caught = tmp_path / "caught"
    (tmp_path / ".call.wav.part").symlink_to(caught)
    out = tmp_path / "call.wav"
    opened = shell("open", shell.ids()["young"], "--purpose", "service-quality", "--out", str(out))
    assert opened.code == 0
    assert out.stat().st_mode & 0o777 == 0o600
    assert not caught.exists()


@pytest.mark.parametrize(
    ("name", "shown"),
    [("\x1b[2Jclear.wav", r"\x1b[2Jclear.wav"), ("two\nlines.wav", r"two\nlines.wav"), ("\u202egpj.wav", r"\u202egpj.wav")],
)  # fmt: skip
def test_a_files_name_commands_no_terminal(shell: Shell, tmp_path: Path, name: str, shown: str) -> None:
    (tmp_path / name).write_bytes(b"RIFF")
    told = shell("ingest", str(tmp_path / name), "--source", "line").out
    assert shown in told
    assert name not in told


def test_what_waits_in_quarantine_commands_no_terminal(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "\x1b]0;x\x07.wav").write_bytes(b"RIFF")
    shell("ingest", str(tmp_path), "--source", "line")
    assert "\x1b" not in shell("quarantine", "list").out


def test_a_terminal_without_japanese_still_gets_an_answer(shell: Shell) -> None:
    line = ("--kind", "call", "--site", "東京", "--purpose", "service-quality")
    assert shell("source", "add", "受付", *line).code == 0
    listed = subprocess.run(
        [sys.executable, "-m", "retention", "--home", str(shell.home), "source", "list"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert r"\u53d7\u4ed8" in listed.stdout


def test_a_name_that_cannot_be_printed_is_nobodys(shell: Shell) -> None:
    placed = shell(
        "hold", "place", "--recording", shell.ids()["young"], "--kind", "legal", "--reason", "r",
        "--review-on", "2100-01-01", who="sato\nroot",
    )  # fmt: skip
    assert placed.code == 11


def test_a_database_out_of_reach_is_told_without_a_traceback(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETENTION_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    assert shell("due").code == 23


def test_a_catalogue_that_is_no_database_is_told_with_what_to_do(shell: Shell) -> None:
    (shell.home / "catalogue.db").write_bytes(b"x" * 8192)
    for rest in shell.home.glob("catalogue.db-*"):
        rest.unlink()
    told = shell.json("due")
    assert told.code == 30
    assert "restore" in told.error["hint"]


def test_a_camera_hangs_in_a_way_that_is_known(shell: Shell) -> None:
    line = ("--kind", "footage", "--site", "s", "--purpose", "crime-prevention", "--mount", "sideways")
    refused = shell("source", "add", "lobby", *line)
    assert refused.code == 11
    assert "ceiling" in refused.err


def test_an_emptied_catalogue_is_not_taken_for_an_older_version(shell: Shell) -> None:
    for file in shell.home.glob("catalogue.db*"):
        file.unlink()
    (shell.home / "catalogue.db").touch()
    told = shell.json("due")
    assert told.code == 34
    assert "restore" in told.error["hint"]


def test_a_number_that_slipped_into_another_column_is_not_kept_in_the_clear(
    shell: Shell, tmp_path: Path
) -> None:
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "a.wav").write_bytes((shell.folder / "second" / "new.wav").read_bytes())
    rows = "file,started_at\na.wav,090-1234-5678\n"
    (tmp_path / "drop" / "manifest.csv").write_text(rows, encoding="utf-8")
    told = shell.json("ingest", str(tmp_path / "drop"), "--source", "line").value
    assert told["status"] == "quarantined"
    assert not any(b"090-1234-5678" in file.read_bytes() for file in shell.home.glob("catalogue.db*"))


def test_the_demo_says_what_it_lacks_where_its_pictures_were_left_out(tmp_path: Path) -> None:
    """As in a container: the package cannot be found."""
    program = (
        "import sys; sys.modules['skimage'] = None; from retention.__main__ import main; sys.exit(main())"
    )
    line = ["--home", str(tmp_path / "demo"), "demo", "--no-serve"]
    found = subprocess.run(
        [sys.executable, "-c", program, *line], capture_output=True, text=True, check=False
    )
    assert found.returncode == 25
    assert "pip install scikit-image" in found.stderr
