"""Redacted copies of a request: who decides what, in which order, and what is left when anything goes wrong."""

import json
from datetime import timedelta

import pytest

from retention.audit.tags import Tag
from retention.bootstrap import WORK
from retention.disclosure.deliver import hand_over
from retention.kernel.errors import (
    DatabaseBusy,
    IllegalTransition,
    InvalidInput,
    NotFound,
    NotPermitted,
    StaleApproval,
    ToolFailed,
)
from retention.redaction.redactor import Choice, Original
from retention.redaction.review import hand_out, pictures
from retention.redaction.workroom import sweep, workroom
from retention.requests.answer import close
from retention.requests.decide import withdraw
from retention.requests.match import leave_out, match
from retention.requests.papers import PURPOSE
from retention.requests.rules.model import RequestKind
from tests.builders.copies import APPROVER, RENDERER, REVIEWER, Case, lying_about
from tests.builders.disclosure import plain_answer
from tests.builders.house import ACTOR, CALLER, House


@pytest.fixture
def call(house: House) -> str:
    """A call of the requester."""
    house.add_source()
    return house.take_in(phone=CALLER)


@pytest.fixture
def case(house: House, call: str) -> Case:
    """A request that has found the call."""
    del call
    return Case(house).matched()


# --- from the proposal to the copy


def test_a_copy_is_proposed_reviewed_rendered_and_sealed_with_the_case(
    house: House, case: Case, call: str
) -> None:
    original = house.open(call, "quality")
    (proposed,) = case.propose()
    assert proposed.open_points == ["somebody is undecided"]
    case.review(call)
    (made,) = case.render().made
    assert made.rendition_id
    copy = house.open(made.rendition_id, PURPOSE)
    assert copy.startswith(b"copy of ")
    assert house.find(made.rendition_id).sha256 == made.sha256
    assert house.open(made.report_id, PURPOSE) == b"looked at again"
    assert sorted(case.papers().values()) == [
        "redacted copy",
        "report on a redacted copy",
        "report on a redacted copy, as a page",
        "review document",
        "review document",
    ]
    assert (case.finished(), made.suffix, made.size_bytes) == ([call], ".script", len(copy))
    assert house.open(call, "quality") == original
    assert lying_about(house) == []


def test_every_act_is_on_the_trail_and_in_the_diary_and_says_nothing_of_what_was_seen(
    house: House, case: Case, call: str
) -> None:
    house.redactor.finds = ["a secret of the picture"]
    case.made(call)
    tags = [Tag.REVIEW_PROPOSED, Tag.REVIEW_GIVEN, Tag.RENDITION_MADE]
    entries = house.audit(*tags)
    assert [(each.tag, each.actor) for each in entries] == [
        (Tag.REVIEW_PROPOSED, ACTOR),
        (Tag.REVIEW_GIVEN, REVIEWER),
        (Tag.RENDITION_MADE, RENDERER),
    ]
    assert {each.detail["recording"] for each in entries} == {call}
    assert entries[-1].detail["sha256"] == (case.row(call).sha256 or b"").hex()
    assert "a secret" not in json.dumps([each.detail for each in house.audit()])
    assert house.verify().ok


def test_originals_are_opened_on_record_with_the_request_named(house: House, case: Case, call: str) -> None:
    case.made(call)
    opened = [each.purpose for each in house.audit(Tag.OPENED) if each.subject == call]
    assert opened == [f"request:{case.receipt}"] * 2


def test_a_recording_whose_purposes_have_expired_is_still_disclosed_because_the_request_holds_it(
    house: House, case: Case, call: str
) -> None:
    house.clock.move(days=400)
    house.night()
    with pytest.raises(NotPermitted, match="expired"):
        house.open(call, "quality")
    assert case.made(call).finished() == [call]


def test_of_a_recording_with_a_destroyed_span_the_present_version_is_copied(house: House, call: str) -> None:
    house.destroy_span(call)
    case = Case(house).matched().made(call)
    assert case.finished() == [call]


def test_the_search_knows_on_which_side_the_requester_was(house: House) -> None:
    house.add_source()
    people = [{"side": "agent", "phone": "+81355500199"}, {"side": "caller", "phone": "03-5550-0143"}]
    call = house.take_in(participants=people)
    Case(house).matched().propose(call)
    assert house.redactor.originals[-1].own_sides == {"caller"}


def test_the_decrypted_original_has_no_name_in_any_folder(house: House, case: Case, call: str) -> None:
    content = house.open(call, "quality")
    seen: list[bool] = []

    def look(original: Original) -> None:
        named = [path for path in house.app.home.rglob("*") if path.is_file()]
        seen.append(any(content in path.read_bytes() for path in named))
        assert original.path.read_bytes() == content

    house.redactor.before = look
    case.made(call)
    assert seen == [False, False]


def test_a_picture_of_each_track_is_there_for_whoever_reviews(case: Case, call: str) -> None:
    case.propose()
    review = hand_out(case.tools, case.means, case.receipt, call, REVIEWER)
    assert pictures(case.tools, case.means, case.receipt, call, review) == {"somebody.jpg": b"somebody"}


