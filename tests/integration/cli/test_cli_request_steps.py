"""A request's rarer steps by the command line: what each says, how it ends, and what it then shows."""

import sqlite3
from contextlib import closing
from pathlib import Path

from retention.cli.request.copies import MOST_REVIEW_BYTES
from tests.builders.calls import CALLER
from tests.integration.cli.conftest import Shell

NAME = "髙橋 花子"
APPROVER = "suzuki"


def filed(shell: Shell, kind: str = "erasure", *more: str) -> str:
    """The receipt of a request about the caller."""
    told = shell.json("request", "file", kind, "--name", NAME, "--phone", CALLER, *more)
    receipt: str = told.value["receipt"]
    return receipt


def matched(shell: Shell, kind: str = "erasure") -> str:
    receipt = filed(shell, kind)
    assert shell("request", "identify", receipt, "--method", "drivers-licence").code == 0
    assert shell("request", "match", receipt).code == 0
    return receipt


def stage(shell: Shell, receipt: str) -> tuple[str, str | None]:
    value = shell.json("request", "show", receipt).value
    return value["stage"], value["outcome"]


# --- receipt


def test_an_agent_who_asks_must_be_named(shell: Shell) -> None:
    told = shell("request", "file", "erasure", "--name", NAME, "--agent", " ")
    assert told.code == 11
    assert "made by an agent who is not named" in told.err
    assert "--agent NAME" in told.err
    assert shell("request", "list").out == "No request is open.\n"


def test_what_disposal_has_begun_with_is_too_late_and_said_to_be(shell: Shell) -> None:
    call = shell.ids()["overdue"]
    with closing(sqlite3.connect(shell.home / "catalogue.db")) as database, database:
        database.execute("UPDATE recording SET state = 'disposing' WHERE id = ?", (call,))
    line = ("request", "file", "erasure", "--name", NAME, "--recording")
    assert f"Too late for {call}: disposal had begun before." in shell(*line, call).out
    assert "Too late" not in shell(*line, shell.ids()["young"]).out
    receipt = shell.json("request", "list").value[0]["receipt"]
    assert shell("request", "identify", receipt, "--method", "drivers-licence").code == 0
    assert f"{call} was disposed of before, and is going." in shell("request", "match", receipt).out
    assert "being disposed of" in shell("request", "show", receipt).out


def test_what_is_gone_is_answered_by_the_certificate_that_says_so(shell: Shell) -> None:
    call = shell.ids()["overdue"]
    run = shell.json("disposal", "run").value["run"]
    told = shell.json("request", "file", "erasure", "--name", NAME, "--recording", call)
    assert told.value["held"] == []
    receipt = told.value["receipt"]
    shell("request", "identify", receipt, "--method", "drivers-licence")
    assert (
        f"{call} was disposed of before: certificate of run {run}." in shell("request", "match", receipt).out
    )
    assert f"disposed of before: run {run}" in shell("request", "show", receipt).out


def test_of_nobody_s_recordings_no_copy_is_made(shell: Shell) -> None:
    nobody = ("--name", "佐藤 一", "--phone", "+81355500999")
    receipt = shell.json("request", "file", "disclosure", *nobody).value["receipt"]
    assert shell("request", "identify", receipt, "--method", "drivers-licence").code == 0
    assert shell("request", "match", receipt).code == 0
    told = shell("request", "propose", receipt)
    assert told.code == 12
    assert f"no recording about request {receipt} is held" in told.err
    assert f"`retention request decide {receipt} nothing-held`." in " ".join(told.err.split())


def test_what_was_not_proposed_is_not_reviewed(shell: Shell) -> None:
    receipt, call = matched(shell, "disclosure"), shell.ids()["young"]
    told = shell("request", "review", receipt, "--recording", call, "--hide-rest")
    assert told.code == 12
    assert f"nothing is proposed for recording {call} of request {receipt}" in " ".join(told.err.split())
    assert f"`retention request propose {receipt} --recording {call}` comes first." in " ".join(
        told.err.split()
    )


