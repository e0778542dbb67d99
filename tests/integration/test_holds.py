"""Holds: what they cover, now and later, and what becomes of it when they are lifted."""

from base64 import b64decode
from datetime import date, timedelta
from typing import Any

import pytest

from retention.audit.tags import Tag
from retention.catalogue.model import ORIGINAL
from retention.catalogue.states import State
from retention.catalogue.tables import WrapRow
from retention.disposal.model import RunState
from retention.holds.find import all_holds, find_hold, holds_in_force, match_counts
from retention.holds.model import Criteria, HoldKind
from retention.holds.place import new_hold, place
from retention.kernel.errors import IllegalTransition, InvalidInput, KeyMissing, NotFound, NotPermitted
from retention.vault.model import object_name
from tests.builders.house import CALLER, SECOND, House

HOUR = timedelta(hours=1)


def is_held(house: House, recording_id: str) -> bool:
    return bool(house.find(recording_id).hold_ids)


# --- what is covered


def test_named_recordings_are_held_and_no_others(house: House) -> None:
    house.add_source()
    first, second, third = (house.take_in() for _ in range(3))
    placed = house.place(first, third)
    assert set(placed.recording_ids) == {first, third}
    assert [is_held(house, each) for each in (first, second, third)] == [True, False, True]


def test_a_person_is_held_in_every_recording_she_is_in_now_and_later(house: House) -> None:
    house.add_source()
    before, other = house.take_in(phone="03-5550-0143"), house.take_in(phone="03-5550-0199")
    hold = house.place(phone=CALLER).hold
    after = house.take_in(phone="+81 3 5550 0143")
    assert [house.find(each).hold_ids for each in (before, other, after)] == [(hold.id,), (), (hold.id,)]


def test_an_interval_of_a_source_is_held_now_and_when_it_arrives_later(house: House) -> None:
    house.add_camera()
    house.add_camera("yard")
    at = house.clock.now()
    before, outside = house.film(ended_at=at - HOUR), house.film(ended_at=at - 5 * HOUR)
    house.place(source_id="lobby", from_at=at - 2 * HOUR, until_at=at)
    late, elsewhere = house.film(ended_at=at - HOUR), house.film("yard", ended_at=at - HOUR)
    assert [is_held(house, each) for each in (before, outside, late, elsewhere)] == [True, False, True, False]


def test_an_interval_is_widened_by_the_clock_error_on_both_sides_now_and_later(house: House) -> None:
    house.add_camera(clock_error_s=30)
    at = house.clock.now()

    def around() -> list[bool]:
        offsets = [-at_s for at_s in (31, 29)]
        early = [
            house.film(ended_at=at - HOUR + timedelta(seconds=offset), duration_s=5) for offset in offsets
        ]
        late = [house.film(ended_at=at + timedelta(seconds=offset + 5), duration_s=5) for offset in (29, 31)]
        return [is_held(house, each) for each in (*early, *late)]

    house.place(source_id="lobby", from_at=at - HOUR, until_at=at)
    assert around() == [False, True, True, False]


def test_a_hold_may_cover_nothing_yet(house: House) -> None:
    house.add_source()
    assert house.place(phone=CALLER).recording_ids == ()
    assert is_held(house, house.take_in(phone=CALLER))


def test_a_later_match_is_on_record(house: House) -> None:
    house.add_source()
    hold = house.place(phone=CALLER).hold
    arrived = house.take_in(phone=CALLER)
    (entry,) = house.audit(Tag.HOLD_EXTENDED)
    assert (entry.subject, entry.detail) == (hold.id, {"recording": arrived})


@pytest.mark.parametrize("what", ["recording", "source"])
def test_a_hold_on_what_does_not_exist_is_refused_and_leaves_nothing(house: House, what: str) -> None:
    house.add_source()
    held = house.take_in()
    at = house.clock.now()

    def place_it() -> None:
        if what == "recording":
            house.place(held, "01JPSA0000000000000000000C")
        else:
            house.place(source_id="line-9", from_at=at - HOUR, until_at=at)

    with pytest.raises(NotFound):
        place_it()
    assert not is_held(house, held)
    assert house.audit(Tag.HOLD_PLACED) == []
    with house.app.database.read() as session:
        assert all_holds(session) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"reason": "  "}, "needs a reason"), ({"review_on": date(2026, 3, 1)}, "has passed")],
)
def test_a_hold_needs_a_reason_and_a_review_to_come(
    sqlite_house: House, changes: dict[str, Any], message: str
) -> None:
    given: dict[str, Any] = {
        "kind": HoldKind.LEGAL,
        "reason": "a dispute",
        "review_on": date(2030, 1, 1),
    } | changes
    with pytest.raises(InvalidInput, match=message):
        new_hold(
            sqlite_house.app.keys,
            sqlite_house.clock.now(),
            "sato",
            criteria=Criteria(recording_ids=("a",)),
            **given,
        )
    assert not sqlite_house.memory_keys.keys


