"""Whatever moment a restore dies at, the catalogue is the old one or the new one, and restoring again ends the same."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_a_restore_that_is_killed_at_any_step_is_finished_by_restoring_again(out: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.restore_crash_driver", str(out)],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["faults"] == {}
    passed = [effect for effect in told["trace"] if effect.startswith("step ")]
    assert passed == [
        f"step {name}"
        for name in (
            "cleared", "loaded", "replayed", "destroyed", "erased", "checked", "told", "built", "sealed", "kept", "swapped",
        )
    ]  # fmt: skip
    assert len(told["trace"]) > 50
