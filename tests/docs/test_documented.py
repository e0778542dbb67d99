"""What a person can meet is explained somewhere: settings, commands, errors, tags, states, guards, reasons."""

import json
import re
from collections.abc import Iterable

import pytest

from retention.audit.tags import Tag
from retention.catalogue.states import State
from retention.disposal.model import DisposalPlan, Limits, RunKind, RunState, Surroundings, tripped
from retention.holds.model import HoldKind
from retention.ingest.model import Code
from retention.kernel.errors import RetentionError
from retention.settings import Settings
from tests.docs.generate import commands, error_classes
from tests.docs.pages import blocks, text_of
from tests.docs.test_vectors import AUDIT, CERTIFICATE


def _rows(page: str, heading: str) -> set[str]:
    """The words in the first column of the table under a heading."""
    _, _, rest = text_of(page).partition(f"\n## {heading}\n")
    section = rest.partition("\n## ")[0]
    return set(re.findall(r"^\| `([^`]+)`", section, re.MULTILINE))


def test_every_setting_is_explained() -> None:
    page = text_of("docs/settings.md")
    assert [name for name in Settings.model_fields if f"`RETENTION_{name.upper()}`" not in page] == []
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_every_command_is_in_the_reference() -> None:
    page = text_of("docs/cli.md")
    assert [path for path in commands() if f"### {path}\n" not in page] == []


@pytest.mark.parametrize("error", error_classes(), ids=lambda error: str(error.__name__))
def test_every_error_has_an_exit_code_of_its_own_that_is_explained(error: type[RetentionError]) -> None:
    assert f"| {error.exit_code} | `{error().code}` |" in text_of("docs/cli.md")


def test_every_audit_tag_is_explained_and_no_other() -> None:
    assert _rows("docs/formats/audit.md", "Tags") == set(Tag)


def test_every_state_of_a_recording_is_explained() -> None:
    assert _rows("docs/architecture.md", "The life of a recording") == set(State)


@pytest.mark.parametrize("words", [RunState, RunKind, HoldKind, Code], ids=lambda words: str(words.__name__))
def test_every_word_that_an_operator_meets_is_explained(words: Iterable[str]) -> None:
    page = text_of("docs/operations.md")
    assert [word for word in words if f"`{word}`" not in page] == []


def test_every_guard_is_explained(everything_trips: dict[str, str]) -> None:
    assert _rows("docs/operations.md", "Guards") == set(everything_trips)


def test_the_certificates_examples_are_those_of_the_known_answer() -> None:
    statement, leaf = (json.loads(block.text) for block in blocks("docs/formats/certificate.md", "json"))
    assert statement == CERTIFICATE["statement"]
    assert leaf == json.loads(CERTIFICATE["certificate"][3])


def test_the_trails_examples_are_those_of_the_known_answer() -> None:
    entry, root = (block.text.strip() for block in blocks("docs/formats/audit.md", "json"))
    assert entry == AUDIT["entries"][2]["digested_text"]
    assert AUDIT["entries"][2]["digest"] in text_of("docs/formats/audit.md")
    assert root == AUDIT["root"]["signed_text"]