def test_a_hold_is_found_as_it_was_placed(house: House) -> None:
    house.add_camera()
    at = house.clock.now()
    placed = [
        house.place(phone=CALLER, suspends_use=True, reason=" spaces around "),
        house.place(source_id="lobby", from_at=at - HOUR, until_at=at),
    ]
    with house.app.database.read() as session:
        assert holds_in_force(session) == sorted((each.hold for each in placed), key=lambda hold: hold.id)
        assert find_hold(session, placed[0].hold.id) == placed[0].hold
        with pytest.raises(NotFound, match="no-such"):
            find_hold(session, "no-such")
    assert placed[0].hold.reason == "spaces around"


# --- what a hold does


def test_what_is_held_survives_its_last_day_and_opens_through_the_hold(house: House) -> None:
    house.add_source()
    recording = house.take_in()
    content = house.open(recording, "quality")
    hold = house.place(recording).hold
    house.clock.move(days=11)
    run = house.night()
    assert (run.state, run.disposed, run.held) == (RunState.DONE, 0, 1)
    assert house.open(recording, hold_id=hold.id) == content
    with pytest.raises(NotPermitted, match="has expired"):
        house.open(recording, "quality")
    assert is_held(house, recording)


def test_a_hold_reaches_a_recording_through_any_reason_that_is_left(house: House) -> None:
    house.add_source(purposes=["quality", "inquiry"])
    recording = house.take_in()
    house.clock.move(days=11)
    house.night()
    hold = house.place(recording).hold
    house.clock.move(days=10)
    house.night()
    assert house.open(recording, hold_id=hold.id)


def test_a_hold_finds_another_way_when_a_night_destroys_a_key_under_its_hands(house: House) -> None:
    """A disposal destroys keys outside any transaction, so it may do so while a hold is being placed."""
    house.add_source(purposes=["quality", "inquiry"])
    recording = house.take_in()
    keys = {reason.purpose: reason.key_id for reason in house.find(recording).reasons}
    first = house.rows("SELECT key_id FROM wrap WHERE recording_id = :id", id=recording)[0].key_id
    assert first in keys.values()

    def destroyed_meanwhile(act: str) -> None:
        if act == "unwrap":
            house.memory_keys.before = lambda _act: None
            house.memory_keys.destroy([first])

    house.memory_keys.before = destroyed_meanwhile
    hold = house.place(recording).hold
    assert house.open(recording, hold_id=hold.id)


def test_a_hold_on_what_nothing_opens_any_more_is_an_alarm_not_a_hold(house: House) -> None:
    house.add_source()
    recording = house.take_in()
    house.memory_keys.keys.clear()
    with pytest.raises(KeyMissing, match="no key that opens it is left"):
        house.place(recording)
    assert not is_held(house, recording)


def test_use_under_a_hold_that_suspends_it_is_refused_for_every_purpose(house: House) -> None:
    house.add_source(purposes=["quality", "inquiry"])
    recording = house.take_in()
    hold = house.place(recording, suspends_use=True).hold
    for purpose in ("quality", "inquiry"):
        with pytest.raises(NotPermitted, match="suspended"):
            house.open(recording, purpose)
    assert house.find(recording).restricted
    house.lift(hold.id)
    assert house.open(recording, "quality")


def test_use_stays_suspended_until_the_last_hold_that_suspends_it_is_lifted(house: House) -> None:
    house.add_source()
    recording = house.take_in(phone=CALLER)
    one = house.place(recording, suspends_use=True).hold
    other = house.place(phone=CALLER, suspends_use=True).hold
    plain = house.place(recording).hold
    house.lift(one.id)
    assert house.find(recording).restricted
    house.lift(other.id)
    assert not house.find(recording).restricted
    assert house.find(recording).hold_ids == (plain.id,)
    assert house.open(recording, "quality")


def test_what_arrives_under_a_suspending_hold_is_suspended_from_the_first(house: House) -> None:
    house.add_source()
    house.place(phone=CALLER, suspends_use=True)
    with pytest.raises(NotPermitted, match="suspended"):
        house.open(house.take_in(phone=CALLER), "quality")


# --- too late


