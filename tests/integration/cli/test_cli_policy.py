"""retention policy: check a text, try its cases, see the form and the packs."""

import json
from importlib.resources import files
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Shell

CASE = """\
- case: Footage goes after thirty days
  given: {kind: footage, purposes: [crime-prevention], ended: 2026-02-10T08:00}
  at: 2026-03-13
  expect: {outcome: OUTCOME}
"""


def japan() -> str:
    return files("policies").joinpath("defaults/japan.yaml").read_text(encoding="utf-8")


@pytest.fixture
def policy(nowhere: Shell) -> Path:
    path = nowhere.folder / "ours.yaml"
    path.write_text(japan(), encoding="utf-8")
    return path


def test_without_a_store_the_packs_are_checked_and_tried(nowhere: Shell) -> None:
    checked = nowhere.json("policy", "check", who=None).value
    assert checked["ok"]
    assert [each["file"] for each in checked["files"]] == [
        "policies/defaults/japan.yaml",
        "policies/packs/germany.yaml",
    ]
    tried = nowhere.json("policy", "try").value
    assert (tried["ok"], tried["failed"]) == (True, 0)
    assert tried["passed"] > 40


def test_in_a_store_its_own_policy_is_checked(shell: Shell) -> None:
    (answer,) = shell.json("policy", "check").value["files"]
    assert answer["file"] == str(shell.home / "policy.yaml")


def test_every_finding_is_printed_with_file_line_and_remedy(nowhere: Shell, policy: Path) -> None:
    policy.write_text(
        japan().replace("keep: P6M", "keep: six months").replace("keep: P30D", "keep: P1M3D", 1),
        encoding="utf-8",
    )
    answer = nowhere("policy", "check", str(policy))
    assert answer.code == 11
    assert answer.out.count(f"{policy}:") == 2
    found = nowhere.json("policy", "check", str(policy))
    assert (found.code, found.value["ok"]) == (11, False)
    assert {"file", "line", "message", "remedy"} == set(found.value["files"][0]["findings"][0])


def test_cases_beside_a_policy_are_checked_with_it(nowhere: Shell, policy: Path) -> None:
    policy.with_name("ours.cases.yaml").write_text("- case: nothing\n", encoding="utf-8")
    answer = nowhere("policy", "check", str(policy))
    assert answer.code == 11
    assert "ours.cases.yaml:1" in answer.out


@pytest.mark.parametrize(("outcome", "code"), [("due", 0), ("keep", 11)])
def test_the_exit_code_says_whether_every_case_came_out(
    nowhere: Shell, policy: Path, outcome: str, code: int
) -> None:
    policy.with_name("ours.cases.yaml").write_text(CASE.replace("OUTCOME", outcome), encoding="utf-8")
    answer = nowhere.json("policy", "try", str(policy))
    assert answer.code == code
    (case,) = answer.value["cases"]
    assert case["passed"] is (outcome == "due")
    assert (case["expected"], case["actual"]) == ({"outcome": outcome}, {"outcome": "due"})
    assert "Footage goes after thirty days" in nowhere("policy", "try", str(policy)).out


def test_cases_may_stand_in_another_file(nowhere: Shell, policy: Path) -> None:
    elsewhere = nowhere.folder / "elsewhere.yaml"
    elsewhere.write_text(CASE.replace("OUTCOME", "due"), encoding="utf-8")
    assert nowhere.json("policy", "try", str(policy), "--cases", str(elsewhere)).value["passed"] == 1
    missing = nowhere.json("policy", "try", str(policy))
    assert (missing.code, missing.error["error"]) == (12, "not-found")


def test_a_store_without_cases_tries_the_packs_and_says_so(shell: Shell) -> None:
    answer = shell("policy", "try")
    assert answer.code == 0
    assert "no cases beside" in answer.err


def test_the_schema_is_the_one_that_ships(nowhere: Shell) -> None:
    shipped = json.loads(files("policies").joinpath("schema.json").read_text(encoding="utf-8"))
    assert json.loads(nowhere("policy", "schema").out) == shipped
    assert nowhere.json("policy", "schema").value == shipped


def test_packs_are_listed_and_named_packs_are_found(nowhere: Shell) -> None:
    rows = {row["pack"]: row for row in nowhere.json("policy", "packs").value}
    assert {name: row["jurisdiction"] for name, row in rows.items()} == {"japan": "JP", "germany": "DE"}
    assert (
        nowhere.json("policy", "check", "germany").value["files"][0]["file"] == "policies/packs/germany.yaml"
    )
    assert nowhere.json("policy", "check", "atlantis").code == 12
