"""What this kernel lends to a process that gives up what it does not need."""

import os

import pytest

from media.confine import at_hand


def needs(*means: str) -> None:
    """Skip where this machine's kernel lacks "landlock" or "seccomp"; in CI that is a failure."""
    missing = [each for each in means if each not in at_hand()]
    if not missing:
        return
    why = f"this kernel or processor has no {' and no '.join(missing)}"
    if os.environ.get("CI"):
        pytest.fail(why, pytrace=False)
    pytest.skip(why)
