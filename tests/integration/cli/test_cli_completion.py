"""Shells complete commands: what they ask the program, and what it answers."""

import os
import subprocess
import sys

import pytest


def completed(line: str) -> list[str]:
    """What bash would offer after `line`."""
    words = line.split(" ")
    asked = {"_RETENTION_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    done = subprocess.run(
        [sys.executable, "-m", "retention"],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("retention ho", ["hold"]),
        ("retention hold pl", ["place"]),
        ("retention request c", ["carry-out", "close", "correct", "corrections"]),
        ("retention hold place --re", ["--reason", "--review-on", "--recording"]),
    ],
)
def test_a_shell_is_offered_what_can_follow(line: str, offered: list[str]) -> None:
    assert sorted(completed(line)) == sorted(offered)
