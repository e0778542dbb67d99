"""A search that is killed in any segment, and given again, comes to the identical document."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from media.video.segments import SEGMENT_FRAMES
from tests.builders.footage import wandering, write_footage

ROOT = Path(__file__).parent.parent.parent
NEVER = 0


def search(footage: Path, work: Path, dies_at: int) -> "subprocess.CompletedProcess[str]":
    argv = [sys.executable, "-m", "tests.faults.propose_crash_driver", str(footage), str(work), str(dies_at)]
    return subprocess.run(argv, capture_output=True, text=True, cwd=ROOT, check=False)


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three segments in which somebody walks to and fro."""
    there = wandering(SEGMENT_FRAMES // 2, [(10, 100), (40, 250)], (3, 0))
    frames = [*there, *reversed(there)] * 3
    return write_footage(tmp_path_factory.mktemp("footage") / "in.mkv", frames[: 2 * SEGMENT_FRAMES + 60])


@pytest.fixture(scope="module")
def undisturbed(footage: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    done = search(footage, tmp_path_factory.mktemp("work"), NEVER)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_killed_in_one_segment_after_another_it_still_comes_to_the_identical_document(
    footage: Path, undisturbed: str, tmp_path: Path
) -> None:
    """In the first segment, in the second, and in the third: each run dies later than what the one before kept."""
    kept = []
    for dies_at in (5, 360, 300):
        died = search(footage, tmp_path, dies_at)
        assert died.returncode == -signal.SIGKILL
        assert died.stdout == ""
        kept.append(len(list(tmp_path.rglob("segment-*.json"))))
    assert kept == [0, 1, 2]
    finished = search(footage, tmp_path, NEVER)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == undisturbed
