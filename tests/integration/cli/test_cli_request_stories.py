"""Each of the eight kinds of request, from receipt to close, over real calls and footage, in Japanese and in English.

Everything is done by the command line. In Japanese, after each step every step
that is not possible is tried, and has to say why. The letter is read as its reader reads
it, out of the package's PDF; what it says was done is then looked for in the
store. At the end nobody else is named: not in the package, not in anything that
was printed or logged, and nowhere on the disk.
"""

import io
import shutil
import sqlite3
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import av
import pytest

from media.process import run
from retention.disposal import verifier
from retention.kernel.clock import SystemClock, local_date
from tests.builders.answers import ANSWERS, BASIS, COMPLAINED, CORRECTED, EVIDENCE, PURPOSES
from tests.builders.desk import (
    ADDRESSES,
    CAMERA,
    CLERK,
    LINE,
    NAMES,
    OWN,
    PHONE,
    POLICE,
    PROVISION,
    REVIEWER,
    RIGHT_PHONE,
    SECOND,
    Case,
    Desk,
    Package,
)
from tests.builders.identifiers import Words, finder, named_by_the_package, named_in, named_on_the_disk, spelt
from tests.builders.office import open_desk, write_one_more_call
from tests.builders.outbox import served
from tests.builders.sound import decode
from tests.builders.workers import overhear
from tests.integration.cli.conftest import Shell

pytestmark = pytest.mark.slow

QUALITY, PREVENTION = "service-quality", "crime-prevention"
#: Where these were asked for, what stands there is shown.
SHOWN = ("request match", "request correct", "search --phone")

both_languages = pytest.mark.parametrize("language", ["ja", "en"])


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, shared_data_if_any: Path | None) -> Desk:
    """The store of all stories, made once."""
    return open_desk(tmp_path_factory.mktemp("desk"), shared_data_if_any)


