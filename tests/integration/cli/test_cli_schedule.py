"""retention schedule: plan, approve, wait, apply, cancel, list, show, as anyone types them."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cli.conftest import Shell


@pytest.fixture
def shorter(shell: Shell) -> Path:
    """The store's policy, with half the period for service quality, and the notice to go with it."""
    text = (shell.home / "policy.yaml").read_text(encoding="utf-8")
    head, _, tail = text.partition("  calls.service-quality:\n    purpose: service-quality\n    keep: P6M")
    assert tail
    head = head.replace("calls.service-quality: P6M", "calls.service-quality: P3M")
    changed = f"{head}  calls.service-quality:\n    purpose: service-quality\n    keep: P3M{tail}"
    path = shell.folder / "shorter.yaml"
    path.write_text(changed, encoding="utf-8")
    return path


@pytest.fixture
def plan(shell: Shell, shorter: Path) -> Any:
    """The shorter policy, planned by sato."""
    return shell.json("schedule", "plan", str(shorter)).value


def let_cool_off(shell: Shell) -> None:
    """As if the three days had passed."""
    with closing(sqlite3.connect(shell.home / "catalogue.db")) as connection, connection:
        connection.execute("UPDATE schedule_plan SET cool_off_until = '2020-01-01 00:00:00.000000'")


def test_a_plan_answers_with_what_others_build_on(plan: Any) -> None:
    assert plan["base_version"] == 1
    assert set(plan["due_now"]) == {"recordings", "bytes", "held"}
    assert plan["moved"] == plan["unclassified"] == 0
    assert [each["class"] for each in plan["classes"]] == ["calls.service-quality"]
    assert {"class", "site", "on", "recordings", "bytes", "held", "direction"} <= set(plan["changes"][0])
    assert [each["notice"] for each in plan["notices"]] == ["call-announcement"]
    assert any("call-announcement" in each for each in plan["conflicts"])
    assert len(plan["digest"]) == 64
    assert plan["cool_off_until"] is None


def test_people_read_totals_tables_and_the_digest(shell: Shell, shorter: Path) -> None:
    answer = shell("schedule", "plan", str(shorter))
    assert answer.code == 0
    for words in ("due at once", "due sooner", "calls.service-quality", "Notices whose text must change"):
        assert words in answer.out
    (digest,) = (line.split()[-1] for line in answer.out.splitlines() if line.startswith("digest "))
    assert f"retention schedule approve {digest[:12]} --as NAME" in answer.err


def test_two_people_and_three_days_later_the_new_version_is_in_force(shell: Shell, plan: Any) -> None:
    digest = plan["digest"]
    refused = shell.json("schedule", "approve", digest)
    assert (refused.code, refused.error["error"]) == (13, "not-permitted")
    approved = shell.json("schedule", "approve", digest[:12], who="tanaka").value
    assert approved["approved_by"] == "tanaka"
    early = shell.json("schedule", "apply", digest)
    assert (early.code, early.error["error"]) == (14, "illegal-transition")
    assert "cools off until" in early.error["message"]
    assert "the cool-off, until" in shell("schedule", "list").out

    let_cool_off(shell)
    applied = shell.json("schedule", "apply", digest).value
    assert (applied["version"], applied["state"]) == (2, "applied")
    listed = shell.json("schedule", "list").value
    assert [each["version"] for each in listed["versions"]] == [1, 2]
    assert [each["state"] for each in listed["plans"]] == ["applied"]
    assert listed["alarms"] == []
    reason = shell.json("show", shell.ids()["young"]).value["purposes"][0]
    assert reason["class"] == "calls.service-quality"
    assert shell.json("audit", "verify").value["ok"]


def test_the_text_in_force_and_every_earlier_one_can_be_shown(shell: Shell, plan: Any, shorter: Path) -> None:
    first = (shell.home / "policy.yaml").read_text(encoding="utf-8")
    assert shell("schedule", "show").out == first
    shell("schedule", "approve", plan["digest"], who="tanaka")
    let_cool_off(shell)
    shell("schedule", "apply", plan["digest"])
    assert shell("schedule", "show").out == shorter.read_text(encoding="utf-8")
    assert shell("schedule", "show", "1").out == first
    assert shell.json("schedule", "show", "9").code == 12


def test_classes_are_shown_with_what_they_hold(shell: Shell) -> None:
    rows = {row["class"]: row for row in shell.json("schedule", "show").value["classes"]}
    assert rows["calls.service-quality"]["recordings"] == 3
    assert rows["calls.contract-line"]["sort"] == "floor"
    assert rows["cctv.maximum"]["sort"] == "ceiling"
    assert "calls.service-quality" in shell("schedule", "show", "--classes").out


def test_without_a_file_the_stores_own_policy_is_planned(shell: Shell, shorter: Path) -> None:
    same = shell.json("schedule", "plan")
    assert (same.code, same.error["error"]) == (11, "invalid-input")
    (shell.home / "policy.yaml").write_text(shorter.read_text(encoding="utf-8"), encoding="utf-8")
    assert shell.json("schedule", "plan").value["file"].endswith("policy.yaml")


def test_keeping_longer_is_refused_without_a_reason(shell: Shell, shorter: Path) -> None:
    longer = shorter.with_name("longer.yaml")
    longer.write_text(shorter.read_text(encoding="utf-8").replace("P3M", "P8M"), encoding="utf-8")
    refused = shell.json("schedule", "plan", str(longer))
    assert refused.code == 11
    assert "Art. 22" in refused.error["hint"]
    assert shell.json("schedule", "plan", str(longer), "--reason", "a new law").value["reason"] == "a new law"


def test_everything_that_is_wrong_with_a_text_is_said(shell: Shell, shorter: Path) -> None:
    shorter.write_text(
        shorter.read_text(encoding="utf-8")
        .replace("P3M", "3 months")
        .replace("kinds: [call]", "kinds: [calls]"),
        encoding="utf-8",
    )
    refused = shell("schedule", "plan", str(shorter))
    assert refused.code == 11
    assert refused.err.count(f"{shorter}:") > 2


def test_a_cancelled_plan_stays_cancelled(shell: Shell, plan: Any) -> None:
    shell("schedule", "approve", plan["digest"], who="tanaka")
    assert shell.json("schedule", "cancel", plan["digest"], who="ito").value["cancelled_by"] == "ito"
    let_cool_off(shell)
    assert shell.json("schedule", "apply", plan["digest"]).code == 14


def test_apply_without_a_digest_finishes_what_was_interrupted_if_anything_was(shell: Shell) -> None:
    assert shell.json("schedule", "apply").value == {"rewrapped": 0}


def test_nobody_plans_or_approves_without_a_name(shell: Shell, shorter: Path) -> None:
    assert shell.json("schedule", "plan", str(shorter), who="").code == 11