def test_a_hold_is_too_late_for_what_is_gone_and_says_so(house: House) -> None:
    house.add_source()
    gone = house.take_in()
    house.clock.move(days=11)
    kept = house.take_in()
    house.night()
    placed = house.place(gone, kept)
    assert (placed.recording_ids, placed.too_late) == ((kept,), (gone,))
    assert house.audit(Tag.HOLD_PLACED)[0].detail["too_late"] == 1


def test_a_hold_is_too_late_once_a_run_has_begun_even_if_bytes_are_left(house: House) -> None:
    house.add_source()
    going = house.take_in()
    house.clock.move(days=11)
    refuse_to_erase(house)
    assert house.night().state == RunState.INCOMPLETE
    placed = house.place(going)
    assert (placed.recording_ids, placed.too_late) == ((), (going,))


def refuse_to_erase(house: House) -> None:
    house.memory_store.erase_many = lambda names: dict.fromkeys(names, "no")  # type: ignore[method-assign]


# --- lifting


def test_lifting_changes_nothing_for_what_other_reasons_keep(house: House) -> None:
    house.add_source()
    recording = house.take_in()
    hold = house.place(recording).hold
    lifted = house.lift(hold.id)
    assert (lifted.released, lifted.due, lifted.unprotected) == (1, 0, (recording,))
    assert house.open(recording, "quality")
    assert house.find(recording).hold_ids == ()
    assert wraps_under(house, hold.key_id) == []
    assert hold.key_id not in house.memory_keys.keys


def wraps_under(house: House, key_id: str) -> list[str]:
    return [
        row.recording_id for row in house.rows(f"SELECT recording_id FROM wrap WHERE key_id = '{key_id}'")
    ]


def test_what_the_hold_alone_kept_goes_with_the_next_night_and_its_key_with_it(house: House) -> None:
    house.add_source()
    recording = house.take_in()
    hold = house.place(recording).hold
    house.clock.move(days=11)
    house.night()
    lifted = house.lift(hold.id)
    assert (lifted.released, lifted.due) == (0, 1)
    assert hold.key_id in house.memory_keys.keys
    assert house.objects_of(recording)
    house.clock.move(days=1)
    run = house.night()
    assert (run.state, run.disposed) == (RunState.DONE, 1)
    assert house.find(recording).state is State.DISPOSED
    assert hold.key_id not in house.memory_keys.keys
    assert house.objects_of(recording) == []
    assert run.certificate


def test_a_lifted_hold_opens_nothing(house: House) -> None:
    house.add_source()
    recording = house.take_in()
    hold = house.place(recording).hold
    house.clock.move(days=11)
    house.night()
    house.lift(hold.id)
    with pytest.raises(NotPermitted, match="not under hold"):
        house.open(recording, hold_id=hold.id)


def test_a_recording_can_be_held_again_before_the_night_that_would_take_it(house: House) -> None:
    house.add_source()
    recording = house.take_in()
    content = house.open(recording, "quality")
    first = house.place(recording).hold
    house.clock.move(days=11)
    house.night()
    house.lift(first.id)
    second = house.place(recording).hold
    house.clock.move(days=1)
    run = house.night()
    assert (run.disposed, run.held) == (0, 1)
    assert house.open(recording, hold_id=second.id) == content
    assert first.key_id not in house.memory_keys.keys
    house.lift(second.id)
    house.clock.move(days=1)
    assert house.night().disposed == 1


def test_of_two_holds_each_keeps_until_it_is_lifted_itself(house: House) -> None:
    house.add_source()
    recording = house.take_in(phone=CALLER)
    content = house.open(recording, "quality")
    one, other = house.place(recording).hold, house.place(phone=CALLER).hold
    assert house.find(recording).hold_ids == tuple(sorted((one.id, other.id)))
    house.clock.move(days=11)
    house.night()
    lifted = house.lift(one.id)
    assert (lifted.released, lifted.due, lifted.unprotected) == (1, 0, ())
    house.clock.move(days=1)
    assert house.night().disposed == 0
    assert house.open(recording, hold_id=other.id) == content
    assert house.lift(other.id).due == 1
    house.clock.move(days=1)
    assert house.night().disposed == 1


def test_a_hold_is_lifted_once_and_with_a_reason(house: House) -> None:
    house.add_source()
    hold = house.place(house.take_in()).hold
    with pytest.raises(InvalidInput, match="reason"):
        house.lift(hold.id, reason=" ")
    with pytest.raises(NotFound):
        house.lift("no-such")
    house.lift(hold.id)
    with pytest.raises(IllegalTransition, match="before"):
        house.lift(hold.id)