def test_what_a_person_says_later_is_held_as_well(shell: Shell) -> None:
    receipt, other = filed(shell), shell.ids()["other"]
    assert (
        f"More is held for request {receipt}."
        in shell("request", "describe", receipt, "--recording", other).out
    )
    assert len(shell.json("show", other).value["holds"]) == 1
    nothing = shell("request", "describe", receipt)
    assert (nothing.code, nothing.out) == (11, "")
    assert "nothing is described" in nothing.err
    assert "--phone" in nothing.err


def test_who_cannot_be_identified_gets_a_letter_that_confirms_nothing(shell: Shell) -> None:
    receipt = filed(shell)
    line = ("request", "identify", receipt, "--failed", "--reason")
    without = shell(*line, " ")
    assert (without.code, stage(shell, receipt)) == (11, ("filed", None))
    assert "what was asked for, and what came" in without.err
    told = shell(*line, "no document came")
    assert (told.code, stage(shell, receipt)) == (0, ("approved", "not-identified"))
    assert f"The letter for request {receipt} confirms nothing." in told.out


# --- search and decision


def test_a_recording_of_somebody_else_is_left_out_and_listed_as_such(shell: Shell) -> None:
    receipt, young, other = matched(shell), shell.ids()["young"], shell.ids()["other"]
    line = ("request", "leave-out", receipt)
    told = shell(*line, young, "--reason", "another voice")
    assert told.code == 0
    assert f"Request {receipt} is not about {young}." in told.out
    (row,) = (each for each in shell("request", "show", receipt).out.splitlines() if young in each)
    assert row.split() == [young, "left", "out"]
    assert len(shell.json("show", young).value["holds"]) == 1
    strange = shell(*line, other, "--reason", "another voice")
    assert strange.code == 12
    assert f"`retention request show {receipt}` lists them" in strange.err


def test_a_decision_that_is_sent_back_is_open_again(shell: Shell) -> None:
    receipt = matched(shell)
    assert shell("request", "decide", receipt, "full").code == 0
    line = ("request", "send-back", receipt, "--reason", "listen again")
    own = shell(*line)
    assert (own.code, stage(shell, receipt)) == (13, ("decided", "full"))
    told = shell(*line, who=APPROVER)
    assert (told.code, stage(shell, receipt)) == (0, ("matched", None))
    assert f"Request {receipt} is open again." in told.out


def test_a_request_that_is_withdrawn_is_answered_and_closed(shell: Shell) -> None:
    receipt = filed(shell)
    told = shell("request", "withdraw", receipt, "--reason", "she called")
    assert (told.code, stage(shell, receipt)) == (0, ("approved", "withdrawn"))
    assert f"Request {receipt} is withdrawn." in told.out
    letter = shell.folder / "letter.pdf"
    assert shell("request", "package", receipt, "--out", str(letter)).code == 0
    assert letter.read_bytes().startswith(b"%PDF")
    assert shell("request", "deliver", receipt, "--route", "post").code == 0
    closed = shell("request", "close", receipt)
    assert f"Request {receipt} is closed." in closed.out
    assert shell("request", "list").out == "No request is open.\n"
    assert receipt in shell("request", "list", "--all").out
    assert shell.json("show", shell.ids()["young"]).value["holds"] == []


def test_more_time_is_taken_once_and_the_requester_is_told(shell: Shell) -> None:
    receipt = filed(shell)
    before = shell.json("request", "show", receipt).value["due_on"]
    early = shell("request", "letter", receipt, "--which", "extension", "--out", str(shell.folder / "e.pdf"))
    assert early.code != 0
    told = shell("request", "extend", receipt, "--reason", "the recorder is being repaired")
    after = shell.json("request", "show", receipt).value["due_on"]
    assert told.code == 0
    assert f"Request {receipt} is to be answered by {after}. Tell the requester now." in told.out
    assert after > before
    out = shell.folder / "extension.pdf"
    line = ("request", "letter", receipt, "--which", "extension", "--out", str(out))
    assert f"The letter extension is in {out}." in shell(*line).out
    assert out.read_bytes().startswith(b"%PDF")
    again = shell("request", "extend", receipt, "--reason", "still")
    assert again.code == 14
    assert "extended or answered before" in again.err


