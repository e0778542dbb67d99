"""The README says what happens: its transcript is run, its excerpts are the shipped policy's, its commands exist."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from retention.schedule.cases import parse_cases, run_cases
from retention.schedule.parse import parse_policy
from tests.docs.pages import ROOT, blocks, text_of
from tests.docs.transcript import Translation, plain, run, steps

JAPAN = "policies/defaults/japan.yaml"


@pytest.mark.slow
def test_the_transcript_is_what_happens(tmp_path: Path) -> None:
    known = Translation()
    for command, written in steps():
        printed = run(known.apply(command), tmp_path)
        assert plain(printed) == plain(written), f"$ {command}: run `python -m tests.docs.transcript`"
        known.learn(written, printed)


def test_the_transcript_tells_the_whole_story() -> None:
    told = " ".join(command for command, _ in steps())
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
    assert plain("1 recording (2 kB) in 01M830MQ0RNVJ45WN8YAHKWRFD") == plain(
        "1 recording (3.5 MB)  in 01M830MQ0RNVJ45WN8YAHKWRFE"
    )
    assert plain("1 recording due") != plain("2 recordings due")


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
