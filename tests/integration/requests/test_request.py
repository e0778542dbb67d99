"""A request from its receipt to its approval: what it freezes, who may say what, what is on record."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from retention.audit.tags import Tag
from retention.catalogue.identifiers import Identifier
from retention.ingest.model import Status
from retention.kernel.errors import IllegalTransition, InvalidInput, NotFound, NotPermitted, RetentionError
from retention.requests.cases import find_request
from retention.requests.decide import Decision, approve, decide, send_back, withdraw
from retention.requests.file import Filed, file
from retention.requests.identify import Evidence, fail_identity, identify
from retention.requests.match import Found, describe, leave_out, match
from retention.requests.model import Stage
from retention.requests.papers import PURPOSE
from retention.requests.received import Described, Interval, Person, Received
from retention.requests.rules.model import Outcome, RequestKind
from retention.requests.show import opened_file
from retention.requests.tables import RequestRow
from retention.schedule.model import Kind
from tests.builders.house import ACTOR, CALLER, SECOND, House

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NAME = "山田 花子"
PHONE = Identifier("phone", CALLER)
CALLED = Described((PHONE,))


@pytest.fixture
def house(house: House) -> House:
    """A store with a line."""
    house.add_source()
    return house


def receive(
    house: House,
    kind: RequestKind = RequestKind.DISCLOSURE,
    described: Described = CALLED,
    **said: object,
) -> Filed:
    received = Received(
        kind=kind,
        subject=Person(NAME, "hanako@person.example"),
        received_at=house.clock.now(),
        language="ja",
        words="先週の電話の録音をください。",
        described=described,
        **said,  # type: ignore[arg-type]
    )
    return file(house.app.paper_tools(), received, ACTOR)


def row_of(house: House, filed: Filed) -> RequestRow:
    with house.app.database.read() as session:
        return find_request(session, filed.receipt)


def matched(
    house: House, kind: RequestKind = RequestKind.DISCLOSURE, described: Described = CALLED
) -> tuple[Filed, Found]:
    filed = receive(house, kind, described)
    identify(house.app.paper_tools(), filed.receipt, ["drivers-licence"], [], "seen at the desk", ACTOR)
    return filed, match(house.app.paper_tools(), filed.receipt, ACTOR)


# --- receipt freezes


def test_what_a_request_describes_cannot_go_from_its_receipt_on(house: House) -> None:
    recording, other = house.take_in(phone=CALLER), house.take_in(phone="+81355500199")
    filed = receive(house)
    house.clock.move(days=30)
    night = house.night()
    assert (filed.held, night.disposed) == (frozenset({recording}), 1)
    assert house.find(recording).hold_ids == (filed.placed[0].hold.id,)
    assert house.find(other).state == "disposed"


def test_what_arrives_later_and_matches_is_frozen_too(house: House) -> None:
    filed = receive(house)
    later = house.take_in(phone=CALLER)
    assert filed.held == frozenset()
    assert house.find(later).hold_ids == (filed.placed[0].hold.id,)


def test_an_interval_is_widened_by_the_clock_error_of_its_camera(house: House) -> None:
    house.add_camera("gate", clock_error_s=120)
    at = house.clock.now()
    near, far = house.film("gate", ended_at=at - HOUR), house.film("gate", ended_at=at - 2 * HOUR)
    started = at - HOUR + timedelta(seconds=100)
    filed = receive(house, described=Described(intervals=(Interval("gate", started, started + HOUR / 2),)))
    assert filed.held == {near}
    assert far not in filed.held


def test_a_long_recording_that_began_hours_before_the_interval_is_found(house: House) -> None:
    house.add_camera("gate")
    at = house.clock.now()
    long = house.film("gate", ended_at=at, duration_s=6 * 3600)
    house.film("gate", ended_at=at - 12 * HOUR)
    filed = receive(house, described=Described(intervals=(Interval("gate", at - HOUR, at - HOUR / 2),)))
    assert filed.held == {long}


def test_a_receipt_has_a_number_of_its_year_and_a_last_day_for_the_answer(house: House) -> None:
    first, second = receive(house), receive(house)
    year = house.app.today().year
    assert (first.receipt, second.receipt) == (f"{year}-0001", f"{year}-0002")
    assert house.app.today() < first.due_on <= house.app.today() + 14 * DAY
    assert row_of(house, first).stage == Stage.FILED


def test_a_request_that_cannot_be_filed_leaves_no_hold_and_no_paper(house: House) -> None:
    recording = house.take_in(phone=CALLER)
    interval = Interval("nowhere", house.clock.now() - HOUR, house.clock.now())
    with pytest.raises(NotFound, match="no source 'nowhere'"):
        receive(house, described=Described((PHONE,), (interval,)))
    assert house.find(recording).hold_ids == ()
    assert house.rows("SELECT 1 FROM request") == house.rows("SELECT 1 FROM request_paper") == []


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"agent": Person("")}, "agent who is not named"),
        ({"subject": Person(" ")}, "names nobody"),
        ({"language": "fr"}, "no letters in 'fr'"),
        ({"received_at": None}, "lies in the future"),
    ],
)
def test_what_cannot_be_a_request_is_refused(house: House, said: dict[str, object], why: str) -> None:
    if "received_at" in said:
        said = {"received_at": house.clock.now() + HOUR}
    received = Received(
        **{  # type: ignore[arg-type]
            "kind": RequestKind.COMPLAINT,
            "subject": Person(NAME),
            "received_at": house.clock.now(),
            "language": "ja",
            **said,
        }
    )
    with pytest.raises(InvalidInput, match=why):
        file(house.app.paper_tools(), received, ACTOR)


# --- who asks


def test_nothing_is_searched_before_the_requester_is_identified(house: House) -> None:
    filed = receive(house)
    with pytest.raises(IllegalTransition, match="not possible to match") as refused:
        match(house.app.paper_tools(), filed.receipt, ACTOR)
    assert "identify" in refused.value.hint


def test_methods_that_do_not_suffice_are_refused_and_say_what_is_missing(house: House) -> None:
    filed = receive(house, agent=Person("代理 太郎"))
    with pytest.raises(InvalidInput, match="an agent must show that they may act"):
        identify(house.app.paper_tools(), filed.receipt, ["drivers-licence"], [], "", ACTOR)
    with pytest.raises(InvalidInput, match=r"0 of \d points, and an agent must"):
        identify(house.app.paper_tools(), filed.receipt, [], [], "", ACTOR)
    given = ["drivers-licence", "power-of-attorney"]
    assert identify(house.app.paper_tools(), filed.receipt, given, [], "", ACTOR).stage == Stage.IDENTIFIED


def test_evidence_is_sealed_and_goes_after_a_month_while_the_request_stays(house: House) -> None:
    filed = receive(house)
    identify(
        house.app.paper_tools(), filed.receipt, [], [Evidence("drivers-licence", [b"an image"])], "", ACTOR
    )
    ((paper,),) = house.rows("SELECT recording_id FROM request_paper WHERE area = 'evidence'")
    assert house.open(paper, PURPOSE) == b"an image"
    house.clock.move(days=32)
    assert house.night().disposed == 1
    assert [
        row[0] for row in house.rows("SELECT state FROM recording WHERE kind = 'case-file' ORDER BY id")
    ] == ["sealed", "disposed"]


def test_who_cannot_be_identified_gets_an_end_that_confirms_nothing(house: House) -> None:
    house.take_in(phone=CALLER)
    filed = receive(house)
    row = fail_identity(house.app.paper_tools(), filed.receipt, "no document was sent", ACTOR)
    assert (row.stage, row.outcome) == (Stage.APPROVED, "not-identified")
    with pytest.raises(IllegalTransition):
        match(house.app.paper_tools(), filed.receipt, ACTOR)


# --- the search


def test_the_search_says_what_was_found_and_what_was_not(house: House) -> None:
    recording = house.take_in(phone=CALLER)
    customer = Identifier("customer", "C-77")
    filed, found = matched(house, described=Described((PHONE, customer)))
    assert (found.living, dict(found.searched)) == (
        (recording,),
        {f"phone {CALLER}": 1, "customer C-77": 0},
    )
    _, notes = opened_file(
        house.app.paper_tools(), house.app.door, house.app.schedule(), row_of(house, filed), ACTOR
    )
    assert notes[-1]["said"]["searched"] == {f"phone {CALLER}": 1, "customer C-77": 0}


def test_what_was_disposed_of_before_is_answered_by_its_certificate(house: House) -> None:
    house.add_camera("gate")
    at = house.clock.now()
    gone = house.film("gate", ended_at=at)
    house.clock.move(days=40)
    run = house.night()
    _, found = matched(house, described=Described(intervals=(Interval("gate", at - HOUR, at),)))
    assert (found.living, found.gone) == ((), ((gone, run.id),))


def test_more_can_be_described_later_and_is_frozen_and_found(house: House) -> None:
    first, second = house.take_in(phone=CALLER), house.take_in(customer_id="C-77")
    filed, found = matched(house)
    assert found.living == (first,)
    describe(house.app.paper_tools(), filed.receipt, Described((Identifier("customer", "C-77"),)), ACTOR)
    assert house.find(second).hold_ids
    assert match(house.app.paper_tools(), filed.receipt, ACTOR).living == tuple(sorted((first, second)))


def test_a_recording_that_is_of_somebody_else_is_left_out_and_stays_held(house: House) -> None:
    recording = house.take_in(phone=CALLER)
    filed, _ = matched(house)
    leave_out(house.app.paper_tools(), filed.receipt, recording, "her flatmate called", ACTOR)
    assert house.find(recording).hold_ids
    decided = decide(house.app.paper_tools(), filed.receipt, Decision(Outcome.NOTHING_HELD), ACTOR)
    assert decided.outcome == Outcome.NOTHING_HELD


# --- the decision


@pytest.mark.parametrize(
    ("decision", "why"),
    [
        (Decision(Outcome.NOTHING_HELD), "1 recordings about request"),
        (Decision(Outcome.REFUSED), "needs a ground"),
        (Decision(Outcome.REFUSED, ("no-such-ground",), "because"), "is no ground"),
        (
            Decision(Outcome.REFUSED, ("harm-to-rights",), partial_considered="none"),
            "does not say what the letter says",
        ),
        (Decision(Outcome.REFUSED, ("harm-to-rights",), "because"), "why no part can be disclosed"),
        (Decision(Outcome.SUBSTITUTE, ("harm-to-rights",), "because"), "cannot end substitute"),
    ],
)
def test_a_decision_that_does_not_hold_is_refused(house: House, decision: Decision, why: str) -> None:
    house.take_in(phone=CALLER)
    filed, _ = matched(house)
    with pytest.raises(InvalidInput, match=why):
        decide(house.app.paper_tools(), filed.receipt, decision, ACTOR)
    assert row_of(house, filed).stage == Stage.MATCHED


def test_granting_in_full_has_no_ground(house: House) -> None:
    house.take_in(phone=CALLER)
    filed, _ = matched(house, RequestKind.SUSPENSION)
    with pytest.raises(InvalidInput, match="is no ground"):
        decide(house.app.paper_tools(), filed.receipt, Decision(Outcome.FULL, ("no-breach",)), ACTOR)


def test_nothing_can_be_granted_where_nothing_is_held(house: House) -> None:
    filed, _ = matched(house, RequestKind.SUSPENSION)
    with pytest.raises(InvalidInput, match="nothing to grant"):
        decide(house.app.paper_tools(), filed.receipt, Decision(Outcome.FULL), ACTOR)


def test_nobody_approves_a_decision_of_their_own(house: House) -> None:
    house.take_in(phone=CALLER)
    filed, _ = matched(house, RequestKind.SUSPENSION)
    decide(house.app.paper_tools(), filed.receipt, Decision(Outcome.FULL), ACTOR)
    with pytest.raises(NotPermitted, match="nobody approves a decision of their own"):
        approve(house.app.paper_tools(), filed.receipt, ACTOR)
    assert approve(house.app.paper_tools(), filed.receipt, SECOND).stage == Stage.APPROVED


def test_a_second_person_may_send_a_decision_back(house: House) -> None:
    house.take_in(phone=CALLER)
    filed, _ = matched(house, RequestKind.SUSPENSION)
    decide(house.app.paper_tools(), filed.receipt, Decision(Outcome.FULL), ACTOR)
    with pytest.raises(NotPermitted):
        send_back(house.app.paper_tools(), filed.receipt, "look again", ACTOR)
    row = send_back(house.app.paper_tools(), filed.receipt, "the second call is missing", SECOND)
    (entry,) = house.audit("requests:request:send-back")
    assert entry.detail["outcome"] == "full"
    assert (row.stage, row.outcome) == (Stage.MATCHED, "")


@pytest.mark.parametrize(
    ("decision", "why"),
    [
        (Decision(Outcome.FULL, not_for=("R",)), "leaves no recording out"),
        (Decision(Outcome.PARTIAL, ("no-breach",), "because", not_for=("R",)), "is not about R"),
        (Decision(Outcome.PARTIAL, ("no-breach",), "because"), "for which recordings"),
        (Decision(Outcome.PARTIAL, ("no-breach",), "because", not_for=("all",)), "nothing is left"),
    ],
)
def test_what_is_not_granted_is_some_of_what_the_request_is_about(
    house: House, decision: Decision, why: str
) -> None:
    recording = house.take_in(phone=CALLER)
    filed, _ = matched(house, RequestKind.SUSPENSION)
    if decision.not_for == ("all",):
        decision = replace(decision, not_for=(recording,))
    with pytest.raises(InvalidInput, match=why):
        decide(house.app.paper_tools(), filed.receipt, decision, ACTOR)
    assert row_of(house, filed).stage == Stage.MATCHED


def test_every_step_back_needs_a_reason_and_a_request_that_is_there(house: House) -> None:
    recording = house.take_in(phone=CALLER)
    filed, _ = matched(house)
    tools, receipt = house.app.paper_tools(), filed.receipt
    refusals: list[tuple[Callable[[], object], type[RetentionError], str]] = [
        (lambda: send_back(tools, receipt, " ", SECOND), InvalidInput, "needs a reason"),
        (lambda: withdraw(tools, receipt, "", ACTOR), InvalidInput, "needs a reason"),
        (lambda: fail_identity(tools, receipt, "", ACTOR), InvalidInput, "needs a reason"),
        (lambda: leave_out(tools, receipt, recording, "\t", ACTOR), InvalidInput, "needs a reason"),
        (lambda: leave_out(tools, receipt, "R", "not hers", ACTOR), NotFound, "not among the matches"),
        (lambda: describe(tools, receipt, Described(), ACTOR), InvalidInput, "nothing is described"),
        (lambda: withdraw(tools, "2026-9999", "she called", ACTOR), NotFound, "no request '2026-9999'"),
    ]
    before = house.audit()
    for act, kind, why in refusals:
        with pytest.raises(kind, match=why) as caught:
            act()
        assert caught.value.hint
    assert house.audit() == before


def test_a_complaint_looks_at_no_recording(house: House) -> None:
    filed = receive(house, RequestKind.COMPLAINT, Described())
    answer = Decision(Outcome.ANSWERED, reason="The announcement is low.", measure="It was made louder.")
    assert decide(house.app.paper_tools(), filed.receipt, answer, ACTOR).stage == Stage.DECIDED


def test_a_requester_may_withdraw_until_the_decision_is_approved(house: House) -> None:
    house.take_in(phone=CALLER)
    filed, _ = matched(house, RequestKind.SUSPENSION)
    assert withdraw(house.app.paper_tools(), filed.receipt, "she called", ACTOR).outcome == "withdrawn"
    with pytest.raises(IllegalTransition):
        withdraw(house.app.paper_tools(), filed.receipt, "again", ACTOR)


# --- what is on record, and what is not


def test_the_catalogue_names_nobody(house: House) -> None:
    house.take_in(phone=CALLER)
    filed, _ = matched(house, RequestKind.SUSPENSION)
    decide(house.app.paper_tools(), filed.receipt, Decision(Outcome.FULL), ACTOR)
    house.close()
    stored = b"".join(path.read_bytes() for path in (house.app.home).rglob("*") if path.is_file())
    for secret in (NAME, "hanako", CALLER, "先週の電話", "seen at the desk"):
        assert secret.encode() not in stored, secret


def test_opening_the_file_of_a_request_is_on_record(house: House) -> None:
    filed = receive(house)
    row = row_of(house, filed)
    received, _ = opened_file(house.app.paper_tools(), house.app.door, house.app.schedule(), row, SECOND)
    assert received["subject"]["name"] == NAME
    last = house.audit()[-1]
    assert (last.tag, last.actor, last.subject, last.purpose) == (Tag.OPENED, SECOND, row.file_id, PURPOSE)


def test_every_step_is_in_the_audit_trail_without_what_was_said(house: House) -> None:
    recording = house.take_in(phone=CALLER)
    filed, _ = matched(house, RequestKind.SUSPENSION)
    tags = [entry.tag for entry in house.audit() if entry.subject == filed.request_id]
    assert tags == [Tag.REQUEST_FILED, Tag.REQUEST_IDENTIFIED, Tag.REQUEST_MATCHED]
    assert recording not in str([entry.detail for entry in house.audit()][-1])


def test_the_papers_of_a_request_wait_for_its_end(house: House) -> None:
    filed = receive(house)
    file_id = row_of(house, filed).file_id
    (reason,) = house.find(file_id).reasons
    assert (reason.class_name, reason.trigger_on) == ("requests.file", None)
    house.trigger("request-closed", filed.request_id, date(2026, 12, 1))
    assert house.find(file_id).reasons[0].due_on == date(2027, 3, 2)


def test_nothing_is_taken_in_as_a_paper_of_a_request(house: House) -> None:
    receive(house)
    with pytest.raises(InvalidInput, match="come from no recorder"):
        house.add_source("scanner", kind=Kind.CASE_FILE, purposes=[PURPOSE])
    (outcome,) = house.ingest(house.write("scan.jpg"), source_id="requests.file")
    assert outcome.status is Status.QUARANTINED
    assert "'requests.file' is not registered (registered are: line-1)" in outcome.reason
