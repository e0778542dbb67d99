"""A child process that is killed, starves, hangs, crashes or lies: an error that says so, and nothing left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from media import job
from media.child import MAX_ANSWER_CHARACTERS, MESSAGE_CHARACTERS, NO_SENSE, ask_child
from media.errors import Cancelled, ToolFailed
from media.review.document import to_json
from media.sound.mute import Request, mute, mute_into
from media.sound.spans import Mute
from media.sound.suggest import suggest
from media.video.detect.later import Later
from media.video.propose import Means, Wish, propose
from media.video.segments import SEGMENT_FRAMES
from media.video.views import Mount
from media.video.watch import Progress, Watch
from tests.builders.footage import wandering, write_footage
from tests.builders.kernel import needs
from tests.builders.sound import encode, loud

ROOT = Path(__file__).parent.parent.parent
UPRIGHT = Wish(Mount.UPRIGHT)
SPOTS = Later("tests.fakes.bright_spots:BrightSpots")
WORKERS = ("propose_worker", "mute_worker", "suggest_worker", "likeness_worker")
MUTE = Request((Mute.parse("0.5-1"),))


def children_of(pid: int) -> dict[int, str]:
    """The children of a process that are workers of ours, and what they were started as."""
    found = {}
    for each in Path("/proc").iterdir():
        if not each.name.isdecimal():
            continue
        try:
            parent = int((each / "stat").read_text().rpartition(")")[2].split()[1])
            command = (each / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == pid and any(name in command for name in WORKERS):
            found[int(each.name)] = command
    return found


def bad(name: str, *args: object) -> Means:
    return Means(face=Later(f"tests.fakes.bad_finders:{name}", args))


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A segment and a bit, in which somebody walks to and fro."""
    there = wandering(SEGMENT_FRAMES // 2, [(10, 100)], (3, 0))
    frames = [*there, *reversed(there), *there]
    return write_footage(tmp_path_factory.mktemp("footage") / "in.mkv", frames[: SEGMENT_FRAMES + 60])


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encode(tmp_path_factory.mktemp("call") / "call.wav", loud(20), "pcm_s16le")


@pytest.fixture(autouse=True)
def nobody_is_left() -> Iterator[None]:
    yield
    assert children_of(os.getpid()) == {}


def killing(done: int, _total: int) -> None:
    """Kill the child in the middle of its work."""
    if done:
        for child in children_of(os.getpid()):
            os.kill(child, signal.SIGKILL)


def test_a_search_whose_child_is_killed_says_where_and_goes_on_to_the_identical_document(
    footage: Path, tmp_path: Path
) -> None:
    def on_progress(found: Progress) -> None:
        if found.frames > SEGMENT_FRAMES:
            killing(1, 1)

    means = Means(face=SPOTS, workers=1)
    whole = propose(footage, UPRIGHT, means)
    slow = Later("tests.fakes.slow_spots:SlowSpots")
    with pytest.raises(ToolFailed, match=r"propose_worker died at frame \d+: .* SIGKILL.*try again"):
        propose(footage, UPRIGHT, Means(face=slow, work=tmp_path, workers=1), Watch(on_progress))
    assert len(list(tmp_path.rglob("segment-*.json"))) == 1
    again = propose(footage, UPRIGHT, Means(face=slow, work=tmp_path, workers=1))
    assert to_json(again) == to_json(whole)


@pytest.mark.parametrize(
    ("name", "why"),
    [("Crasher", "propose_worker died at frame 0: .* SIG"), ("Hoarder", "more memory is needed than")],
)
def test_a_child_that_crashes_or_starves_is_a_failure_and_no_fact_about_the_file(
    footage: Path, name: str, why: str
) -> None:
    with pytest.raises(ToolFailed, match=why):
        propose(footage, UPRIGHT, bad(name), memory_bytes=2 * 1024**3)


def test_a_child_that_starves_says_which_variable_gives_it_more(
    footage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIA_MEMORY_GIB", "1.5")
    with pytest.raises(ToolFailed, match=r"than the 1\.5 GiB .* set the variable MEDIA_MEMORY_GIB to more"):
        propose(footage, UPRIGHT, bad("Hoarder"))


@pytest.mark.parametrize("said", ["much", "NaN", "Infinity", "1 GiB", "-1", "0"])
def test_a_limit_that_is_no_number_is_named(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIA_MEMORY_GIB", said)
    with pytest.raises(ToolFailed, match=f"MEDIA_MEMORY_GIB is '{said}'; make it a number of GiB"):
        ask_child("tests.faults.liar", {"says": ""}, reads=[], stall_seconds=20)


def test_a_child_that_stands_still_is_stopped(footage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "STALL_SECONDS", 3.0)
    with pytest.raises(ToolFailed, match="made no progress for 3 seconds at frame 0 and was stopped"):
        propose(footage, UPRIGHT, bad("Sleeper"))


def test_a_search_is_cancelled_while_its_child_stands_still(footage: Path) -> None:
    asked = iter([False, False, True])
    with pytest.raises(Cancelled):
        propose(footage, UPRIGHT, bad("Sleeper"), Watch(is_cancelled=lambda: next(asked)))


def test_a_child_reads_no_file_that_it_was_not_given(footage: Path, tmp_path: Path) -> None:
    secret = tmp_path / "keyring"
    secret.write_bytes(b"secret")
    needs("landlock")
    with pytest.raises(ToolFailed, match="Permission denied"):
        propose(footage, UPRIGHT, bad("Thief", str(secret)))


def test_muting_whose_child_is_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    source = encode(tmp_path / "in.wav", loud(240, rate=48_000), "pcm_s16le", 48_000)
    with pytest.raises(ToolFailed, match=r"mute_worker died at sample \d+: .* SIGKILL.*try again"):
        mute(source, tmp_path / "out.flac", MUTE, killing)
    assert [path.name for path in tmp_path.iterdir()] == ["in.wav"]


def test_listening_whose_child_is_killed_says_where(tmp_path: Path) -> None:
    source = encode(tmp_path / "in.wav", loud(120), "pcm_s16le")
    with pytest.raises(ToolFailed, match=r"(?s)suggest_worker died at sample \d+: .* SIGKILL.*try again"):
        suggest(source, progress=killing)


def test_files_without_a_name_are_read_and_written_by_the_child(call: Path, tmp_path: Path) -> None:
    with TemporaryFile(dir=tmp_path) as source, TemporaryFile(dir=tmp_path) as out:
        source.write(call.read_bytes())
        source.flush()
        paths = [Path(f"/proc/{os.getpid()}/fd/{file.fileno()}") for file in (source, out)]
        assert list(tmp_path.iterdir()) == []
        found = suggest(paths[0])
        mute_into(paths[0], paths[1], ".wav", MUTE)
        assert found.duration_s == pytest.approx(20)
        assert suggest(paths[1]).duration_s == pytest.approx(20)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM], ids=lambda how: how.name)
def test_a_child_ends_with_its_parent(footage: Path, tmp_path: Path, how: signal.Signals) -> None:
    with driver(footage, tmp_path) as process:
        (child,) = waited_for(process.pid)
        process.send_signal(how)
        process.wait(30)
        assert gone(child)


@contextmanager
def driver(footage: Path, work: Path) -> Iterator["subprocess.Popen[bytes]"]:
    argv = [sys.executable, "-m", "tests.faults.search_driver", str(footage), str(work)]
    with subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def waited_for(pid: int) -> dict[int, str]:
    until = time.monotonic() + 60
    while not (found := children_of(pid)) and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(1)  # into its work
    return found


def gone(pid: int) -> bool:
    until = time.monotonic() + 15
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        time.sleep(0.05)
    return not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize(
    "says",
    [
        "",
        "[]",
        "null",
        '{"done": 3}',
        '{"done": "in parts"}',
        '{"part": "{"}\n{"done": "in parts"}',
        '{"part": "[1]"}\n{"done": "in parts"}',
        '{"progress": [1]}',
        '{"progress": ["x", null]}',
        '{"progress": 3}',
        '{"not_released": 1}',
        pytest.param(50_000 * "[", id="deep"),
        pytest.param(
            "\n".join([*(10 * [json.dumps({"part": 9_000 * "["})]), '{"done": "in parts"}']), id="deep parts"
        ),
    ],
)
def test_an_answer_that_makes_no_sense_is_an_error_of_ours(says: str) -> None:
    with pytest.raises(ToolFailed):
        ask_child("tests.faults.liar", {"says": says}, reads=[], stall_seconds=20)


def test_an_answer_that_is_too_long_is_not_taken_in(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_ANSWER_CHARACTERS >= 1024**2
    monkeypatch.setattr("media.child.MAX_ANSWER_CHARACTERS", 10)
    says = '{"part": "{\\"a\\": 1234"}\n{"part": "5678}"}\n{"done": "in parts"}'
    with pytest.raises(ToolFailed, match="too much to be taken in; cut the recording"):
        ask_child("tests.faults.liar", {"says": says}, reads=[], stall_seconds=20)


def test_what_a_child_says_is_shown_to_a_person_cut_and_without_what_a_terminal_obeys() -> None:
    says = json.dumps({"failed": "\x1b[2Jthe disk is full; " + 3000 * "x"})
    with pytest.raises(ToolFailed, match=r"^ ?\[2Jthe disk is full; x+$") as refusal:
        ask_child("tests.faults.liar", {"says": says}, reads=[], stall_seconds=20)
    assert len(str(refusal.value)) <= MESSAGE_CHARACTERS


def test_a_document_that_follows_no_schema_is_not_believed(
    footage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media.video.propose.do", lambda *_, **__: {"document": '{"version": 1}'})
    with pytest.raises(ToolFailed, match=NO_SENSE):
        propose(footage, UPRIGHT)
