"""A recording is given to somebody else by the command line alone."""

import hashlib
import json
import sqlite3
import wave
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import av
import pytest

from media.synthesise.footage import Person, make_footage
from tests.golden.clips import psnr_db
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
        (parts,) = database.execute("SELECT from_us, until_us, form FROM provision_item").fetchall()
    assert parts == (250_000, 750_000, "wav-samples")


def test_a_part_of_which_nothing_was_recorded_is_refused(shell: Shell) -> None:
    outside = ("--from", recorded_at(shell, 60), "--until", recorded_at(shell, 90))
    answer = shell(*propose(shell, *outside))
    assert (answer.code, "nothing of recording" in answer.err) == (11, True)
    half = shell(*propose(shell, "--from", recorded_at(shell, 0.25)))
    assert (half.code, "--from and --until" in half.err) == (11, True)


# --- a part of footage


CAMERA = ("--kind", "footage", "--site", "tokyo", "--zone", "Asia/Tokyo", "--purpose", "crime-prevention")
TEN_PAST_TWO = datetime.fromisoformat("2026-11-20T14:05:00+09:00")


def filmed(shell: Shell, folder: str = "footage") -> str:
    """Twelve seconds of a garage, with a note beside it that says which camera and when; its id."""
    path = shell.folder / folder / "garage.mp4"
    path.parent.mkdir()
    passer_by = Person(1.0, "right", 0)
    make_footage(path, camera="GARAGE-3", started_at=TEN_PAST_TWO, duration_s=12, people=[passer_by])
    note = {"started_at": TEN_PAST_TWO.isoformat()}
    path.with_suffix(".json").write_text(json.dumps(note), encoding="utf-8")
    assert shell("source", "add", "garage", *CAMERA).code == 0
    (taken,) = shell.json("ingest", str(path), "--source", "garage").lines
    recording_id: str = taken["id"]
    return recording_id


def propose_part(shell: Shell, recording_id: str, start: str, end: str) -> tuple[str, ...]:
    line = propose(shell, "--from", f"2026-11-20T{start}", "--until", f"2026-11-20T{end}")
    return tuple(recording_id if each == shell.ids()["young"] else each for each in line)


def test_five_seconds_of_a_camera_are_handed_over_and_no_picture_more(shell: Shell) -> None:
    footage = filmed(shell)
    said = shell(*propose_part(shell, footage, "14:05:03.25", "14:05:08.5"))
    assert "3.250 s to 8.500 s: MP4, re-encoded at its edges or as a whole." in said.out
    proposal = shell.json("provision", "list", "--recording", footage).value[0]
    assert proposal["excerpts"] == [{"recording": footage, "from_s": 3.25, "until_s": 8.5, "form": "mp4"}]
    seen = shell.json("provision", "show", proposal["digest"], who="suzuki").value
    assert "as MP4, re-encoded at its edges" in seen["fields"]["items"]
    assert shell("provision", "approve", proposal["digest"], who="suzuki").code == 0
    out = shell.folder / "for the police"
    given = shell.json("provision", "hand-over", proposal["digest"], "--out", str(out)).value
    part = out.with_name("for the police.mp4")
    assert given["out"] == str(part)
    assert given["sha256"] == hashlib.sha256(part.read_bytes()).hexdigest()
    with av.open(part) as container:
        frames = list(container.decode(video=0))
        assert [each.type for each in container.streams] == ["video"]
    with av.open(shell.folder / "footage" / "garage.mp4") as container:
        pictures = [each.to_ndarray(format="gray") for each in container.decode(video=0)]
    # At 12 pictures a second: those of 3.25 s to before 8.5 s.
    for number, frame in zip(range(39, 102), frames, strict=True):
        assert psnr_db(frame.to_ndarray(format="gray"), pictures[number]) > 40
    assert list((shell.home / "tmp").iterdir()) == []
    assert not out.exists()


def test_the_ledger_keeps_what_was_done_to_the_part(shell: Shell) -> None:
    footage = filmed(shell)
    digest = shell.json(*propose_part(shell, footage, "14:05:03", "14:05:04")).value["digest"]
    assert shell("provision", "approve", digest, who="suzuki").code == 0
    out = str(shell.folder / "part.mp4")
    assert shell("provision", "hand-over", digest, "--out", out).code == 0
    answer = shell.json("provision", "show", digest, who="suzuki").value
    assert answer["cut"][footage]["form"] == "mp4"
    assert answer["cut"][footage]["frames"] == 12


def test_a_name_that_does_not_fit_what_comes_out_is_refused_before_anything_is_opened(shell: Shell) -> None:
    footage = filmed(shell)
    digest = shell.json(*propose_part(shell, footage, "14:05:03", "14:05:04")).value["digest"]
    assert shell("provision", "approve", digest, who="suzuki").code == 0
    answer = shell("provision", "hand-over", digest, "--out", str(shell.folder / "part.wav"))
    assert (answer.code, "part.mp4" in answer.err) == (11, True)


def test_a_part_between_two_pictures_gives_nothing_and_names_the_recording(shell: Shell) -> None:
    footage = filmed(shell)
    digest = shell.json(*propose_part(shell, footage, "14:05:03.01", "14:05:03.02")).value["digest"]
    assert shell("provision", "approve", digest, who="suzuki").code == 0
    answer = shell("provision", "hand-over", digest, "--out", str(shell.folder / "part.mp4"))
    assert (answer.code, f"no part of recording {footage} was given" in answer.err) == (11, True)
    assert not (shell.folder / "part.mp4").exists()
    assert shell.json("provision", "list").value[0]["stage"] == "approved"


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "form"), [("dev-call-a.ogg", "wav-decoded"), ("dev-call-a.ulaw.wav", "wav-samples")]
)
def test_a_part_of_a_call_is_a_wav(shell: Shell, shared_data: Path, name: str, form: str) -> None:
    file = shared_data / "audio" / "calls" / name
    (taken,) = shell.json(
        "ingest", str(file), "--source", "line", "--started-at", "2026-11-20T14:05:00"
    ).lines
    proposed = shell.json(*propose_part(shell, taken["id"], "14:05:13.39", "14:05:20")).value
    assert proposed["excerpts"][0]["form"] == form
    assert shell("provision", "approve", proposed["digest"], who="suzuki").code == 0
    out = shell.folder / "part.wav"
    assert shell("provision", "hand-over", proposed["digest"], "--out", str(out)).code == 0
    with av.open(out) as container:
        frames = list(container.decode(audio=0))
    assert sum(each.samples for each in frames) == round(6.61 * frames[0].sample_rate)
