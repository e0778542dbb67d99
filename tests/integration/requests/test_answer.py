"""Every kind of request, from its receipt to its end, with the letter that answers it."""

import io

import pypdfium2
import pytest

from retention.audit.tags import Tag
from retention.catalogue.identifiers import Identifier
from retention.disclosure.deliver import hand_over
from retention.kernel.errors import IllegalTransition, InvalidInput
from retention.requests.answer import close, extend
from retention.requests.carry_out import carry_out
from retention.requests.cases import find_request
from retention.requests.decide import Decision, approve, decide, withdraw
from retention.requests.file import file
from retention.requests.identify import fail_identity, identify
from retention.requests.letter import RECEIPT, open_case, sheet_of
from retention.requests.match import match
from retention.requests.model import ACTING, GRANTED, Stage
from retention.requests.received import Described, Person, Received
from retention.requests.rules.model import Outcome, RequestKind
from retention.requests.tables import RequestRow
from tests.builders.disclosure import packaged
from tests.builders.house import ACTOR, CALLER, SECOND, House

NAME = "髙橋 花子"
REFUSAL = {
    RequestKind.DISCLOSURE: "hindrance",
    RequestKind.PURPOSE_NOTIFICATION: "purpose-clear",
    RequestKind.CORRECTION: "facts-correct",
    RequestKind.SUSPENSION: "no-breach",
    RequestKind.ERASURE: "still-needed",
    RequestKind.STOP_PROVISION: "no-breach",
    RequestKind.PROVISION_RECORDS: "record-excepted",
}


@pytest.fixture
def house(house: House) -> House:
    """A store with a line."""
    house.add_source()
    return house


def receive(house: House, kind: RequestKind, language: str = "ja") -> str:
    described = Described((Identifier("phone", CALLER),))
    received = Received(kind, Person(NAME, "東京都"), house.clock.now(), language, described=described)
    return file(house.app.paper_tools(), received, ACTOR).receipt


def approved(house: House, kind: RequestKind, decision: Decision, language: str = "ja") -> str:
    tools, receipt = house.app.paper_tools(), receive(house, kind, language)
    if kind is not RequestKind.COMPLAINT:
        identify(tools, receipt, ["drivers-licence"], [], "", ACTOR)
        match(tools, receipt, ACTOR)
    decide(tools, receipt, decision, ACTOR)
    approve(tools, receipt, SECOND)
    return receipt


def answered(house: House, receipt: str) -> str:
    """Make the answer, hand it over and close the case; the letter's text."""
    tools = house.app.paper_tools()
    printed = packaged(house, receipt).letter
    hand_over(tools, house.app.outbox, receipt, "registered-post", "no. 123", ACTOR)
    assert close(tools, house.app.hold_tools(), receipt, ACTOR).stage == Stage.CLOSED
    return text_of(printed.pdf)


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    return "".join(page.get_textpage().get_text_range() for page in document).replace("\r\n", "")


def row_of(house: House, receipt: str) -> RequestRow:
    with house.app.database.read() as session:
        return find_request(session, receipt)


@pytest.mark.parametrize("kind", list(REFUSAL))
def test_a_refusal_names_its_ground_and_article(house: House, kind: RequestKind) -> None:
    house.take_in(phone=CALLER)
    refusal = Decision(Outcome.REFUSED, (REFUSAL[kind],), "調査の結果です。", partial_considered="全体に及ぶ")
    receipt = approved(house, kind, refusal)
    text = answered(house, receipt)
    with house.app.database.read() as session:
        ground = house.app.rules().book.grounds[REFUSAL[kind]]
        assert not session.dirty
    assert ground.article["ja"].replace(" ", "") in text.replace(" ", "")
    assert receipt in text
    assert NAME.replace(" ", "") in text.replace(" ", "")


@pytest.mark.parametrize("kind", list(REFUSAL))
@pytest.mark.parametrize("language", ["ja", "en"])
def test_nothing_held_says_what_was_searched(house: House, kind: RequestKind, language: str) -> None:
    text = answered(house, approved(house, kind, Decision(Outcome.NOTHING_HELD), language))
    assert CALLER in text


def test_the_purposes_of_the_person_s_recordings_are_told(house: House) -> None:
    house.take_in(phone=CALLER)
    text = answered(house, approved(house, RequestKind.PURPOSE_NOTIFICATION, Decision(Outcome.FULL)))
    assert "quality: quality" in text


@pytest.mark.parametrize("kind", [RequestKind.SUSPENSION, RequestKind.ERASURE])
def test_what_was_granted_is_done_before_it_is_answered(house: House, kind: RequestKind) -> None:
    recording = house.take_in(phone=CALLER)
    receipt = approved(house, kind, Decision(Outcome.FULL))
    with pytest.raises(IllegalTransition, match="not possible to package"):
        packaged(house, receipt)
    carry_out(house.app.paper_tools(), house.app.disposal_tools(), receipt, ACTOR)
    assert recording in answered(house, receipt)


