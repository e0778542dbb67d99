"""A process is killed at every step of making a store, of taking in, of a night, of a hold, of destroying a span, of a correction; what is left is whole, and done again it is done.

No loss: every good file is sealed once and opens to its own bytes, every broken
one is in quarantine. No orphan: no byte without a row, no intake, no draft. No
undead: what was disposed of has no bytes, no key, a tombstone, and a certificate
that holds. What is held stays. `inquest.py` lists it all.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.stories import STORIES

ROOT = Path(__file__).parents[2]
#: What each story must at least have died before: a story that changes nothing proves nothing.
TURNING_POINTS = {
    "init": ("committed", "replace head.new", "replace keyring.new"),
    "correction": ("committed", "open journal"),
    "ingest": ("committed", "write", "link", "unlink", "replace head.new"),
    "night": ("committed", "open journal", "unlink", "replace keyring.new"),
    "place": ("committed", "open journal", "fchmod"),
    "lift": ("committed", "open journal", "fchmod"),
    "span": ("committed", "open journal", "write", "link", "unlink"),
}


def tell(story: str, out: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.store_crash_driver", story, str(out)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["faults"] == {}, done.stderr
    return told


@pytest.mark.slow
@pytest.mark.parametrize("story", STORIES)
def test_whatever_step_a_process_dies_at_nothing_is_lost_orphaned_or_undead(story: str, out: Path) -> None:
    trace = tell(story, out)["trace"]
    assert trace.count("commit") == trace.count("committed") > 0
    for effect in TURNING_POINTS[story]:
        assert any(f"{each} ".startswith(f"{effect} ") for each in trace), effect
