"""A drill does what a court would ask for, of every held recording in turn, and says what it could not show."""

import logging

import pytest

from retention.audit.tags import Tag
from retention.catalogue.model import ORIGINAL
from retention.holds.drill import Drilled, drill, faults, rounds
from retention.holds.model import DrillOutcome
from retention.kernel.errors import NotFound, StoreUnavailable, Unreadable
from retention.vault.model import ObjectName, object_name
from retention.workers.bell import drill_some, ring
from tests.builders.house import ACTOR, CALLER, House

WHOLE = DrillOutcome.WHOLE


@pytest.fixture
def house(house: House) -> House:
    """A store with a line."""
    house.add_source()
    return house


def drilled(house: House, number: int = 10, hold_id: str = "", actor: str = ACTOR) -> list[Drilled]:
    return list(drill(house.app.drill_tools(), actor, number=number, hold_id=hold_id))


def known_faults(house: House) -> list[tuple[str, str]]:
    with house.app.database.read() as session:
        return [(each.recording_id, each.outcome) for each in faults(session)]


def original_of(recording_id: str) -> ObjectName:
    return object_name(recording_id, ORIGINAL)


def test_a_held_recording_is_opened_by_the_holds_own_key_and_decoded_to_its_end(house: House) -> None:
    recording, other = house.take_in(), house.take_in()
    hold = house.place(recording, suspends_use=True).hold
    (found,) = drilled(house)
    assert (found.recording_id, found.hold_id, found.outcome, found.what) == (recording, hold.id, WHOLE, "")
    assert house.player.played == [house.open(recording, hold_id=hold.id)]
    assert other not in str(house.audit(Tag.HOLD_DRILLED))
    (opened, *_) = house.audit(Tag.OPENED)
    assert (opened.subject, opened.actor, opened.purpose) == (recording, ACTOR, f"hold:{hold.id}")
    (entry,) = house.audit(Tag.HOLD_DRILLED)
    assert (entry.subject, entry.purpose, entry.detail["outcome"]) == (recording, f"hold:{hold.id}", "whole")
    assert list((house.app.home / "tmp").iterdir()) == []


def test_a_changed_byte_a_cut_end_a_lost_object_and_a_lost_key_are_each_found_and_named(house: House) -> None:
    ids = [house.take_in() for _ in range(5)]
    holds = [house.place(each).hold for each in ids]
    objects = house.memory_store.objects
    flipped, cut, lost, keyless, _ = (original_of(each) for each in ids)
    objects[flipped] = objects[flipped][:-20] + bytes([objects[flipped][-20] ^ 1]) + objects[flipped][-19:]
    objects[cut] = objects[cut][:-1]
    del objects[lost]
    house.app.keys.destroy([holds[3].key_id])
    found = {each.recording_id: each for each in drilled(house)}
    assert [found[each].outcome for each in ids] == ["changed", "changed", "missing", "key-gone", "whole"]
    assert keyless
    broken = [each for each in found.values() if each.is_fault]
    assert all(each.what and each.remedy for each in broken)
    assert "keys restore" in found[ids[3]].remedy
    assert sorted(known_faults(house)) == sorted((each.recording_id, each.outcome) for each in broken)


def test_of_a_recording_with_a_destroyed_span_the_present_version_is_drilled(house: House) -> None:
    recording = house.take_in()
    house.destroy_span(recording)
    house.place(recording)
    assert [each.outcome for each in drilled(house)] == [WHOLE]


def test_what_cannot_be_decoded_is_a_fault_though_its_bytes_are_right(house: House) -> None:
    recording = house.take_in()
    hold = house.place(recording).hold

    def fail(_: bytes) -> None:
        raise Unreadable("looking into it took longer than 900 seconds")

    house.player.before = fail
    (found,) = drilled(house)
    assert (found.outcome, "longer than" in found.what) == ("not-playable", True)
    assert f"open {recording} --hold {hold.id}" in found.remedy
    house.player.before = lambda _: None
    assert drilled(house)[0].outcome == WHOLE
    assert known_faults(house) == []


def test_damage_that_came_in_with_it_is_told_and_is_no_fault(house: House) -> None:
    house.place(house.take_in())
    house.player.damage = ("3 of the 90 packets of picture that were tried are damaged",)
    (found,) = drilled(house)
    assert (found.outcome, found.what) == (WHOLE, house.player.damage[0])