def test_a_letter_that_cannot_be_printed_as_it_is_written_says_what_to_look_at(shell: Shell) -> None:
    receipt = shell.json("request", "file", "erasure", "--name", "花子 \U0001f469").value["receipt"]
    out = shell.folder / "receipt.pdf"
    line = ("request", "letter", receipt, "--which", "receipt", "--out", str(out))
    told = shell(*line)
    assert told.code == 0
    assert "Look at the letter: " in told.err
    assert out.read_bytes().startswith(b"%PDF")


def test_a_rulebook_to_check_must_be_named(nowhere: Shell) -> None:
    told = nowhere("request", "rules", "--check")
    assert (told.code, told.out) == (11, "")
    assert "which rulebook to check" in told.err


# --- copies


def test_a_photo_that_is_not_there_is_refused_before_anything_is_searched(shell: Shell) -> None:
    receipt = matched(shell, "disclosure")
    told = shell("request", "propose", receipt, "--keep-face", str(shell.folder / "nobody.jpg"))
    assert told.code == 11
    assert "nobody.jpg is not a file" in told.err
    assert shell.json("request", "show", receipt).value["copies"] == []


def test_what_is_taken_back_as_a_review_must_be_a_file_of_some_size(shell: Shell) -> None:
    receipt, huge = matched(shell, "disclosure"), shell.folder / "huge.json"
    with huge.open("wb") as file:
        file.truncate(MOST_REVIEW_BYTES + 1)
    line = ("request", "review", receipt, "--recording", shell.ids()["young"], "--in")
    for path, why in ((huge, "is too large"), (shell.folder / "none.json", "cannot be read: No such file")):
        told = shell(*line, str(path))
        assert told.code == 11
        assert f"{path} {why}" in told.err


def test_pictures_for_the_reviewer_go_into_a_folder_of_their_own(shell: Shell) -> None:
    receipt, out = matched(shell, "disclosure"), shell.folder / "review.json"
    line = ("request", "review", receipt, "--recording", shell.ids()["young"], "--out", str(out))
    told = shell(*line, "--faces", str(shell.folder))
    assert told.code == 11
    assert f"the folder {shell.folder} cannot be made: File exists" in told.err
    assert not out.exists()


def test_a_call_is_proposed_once_and_said_how_far_it_is(shell: Shell) -> None:
    receipt, young, overdue = matched(shell, "disclosure"), shell.ids()["young"], shell.ids()["overdue"]
    shown = shell("request", "show", receipt).out
    assert f"{young}: not proposed." in shown
    assert shell("request", "propose", receipt, "--no-words").code == 0
    again = shell("request", "propose", receipt, "--no-words")
    assert again.code == 0
    assert "Nothing new was proposed" in again.out
    review = ("request", "review", receipt, "--recording")
    for each in (young, overdue):
        told = shell(*review, each, "--hide-rest", who=APPROVER)
        assert told.code == 0, told.err
        assert f"{each}: reviewed by {APPROVER}, 0 open points." in told.out
    assert shell("request", "render", receipt, "--report-language", "fr").code == 11
    assert shell("request", "render", receipt).code == 0
    rendered = shell("request", "render", receipt)
    assert rendered.code == 0
    assert "Every copy is made." in rendered.out


def test_a_policy_without_classes_for_papers_takes_no_request_and_says_what_it_lacks(nowhere: Shell) -> None:
    shipped = Path(__file__).parents[3] / "policies" / "defaults" / "japan.yaml"
    text = shipped.read_text(encoding="utf-8")
    for start, end in (
        ("      requests.file: ", "      provision.record: "),  # the notice's periods
        ("  request-handling:\n", "  provision-records:\n"),
        ("  requests.file:\n", "  provision.record:\n"),
    ):
        text = text[: text.index(start)] + text[text.index(end) :]
    policy = nowhere.folder / "policy.yaml"
    policy.write_text(text, encoding="utf-8")
    assert nowhere("init", "--pack", str(policy)).code == 0
    told = nowhere.json("request", "file", "complaint", "--name", NAME)
    assert told.error["exit_code"] == 11
    assert told.error["message"] == "the policy has no retention class for requests of the area file"
    assert "japan.yaml shows how" in told.error["hint"]
    assert nowhere.json("request", "list").value == []
    assert nowhere.json("hold", "list").value == []
