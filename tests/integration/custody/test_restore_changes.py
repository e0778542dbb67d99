"""What was changed after the backup stays changed."""

from datetime import date

import pytest
from sqlmodel import select

from retention.catalogue.journal import Moving, tell_of_schedule
from retention.catalogue.lots import CohortKey, cohort_for
from retention.catalogue.tables import CohortRow, ScheduleRow
from retention.vault.fixity import Level
from retention.vault.reasons import data_keys
from retention.vault.trigger import change_cohort, move_cohort, record_trigger
from tests.builders.custody import back_up, look, restore, what_is_held
from tests.builders.house import ACTOR, House
from tests.builders.policy import FILE, policy_text

DAY = date(2026, 3, 2)


def test_a_source_registered_after_the_backup_is_registered(busy: House) -> None:
    path = back_up(busy)
    busy.add_source("line-2", clock_error_s=1.5)
    busy.add_source("line-1", site="osaka")
    before = what_is_held(busy)

    restore(busy, path)

    assert what_is_held(busy) == before
    assert busy.take_in("line-2")


def test_a_schedule_applied_after_the_backup_is_in_force(busy: House) -> None:
    recording_id = busy.take_in()
    path = back_up(busy)
    text = policy_text(quality="P3D")
    row = ScheduleRow(
        version=2,
        digest="d",
        text=text,
        file_name=FILE,
        planned_by="sato",
        approved_by="tanaka",
        applied_at=busy.clock.now(),
    )
    with busy.app.database.write() as session:
        session.add(row)
        session.flush()
        session.expunge(row)
    tell_of_schedule(busy.app.journal, row)

    found = restore(busy, path)

    assert found.replayed.schedules == 1
    assert busy.find(recording_id).reasons[0].due_on == date(2026, 3, 6)


def test_an_event_that_moved_recordings_after_the_backup_has_moved_them(busy: House) -> None:
    """The key of the open cohort is gone: the backup's own wraps open nothing any more."""
    recording_id = waits_for_case_7(busy)
    path = back_up(busy)
    busy.trigger("case-closed", "case-7", DAY)
    before = what_is_held(busy)

    found = restore(busy, path)

    assert found.replayed.recordings_moved == 1
    assert what_is_held(busy) == before
    assert busy.open(recording_id, "dispute")
    assert look(busy, Level.DIGEST).ok


def test_a_move_that_was_rolled_back_is_not_replayed(busy: House) -> None:
    recording_id = waits_for_case_7(busy)
    path = back_up(busy)
    before = what_is_held(busy)
    with pytest.raises(Crash):
        close_case_7(busy, and_crash=True)

    restore(busy, path)

    assert what_is_held(busy) == before
    assert busy.open(recording_id, "dispute")


def test_a_move_that_was_committed_and_not_confirmed_is_replayed_once_its_key_is_gone(busy: House) -> None:
    recording_id = waits_for_case_7(busy)
    path = back_up(busy)
    close_case_7(busy, and_crash=False)
    busy.night()
    before = what_is_held(busy)

    restore(busy, path)

    assert what_is_held(busy) == before
    assert busy.open(recording_id, "dispute")


class Crash(Exception):
    """The process ends here."""


def waits_for_case_7(house: House) -> str:
    return house.take_in(purposes=["dispute"], reference="case-7")


def close_case_7(house: House, *, and_crash: bool) -> None:
    """The transaction of an event, without what comes after it."""
    app, now = house.app, house.clock.now()
    with app.database.write() as session:
        moving = Moving(app.journal, now)
        record_trigger(session, app.keys, moving, app.schedule(), "case-closed", "case-7", DAY, now, ACTOR)
        if and_crash:
            raise Crash


@pytest.mark.parametrize("is_renamed", [False, True])
def test_recordings_that_changed_class_after_the_backup_have_changed_it(
    busy: House, *, is_renamed: bool
) -> None:
    """As a change of the schedule does it: one by one into another cohort, or the cohort as a whole."""
    recording_id = busy.take_in()
    path = back_up(busy)
    change_class(busy, is_renamed=is_renamed)
    before = what_is_held(busy)

    restore(busy, path)

    assert what_is_held(busy) == before
    assert busy.find(recording_id).reasons[0].class_name == "calls.inquiry"
    assert busy.open(recording_id, "quality")


def change_class(house: House, *, is_renamed: bool) -> None:
    app, now = house.app, house.clock.now()
    moving = Moving(app.journal, now)
    with app.database.write() as session:
        old = session.execute(select(CohortRow)).scalar_one()
        wanted = CohortKey("calls.inquiry", old.zone, old.trigger_on)
        if is_renamed:
            old.name, old.class_name = wanted.name, wanted.class_name
            session.add(old)
            moving.renamed([old])
        else:
            move_cohort(session, app.keys, moving, old, cohort_for(session, wanted, app.keys.new_key))
            app.keys.destroy([old.key_id])
    moving.confirm()


def test_a_reason_that_was_added_after_the_backup_is_there(busy: House) -> None:
    """As a new floor does it."""
    recording_id = busy.take_in()
    path = back_up(busy)
    app = busy.app
    moving = Moving(app.journal, busy.clock.now())
    with app.database.write() as session:
        floor = cohort_for(session, CohortKey("archive", "Asia/Tokyo", DAY), app.keys.new_key)
        key = next(key for _, key in data_keys(session, app.keys, [recording_id]))
        wraps = [(recording_id, app.keys.wrap(floor.key_id, key, recording_id.encode()))]
        moving.moved(wraps, floor, old=None, purpose="archive")
        change_cohort(session, wraps, floor, None, "archive")
    moving.confirm()
    before = what_is_held(busy)

    restore(busy, path)

    assert what_is_held(busy) == before
    assert busy.open(recording_id, "archive")
    assert look(busy, Level.DIGEST).ok
