"""What we hold and why: sources, cohorts and lots with true counts, search, explain."""

from datetime import date, datetime, timedelta

import pytest

from retention.catalogue.explain import explain
from retention.catalogue.find import Query, Recording, find_recording, search
from retention.catalogue.sources import all_sources, find_source
from retention.catalogue.states import State
from retention.kernel.errors import InvalidInput, NotFound
from retention.schedule.evaluate import Outcome
from retention.schedule.model import Kind
from tests.builders.house import CALLER, House, local

# --- sources


def test_a_source_is_found_as_it_was_registered(house: House) -> None:
    source = house.add_source("line-1", purposes=["quality", "inquiry"], clock_error_s=2.5, site="osaka")
    with house.app.database.read() as session:
        assert find_source(session, "line-1") == source
        assert all_sources(session) == [source]


def test_a_source_that_is_not_registered_is_not_found(house: House) -> None:
    with house.app.database.read() as session, pytest.raises(NotFound, match="line-9"):
        find_source(session, "line-9")


def test_a_source_may_change_but_not_what_it_records(house: House) -> None:
    house.add_source("line-1")
    house.add_source("line-1", site="osaka")
    with house.app.database.read() as session:
        assert find_source(session, "line-1").site == "osaka"
    with pytest.raises(InvalidInput, match="cannot become"):
        house.add_camera("line-1")


