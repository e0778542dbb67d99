"""A request by the command line alone: what each step says to a person, and to a program."""

from pathlib import Path

import pytest

from tests.builders.calls import CALLER
from tests.integration.cli.conftest import Shell

NAME = "髙橋 花子"


@pytest.fixture
def receipt(shell: Shell) -> str:
    """A request for erasure of the caller's recordings; its receipt number."""
    asked = (
        "erasure",
        "--name",
        NAME,
        "--contact",
        "東京都千代田区",
        "--phone",
        CALLER,
        "--words",
        "消してください。",
    )
    found: str = shell.json("request", "file", *asked).value["receipt"]
    return found


def matched(shell: Shell, receipt: str) -> list[str]:
    """Identify and match; what is held."""
    assert shell("request", "identify", receipt, "--method", "drivers-licence").code == 0
    held: list[str] = shell.json("request", "match", receipt).value["held"]
    return held


def test_filing_says_the_number_the_last_day_and_what_is_held(shell: Shell) -> None:
    answer = shell("request", "file", "disclosure", "--name", NAME, "--phone", CALLER)
    assert answer.code == 0
    assert "is on file. Answer by" in answer.out
    assert "held for it" in answer.out
    assert NAME not in answer.out + answer.err


def test_an_erasure_from_receipt_to_close(shell: Shell, receipt: str) -> None:
    held = matched(shell, receipt)
    assert held
    steps = [
        (("decide", receipt, "full"), "sato", "decided"),
        (("approve", receipt), "suzuki", "approved"),
        (("carry-out", receipt), "sato", "carried-out"),
        (("package", receipt, "--out", str(shell.folder / "letter.pdf")), "sato", "packaged"),
        (("deliver", receipt, "--route", "registered-post"), "sato", "delivered"),
        (("close", receipt), "sato", "closed"),
    ]
    for line, who, stage in steps:
        answer = shell.json("request", *line, who=who)
        assert (answer.code, answer.value["stage"]) == (0, stage), line
    assert (shell.folder / "letter.pdf").read_bytes().startswith(b"%PDF")
    assert {shell.json("show", each).value["state"] for each in held} == {"disposed"}
    run = shell.json("disposal", "list").lines[0]
    assert "erasure" in str(run)
    assert shell.json("check", "--level", "digest").value["ok"]
    assert shell.json("audit", "verify").value["ok"]


def test_the_list_names_nobody_and_shows_the_most_urgent_first(shell: Shell, receipt: str) -> None:
    answer = shell("request", "list")
    assert receipt in answer.out
    assert NAME not in answer.out
    (row,) = shell.json("request", "list").value
    assert (row["receipt"], row["stage"], row["outcome"]) == (receipt, "filed", None)


def test_whoever_reads_the_file_of_a_request_is_on_record(shell: Shell, receipt: str) -> None:
    before = shell.json("audit", "verify").value["entries"]
    answer = shell.json("request", "show", receipt, "--diary").value
    assert answer["received"]["subject"]["name"] == NAME
    assert shell.json("audit", "verify").value["entries"] == before + 1


def test_an_acknowledgement_can_be_printed_at_once(shell: Shell, receipt: str) -> None:
    out = shell.folder / "receipt.pdf"
    answer = shell.json("request", "letter", receipt, "--which", "receipt", "--out", str(out))
    assert answer.value["letter"] == "receipt"
    assert out.stat().st_mode & 0o777 == 0o600


def test_an_answer_that_is_not_decided_cannot_be_printed(shell: Shell, receipt: str) -> None:
    answer = shell("request", "letter", receipt, "--out", str(shell.folder / "x.pdf"))
    assert answer.code == 11
    assert "is not decided" in answer.err
    assert not (shell.folder / "x.pdf").exists()


def test_a_step_that_is_not_possible_says_what_is(shell: Shell, receipt: str) -> None:
    answer = shell.json("request", "match", receipt)
    assert answer.error["error"] == "illegal-transition"
    assert "identify" in answer.error["hint"]


def test_the_rulebook_in_force_is_shown_and_another_can_be_put_in_force(shell: Shell, tmp_path: Path) -> None:
    assert shell.json("request", "rules").value["rulebook"]
    broken = tmp_path / "rules.yaml"
    broken.write_text("rulebook: broken\n", encoding="utf-8")
    answer = shell("request", "rules", str(broken))
    assert answer.code == 11
    assert "rules.yaml:1" in answer.err


def test_a_rulebook_is_checked_with_the_cases_beside_it_before_it_is_put_in_force(
    shell: Shell, tmp_path: Path
) -> None:
    ours = Path(__file__).parents[3] / "policies" / "jurisdictions" / "appi.yaml"
    checked = shell.json("request", "rules", "--check", str(ours)).value
    assert checked["ok"]
    assert checked["cases"] > 0

    changed, cases = tmp_path / "changed.yaml", tmp_path / "changed.cases.yaml"
    changed.write_text(ours.read_text(encoding="utf-8"), encoding="utf-8")
    wrong = (
        ours.with_name("appi.cases.yaml").read_text(encoding="utf-8").replace("2026-11-16", "2026-11-17", 1)
    )
    cases.write_text(wrong, encoding="utf-8")
    answer = shell("request", "rules", "--check", str(changed))
    assert answer.code == 11
    assert "changed.cases.yaml:" in answer.out
    assert "came out answer_by 2026-11-16" in answer.out


def test_a_rulebook_is_not_taken_for_a_policy(shell: Shell) -> None:
    ours = Path(__file__).parents[3] / "policies" / "jurisdictions" / "appi.yaml"
    answer = shell("policy", "check", str(ours))
    assert "is a rulebook and no policy" in answer.err
    assert "request rules --check" in answer.err


def test_evidence_is_named_with_its_method(shell: Shell, receipt: str) -> None:
    answer = shell("request", "identify", receipt, "--evidence", "scan.jpg")
    assert answer.code == 11
    assert "METHOD=FILE" in answer.err
    gone = shell("request", "identify", receipt, "--evidence", "drivers-licence=nowhere.jpg")
    assert "nowhere.jpg cannot be read" in gone.err


def test_an_interval_needs_all_its_parts(shell: Shell) -> None:
    answer = shell("request", "file", "disclosure", "--name", NAME, "--source", "line")
    assert answer.code == 11
    assert "--source with --from and --to" in answer.err
