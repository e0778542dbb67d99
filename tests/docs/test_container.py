"""The container's files agree with the project. Building the image is left to those who have an engine."""

import re
from typing import Any

import yaml

from retention.settings import NOT_SETTINGS, Settings
from tests.docs.pages import ROOT, text_of

DOCKERFILE = text_of("docker/Dockerfile")
SERVICE: dict[str, Any] = yaml.safe_load(text_of("docker/compose.yaml"))["services"]["retention"]


def _copied() -> list[str]:
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    return [name for line in lines for name in line.split()]


def test_what_is_copied_into_the_image_is_there_and_is_not_ignored() -> None:
    kept = {line[1:] for line in text_of(".dockerignore").splitlines() if line.startswith("!")}
    assert [name for name in _copied() if not (ROOT / name).exists()] == []
    assert set(_copied()) == kept


def test_every_variable_is_a_setting() -> None:
    known = {f"RETENTION_{name.upper()}" for name in Settings.model_fields} | NOT_SETTINGS
    named = set(re.findall(r"RETENTION_[A-Z_]+", DOCKERFILE)) | set(SERVICE["environment"])
    assert named <= known


def test_the_image_has_a_python_that_the_project_runs_on() -> None:
    minimum = re.search(r'requires-python = ">=3\.(\d+)"', text_of("pyproject.toml"))
    assert minimum is not None
    assert {int(minor) for minor in re.findall(r"^FROM python:3\.(\d+)-", DOCKERFILE, re.MULTILINE)} == {
        int(minimum[1])
    }


def test_every_folder_that_is_written_lies_on_a_volume() -> None:
    """The root of the container is read-only, so a folder that was forgotten fails at the first write."""
    assert SERVICE["read_only"] is True
    mounted = {volume.partition(":")[2] for volume in SERVICE["volumes"]}
    assert {SERVICE["environment"]["RETENTION_HOME"], SERVICE["environment"]["RETENTION_WITNESS"]} <= mounted
    declared = re.search(r"^VOLUME \[(.+)\]$", DOCKERFILE, re.MULTILINE)
    assert declared is not None
    assert {each.strip(' "') for each in declared[1].split(",")} == mounted
