"""Redacted copies of a request: who decides what, in which order, and what is left when anything goes wrong."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from retention.audit.tags import Tag
from retention.bootstrap import WORK
from retention.catalogue.identifiers import Identifier
from retention.kernel.errors import (
    DatabaseBusy,
    IllegalTransition,
    InvalidInput,
    NotFound,
    NotPermitted,
    StaleApproval,
    ToolFailed,
)
from retention.redaction.propose import propose
from retention.redaction.redactor import Choice, Original, Wish
from retention.redaction.render import Rendered, render
from retention.redaction.review import choose, hand_out, pictures, take
from retention.redaction.workroom import sweep, workroom
from retention.requests.answer import close, deliver, package
from retention.requests.cases import find_request
from retention.requests.decide import Decision, approve, decide, send_back, withdraw
from retention.requests.file import file
from retention.requests.identify import identify
from retention.requests.match import leave_out, match
from retention.requests.papers import PURPOSE
from retention.requests.received import Described, Person, Received
from retention.requests.renditions import renditions_of, reviews_of
from retention.requests.rules.model import Outcome, RequestKind
from retention.requests.tables import RenditionRow
from tests.builders.house import ACTOR, CALLER, SECOND, House
from tests.fakes.scripted_redactor import decided

REVIEWER, RENDERER, DECIDER, APPROVER = "suzuki", "takahashi", ACTOR, SECOND
FULL = Decision(Outcome.FULL)


class Case:
    """A disclosure request, and what is done about its copies. The verbs are those of the command line."""

    def __init__(self, house: House, kind: RequestKind = RequestKind.DISCLOSURE) -> None:
        self.house, self.tools, self.means = house, house.app.paper_tools(), house.app.copy_means()
        received = Received(
            kind=kind,
            subject=Person("山田 花子", "hanako@person.example"),
            received_at=house.clock.now(),
            language="ja",
            described=Described((Identifier("phone", CALLER),)),
        )
        filed = file(self.tools, received, ACTOR)
        self.id, self.receipt = filed.request_id, filed.receipt

    def matched(self) -> "Case":
        identify(self.tools, self.receipt, ["drivers-licence"], [], "", ACTOR)
        match(self.tools, self.receipt, ACTOR)
        return self

    def propose(self, recording_id: str = "", wish: Wish = Wish()) -> list[RenditionRow]:  # noqa: B008 - frozen
        return propose(self.tools, self.means, self.receipt, wish, ACTOR, recording_id=recording_id)

    def review(self, recording_id: str, verdict: str = "hide", actor: str = REVIEWER) -> RenditionRow:
        text = hand_out(self.tools, self.means, self.receipt, recording_id, actor).text
        return self.take(recording_id, decided(text, verdict), actor)

    def take(self, recording_id: str, text: bytes, actor: str = REVIEWER) -> RenditionRow:
        return take(self.tools, self.means, self.receipt, recording_id, text, actor)

    def choose(self, recording_id: str, choice: Choice) -> RenditionRow:
        return choose(self.tools, self.means, self.receipt, recording_id, choice, REVIEWER)

    def render(self, recording_id: str = "", actor: str = RENDERER, *, hide_found: bool = False) -> Rendered:
        return render(
            self.tools, self.means, self.receipt, actor, recording_id=recording_id, hide_found=hide_found
        )

    def made(self, *recording_ids: str) -> "Case":
        """Every copy, from its proposal on."""
        self.propose()
        for each in recording_ids:
            self.review(each)
        self.render()
        return self

    def decide(self, decision: Decision = FULL, actor: str = DECIDER) -> None:
        decide(self.tools, self.receipt, decision, actor)

    def approve(self, actor: str = APPROVER) -> None:
        approve(self.tools, self.receipt, actor)

    def row(self, recording_id: str) -> RenditionRow:
        with self.house.app.database.read() as session:
            (found,) = [each for each in reviews_of(session, self.id) if each.recording_id == recording_id]
            return found

    def finished(self) -> list[str]:
        with self.house.app.database.read() as session:
            return [each.recording_id for each in renditions_of(session, self.id)]

    def stage(self) -> str:
        with self.house.app.database.read() as session:
            return find_request(session, self.receipt).stage

    def papers(self) -> dict[str, str]:
        rows = self.house.rows(
            "SELECT recording_id, label FROM request_paper WHERE request_id = :id AND area = 'rendition'",
            id=self.id,
        )
        return {row.recording_id: row.label for row in rows}


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


def lying_about(house: House) -> list[Path]:
    """What is left in the folder where copies are made."""
    return list((house.app.home / WORK).rglob("*"))


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


# --- the decision, and the second person


@pytest.mark.parametrize("outcome", [Outcome.FULL, Outcome.PARTIAL])
def test_a_disclosure_is_granted_only_on_finished_copies(case: Case, call: str, outcome: Outcome) -> None:
    decision = Decision(outcome, ("harm-to-rights",) if outcome is Outcome.PARTIAL else (), "because")
    with pytest.raises(IllegalTransition) as refused:
        case.decide(decision)
    assert f"{call}: retention request propose {case.receipt} --recording {call}" in refused.value.hint
    case.made(call).decide(decision)
    assert case.stage() == "decided"


def test_what_is_not_granted_needs_no_copy(house: House, case: Case, call: str) -> None:
    other = house.take_in(phone=CALLER)
    match(case.tools, case.receipt, ACTOR)
    case.propose(call)
    case.review(call)
    case.render()
    case.decide(Decision(Outcome.PARTIAL, ("harm-to-rights",), "because", not_for=(other,)))
    case.approve()
    assert case.finished() == [call]


def test_a_refusal_needs_no_copy(case: Case) -> None:
    case.decide(Decision(Outcome.REFUSED, ("hindrance",), "because", partial_considered="no part either"))
    case.approve()
    assert case.stage() == "approved"


@pytest.mark.parametrize("actor", [DECIDER, REVIEWER, RENDERER, "ＳＵＺＵＫＩ", "Takahashi "])
def test_nobody_approves_what_they_had_a_hand_in(case: Case, call: str, actor: str) -> None:
    case.made(call).decide()
    with pytest.raises(NotPermitted, match="nobody approves"):
        case.approve(actor)
    case.approve(APPROVER)
    assert case.stage() == "approved"


def test_who_reviewed_before_the_last_review_had_a_hand_in_it_too(case: Case, call: str) -> None:
    case.propose()
    case.review(call, actor="mori")
    case.review(call)
    case.render()
    case.decide()
    with pytest.raises(NotPermitted, match="mori reviewed or rendered"):
        case.approve("mori")


def test_a_decision_names_the_copies_it_is_about_by_their_digests(
    house: House, case: Case, call: str
) -> None:
    case.made(call).decide()
    (entry,) = house.audit(Tag.REQUEST_DECIDED)
    assert entry.detail["copies"] == {call: (case.row(call).sha256 or b"").hex()}


@pytest.mark.parametrize(
    "tampering",
    ["rendition_id = report_id", "rendition_id = ''", "decided_sha256 = NULL", "sha256 = NULL"],
)
def test_no_other_copy_is_approved_than_was_decided_about(
    house: House, case: Case, call: str, tampering: str
) -> None:
    case.made(call).decide()
    house.sql(f"UPDATE request_rendition SET {tampering}")
    with pytest.raises(StaleApproval, match=f"the copies of {call} are not those"):
        case.approve()
    assert case.stage() == "decided"


@pytest.mark.parametrize("act", ["propose", "review", "render"])
def test_no_copy_is_made_anew_after_the_decision(case: Case, call: str, act: str) -> None:
    case.made(call).decide()
    acts: dict[str, Callable[[], object]] = {
        "propose": lambda: case.propose(call),
        "review": lambda: case.review(call),
        "render": lambda: case.render(call),
    }
    with pytest.raises(IllegalTransition, match="is decided: copies are made while it is matched") as refused:
        acts[act]()
    assert "send-back" in refused.value.hint
    assert case.finished() == [call]


def test_sent_back_a_request_is_reviewed_and_decided_again(case: Case, call: str) -> None:
    case.made(call).decide()
    send_back(case.tools, case.receipt, "the neighbour shows", APPROVER)
    assert case.row(call).decided_sha256 is None
    case.review(call, "keep")
    case.render()
    case.decide()
    case.approve()
    assert case.row(call).decided_sha256 == case.row(call).sha256


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


def test_the_room_of_a_living_process_is_not_swept(tmp_path: Path) -> None:
    with workroom(tmp_path, "request", "recording") as room:
        (room.copies / "copy.mp4").write_bytes(b"half a copy")
        sweep(tmp_path)
        assert (room.copies / "copy.mp4").exists()
    assert list(tmp_path.iterdir()) == []


def test_two_processes_do_not_work_on_the_same_recording(house: House, case: Case, call: str) -> None:
    with (
        workroom(house.app.home / WORK, case.id, call),
        pytest.raises(DatabaseBusy, match=f"another process works on recording {call}"),
    ):
        case.propose()


def test_only_the_owner_of_the_store_can_look_into_the_room(tmp_path: Path) -> None:
    with workroom(tmp_path / "work", "request", "recording") as room:
        assert [path.stat().st_mode & 0o777 for path in (room.path, room.copies)] == [0o700, 0o700]


def test_copies_die_with_the_papers_of_the_case(house: House, case: Case, call: str) -> None:
    case.made(call)
    withdraw(case.tools, case.receipt, "told by telephone", ACTOR)
    package(case.tools, house.app.door, house.app.printer, case.receipt, ACTOR)
    deliver(case.tools, case.receipt, "in-person", "", ACTOR)
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
