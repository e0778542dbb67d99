"""What a person can meet is explained somewhere: settings, commands, errors, tags, states, guards, reasons."""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from retention.amendment.model import PlanState
from retention.audit.tags import Tag
from retention.catalogue.states import State
from retention.custody.model import Kind as FindingKind
from retention.custody.replay.journal import KINDS
from retention.disclosure.model import Delivery
from retention.disposal.model import (
    DisposalPlan,
    Limits,
    PlannedCohort,
    RunKind,
    RunState,
    Surroundings,
    tripped,
)
from retention.holds.model import DrillOutcome, HoldKind
from retention.ingest.model import Code
from retention.kernel.errors import RetentionError
from retention.settings import Settings
from tests.docs.generate import commands, error_classes
from tests.docs.pages import blocks, text_of
from tests.docs.test_vectors import AUDIT, CERTIFICATE

WITNESS_FILES = {"head", "heads", "journal", "certificate-RUN.jsonl"}


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


def test_every_kind_of_line_in_the_journal_is_explained_and_no_other() -> None:
    assert _rows("docs/formats/audit.md", "The witness folder") - WITNESS_FILES == set(KINDS)


def test_every_state_of_a_recording_is_explained() -> None:
    assert _rows("docs/architecture.md", "The life of a recording") == set(State)


@pytest.mark.parametrize(
    "words",
    [RunState, RunKind, PlanState, HoldKind, DrillOutcome, Code, FindingKind],
    ids=lambda words: str(words.__name__),
)
def test_every_word_that_an_operator_meets_is_explained(words: Iterable[str]) -> None:
    page = text_of("docs/operations.md")
    assert [word for word in words if f"`{word}`" not in page] == []


def test_every_state_of_a_delivery_is_explained_and_no_other() -> None:
    assert _rows("docs/delivery.md", "The disclosure ledger") == set(Delivery)


def test_every_guard_is_explained() -> None:
    """A night that is wrong in every way names every guard there is."""
    now = datetime(2026, 11, 2, tzinfo=UTC)
    day = timedelta(days=1)
    cohort = PlannedCohort(1, "a", "a", "UTC", now.date(), now.date(), 9, 9, 0, 9, needs_approval=False)
    plan = DisposalPlan(
        now.date(), (cohort,), recordings=9, size_bytes=9, held=0, spent=0, unknown_classes=()
    )
    limits = Limits(0.1, 0.1, from_recordings=1, size_bytes=1, clock_forward=day, backup_age=day)
    seen = Surroundings(
        now=now,
        last_audit_at=None,
        last_run_at=now - 9 * day,
        last_backup_at=now - 9 * day,
        total_recordings=9,
        total_by_class={"a": 9},
        holds_in_journal=frozenset({"hold"}),
        holds_accounted_for=frozenset(),
        early=("cohort",),
        untold=frozenset({"run"}),
        journal_lost="",
        trail_astray="an old copy",
        store_id="ours",
        store_id_in_store="another",
    )
    assert _rows("docs/operations.md", "Guards") == set(tripped(plan, limits, seen))


def test_the_certificates_examples_are_those_of_the_known_answer() -> None:
    statement, leaf = (json.loads(block.text) for block in blocks("docs/formats/certificate.md", "json"))
    assert statement == CERTIFICATE["statement"]
    assert leaf == json.loads(CERTIFICATE["certificate"][3])


def test_the_trails_examples_are_those_of_the_known_answer() -> None:
    entry, root = (block.text.strip() for block in blocks("docs/formats/audit.md", "json"))
    assert entry == AUDIT["entries"][2]["digested_text"]
    assert AUDIT["entries"][2]["digest"] in text_of("docs/formats/audit.md")
    assert root == AUDIT["root"]["signed_text"]
