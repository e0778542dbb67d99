"""The README says what happens: its transcript is run, its excerpts are the shipped policy's, its commands exist.

Ids, digests, keys, instants and sizes differ from run to run. They are compared by
place: what stands for one thing in the README stands for one thing in the output.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from retention.schedule.cases import parse_cases, run_cases
from retention.schedule.parse import parse_policy
from tests.docs.pages import ROOT, blocks, text_of

JAPAN = "policies/defaults/japan.yaml"
VOLATILE = re.compile(
    r"(?P<id>\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b)"
    r"|(?P<hex>\b[0-9a-f]{16,}\b)"
    r"|(?P<instant>\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d+Z)"
    r"|(?P<size>\b\d[\d.]* (?:B|kB|MB|GB|bytes)\b)"
)


@dataclass
class Translation:
    """What stands in the README for what is there in this run."""

    of: dict[str, str] = field(default_factory=dict)

    def learn(self, written: str, printed: str) -> None:
        """Learn from two texts that should say the same.

        Raises:
            AssertionError: One thing of the README would stand for two.
        """
        for ours, theirs in zip(_volatile(written), _volatile(printed), strict=True):
            assert self.of.setdefault(ours, theirs) == theirs, (
                f"{ours} stands for {self.of[ours]} and for {theirs}"
            )

    def apply(self, command: str) -> str:
        """The README's command, for this run."""
        return VOLATILE.sub(lambda found: self.of.get(found[0], found[0]), command)


def _volatile(text: str) -> list[str]:
    return [found[0] for found in VOLATILE.finditer(text) if found.lastgroup != "size"]


def _plain(text: str) -> list[str]:
    """The lines of an output with placeholders, and with the widths of columns taken out."""
    lines = VOLATILE.sub(lambda found: f"<{found.lastgroup}>", text).splitlines()
    return [" ".join(line.split()) for line in lines if line.strip()]


def _steps() -> Iterator[tuple[str, str]]:
    """(command, what it prints) of the transcript."""
    (transcript,) = blocks("README.md", "console")
    for step in transcript.text.removeprefix("$ ").split("\n$ "):
        command, _, printed = step.partition("\n")
        yield command, printed


def _run(command: str, folder: Path) -> str:
    program, *arguments = shlex.split(command)
    argv = {"retention": [sys.executable, "-m", "retention"], "python": [sys.executable]}[program]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RETENTION_")}
    done = subprocess.run(
        [*argv, *arguments],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"$ {command}\n{done.stdout}"
    return done.stdout


def test_the_transcript_is_what_happens(tmp_path: Path) -> None:
    known = Translation()
    for command, written in _steps():
        printed = _run(known.apply(command), tmp_path)
        assert _plain(printed) == _plain(written), f"$ {command}"
        known.learn(written, printed)


def test_the_transcript_tells_the_whole_story() -> None:
    told = " ".join(command for command, _ in _steps())
    story = (
        "init",
        "source add",
        "ingest",
        "due",
        "disposal plan",
        "disposal run",
        "disposal certificate",
        "audit verify",
    )
    assert [word for word in story if f"retention {word}" not in told] == []


def test_a_difference_in_substance_is_noticed() -> None:
    assert _plain("1 recording (2 kB) in 01M830MQ0RNVJ45WN8YAHKWRFD") == _plain(
        "1 recording (3.5 MB)  in 01M830MQ0RNVJ45WN8YAHKWRFE"
    )
    assert _plain("1 recording due") != _plain("2 recordings due")


def test_one_id_of_the_transcript_never_stands_for_two() -> None:
    known = Translation()
    known.learn("run 01M830MQ0RNVJ45WN8YAHKWRFD", "run 01M830MQ0RNVJ45WN8YAHKWRFE")
    with pytest.raises(AssertionError, match="stands for"):
        known.learn("run 01M830MQ0RNVJ45WN8YAHKWRFD", "run 01M830MQ0RNVJ45WN8YAHKWRFF")


def _excerpts() -> list[object]:
    return [yaml.safe_load(block.text) for block in blocks("README.md", "yaml")]


def test_the_class_that_is_shown_is_the_one_that_ships() -> None:
    shipped = yaml.safe_load(text_of(JAPAN))["classes"]
    (shown,) = (each for each in _excerpts() if isinstance(each, dict))
    assert {name: shipped.get(name) for name in shown} == shown


def test_the_case_that_is_shown_comes_out_right() -> None:
    schedule = parse_policy(text_of(JAPAN), JAPAN)
    (shown,) = (block.text for block in blocks("README.md", "yaml") if block.text.startswith("- case"))
    results = run_cases(schedule, parse_cases(shown, "README.md"))
    assert [result for result in results if not result.passed] == []


@pytest.mark.parametrize(("name", "file"), [("demo", "constraints.txt"), ("test", "constraints-test.txt")])
def test_ci_finds_the_commands_that_the_readme_gives(name: str, file: str) -> None:
    printed = subprocess.run(
        [sys.executable, ".ci/readme_command.py", name], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert f"--require-hashes -r {file} " in printed
    assert "://" not in printed
