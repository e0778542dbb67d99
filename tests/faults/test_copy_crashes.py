"""Killed while it searches or renders, real processes over real footage: nothing decrypted is left, and again works."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cli.conftest import Shell

pytestmark = [pytest.mark.shared_data, pytest.mark.slow]

ROOT = Path(__file__).parent.parent.parent
CLIP = "face-demographics-walking.mp4"
TIMEOUT_S = 120.0
POLL_S = 0.02

Moment = Callable[[Path], bool]  #: of the folder where copies are made


@dataclass
class Store:
    """A store with a matched request for one clip."""

    shell: Shell
    receipt: str
    clip: str
    original: bytes
    found: tuple[str, ...] = ()  #: what an undisturbed search has found

    @property
    def work(self) -> Path:
        return self.shell.home / "work"

    def kill(self, verb: str, moment: Moment) -> None:
        """Run a verb as a process of its own, and kill it when the moment has come."""
        line = ["--home", str(self.shell.home), "--as", "sato", "request", verb, self.receipt]
        process = subprocess.Popen(
            [sys.executable, "-m", "retention", *line], cwd=ROOT, stdout=subprocess.PIPE
        )
        until = time.monotonic() + TIMEOUT_S
        while not moment(self.work):
            assert process.poll() is None, "it ended before the moment came"
            assert time.monotonic() < until, "the moment never came"
            time.sleep(POLL_S)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL

    def is_named_anywhere(self) -> bool:
        """Whether bytes of the original lie in any file of the store."""
        middle = self.original[len(self.original) // 2 :][:256]
        files = [path for path in self.shell.home.rglob("*") if path.is_file()]
        return any(middle in path.read_bytes() for path in files)

    def copies(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.shell.json("request", "show", self.receipt).value["copies"]
        return found

    def hide_everybody(self) -> None:
        """Review the clip: nobody stays visible."""
        line = ("request", "review", self.receipt, "--recording", self.clip, "--hide-rest")
        assert self.shell(*line).code == 0


@pytest.fixture(scope="module")
def matched(tmp_path_factory: pytest.TempPathFactory, shared_data: Path, models: None) -> Store:
    del models
    shell = Shell(tmp_path_factory.mktemp("matched"))
    original = shared_data / "video" / CLIP
    camera = (
        "--site",
        "tokyo",
        "--zone",
        "Asia/Tokyo",
        "--purpose",
        "crime-prevention",
        "--notice",
        "sign-1",
    )
    assert shell("init").code == 0
    assert shell("source", "add", "corridor", "--kind", "footage", *camera).code == 0
    shutil.copy(original, shell.folder)
    line = ("ingest", str(shell.folder / CLIP), "--source", "corridor", "--started-at", "2026-11-20T10:00:00")
    clip = shell.json(*line).lines[0]["id"]
    asked = ("request", "file", "disclosure", "--name", "山田 花子", "--recording", clip)
    receipt = shell.json(*asked).value["receipt"]
    assert shell("request", "identify", receipt, "--method", "drivers-licence").code == 0
    assert shell("request", "match", receipt).code == 0
    return Store(shell, receipt, clip, original.read_bytes())


@pytest.fixture(scope="module")
def reviewed(matched: Store, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The same, proposed and reviewed."""
    store = copy_of(matched, tmp_path_factory.mktemp("reviewed"))
    assert store.shell("request", "propose", store.receipt).code == 0
    (found,) = store.copies()
    store.found = tuple(found["open_points"])
    store.hide_everybody()
    return store


def copy_of(store: Store, folder: Path) -> Store:
    shutil.copytree(store.shell.folder, folder, dirs_exist_ok=True)
    return Store(Shell(folder), store.receipt, store.clip, store.original)


def has(pattern: str) -> Moment:
    return lambda work: any(work.glob(pattern))


@pytest.mark.parametrize("moment", [has("*/copies"), has("*/search/*")], ids=["at once", "while it searches"])
def test_a_killed_search_leaves_nothing_decrypted_and_comes_to_the_same_when_it_is_run_again(
    matched: Store, reviewed: Store, moment: Moment, tmp_path: Path
) -> None:
    store = copy_of(matched, tmp_path)
    store.kill("propose", moment)
    assert not store.is_named_anywhere()
    assert store.copies() == []
    assert not list(store.work.glob("*/copies"))
    assert store.shell("request", "propose", store.receipt).code == 0
    (found,) = store.copies()
    assert found["open_points"] == list(reviewed.found)
    assert list(store.work.iterdir()) == []


@pytest.mark.parametrize(
    "moment", [has("*/copies"), has("*/copies/.copy.mp4*")], ids=["at once", "while it paints"]
)
def test_a_killed_rendering_leaves_no_copy_and_nothing_decrypted(
    reviewed: Store, moment: Moment, tmp_path: Path
) -> None:
    store = copy_of(reviewed, tmp_path)
    store.kill("render", moment)
    assert not store.is_named_anywhere()
    (found,) = store.copies()
    assert (found["rendition"], found["sha256"], found["open_points"]) == (None, None, [])
    assert list(store.work.iterdir()) == []
    answer = store.shell.json("request", "render", store.receipt)
    (made,) = answer.value
    assert made["rendition"]
    assert list(store.work.iterdir()) == []
    assert store.shell.json("check", "--level", "digest").value["ok"]


def test_stopped_by_ctrl_c_it_says_that_the_same_line_goes_on(matched: Store, tmp_path: Path) -> None:
    store = copy_of(matched, tmp_path)
    line = ["--home", str(store.shell.home), "--as", "sato", "request", "propose", store.receipt]
    process = subprocess.Popen(
        [sys.executable, "-m", "retention", *line], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    while not has("*/search/*")(store.work):
        assert process.poll() is None
        time.sleep(POLL_S)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "run the same command to go on" in said
    assert store.copies() == []
    assert store.shell("request", "propose", store.receipt).code == 0