def test_looking_at_a_review_is_an_opening_on_record(house: House, case: Case, call: str) -> None:
    case.propose()
    hand_out(case.tools, case.means, case.receipt, call, "mori")
    (entry,) = [each for each in house.audit(Tag.OPENED) if each.actor == "mori"]
    assert (entry.subject, entry.purpose) == (case.row(call).review_id, PURPOSE)


# --- what comes when


def test_nothing_is_proposed_before_the_search(house: House, call: str) -> None:
    del call
    case = Case(house)
    with pytest.raises(IllegalTransition, match="is filed: copies are made while it is matched") as refused:
        case.propose()
    assert "match" in refused.value.hint


@pytest.mark.parametrize("kind", [RequestKind.ERASURE, RequestKind.PURPOSE_NOTIFICATION])
def test_only_a_disclosure_hands_copies_over(house: House, call: str, kind: RequestKind) -> None:
    case = Case(house, kind).matched()
    with pytest.raises(InvalidInput, match="only a disclosure hands copies over"):
        case.propose(call)


def test_a_recording_that_the_request_is_not_about_is_not_touched(house: House, case: Case) -> None:
    other = house.take_in(phone="+81355500199")
    with pytest.raises(NotFound, match=f"is not about recording {other}"):
        case.propose(other)
    assert house.redactor.originals == []


def test_what_was_left_out_is_not_proposed(house: House, case: Case, call: str) -> None:
    other = house.take_in(phone=CALLER)
    match(case.tools, case.receipt, ACTOR)
    leave_out(case.tools, case.receipt, call, "another person of that number", ACTOR)
    assert [each.recording_id for each in case.propose()] == [other]


def test_proposing_again_goes_on_with_what_is_missing_and_keeps_what_was_decided(
    house: House, case: Case, call: str
) -> None:
    case.propose()
    case.review(call)
    other = house.take_in(phone=CALLER)
    match(case.tools, case.receipt, ACTOR)
    assert [each.recording_id for each in case.propose()] == [other]
    assert case.row(call).reviewed_by == REVIEWER


def test_a_recording_that_is_named_is_proposed_anew_and_decided_about_anew(case: Case, call: str) -> None:
    case.made(call)
    (anew,) = case.propose(call)
    assert (anew.reviewed_by, anew.rendition_id, anew.open_points) == ("", "", ["somebody is undecided"])
    assert case.finished() == []


def test_nothing_undecided_is_rendered_and_each_is_named(house: House, case: Case, call: str) -> None:
    house.redactor.finds = ["track 1 (face)", "track 2 (face)"]
    case.propose()
    with pytest.raises(IllegalTransition) as refused:
        case.render()
    assert f"{call}: track 1 (face) is undecided" in refused.value.message
    assert f"{call}: track 2 (face) is undecided" in refused.value.message
    assert f"retention request review {case.receipt} --recording {call}" in refused.value.hint


def test_what_nobody_has_reviewed_is_not_rendered_even_if_nothing_was_found(
    house: House, case: Case, call: str
) -> None:
    house.redactor.finds = []
    case.propose()
    with pytest.raises(IllegalTransition, match="nobody has reviewed it"):
        case.render()
    case.review(call)
    assert case.render().made


def test_a_review_may_leave_points_open_and_they_stay_named(house: House, case: Case, call: str) -> None:
    house.redactor.finds = ["one", "two"]
    case.propose()
    document = json.loads(hand_out(case.tools, case.means, case.receipt, call, REVIEWER).text)
    document["found"]["one"] = "hide"
    assert case.take(call, json.dumps(document).encode()).open_points == ["two is undecided"]


def test_a_person_decides_by_name_without_a_document(house: House, case: Case, call: str) -> None:
    house.redactor.finds = ["one", "two", "three"]
    case.propose()
    assert case.choose(call, Choice(keep=("two",))).open_points == ["one is undecided", "three is undecided"]
    assert case.choose(call, Choice(hides_rest=True)).open_points == []
    (made,) = case.render().made
    assert (made.summary["hidden"], made.summary["kept"], made.reviewed_by) == (2, 1, REVIEWER)


def test_a_name_that_is_not_there_changes_nothing(case: Case, call: str) -> None:
    case.propose()
    with pytest.raises(InvalidInput, match=f"recording {call}: there is no nobody"):
        case.choose(call, Choice(keep=("nobody",), hides_rest=True))
    assert case.row(call).reviewed_by == ""


def test_a_review_that_lacks_what_was_found_is_refused_and_the_old_one_stays(case: Case, call: str) -> None:
    case.propose()
    before = case.row(call).review_id
    document = json.loads(hand_out(case.tools, case.means, case.receipt, call, REVIEWER).text)
    del document["found"]["somebody"]
    with pytest.raises(InvalidInput, match=f"recording {call}: something that was found is missing"):
        case.take(call, json.dumps(document).encode())
    assert case.row(call).review_id == before