def test_what_was_drilled_longest_ago_comes_first_until_all_were(house: House) -> None:
    ids = [house.take_in() for _ in range(5)]
    house.place(*ids)
    seen: list[str] = []
    for _ in range(3):
        house.clock.move(hours=1)
        seen += [each.recording_id for each in drilled(house, 2)]
    assert seen[:5] == sorted(ids)
    assert seen[5] == seen[0]
    newcomer = house.take_in()
    house.place(newcomer)
    assert drilled(house, 1)[0].recording_id == newcomer


def test_each_hold_on_a_recording_is_drilled_by_its_own_key(house: House) -> None:
    recording = house.take_in()
    first, second = house.place(recording).hold, house.place(recording).hold
    house.app.keys.destroy([second.key_id])
    assert {each.hold_id: each.outcome for each in drilled(house)} == {
        first.id: "whole",
        second.id: "key-gone",
    }
    assert [each.hold_id for each in drilled(house, hold_id=first.id)] == [first.id]


def test_a_lifted_hold_is_not_drilled_and_what_was_wrong_under_it_is_nobodys_alarm(house: House) -> None:
    recording = house.take_in()
    hold = house.place(recording).hold
    house.memory_store.objects[original_of(recording)] += b"more"
    assert drilled(house)[0].is_fault
    house.lift(hold.id)
    assert drilled(house) == []
    assert known_faults(house) == []
    assert house.rows("SELECT * FROM hold_drill") == []


def test_a_paper_under_a_hold_is_read_whole_and_not_played(house: House) -> None:
    from tests.integration.requests.test_correction import matched  # noqa: PLC0415 - a request of its own

    receipt = matched(house, CALLER)
    ((file_id,),) = house.rows("SELECT file_id FROM request WHERE receipt = :r", r=receipt)
    house.place(file_id)
    (found,) = drilled(house)
    assert (found.recording_id, found.outcome, house.player.played) == (file_id, WHOLE, [])


def test_a_hold_that_does_not_exist_cannot_be_drilled(house: House) -> None:
    with pytest.raises(NotFound, match="no hold"):
        drilled(house, hold_id="nothing")


def test_a_store_that_does_not_answer_says_nothing_about_a_recording(house: House) -> None:
    house.place(house.take_in())

    def away(_act: str, _name: str) -> None:
        raise StoreUnavailable("the store is away")

    house.memory_store.before = away
    with pytest.raises(StoreUnavailable):
        drilled(house)
    house.memory_store.before = lambda _act, _name: None
    with house.app.database.read() as session:
        assert rounds(session) == (1, 1, None)


# --- every night


def with_a_nights_share_of(house: House, number: int) -> None:
    settings = house.app.settings.model_copy(update={"drill_recordings": number})
    house.app.settings = settings


def test_a_night_drills_its_share_and_a_second_ring_no_more(house: House) -> None:
    with_a_nights_share_of(house, 2)
    house.place(*[house.take_in() for _ in range(3)])
    assert ring(house.app)
    assert len(house.audit(Tag.HOLD_DRILLED)) == 2
    assert drill_some(house.app) == 0
    house.clock.move(days=1)
    assert drill_some(house.app) == 2
    with house.app.database.read() as session:
        assert rounds(session)[:2] == (3, 0)


def test_what_a_person_drills_is_not_counted_against_the_nights_share(house: House) -> None:
    with_a_nights_share_of(house, 1)
    house.place(*[house.take_in() for _ in range(2)])
    drilled(house, 1)
    assert drill_some(house.app) == 1


def test_a_store_that_wants_no_drills_has_none(house: House) -> None:
    with_a_nights_share_of(house, 0)
    house.place(house.take_in())
    assert drill_some(house.app) == 0
    assert house.audit(Tag.HOLD_DRILLED) == []


def test_what_a_night_cannot_show_is_an_alarm_and_the_night_is_done_all_the_same(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "retention.bell")
    recording = house.take_in()
    house.place(recording)
    house.memory_store.objects.pop(original_of(recording))
    run = ring(house.app)
    assert run
    assert run.state == "done"
    (alarm,) = [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR]
    assert "hold.drill-failed" in alarm
    assert recording in alarm
    house.player.before = lambda _: (_ for _ in ()).throw(StoreUnavailable("away"))
    house.place(house.take_in())
    assert ring(house.app) is not None
    assert any("hold.drill-broken" in each.getMessage() for each in caplog.records)


def test_what_is_let_go_while_it_is_drilled_is_no_drill(house: House) -> None:
    recording = house.take_in()
    hold = house.place(recording).hold

    def let_go(_: bytes) -> None:
        house.lift(hold.id)

    house.player.before = let_go
    assert drilled(house) == []
    assert known_faults(house) == []