def test_a_hold_is_placed_and_lifted_also_where_bytes_are_lost(house: House) -> None:
    house.add_source()
    lost, whole = house.take_in(phone=CALLER), house.take_in(phone=CALLER)
    del house.memory_store.objects[object_name(lost, ORIGINAL)]
    hold = house.place(phone=CALLER).hold
    assert is_held(house, lost)
    assert house.memory_store.held
    house.lift(hold.id)
    assert not is_held(house, whole)
    assert not house.memory_store.held


def test_what_arrives_after_the_lifting_is_not_held(house: House) -> None:
    house.add_source()
    hold = house.place(phone=CALLER).hold
    house.lift(hold.id)
    assert not is_held(house, house.take_in(phone=CALLER))


def test_placing_and_lifting_are_on_record_with_their_counts(house: House) -> None:
    house.add_source()
    hold = house.place(house.take_in(), house.take_in(), suspends_use=True).hold
    house.lift(hold.id, reason="it is settled", actor=SECOND)
    (placed,), (lifted,) = house.audit(Tag.HOLD_PLACED), house.audit(Tag.HOLD_LIFTED)
    assert placed.subject == lifted.subject == hold.id
    assert placed.detail == {
        "kind": "legal",
        "recordings": 2,
        "too_late": 0,
        "review_on": "2030-01-01",
        "suspends_use": True,
    }
    assert (lifted.actor, lifted.detail) == (SECOND, {"reason": "it is settled", "released": 2, "due": 0})


def test_counts_of_lots_and_matches_stay_true_through_it_all(house: House) -> None:
    house.add_source(purposes=["quality", "inquiry"])
    recordings = [house.take_in(phone=CALLER if n % 2 else "") for n in range(6)]
    holds = [house.place(phone=CALLER).hold, house.place(*recordings[:3]).hold]
    assert house.lot_counts() == house.recount()
    with house.app.database.read() as session:
        assert match_counts(session) == {holds[0].id: 3, holds[1].id: 3}
    house.lift(holds[0].id)
    assert house.lot_counts() == house.recount()
    house.lift(holds[1].id)
    assert house.lot_counts() == house.recount()
    assert sorted(count for count, _ in house.lot_counts().values()) == [6]


# --- the journal, and the store's own lock


def journal(house: House, kind: str = "") -> list[dict[str, Any]]:
    return [entry for entry in house.app.journal.entries() if not kind or entry["kind"] == kind]


def test_the_journal_alone_brings_back_a_hold_with_its_data_keys(house: House) -> None:
    house.add_source()
    recording = house.take_in()
    hold = house.place(recording).hold
    told = [entry["kind"] for entry in journal(house) if entry["kind"].startswith("hold")]
    assert told == ["hold-placed", "hold-wraps", "hold-confirmed"]
    ((wrapped_id, wrapped),) = journal(house, "hold-wraps")[0]["wraps"]
    assert wrapped_id == recording
    with house.app.database.read() as session:
        row = session.get_one(WrapRow, (recording, hold.key_id))
    assert b64decode(wrapped) == row.wrapped
    house.lift(hold.id)
    assert [entry["hold"] for entry in journal(house, "hold-lifted")] == [hold.id]
    assert [entry["keys"] for entry in journal(house, "keys-destroyed")] == [[hold.key_id]]


def test_a_hold_whose_commit_failed_stands_in_the_journal_and_is_not_confirmed(house: House) -> None:
    house.add_source()
    recording = house.take_in()
    hold = new_hold(
        house.app.keys,
        house.clock.now(),
        "sato",
        kind=HoldKind.LEGAL,
        reason="a dispute",
        review_on=date(2030, 1, 1),
        criteria=Criteria(recording_ids=(recording,)),
    )

    def die_before_the_commit() -> None:
        with house.app.database.write() as session:
            place(session, house.app.keys, house.app.journal, hold)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        die_before_the_commit()
    assert journal(house, "hold-placed")
    assert not journal(house, "hold-confirmed")
    assert not is_held(house, recording)


def test_the_stores_own_lock_follows_the_holds(house: House) -> None:
    house.add_source()
    recording = house.take_in(phone=CALLER)
    one, other = house.place(recording).hold, house.place(phone=CALLER).hold
    later = house.take_in(phone=CALLER)
    name = f"{recording[-2:]}/{recording}.original"
    later_name = f"{later[-2:]}/{later}.original"
    assert house.memory_store.held == {name, later_name}
    house.lift(one.id)
    assert house.memory_store.held == {name, later_name}
    house.lift(other.id)
    assert house.memory_store.held == set()
