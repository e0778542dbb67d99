"""A recording is given to somebody else by the command line alone."""

import hashlib
import json
import sqlite3
import wave
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.integration.cli.conftest import Shell

POLICE = "丸の内警察署"
FIELDS = {
    "subject": "the caller",
    "statute": "刑事訴訟法第197条第2項",
    "reference_no": "no. 12",
    "requested_by": "山田太郎",
    "verified_by": "called back",
    "why_minimal": "one call",
}


def propose(shell: Shell, *more: str, fields: dict[str, str] | None = None) -> tuple[str, ...]:
    given = FIELDS if fields is None else fields
    said = [part for name, text in given.items() for part in ("--field", f"{name}={text}")]
    line = ("--to", POLICE, "--basis", "law", "--reason", "an inquiry")
    return ("provision", "propose", shell.ids()["young"], *line, *said, *more)


@pytest.fixture
def digest(shell: Shell) -> str:
    """A proposal; its digest."""
    found: str = shell.json(*propose(shell)).value["digest"]
    return found


def test_from_proposal_to_hand_over(shell: Shell, digest: str) -> None:
    seen = shell.json("provision", "show", digest[:8], who="suzuki").value
    assert seen["fields"]["recipient"] == POLICE
    assert shell.json("provision", "approve", digest[:8]).error["error"] == "not-permitted"
    assert shell.json("provision", "approve", digest[:8], who="suzuki").value["stage"] == "approved"
    out = shell.folder / "call.wav"
    given = shell.json("provision", "hand-over", digest, "--out", str(out)).value
    assert given["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert out.stat().st_mode & 0o777 == 0o600
    assert out.read_bytes() == (shell.folder / "first" / "young.wav").read_bytes()
    assert shell.json("audit", "verify").value["ok"]


def test_the_list_names_nobody_and_finds_by_recording_and_recipient(shell: Shell, digest: str) -> None:
    assert POLICE not in shell("provision", "list").out
    assert POLICE not in json.dumps(shell.json("provision", "list").value, ensure_ascii=False)
    ids = shell.ids()
    for line, count in (
        (("--recording", ids["young"]), 1),
        (("--recording", ids["other"]), 0),
        (("--to", POLICE), 1),
        (("--to", "Nobody"), 0),
    ):
        assert len(shell.json("provision", "list", *line).value) == count
    assert shell.json("provision", "list").value[0]["digest"] == digest


def test_what_is_missing_is_named_with_the_option_to_give(shell: Shell) -> None:
    answer = shell(*propose(shell, fields={}))
    assert answer.code == 11
    assert "--field statute=TEXT" in answer.err
    assert "Write KEY=TEXT" in shell(*propose(shell, "--field", "statute")).err


def test_a_hand_over_that_is_refused_leaves_no_file(shell: Shell, digest: str) -> None:
    out = shell.folder / "call.wav"
    assert shell("provision", "hand-over", digest, "--out", str(out)).code == 14
    assert not out.exists()
    assert shell("provision", "withdraw", digest, "--reason", "taken back").code == 0
    assert "is withdrawn" in shell("provision", "approve", digest, who="suzuki").err


def test_the_register_of_entrustees(shell: Shell) -> None:
    line = ("--contract", "no. 7", "--from", "2020-01-01", "--until", "2100-01-01", "--review", "2100-01-01")
    added = shell.json("provision", "entrustee", "add", "Vendor", *line, "--purpose", "service-quality")
    assert added.value["name"] == "Vendor"
    assert shell.json("provision", "entrustee", "list").value[0]["live"]
    assert "Vendor" in shell("provision", "entrustee", "list").out
    assert shell("provision", "entrustee", "end", "Vendor").code == 0
    assert not shell.json("provision", "entrustee", "list").value[0]["live"]


def test_the_bases_and_the_stops_are_listed(shell: Shell) -> None:
    assert {each["basis"] for each in shell.json("provision", "bases").value} >= {"law", "entrustment"}
    assert "第27条第1項第1号" in shell("provision", "bases").out
    assert shell.json("provision", "blocks").value == []
    assert shell.json("provision", "unblock", "X", "--reason", "x").error["error"] == "not-found"


def recorded_at(shell: Shell, seconds: float) -> str:
    """A time of the young call's, as its source's clock shows it."""
    started_at = datetime.fromisoformat(shell.json("show", shell.ids()["young"]).value["started_at"])
    local = (started_at + timedelta(seconds=seconds)).astimezone(ZoneInfo("Asia/Tokyo"))
    return local.replace(tzinfo=None).isoformat()


def test_only_a_part_is_given_and_nothing_outside_it(shell: Shell) -> None:
    interval = ("--from", recorded_at(shell, 0.25), "--until", recorded_at(shell, 0.75))
    digest = shell.json(*propose(shell, *interval)).value["digest"]
    seen = shell.json("provision", "show", digest, who="suzuki").value
    assert "0.250 s to 0.750 s" in seen["fields"]["items"]
    assert shell("provision", "approve", digest, who="suzuki").code == 0
    out = shell.folder / "part.wav"
    assert shell("provision", "hand-over", digest, "--out", str(out)).code == 0
    whole = (shell.folder / "first" / "young.wav").read_bytes()
    with wave.open(str(out)) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (8000, 4000)
    assert out.read_bytes()[44:] == whole[44 + 4000 : 44 + 12_000]
    assert list((shell.home / "tmp").iterdir()) == []


def test_a_restored_backup_knows_that_only_a_part_was_given(shell: Shell) -> None:
    assert shell("backup", str(shell.folder / "backup")).code == 0
    interval = ("--from", recorded_at(shell, 0.25), "--until", recorded_at(shell, 0.75))
    digest = shell.json(*propose(shell, *interval)).value["digest"]
    assert shell("provision", "approve", digest, who="suzuki").code == 0
    assert shell("provision", "hand-over", digest, "--out", str(shell.folder / "part.wav")).code == 0
    assert shell("restore", str(shell.folder / "backup"), "--yes").code == 0
    with closing(sqlite3.connect(shell.home / "catalogue.db")) as database:
        (parts,) = database.execute("SELECT from_us, until_us FROM provision_item").fetchall()
    assert parts == (250_000, 750_000)


def test_a_part_of_which_nothing_was_recorded_is_refused(shell: Shell) -> None:
    outside = ("--from", recorded_at(shell, 60), "--until", recorded_at(shell, 90))
    answer = shell(*propose(shell, *outside))
    assert (answer.code, "nothing of recording" in answer.err) == (11, True)
    half = shell(*propose(shell, "--from", recorded_at(shell, 0.25)))
    assert (half.code, "--from and --until" in half.err) == (11, True)


@pytest.mark.shared_data
def test_a_part_of_footage_is_refused_before_anything_is_opened(shell: Shell, shared_data: Path) -> None:
    camera = ("--kind", "footage", "--site", "tokyo", "--zone", "Asia/Tokyo", "--purpose", "crime-prevention")
    assert shell("source", "add", "lobby", *camera).code == 0
    file = str(shared_data / "odd" / "made_hevc.mp4")
    (footage,) = shell.json("ingest", file, "--source", "lobby").lines
    started_at = shell.json("show", footage["id"]).value["started_at"]
    until = (datetime.fromisoformat(started_at) + timedelta(seconds=2)).isoformat()
    line = propose(shell, "--from", started_at, "--until", until)
    answer = shell(*[footage["id"] if each == shell.ids()["young"] else each for each in line])
    assert (answer.code, "cannot be cut exactly" in answer.err) == (11, True)
