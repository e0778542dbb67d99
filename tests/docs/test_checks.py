"""What a person is told to check, what the hooks check and what CI checks is the same."""

import re

import yaml

from tests.docs.pages import blocks, text_of

CHECK = re.compile(r"^\s*(\.venv/bin/(?:ruff|mypy|lint-imports)\b.*?)\s*$", re.MULTILINE)


def _in_ci() -> list[str]:
    return CHECK.findall(text_of(".ci/run"))


def test_the_hooks_run_what_ci_runs() -> None:
    (repository,) = yaml.safe_load(text_of(".pre-commit-config.yaml"))["repos"]
    assert [hook["entry"] for hook in repository["hooks"]] == _in_ci() != []


def test_contributors_are_told_what_ci_runs() -> None:
    told = [found for block in blocks("CONTRIBUTING.md", "sh") for found in CHECK.findall(block.text)]
    assert told == _in_ci()
