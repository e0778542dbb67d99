"""Everything that is installed is pinned with hashes, and nothing says from where."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.docs.pages import ROOT, text_of

#: Parts of a package that is asked for, under a name of their own.
COME_WITH_THEIR_OWN = {"botocore", "pydantic-core"}
FILES = ("constraints.txt", "constraints-test.txt")
PIN = re.compile(
    r"^([a-z0-9][a-z0-9._-]*)(?:\[[^\]]*\])?==(\S+?)(?: ; (.+?))?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$",
    re.MULTILINE,
)


def _pins(file: str) -> dict[str, set[Version]]:
    found: dict[str, set[Version]] = {}
    for name, version, _marker, _hashes in PIN.findall(text_of(file)):
        found.setdefault(canonicalize_name(name), set()).add(Version(version))
    return found


def _wanted(*, tests: bool) -> list[Requirement]:
    project = tomllib.loads(text_of("pyproject.toml"))
    lines = [
        *project["project"]["dependencies"],
        *project["dependency-groups"]["build"],
        *project["build-system"]["requires"],
    ]
    if tests:
        lines += project["project"]["optional-dependencies"]["test"]
    return [Requirement(line) for line in lines]


def _extras() -> list[Requirement]:
    """What a user may ask for besides; imported only where it is used."""
    extras = tomllib.loads(text_of("pyproject.toml"))["project"]["optional-dependencies"]
    return [Requirement(line) for name, lines in extras.items() if name != "test" for line in lines]


@pytest.mark.parametrize("file", FILES)
def test_every_line_is_a_pin_with_hashes_or_says_who_wants_it(file: str) -> None:
    rest = PIN.sub("", text_of(file))
    assert [line for line in rest.splitlines() if line.strip() and not line.lstrip().startswith("#")] == []


@pytest.mark.parametrize("file", FILES)
def test_no_address_is_named(file: str) -> None:
    text = text_of(file)
    assert "://" not in text
    assert re.search(r"\b(index|find-links|trusted-host|file:|https?)\b", text) is None


@pytest.mark.parametrize(("file", "tests"), [(FILES[0], False), (FILES[1], True)])
def test_what_the_project_asks_for_is_pinned_within_its_range(file: str, tests: bool) -> None:
    pins = _pins(file)
    for wanted in _wanted(tests=tests):
        versions = pins.get(canonicalize_name(wanted.name), set())
        assert versions, f"{wanted} is not pinned in {file}: compile it again (CONTRIBUTING.md)"
        assert all(version in wanted.specifier for version in versions), (
            f"{file} pins {wanted.name} outside {wanted}"
        )


def test_tests_run_with_what_is_shipped() -> None:
    shipped, tested = _pins(FILES[0]), _pins(FILES[1])
    assert {name: tested.get(name) for name in shipped} == shipped


def _imported(folder: str) -> Iterator[str]:
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (each.name.partition(".")[0] for each in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


@pytest.mark.parametrize("folder", ["retention", "media", "policies"])
def test_what_is_imported_is_asked_for(folder: str) -> None:
    """A package that comes along by chance may go by chance."""
    wanted = (*_wanted(tests=False), *_extras())
    asked = {canonicalize_name(one.name) for one in wanted} | COME_WITH_THEIR_OWN
    providers = packages_distributions()
    strangers = set(_imported(folder)) - sys.stdlib_module_names - {"retention", "media", "policies"}
    for name in strangers:
        found = {canonicalize_name(each) for each in providers.get(name, [])}
        assert found & asked, f"{folder} imports {name}, which pyproject.toml does not ask for"