def test_a_copy_that_was_made_by_an_earlier_review_no_longer_counts(case: Case, call: str) -> None:
    case.made(call).review(call, "keep")
    assert case.finished() == []
    with pytest.raises(IllegalTransition, match="1 of its recordings have no finished copy"):
        case.decide()


def test_a_review_given_while_another_was_taken_wins(house: House, case: Case, call: str) -> None:
    case.propose()
    case.review(call)

    def meanwhile(_original: Original) -> None:
        house.redactor.before = lambda _: None
        case.review(call, "keep", "mori")

    house.redactor.before = meanwhile
    with pytest.raises(StaleApproval, match="another review"):
        case.render()
    assert (case.finished(), case.row(call).reviewed_by) == ([], "mori")


# --- the second look


def test_whoever_is_found_again_goes_back_to_review_and_no_copy_is_kept(
    house: House, case: Case, call: str
) -> None:
    case.propose()
    case.review(call)
    house.redactor.finds_again = [["somebody else"]]
    done = case.render()
    assert done.made == []
    (back,) = done.sent_back
    assert (back.open_points, back.rendition_id) == (["somebody else is undecided"], "")
    assert "redacted copy" not in case.papers().values()
    assert lying_about(house) == []
    (entry,) = house.audit(Tag.RENDITION_REFUSED)
    assert entry.detail["found"] == 1
    case.review(call)
    assert case.render().made


def test_a_copy_in_which_somebody_was_found_again_does_not_keep_the_others_back(
    house: House, case: Case, call: str
) -> None:
    other = house.take_in(phone=CALLER)
    match(case.tools, case.receipt, ACTOR)
    case.propose()
    case.review(call)
    case.review(other)
    house.redactor.finds_again = [["somebody else"]]
    done = case.render()
    assert ([each.recording_id for each in done.sent_back], [each.recording_id for each in done.made]) == (
        [call],
        [other],
    )


def test_whoever_renders_may_have_those_who_are_found_again_hidden_but_never_kept(
    house: House, case: Case, call: str
) -> None:
    case.propose()
    before = case.review(call, "keep").review_id
    house.redactor.finds_again = [["somebody else"]]
    (made,) = case.render(hide_found=True).made
    assert (made.summary["hidden"], made.summary["kept"]) == (1, 1)
    assert made.review_id != before
    document = json.loads(hand_out(case.tools, case.means, case.receipt, call, APPROVER).text)
    assert document["found"] == {"somebody": "keep", "somebody else": "hide"}
    (entry,) = house.audit(Tag.RENDITION_MADE)
    assert entry.detail["review"] == made.review_id


# --- what is left when anything goes wrong


def test_a_search_that_fails_keeps_how_far_it_was_and_nothing_else(
    house: House, case: Case, call: str
) -> None:
    def fail(_original: Original) -> None:
        raise ToolFailed("no memory")

    house.redactor.before = fail
    with pytest.raises(ToolFailed, match=f"recording {call}: no memory"):
        case.propose()
    left = [path.name for path in lying_about(house) if path.is_file()]
    assert sorted(left) == ["lock", "segment"]
    assert case.papers() == {}
    house.redactor.before = lambda _: None
    assert case.propose()
    assert lying_about(house) == []


def test_what_killed_work_left_is_swept_at_the_next_start(house: House, case: Case, call: str) -> None:
    folder = house.app.home / WORK
    room = folder / f"{case.id}.{call}"
    (room / "copies").mkdir(parents=True)
    (room / "copies" / "copy.mp4").write_bytes(b"half a copy")
    (room / "search").mkdir()
    sweep(folder, frozenset({case.id}))
    assert [path.name for path in room.iterdir() if path.is_dir()] == ["search"]
    sweep(folder)
    assert list(folder.iterdir()) == []


def test_two_processes_do_not_work_on_the_same_recording(house: House, case: Case, call: str) -> None:
    with (
        workroom(house.app.home / WORK, case.id, call),
        pytest.raises(DatabaseBusy, match=f"another process works on recording {call}"),
    ):
        case.propose()


def test_copies_die_with_the_papers_of_the_case(house: House, case: Case, call: str) -> None:
    case.made(call)
    withdraw(case.tools, case.receipt, "told by telephone", ACTOR)
    plain_answer(house, case.receipt)
    hand_over(case.tools, house.app.outbox, case.receipt, "in-person", "", ACTOR)
    close(case.tools, house.app.hold_tools(), case.receipt, ACTOR)
    house.clock.move(days=31)
    house.night()
    assert {str(house.find(each).state) for each in case.papers()} == {"disposed"}


def test_time_passes_while_a_case_is_reviewed_and_its_papers_stay(
    house: House, case: Case, call: str
) -> None:
    case.made(call)
    house.clock.move(days=timedelta(days=90).days)
    house.night()
    assert {str(house.find(each).state) for each in case.papers()} == {"sealed"}