@pytest.fixture
def desk(
    opened: Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    """A copy of it. Nobody else is named when its story is told, in any place but the package."""
    overheard = overhear(monkeypatch)
    caplog.set_level("DEBUG")
    caplog.set_level("INFO", "filelock")
    shutil.copytree(opened.shell.folder, tmp_path / "desk")
    copy = replace(opened, shell=Shell(tmp_path / "desk"), said=[])
    with closing(sqlite3.connect(copy.shell.home / "catalogue.db")) as keeping_its_log:
        keeping_its_log.execute("SELECT count(*) FROM recording")
        copy.everybody = copy.people()
        yield copy
        everybody = copy.people()
        assert (copy.shell.home / "catalogue.db-wal").stat().st_size > 0
        assert named_on_the_disk(everybody, copy.shell.home) == {}
    nobody_is_named_aloud(copy, everybody, "\n".join([*caplog.messages, *overheard]))


def nobody_is_named_aloud(desk: Desk, everybody: Words, logged: str) -> None:
    """Who asks is shown to whoever asks for just that; nobody else at all."""
    others = everybody - spelt(OWN)
    for line, answer in desk.said:
        printed = answer.out + answer.err
        assert named_in(others if line.startswith(SHOWN) else everybody, printed) == set(), line
    assert named_in(everybody, logged) == set()


def nobody_else_is_in(package: Package, everybody: Words, insiders: Words) -> None:
    """The requester stands in the letter, and nowhere else; nobody else stands anywhere."""
    others = (everybody - spelt(OWN)) | insiders
    assert named_by_the_package(others, package.content) == set()
    assert finder(spelt(OWN))(package.content) == set()


def answered(case: Case) -> Package:
    """The answer, with its article, its sentence, and to whom it goes; nobody else is in it."""
    package = case.packaged()
    package.says(*ANSWERS[case.kind, case.language])
    package.says(case.receipt, NAMES[case.language], ADDRESSES[case.language])
    nobody_else_is_in(package, case.desk.people(), case.desk.insiders())
    return package


def test_what_is_looked_for_is_what_recorders_and_papers_say_of_everybody(opened: Desk) -> None:
    """Else the stories would look for nothing, and find it nowhere."""
    folder, everybody = opened.shell.folder, opened.people()
    spoken = {
        "佐々木 一郎",
        "佐々木",
        "木村次郎",
        "Okafor",
        "Petrova Veronika",
        "C-200199",
        "三浦",
        "大阪府堺市北区百舌鳥梅町",
    }
    spelt_numbers = {"+81355500199", "+81 3-5550-0199", "03-5550-0199", "0355500199", "81355500199"}
    assert everybody >= spoken | spelt_numbers | {PROVISION["requested_by"], "rec-corridor-petrova"}
    assert opened.insiders() == {LINE, CAMERA, CLERK, SECOND, "sato"}
    assert named_on_the_disk(everybody, folder / "calls").keys() >= {
        "佐々木 一郎",
        "+81 3-5550-0199",
        "C-200199",
    }
    assert named_by_the_package(everybody, archived(b"C-200199", "木村")) == {"C-200199", "木村"}


def test_a_worker_that_named_somebody_would_be_overheard(
    opened: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    overheard = overhear(monkeypatch)
    said = f"C-200199 {'and so on ' * 9999}"
    run([sys.executable, "-c", f"import sys; sys.stderr.write({said!r})"], timeout_seconds=60)
    assert named_in(opened.people(), "\n".join(overheard)) == {"C-200199"}


def archived(content: bytes, name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.bin", content * 9)
    return out.getvalue()


@both_languages
def test_disclosure_she_gets_her_side_of_the_calls_and_the_corridor_with_everybody_hidden(
    desk: Desk, language: str, models: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    del models
    monkeypatch.setenv("RETENTION_LINK_BASE_URL", "https://answers.example.jp")
    hers = (*desk.calls, desk.clip)
    case = desk.file("disclosure", language, "--phone", PHONE, *desk.seen_by_the_camera())
    case.identified().matched(*hers)
    assert "3 of its recordings have no finished copy" in case.do("decide", "full", fails=14)["message"]
    case.do("propose", "--no-words")
    assert "is undecided" in case.do("render", fails=14)["message"]
    for each in desk.calls:
        case.do("review", "--recording", each, "--keep", "channel 1", "--hide-rest", who=REVIEWER)
    case.do("review", "--recording", desk.clip, "--hide-rest", who=REVIEWER)
    case.do("render", "--hide-found", who=REVIEWER)
    case.decided("full")
    assert f"{REVIEWER} " in case.do("approve", who=REVIEWER, fails=13)["message"]
    package = answered(case.approved())
    package.says(*map(desk.line_about, hers))
    copies = sorted(name for name in package.files if name.startswith("recordings/"))
    package.says(*copies)
    for name, each in zip((name for name in copies if name.endswith(".wav")), desk.calls, strict=True):
        (desk.shell.folder / "copy.wav").write_bytes(package.files[name])
        copy, original = decode(desk.shell.folder / "copy.wav")[0], decode(desk.originals[each])[0]
        assert not copy[0].any()
        assert (copy[1] == original[1]).all()
    done = {each["name"]: each["redaction"] for each in package.manifest["files"] if "redaction" in each}
    assert done.keys() == set(copies)
    assert all(each["hidden"] for each in done.values())
    (seen,) = (package.files[name] for name in copies if name.endswith(".mp4"))
    assert pictures(seen) == pictures(desk.originals[desk.clip].read_bytes())
    assert fetched(case) == package.content
    case.closed()
    for each, purpose in ((desk.calls[0], QUALITY), (desk.clip, PREVENTION)):
        assert desk.opened(each, purpose) == desk.originals[each].read_bytes()


def pictures(footage: bytes) -> int:
    """How many there are."""
    with av.open(io.BytesIO(footage), "r") as container:
        return len(list(container.decode(video=0)))


def fetched(case: Case) -> bytes:
    """She opens the link, which is good for one download."""
    link = case.do("deliver", "--link")
    with served(case.desk.shell.home / "outbox") as outbox:
        outbox.clock.set(SystemClock().now())
        passphrase = urlencode({"passphrase": link["passphrase"]}).encode()
        content = outbox.ask("POST", urlsplit(link["url"]).path, passphrase).body
    assert case.desk("disclosure", "collect")[0]["state"] == "downloaded"
    return content


@both_languages
def test_purpose_notification_she_is_told_what_her_calls_are_used_for_and_of_no_other_purpose(
    desk: Desk, language: str
) -> None:
    case = desk.file("purpose-notification", language).identified().matched(*desk.calls)
    assert "no ground" in case.do("decide", "refused", "--ground", "hindrance", fails=11)["message"]
    package = answered(case.decided("full").approved())
    *told, untold = PURPOSES[language]
    package.says(*told)
    assert untold not in package.letter
    case.closed()
    assert desk.opened(desk.calls[0], QUALITY) == desk.originals[desk.calls[0]].read_bytes()
    assert "advertising" in desk.cannot_open(desk.calls[0], "advertising")


@both_languages
def test_correction_her_right_number_finds_her_call_and_the_wrong_one_does_not(
    desk: Desk, language: str
) -> None:
    wrong, right = "+81355500177", "+81355500188"
    call, stays = desk.calls
    case = desk.file("correction", language).identified().matched(*desk.calls)
    assert "nothing is to be corrected" in case.do("decide", "full", fails=11)["message"]
    case.do("correct", call, f"caller.phone={right}")
    case.decided("full")
    seen = case.do("corrections", who=SECOND)["seen"]
    assert f"corrections {case.receipt}" in case.do("approve", who=SECOND, fails=11)["hint"]
    assert case.do("approve", "--seen", "0" * 12, who=SECOND, fails=16)
    effect = case.approved("--seen", seen).carried_out()
    assert effect["recordings"] == [call]
    package = answered(case)
    package.says(desk.line_about(call), CORRECTED[language].format(PHONE, right))
    assert stays not in package.letter
    case.closed()
    assert desk.found_by(RIGHT_PHONE) == {call}
    assert desk.found_by(wrong) == {stays}
    assert desk.opened(call, QUALITY) == desk.originals[call].read_bytes()


@both_languages
def test_suspension_nobody_uses_what_the_camera_saw_of_her_any_more(desk: Desk, language: str) -> None:
    case = desk.file("suspension", language, *desk.seen_by_the_camera()).identified().matched(desk.clip)
    assert desk.opened(desk.clip, PREVENTION) == desk.originals[desk.clip].read_bytes()
    effect = case.decided("full").approved().carried_out()
    assert "suspended" in desk.cannot_open(desk.clip, PREVENTION)
    package = answered(case)
    package.says(desk.line_about(desk.clip))
    case.closed()
    assert "suspended" in desk.cannot_open(desk.clip, PREVENTION)
    assert "suspended" in desk.propose_provision(desk.clip, fails=13)["message"]
    assert [each["id"] for each in desk("show", desk.clip)["holds"]] == [effect["suspended_by"]]
    assert desk.opened(desk.other, QUALITY) == desk.originals[desk.other].read_bytes()


@both_languages
def test_erasure_her_calls_and_what_the_camera_saw_are_gone_and_a_certificate_says_so(
    desk: Desk, language: str
) -> None:
    hers = (*desk.calls, desk.clip)
    case = desk.file("erasure", language, "--phone", PHONE, *desk.seen_by_the_camera())
    case.identified().matched(*hers).decided("full").approved()
    lines = [desk.line_about(each) for each in hers]
    run = case.carried_out()["run"]
    package = answered(case)
    out = desk.shell.folder / "certificate.jsonl"
    certificate = desk("disposal", "certificate", run, "--out", str(out))
    assert verifier.main([str(out), "--key", certificate["public_key"]]) == 0
    package.says(*lines, EVIDENCE[language], run, certificate["root"])
    erased = {each["recording"]: each["sha256"] for each in package.manifest["erased"]}
    assert erased == {each: sha256(desk.originals[each].read_bytes()).hexdigest() for each in hers}
    case.closed()
    assert {desk("show", each)["state"] for each in hers} == {"disposed"}
    assert "disposed" in desk.cannot_open(desk.calls[0], QUALITY)
    assert desk.found_by(PHONE) == set()
    assert [path for each in hers for path in (desk.shell.home / "vault").rglob(f"{each}*")] == []
    assert desk.opened(desk.other, QUALITY) == desk.originals[desk.other].read_bytes()
    assert desk("check", "--level", "digest")["ok"]


@both_languages
def test_stop_of_provision_neither_her_calls_nor_a_later_one_are_given_to_anybody(
    desk: Desk, language: str
) -> None:
    waiting = desk.propose_provision(desk.calls[0])["digest"]
    desk("provision", "approve", waiting, who=SECOND)
    case = desk.file("stop-provision", language).identified().matched(*desk.calls)
    effect = case.decided("full").approved().carried_out()
    assert effect["to_be_told"] == [desk.provision]
    package = answered(case)
    package.says(*map(desk.line_about, desk.calls))
    case.closed()
    out = str(desk.shell.folder / "refused.wav")
    assert "stopped" in desk("provision", "hand-over", waiting, "--out", out, fails=13)["message"]
    later = write_one_more_call(desk)
    for each in (*desk.calls, later):
        assert "stopped" in desk.propose_provision(each, fails=13)["message"]
    assert desk.propose_provision(desk.other)["stage"] == "proposed"
    assert desk.opened(desk.calls[0], QUALITY) == desk.originals[desk.calls[0]].read_bytes()


@both_languages
def test_provision_records_she_learns_which_call_the_police_were_given_and_why(
    desk: Desk, language: str
) -> None:
    case = desk.file("provision-records", language).identified().matched(*desk.calls)
    assert "are on record" in case.do("decide", "nothing-held", fails=11)["message"]
    package = answered(case.decided("full").approved())
    today = local_date(SystemClock().now(), "Asia/Tokyo")
    package.says(f"{today}: {POLICE} - {desk.calls[1]}", *BASIS[language])
    assert desk.calls[0] not in package.letter
    case.closed()
    assert [each["digest"] for each in desk("provision", "list")] == [desk.provision]


@both_languages
def test_complaint_he_is_answered_without_a_search_and_nothing_is_held_for_it(
    desk: Desk, language: str
) -> None:
    case = desk.file("complaint", language, "--words", "…")
    assert case.held == set()
    found, done = COMPLAINED[language]
    assert "--measure" in case.do("decide", "answered", "--reason", found, fails=11)["hint"]
    case.decided("answered", "--reason", found, "--measure", done)
    package = answered(case.approved())
    package.says(found, done)
    case.closed()
    assert sorted(package.files) == ["README.txt", "letter.pdf", "manifest.json", "manifest.sig"]
