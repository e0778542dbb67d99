"""A correction from receipt to close by the command line alone."""

import pytest

from tests.builders.calls import CALLER
from tests.integration.cli.conftest import Shell

RIGHT = "+81355500177"
NAME = "高橋 花子"
SECOND = "suzuki"


@pytest.fixture
def receipt(shell: Shell) -> str:
    """A request for correction that is at its search; its receipt number."""
    asked = ("correction", "--name", NAME, "--contact", "東京都千代田区", "--phone", CALLER)
    found: str = shell.json("request", "file", *asked).value["receipt"]
    assert shell("request", "identify", found, "--method", "drivers-licence").code == 0
    assert shell("request", "match", found).code == 0
    return found


def test_a_correction_from_receipt_to_close(shell: Shell, receipt: str) -> None:
    young, purpose = shell.ids()["young"], ("--purpose", "service-quality")
    before = shell.json("show", young, *purpose).value
    assert (before["people"][0]["phone"], before["corrections"]) == (CALLER, [])
    made = shell.json("request", "correct", receipt, young, f"caller.phone={RIGHT}", f"caller.name={NAME}")
    assert made.value["changes"][0] == {"who": "caller", "field": "phone", "is": CALLER, "is_to_be": RIGHT}
    assert shell("request", "decide", receipt, "full").code == 0
    preview = shell("request", "corrections", receipt, who=SECOND)
    assert all(each in preview.out for each in (CALLER, RIGHT, NAME, "--seen"))
    seen = shell.json("request", "corrections", receipt, who=SECOND).value["seen"]
    steps = [
        (("approve", receipt, "--seen", seen), SECOND, "approved"),
        (("carry-out", receipt), "sato", "carried-out"),
        (("package", receipt, "--out", str(shell.folder / "letter.pdf")), "sato", "packaged"),
        (("deliver", receipt, "--route", "registered-post"), "sato", "delivered"),
        (("close", receipt), "sato", "closed"),
    ]
    for line, who, stage in steps:
        answer = shell.json("request", *line, who=who)
        assert (answer.code, answer.value["stage"]) == (0, stage), line
    after = shell.json("show", young, *purpose).value
    assert (after["people"][0]["phone"], after["people"][0]["name"]) == (RIGHT, NAME)
    assert after["before"][0][0]["phone"] == CALLER
    assert [each["request"] for each in after["corrections"]] == [receipt]
    assert [each["id"] for each in shell.json("search", "--phone", RIGHT).lines] == [young]
    assert shell.json("check", "--level", "digest").value["ok"]
    assert shell.json("audit", "verify").value["ok"]


def test_whoever_looks_at_or_opens_a_corrected_recording_is_told_so_and_only_a_purpose_shows_by_whom_it_is(
    shell: Shell, receipt: str
) -> None:
    young = shell.ids()["young"]
    shell("request", "correct", receipt, young, f"caller.phone={RIGHT}")
    shell("request", "decide", receipt, "full")
    seen = shell.json("request", "corrections", receipt).value["seen"]
    shell("request", "approve", receipt, "--seen", seen, who=SECOND)
    assert shell("request", "carry-out", receipt).code == 0
    words = f"for request {receipt}: caller.phone"
    plain, through = shell("show", young), shell("show", young, "--purpose", "service-quality")
    assert words in plain.out
    assert RIGHT not in plain.out
    assert CALLER not in plain.out
    assert f"phone: {RIGHT}" in through.out
    assert f"caller.phone was {CALLER} before a correction" in through.out
    assert words in shell("explain", young).out
    opened = shell("open", young, "--purpose", "service-quality", "--out", str(shell.folder / "call.wav"))
    assert words in opened.err
    refused = shell("show", young, "--purpose", "marketing")
    assert (refused.code, RIGHT in refused.out + refused.err) == (13, False)


def test_an_approval_without_having_looked_says_how_to_look(shell: Shell, receipt: str) -> None:
    shell("request", "correct", receipt, shell.ids()["young"], "caller.name=誰か")
    shell("request", "decide", receipt, "full")
    answer = shell("request", "approve", receipt, who=SECOND)
    assert answer.code == 11
    assert f"request corrections {receipt}" in answer.err
    assert shell("request", "approve", receipt, "--seen", "0" * 12, who=SECOND).code == 16


def test_a_change_that_cannot_be_read_says_how_to_write_it(shell: Shell, receipt: str) -> None:
    answer = shell("request", "correct", receipt, shell.ids()["young"], "phone")
    assert answer.code == 11
    assert "SIDE.FIELD=VALUE" in answer.err
    empty = shell.json("request", "corrections", receipt).value
    assert (empty["corrections"], empty["seen"]) == ([], None)
