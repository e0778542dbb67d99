"""What a schedule answers: classes, triggers, due dates, ceilings."""

from datetime import UTC, date, datetime
from importlib import resources

import pytest

from retention.kernel.errors import NotFound
from retention.schedule.model import ANY, Assignment, Facts, Kind, Schedule, Selector, Words
from retention.schedule.parse import parse_policy

LOBBY = Facts(Kind.FOOTAGE, "head-office", "lobby", "Asia/Tokyo")
CASH_DESK = Facts(Kind.FOOTAGE, "head-office", "cash-desk", "Asia/Tokyo")
CALL = Facts(Kind.CALL, "centre", "", "Asia/Tokyo")
CONTRACT_CALL = Facts(Kind.CALL, "centre", "contract-line", "Asia/Tokyo")


@pytest.fixture(scope="module")
def japan() -> Schedule:
    text = resources.files("policies").joinpath("defaults", "japan.yaml").read_text(encoding="utf-8")
    return parse_policy(text, "japan.yaml")


def words(*these: str) -> Words:
    return Words(frozenset(these))


def all_but(*these: str) -> Words:
    return Words(frozenset(these), is_excluded=True)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (words("a", "b"), words("b", "c"), True),
        (words("a"), words("b"), False),
        (words("a"), all_but("a"), False),
        (all_but("a"), words("a", "b"), True),
        (all_but("a"), all_but("b"), True),
        (ANY, words("a"), True),
        (ANY, words(), False),
        (words(""), all_but("cash-desk"), True),
    ],
)
def test_sets_of_words_overlap_if_any_word_is_in_both(one: Words, other: Words, *, expected: bool) -> None:
    assert one.overlap(other) is expected
    assert other.overlap(one) is expected


def test_a_selector_is_a_conjunction() -> None:
    selector = Selector(frozenset({Kind.FOOTAGE}), areas=all_but("cash-desk"))
    assert selector.match(LOBBY)
    assert not selector.match(CASH_DESK)
    assert not selector.match(CALL)
    assert not selector.overlap(Selector(frozenset({Kind.CALL})))
    assert not selector.overlap(Selector(areas=words("cash-desk")))


def test_each_purpose_gets_the_class_that_matches_its_recording(japan: Schedule) -> None:
    assert japan.classify(LOBBY, ["crime-prevention"]).assigned == (
        Assignment("crime-prevention", "cctv.general"),
    )
    assert japan.classify(CASH_DESK, ["crime-prevention"]).assigned == (
        Assignment("crime-prevention", "cctv.cash-desk"),
    )
    assert japan.classify(CALL, ["customer-inquiry", "service-quality"]).assigned == (
        Assignment("customer-inquiry", "calls.customer-inquiry"),
        Assignment("service-quality", "calls.service-quality"),
    )


def test_the_order_and_number_of_purposes_do_not_matter(japan: Schedule) -> None:
    once = japan.classify(CALL, ["customer-inquiry", "service-quality"])
    assert japan.classify(CALL, ["service-quality", "customer-inquiry", "service-quality"]) == once


def test_a_floor_is_assigned_to_whatever_it_matches_whether_or_not_it_is_asked_for(japan: Schedule) -> None:
    floor = Assignment("contract-record", "calls.contract-line")
    assert floor in japan.classify(CONTRACT_CALL, ["service-quality"]).assigned
    assert floor in japan.classify(CONTRACT_CALL, ["contract-record"]).assigned
    assert floor not in japan.classify(CALL, ["service-quality"]).assigned
    assert japan.classes["calls.contract-line"].is_floor


def test_what_has_no_class_and_what_is_no_purpose_are_told_apart(japan: Schedule) -> None:
    found = japan.classify(CALL, ["service-quality", "crime-prevention", "marketing", "contract-record"])
    assert [each.purpose for each in found.assigned] == ["service-quality"]
    assert found.unclassified == ("contract-record", "crime-prevention")
    assert found.unknown == ("marketing",)


def test_a_recording_is_counted_from_the_local_date_on_which_it_ended(japan: Schedule) -> None:
    trigger_on = japan.trigger_on(
        "calls.service-quality",
        started_at=datetime(2026, 3, 31, 14, 50, tzinfo=UTC),
        ended_at=datetime(2026, 3, 31, 15, 10, tzinfo=UTC),
        zone="Asia/Tokyo",
    )
    assert trigger_on == date(2026, 4, 1)


def test_a_named_event_has_no_date_until_it_happens(japan: Schedule) -> None:
    at = datetime(2026, 4, 1, tzinfo=UTC)
    assert japan.classes["calls.dispute"].has_open_trigger
    assert japan.trigger_on("calls.dispute", started_at=at, ended_at=at, zone="Asia/Tokyo") is None
    closed = {"case-closed": date(2027, 1, 2)}
    assert japan.trigger_on(
        "calls.dispute", started_at=at, ended_at=at, zone="Asia/Tokyo", events=closed
    ) == date(2027, 1, 2)


def test_due_date_and_cutoff_are_asked_by_class(japan: Schedule) -> None:
    assert japan.due_on("cctv.general", date(2026, 2, 10)) == date(2026, 3, 13)
    assert japan.cutoff("cctv.general", date(2026, 3, 13)) == date(2026, 2, 10)


def test_a_class_that_is_not_there_is_named(japan: Schedule) -> None:
    with pytest.raises(NotFound, match=r"japan-call-centre-and-cameras has no class cctv\.lobby"):
        japan.due_on("cctv.lobby", date(2026, 1, 1))
    with pytest.raises(NotFound):
        japan.cutoff("cctv.lobby", date(2026, 1, 1))


def test_a_ceiling_is_over_what_it_selects_unless_an_exempt_purpose_is_carried(japan: Schedule) -> None:
    assert [ceiling.name for ceiling in japan.ceilings_for(LOBBY)] == ["cctv.maximum"]
    assert [ceiling.name for ceiling in japan.ceilings_for(CALL, ["service-quality"])] == ["calls.maximum"]
    assert japan.ceilings_for(LOBBY, ["crime-prevention", "dispute"]) == ()