@pytest.mark.parametrize(
    ("particulars", "message"),
    [
        ({"source_id": ""}, "id"),
        ({"source_id": "a b"}, "id"),
        ({"source_id": "a/b"}, "id"),
        ({"source_id": "a@b"}, "id"),
        ({"source_id": "a\x00b"}, "id"),
        ({"zone": "Mars/Olympus"}, "time zone"),
        ({"zone": "../etc/passwd"}, "time zone"),
        ({"zone": ""}, "time zone"),
        ({"purposes": []}, "no purpose"),
        ({"purposes": ["marketing"]}, "knows no purpose marketing"),
        ({"purposes": ["security"]}, "no retention class"),
        ({"clock_error_s": -1}, "clock error"),
        ({"clock_error_s": float("nan")}, "clock error"),
        ({"clock_error_s": float("inf")}, "clock error"),
    ],
)
def test_a_source_that_is_not_possible_is_refused(
    house: House, particulars: dict[str, object], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        house.add_source(**({"source_id": "line-1"} | particulars))  # type: ignore[arg-type]
    with house.app.database.read() as session:
        assert all_sources(session) == []


def test_what_is_sealed_keeps_the_cohorts_it_has_when_its_source_changes(house: House) -> None:
    house.add_source("line-1", purposes=["quality"], site="tokyo")
    before = house.take_in()
    house.add_source("line-1", purposes=["inquiry"], site="osaka", zone="Europe/Berlin")
    after = house.take_in()
    assert [reason.purpose for reason in house.find(before).reasons] == ["quality"]
    assert [reason.zone for reason in house.find(before).reasons] == ["Asia/Tokyo"]
    assert [reason.purpose for reason in house.find(after).reasons] == ["inquiry"]
    assert [reason.zone for reason in house.find(after).reasons] == ["Europe/Berlin"]


# --- cohorts and lots


def test_a_recording_is_in_a_cohort_for_each_purpose_and_in_that_of_a_floor(house: House) -> None:
    house.add_source(purposes=["quality", "inquiry"], area="contract-line")
    found = house.find(house.take_in(ended_at=local("2026-03-02 09:00")))
    assert [(reason.purpose, reason.cohort, reason.due_on) for reason in found.reasons] == [
        ("contract-record", "calls.contract-line@Asia/Tokyo@2026-03-02", date(2026, 4, 12)),
        ("inquiry", "calls.inquiry@Asia/Tokyo@2026-03-02", date(2026, 3, 23)),
        ("quality", "calls.quality@Asia/Tokyo@2026-03-02", date(2026, 3, 13)),
    ]
    assert found.state is State.SEALED


def test_the_day_is_that_of_the_place_where_the_recording_was_made(house: House) -> None:
    ended_at = local("2026-03-01 23:30", "UTC")
    days = {}
    for source_id, zone in (("tokyo", "Asia/Tokyo"), ("utc", "UTC"), ("new-york", "America/New_York")):
        house.add_source(source_id, zone=zone)
        days[zone] = house.find(house.take_in(source_id, ended_at=ended_at)).reasons[0].trigger_on
    assert days == {
        "Asia/Tokyo": date(2026, 3, 2),
        "UTC": date(2026, 3, 1),
        "America/New_York": date(2026, 3, 1),
    }


def test_a_call_across_midnight_belongs_to_the_day_on_which_it_ended(house: House) -> None:
    house.add_source()
    found = house.find(house.take_in(ended_at=local("2026-03-02 00:00:01"), duration_s=3_600))
    assert found.reasons[0].trigger_on == date(2026, 3, 2)


def test_one_cohort_has_one_key_and_two_cohorts_have_two(house: House) -> None:
    house.add_source(purposes=["quality", "inquiry"])
    one, other = (house.find(house.take_in()) for _ in range(2))
    assert one.reasons == other.reasons
    assert len({reason.key_id for reason in one.reasons}) == 2


def test_recordings_alike_share_a_lot_and_any_difference_is_another(house: House) -> None:
    house.add_source("line-1", purposes=["quality"])
    house.add_source("line-2", purposes=["quality"])
    house.add_source("line-3", purposes=["quality"], site="osaka")
    house.add_source("line-4", purposes=["quality"], area="desk")
    house.add_source("line-5", purposes=["quality", "inquiry"])
    for number in range(1, 6):
        house.take_in(f"line-{number}")
    house.take_in("line-1", ended_at=house.clock.now() - timedelta(days=1))
    assert sorted(count for count, _ in house.lot_counts().values()) == [1, 1, 1, 1, 2]
    assert house.lot_counts() == house.recount()


def test_a_lots_bytes_are_those_of_its_originals(house: House) -> None:
    house.add_source()
    first, second = house.take_in(duration_s=60), house.take_in(duration_s=100)
    ((count, size_bytes),) = house.lot_counts().values()
    assert count == 2
    assert size_bytes == house.find(first).size_bytes + house.find(second).size_bytes


# --- find and search


def found_by(house: House, query: Query) -> list[str]:
    with house.app.database.read() as session:
        return [each.id for each in search(session, house.app.schedule(), query)]


def test_an_unknown_recording_is_not_found(house: House) -> None:
    with house.app.database.read() as session, pytest.raises(NotFound, match="nothing"):
        find_recording(session, house.app.schedule(), "nothing")


def test_a_person_is_found_by_any_way_of_writing_the_number(house: House) -> None:
    house.add_source()
    hers, _ = house.take_in(phone="03-5550-0143"), house.take_in(phone="03-5550-0199")
    assert found_by(house, Query(blinds=house.blinds(CALLER))) == [hers]
    assert found_by(house, Query(blinds=house.blinds("(03) 5550 0143"))) == [hers]


def test_a_customer_is_found_and_is_not_a_telephone_number(house: House) -> None:
    house.add_source()
    hers, _ = house.take_in(customer_id="1001"), house.take_in(phone="1001")
    assert found_by(house, Query(blinds=house.blinds(customer_id="1001"))) == [hers]


def test_an_interval_finds_whatever_was_going_on_in_it(house: House) -> None:
    house.add_source()
    at = house.clock.now()
    early, middle, late = (
        house.take_in(ended_at=at - timedelta(hours=hours), duration_s=1_800) for hours in (5, 3, 1)
    )
    hour = timedelta(hours=1)
    assert found_by(house, Query(from_at=at - 4 * hour, until_at=at - 2 * hour)) == [middle]
    assert found_by(house, Query(from_at=at - 3.2 * hour)) == [middle, late]
    assert found_by(house, Query(until_at=at - 5 * hour)) == [early]
    # Touching is not overlapping: what ended when the interval began was not going on in it.
    assert found_by(house, Query(from_at=at - hour)) == []
    assert found_by(house, Query(until_at=at - 1.5 * hour)) == [early, middle]


def test_everything_that_is_asked_must_hold(house: House) -> None:
    house.add_source("line-1")
    house.add_source("line-2")
    one = house.take_in("line-1", phone=CALLER)
    house.take_in("line-2", phone=CALLER)
    house.take_in("line-1")
    assert found_by(house, Query(blinds=house.blinds(CALLER), source_id="line-1")) == [one]


def test_search_gives_the_oldest_first_and_each_once(house: House) -> None:
    house.add_source()
    at = house.clock.now()
    newer = house.take_in(ended_at=at, phone=CALLER, customer_id="C1")
    older = house.take_in(ended_at=at - timedelta(days=2), phone=CALLER, customer_id="C1")
    both = house.blinds(CALLER) | house.blinds(customer_id="C1")
    assert found_by(house, Query(blinds=both)) == [older, newer]


def test_a_disposed_recording_is_found_by_time_and_no_longer_by_person(house: House) -> None:
    house.add_source()
    gone = house.take_in(phone=CALLER)
    house.clock.move(days=11)
    house.dispose()
    assert found_by(house, Query(blinds=house.blinds(CALLER))) == []
    assert found_by(house, Query(source_id="line-1")) == [gone]
    found = house.find(gone)
    assert (found.state, found.reasons, found.hold_ids, found.place) == (State.DISPOSED, (), (), None)


def test_the_catalogue_alone_identifies_nobody(house: House) -> None:
    house.add_source()
    house.take_in(
        phone=CALLER,
        customer_id="CUSTOMER-4711",
        tags=["vip-tag"],
        secret_extra="Hanako",
    )
    text = "\n".join(str(row) for table in TABLES for row in house.rows(f"SELECT * FROM {table}"))
    for personal in (CALLER, "55500143", "5550-0143", "CUSTOMER-4711", "vip-tag", "Hanako", "native-1"):
        assert personal not in text


TABLES = ("recording", "object", "wrap", "identifier", "lot", "cohort", "audit_entry", "quarantine", "intake")


# --- explain


def explained(house: House, recording_id: str, at: datetime | None = None) -> tuple[Outcome, str]:
    found: Recording = house.find(recording_id)
    decision = explain(house.app.schedule(), found, at or house.clock.now())
    return decision.outcome, " | ".join(decision.reasons)


def test_explain_says_which_rule_keeps_it_until_when(house: House) -> None:
    house.add_source(purposes=["quality", "inquiry"])
    recording = house.take_in(ended_at=local("2026-03-02 09:00"))
    outcome, reasons = explained(house, recording)
    assert outcome is Outcome.KEEP
    assert "quality: calls.quality keeps P10D from recording-ended on 2026-03-02" in reasons
    assert "disposal is allowed from 2026-03-23" in reasons


def test_explain_names_the_hold_that_stands_in_the_way(house: House) -> None:
    house.add_source()
    recording = house.take_in()
    hold = house.place(recording).hold
    house.clock.move(days=60)
    outcome, reasons = explained(house, recording)
    assert outcome is Outcome.HELD
    assert f"hold {hold.id} suspends disposal" in reasons


def test_explain_says_what_an_open_trigger_waits_for(house: House) -> None:
    house.add_source(purposes=["dispute"])
    outcome, reasons = explained(house, house.take_in(reference="case-1"))
    assert outcome is Outcome.KEEP
    assert "from case-closed, which has not happened" in reasons


def test_explain_and_the_plan_agree_to_the_instant(house: House) -> None:
    house.add_source(zone="Europe/Berlin", kind=Kind.CALL)
    recording = house.take_in(ended_at=local("2026-03-02 09:00", "Europe/Berlin"))
    due_at = local("2026-03-13 00:00", "Europe/Berlin")
    assert explained(house, recording, due_at - timedelta(microseconds=1))[0] is Outcome.KEEP
    assert explained(house, recording, due_at)[0] is Outcome.DUE
