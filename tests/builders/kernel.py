"""What this kernel lends: means to give up what a process does not need, and limits that stand for a full disk."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def no_file_above(size_bytes: int) -> Iterator[None]:
    """A write past it is refused in the middle, as a full disk refuses it; children inherit the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
