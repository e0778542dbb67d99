"""A restored backup has every hold, and none that was lifted."""

from datetime import date

import pytest

from retention.custody.model import Kind
from retention.holds.model import Criteria, Hold, HoldKind
from retention.holds.place import new_hold, place
from retention.kernel.errors import KeyMissing
from retention.vault.fixity import Level
from tests.builders.custody import back_up, look, night_after, restore, what_is_held
from tests.builders.house import ACTOR, CALLER, House


def test_a_hold_placed_after_the_backup_is_in_force_with_its_own_id_and_key(busy: House) -> None:
    recording_id = busy.take_in()
    path = back_up(busy)
    hold = busy.place(recording_id, suspends_use=True).hold
    before = what_is_held(busy)

    found = restore(busy, path)

    assert found.replayed.holds_placed == 1
    assert what_is_held(busy) == before
    assert busy.find(recording_id).restricted
    assert busy.open(recording_id, hold_id=hold.id)
    assert night_after(busy, days=11).disposed == 0
    assert look(busy, Level.DIGEST).ok


def test_a_hold_by_person_placed_after_the_backup_still_matches_what_arrives(busy: House) -> None:
    path = back_up(busy)
    hold = busy.place(phone=CALLER).hold

    restore(busy, path)

    later = busy.take_in(phone=CALLER)
    assert busy.find(later).hold_ids == (hold.id,)


def test_a_hold_that_kept_a_recording_past_its_period_still_does(busy: House) -> None:
    recording_id = busy.film()
    path = back_up(busy)
    hold = busy.place(recording_id).hold
    busy.clock.move(days=6)
    busy.night()
    before = what_is_held(busy)

    restore(busy, path)

    assert what_is_held(busy) == before
    assert busy.open(recording_id, hold_id=hold.id)
    assert look(busy, Level.DIGEST).ok


def test_a_hold_lifted_after_the_backup_is_lifted(busy: House) -> None:
    recording_id = busy.take_in()
    hold = busy.place(recording_id).hold
    path = back_up(busy)
    busy.lift(hold.id)
    before = what_is_held(busy)

    found = restore(busy, path)

    assert found.replayed.holds_lifted == 1
    assert what_is_held(busy) == before
    assert look(busy).ok


def test_a_whole_story_after_the_backup_ends_as_it_ended(busy: House) -> None:
    """Placed, expired, lifted, disposed of; another still held."""
    first, second, third = busy.film(), busy.film(), busy.take_in()
    path = back_up(busy)
    hold, other = busy.place(first, second).hold, busy.place(second, third).hold
    busy.clock.move(days=6)
    busy.night()
    busy.lift(hold.id)
    busy.clock.move(days=1)
    busy.night()
    night_after(busy, days=5)
    before = what_is_held(busy)
    assert str(busy.find(first).state) == "disposed"

    restore(busy, path)

    assert what_is_held(busy) == before
    assert busy.find(second).hold_ids == busy.find(third).hold_ids == (other.id,)
    assert look(busy, Level.DIGEST).ok


def test_a_hold_that_may_not_have_been_committed_is_placed(busy: House) -> None:
    """One hold too many, never one too few."""
    recording_id = busy.take_in()
    path = back_up(busy)
    hold = new_hold(
        busy.app.keys,
        busy.clock.now(),
        ACTOR,
        kind=HoldKind.LEGAL,
        reason="a dispute",
        review_on=date(2030, 1, 1),
        criteria=Criteria((recording_id,)),
    )
    with pytest.raises(Crash):
        place_and_crash(busy, hold)

    restore(busy, path)

    assert busy.find(recording_id).hold_ids == (hold.id,)


class Crash(Exception):
    """The process ends here."""


def place_and_crash(house: House, hold: Hold) -> None:
    with house.app.database.write() as session:
        place(session, house.app.keys, house.app.journal, hold)
        raise Crash


def test_without_its_key_a_hold_stays_in_force(busy: House) -> None:
    """Whether it was lifted is for a person to say, not for a lost key."""
    recording_id = busy.take_in()
    path = back_up(busy)
    hold = busy.place(recording_id).hold
    busy.memory_keys.destroy([hold.key_id])

    found = restore(busy, path)

    assert busy.find(recording_id).hold_ids == (hold.id,)
    assert Kind.REASON_KEY_GONE in found.counts
    with pytest.raises(KeyMissing):
        busy.open(recording_id, hold_id=hold.id)