def test_a_substitute_measure_is_described(house: House) -> None:
    house.take_in(phone=CALLER)
    measure = "当該録音の利用を停止し、閲覧できる者を限定いたしました。"
    substitute = Decision(Outcome.SUBSTITUTE, ("substitute-measure",), "訴訟のため", measure=measure)
    receipt = approved(house, RequestKind.ERASURE, substitute)
    carry_out(house.app.paper_tools(), house.app.disposal_tools(), receipt, ACTOR)
    assert "利用を停止し" in answered(house, receipt)


def test_a_complaint_is_answered(house: House) -> None:
    answer = Decision(
        Outcome.ANSWERED, reason="案内放送が聞き取れませんでした。", measure="音量を改めました。"
    )
    assert "音量を改めました" in answered(house, approved(house, RequestKind.COMPLAINT, answer))


def test_who_was_not_identified_is_told_nothing(house: House) -> None:
    recording = house.take_in(phone=CALLER)
    receipt = receive(house, RequestKind.DISCLOSURE)
    fail_identity(house.app.paper_tools(), receipt, "nothing was sent", ACTOR)
    text = answered(house, receipt)
    assert CALLER not in text
    assert recording not in text
    assert "保有しているか否かを示すものではありません" in text


def test_a_withdrawal_is_confirmed(house: House) -> None:
    receipt = receive(house, RequestKind.ERASURE)
    withdraw(house.app.paper_tools(), receipt, "she called", ACTOR)
    assert "取下げ" in answered(house, receipt)


def test_closing_lifts_the_holds_and_starts_the_periods_of_the_papers(house: House) -> None:
    recording = house.take_in(phone=CALLER)
    refusal = Decision(Outcome.REFUSED, ("hindrance",), "x", partial_considered="x")
    receipt = approved(house, RequestKind.DISCLOSURE, refusal)
    house.clock.move(days=11)
    assert house.night().held == 1
    answered(house, receipt)
    row = row_of(house, receipt)
    assert house.find(row.file_id).reasons[0].trigger_on == house.app.today()
    house.clock.move(days=1)
    assert house.night().disposed >= 1
    assert house.find(recording).state == "disposed"
    assert house.find(row.file_id).state == "sealed"


def test_a_case_that_was_killed_while_closing_is_closed_by_closing_again(house: House) -> None:
    receipt = approved(house, RequestKind.COMPLAINT, Decision(Outcome.ANSWERED, reason="x", measure="y"))
    tools = house.app.paper_tools()
    packaged(house, receipt)
    hand_over(tools, house.app.outbox, receipt, "post", "", ACTOR)
    house.trigger("request-closed", row_of(house, receipt).id, house.app.today())
    assert close(tools, house.app.hold_tools(), receipt, ACTOR).stage == Stage.CLOSED


def test_an_answer_after_its_last_day_is_on_record_as_late(house: House) -> None:
    receipt = approved(house, RequestKind.COMPLAINT, Decision(Outcome.ANSWERED, reason="x", measure="y"))
    house.clock.move(days=30)
    answered(house, receipt)
    (entry,) = house.audit(Tag.REQUEST_DELIVERED)
    assert entry.detail["in_time"] is False


def test_the_receipt_is_acknowledged_by_a_letter(house: House) -> None:
    receipt = receive(house, RequestKind.DISCLOSURE)
    tools = house.app.paper_tools()
    case = open_case(tools, house.app.door, house.app.schedule(), receipt, ACTOR)
    assert receipt in text_of(house.app.printer(sheet_of(tools, case, RECEIPT)).pdf)


def test_more_time_can_be_taken_once_and_with_a_reason(house: House) -> None:
    receipt = receive(house, RequestKind.DISCLOSURE)
    before = row_of(house, receipt).due_on
    with pytest.raises(InvalidInput, match="needs a reason"):
        extend(house.app.paper_tools(), receipt, " ", ACTOR)
    assert extend(house.app.paper_tools(), receipt, "a hundred hours of footage", ACTOR).due_on > before
    with pytest.raises(IllegalTransition):
        extend(house.app.paper_tools(), receipt, "still more", ACTOR)


def test_no_more_time_is_taken_once_the_requester_cannot_be_told_in_time(house: House) -> None:
    receipt = receive(house, RequestKind.DISCLOSURE)
    house.clock.move(days=40)
    with pytest.raises(InvalidInput, match="had to be told of an extension by"):
        extend(house.app.paper_tools(), receipt, "a hundred hours of footage", ACTOR)


def test_every_kind_that_acts_waits_for_it_and_no_other_does() -> None:
    assert {RequestKind.CORRECTION, RequestKind.SUSPENSION} < ACTING
    assert Outcome.REFUSED not in GRANTED
