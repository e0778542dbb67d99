"""A night that looks wrong does nothing, says why, and goes on only when two people agree to just that."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.catalogue.states import State
from retention.custody.check import check
from retention.custody.model import Kind
from retention.disposal.model import RunKind, RunState
from retention.disposal.tables import RunRow
from retention.kernel.errors import AuditChainBroken, IllegalTransition, NotFound, NotPermitted
from retention.vault.fixity import Level
from tests.builders.house import ACTOR, SECOND, House
from tests.builders.night import agree, approve_plan, dispose_within, print_plan, what_a_night_could_change

DAY = timedelta(days=1)
LAST_COHORT = "(SELECT max(id) FROM cohort)"


@pytest.fixture
def overdue(sqlite_house: House) -> House:
    """Three calls of four are due."""
    return with_overdue(sqlite_house)


@pytest.fixture
def overdue_on_both(house: House) -> House:
    return with_overdue(house)


def with_overdue(house: House) -> House:
    house.add_source()
    for _ in range(3):
        house.take_in()
    house.clock.move(days=11)
    house.take_in()
    return house


def trips(house: House, guard: str, **limits: Any) -> RunRow:
    """Run into `guard` alone, and see that nothing is changed but the ledger and the trail."""
    before = what_a_night_could_change(house)
    run = dispose_within(house, **limits)
    assert (run.state, set(run.tripped)) == (RunState.TRIPPED, {guard}), run.tripped
    assert (run.disposed, run.certificate, run.finished_at) == (0, "", house.clock.now())
    assert what_a_night_could_change(house) == before
    alarm = house.audit(Tag.DISPOSAL_TRIPPED)[-1]
    assert (alarm.subject, alarm.detail["guards"]) == (run.id, run.tripped)
    assert house.app.journal.entries()
    return run


def goes(house: House, **limits: Any) -> bool:
    run = dispose_within(house, **limits)
    return run.state == RunState.DONE and run.disposed > 0


# --- each guard, and the last case that it lets through


def test_a_larger_share_of_a_class_than_allowed_trips(overdue_on_both: House) -> None:
    run = trips(overdue_on_both, "class-fraction", class_fraction=0.74)
    assert "3 of 4 of calls.quality" in run.tripped["class-fraction"]
    assert goes(overdue_on_both, class_fraction=0.75)


def test_a_larger_share_of_the_archive_than_allowed_trips(overdue_on_both: House) -> None:
    run = trips(overdue_on_both, "overall-fraction", overall_fraction=0.74)
    assert run.tripped["overall-fraction"].startswith("3 of 4 recordings")
    assert goes(overdue_on_both, overall_fraction=0.75)


def test_another_class_does_not_hide_that_one_class_goes_whole(overdue: House) -> None:
    overdue.add_camera()
    for _ in range(9):
        overdue.film()
    trips(overdue, "class-fraction", class_fraction=0.5, overall_fraction=0.5)


def test_shares_of_a_few_recordings_mean_nothing(overdue: House) -> None:
    trips(overdue, "class-fraction", class_fraction=0.1, from_recordings=3)
    assert goes(overdue, class_fraction=0.1, overall_fraction=0.1, from_recordings=4)


def test_more_bytes_than_allowed_trip(overdue: House) -> None:
    size_bytes = overdue.plan().size_bytes
    trips(overdue, "size", size_bytes=size_bytes - 1)
    assert goes(overdue, size_bytes=size_bytes)


def test_a_clock_behind_what_is_on_record_trips(overdue: House) -> None:
    overdue.take_in()
    at = overdue.clock.now()
    overdue.clock.set(at - timedelta(minutes=5, seconds=1))
    trips(overdue, "clock")
    overdue.clock.set(at)
    assert goes(overdue)


def test_two_machines_clocks_may_differ_by_minutes(overdue: House) -> None:
    overdue.clock.set(overdue.clock.now() - timedelta(minutes=5))
    assert goes(overdue)


def test_a_clock_far_ahead_of_the_last_night_trips(overdue_on_both: House) -> None:
    overdue_on_both.night()
    overdue_on_both.clock.move(days=45)
    overdue_on_both.take_in(ended_at=overdue_on_both.clock.now() - 20 * DAY)
    overdue_on_both.clock.move(seconds=1)
    run = trips(overdue_on_both, "clock", clock_forward=45 * DAY)
    assert "45 days after the last run" in run.tripped["clock"]
    assert goes(overdue_on_both, clock_forward=46 * DAY)


def test_what_goes_at_once_is_no_night_by_which_a_clock_is_told(overdue: House) -> None:
    """A caller who refuses may come any day; a night that runs by itself is what a wrong clock would fool."""
    overdue.night()
    overdue.clock.move(days=46)
    (item,) = overdue.ingest(overdue.write("noise", b"noise"))
    assert item.id
    assert overdue.reject(item.id)
    trips(overdue, "clock", clock_forward=45 * DAY)


def forget_hold(house: House) -> str:
    """A hold is taken out of the catalogue, and everything that points at it."""
    hold_id = house.place(house.take_in()).hold.id
    house.sql(
        "DELETE FROM hold",
        "DELETE FROM hold_match",
        "DELETE FROM lot_hold",
        "UPDATE lot SET holds = 0, restricted = FALSE",
    )
    return hold_id


def test_a_hold_that_is_suddenly_gone_trips(overdue_on_both: House) -> None:
    hold_id = forget_hold(overdue_on_both)
    assert hold_id in trips(overdue_on_both, "holds").tripped["holds"]


def test_a_hold_that_was_lifted_is_not_gone(overdue_on_both: House) -> None:
    overdue_on_both.lift(overdue_on_both.place(overdue_on_both.take_in()).hold.id)
    assert goes(overdue_on_both)


def lose_journal(house: House) -> None:
    """As if its disk had been replaced by one that knows the heads alone."""
    (house.app.home / house.app.settings.witness / "journal").unlink()


def test_a_journal_that_does_not_know_a_hold_in_force_trips(overdue_on_both: House) -> None:
    """The folder is not mounted, or another: what is held is no longer safe from the loss of the database."""
    hold = overdue_on_both.place(overdue_on_both.take_in()).hold
    lose_journal(overdue_on_both)
    run = trips(overdue_on_both, "journal")
    assert f"hold {hold.id}" in run.tripped["journal"]
    agree(overdue_on_both, run.id)
    assert goes(overdue_on_both)


def test_a_journal_that_was_cut_at_its_end_trips_until_two_people_agree(overdue_on_both: House) -> None:
    """What is left of it is a chain that holds, and the catalogue misses nothing in it."""
    overdue_on_both.add_source("line-2")
    path = overdue_on_both.app.home / overdue_on_both.app.settings.witness / "journal"
    overdue_on_both.take_in()
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    run = trips(overdue_on_both, "journal")
    assert "had 2 lines and has 1" in run.tripped["journal"]
    assert [
        each.kind for each in check(overdue_on_both.app.custody_tools(), Level.PRESENCE, ACTOR).findings
    ] == [Kind.JOURNAL_BROKEN]
    agree(overdue_on_both, run.id)
    assert goes(overdue_on_both)
    assert check(overdue_on_both.app.custody_tools(), Level.PRESENCE, ACTOR).ok
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    trips(overdue_on_both, "journal")


def put_back(house: House, *, days: int) -> None:
    """The catalogue's file as it was before `days` in which things went on; all else as it is now."""
    house.app.database.close()
    file = house.app.home / "catalogue.db"
    old = file.read_bytes()
    for _ in range(days):
        house.clock.move(days=1)
        house.take_in(ended_at=house.clock.now() - 20 * DAY)
    house.app.database.close()
    for leftover in file.parent.glob("catalogue.db-*"):
        leftover.unlink()
    file.write_bytes(old)


def test_an_old_copy_of_the_catalogue_put_back_trips(overdue: House) -> None:
    """It knows neither what was disposed of since nor what was held; it is not restored, only copied."""
    put_back(overdue, days=1)
    run = trips(overdue, "trail")
    assert "an old copy" in run.tripped["trail"]
    agree(overdue, run.id)
    trips(overdue, "trail")
    for _ in range(9):
        overdue.take_in(ended_at=overdue.clock.now() - 20 * DAY)
    assert "is not the one that was witnessed" in trips(overdue, "trail").tripped["trail"]
    assert not overdue.verify().ok


def test_a_witness_that_was_emptied_trips_until_two_people_agree(overdue: House) -> None:
    for path in (overdue.app.home / overdue.app.settings.witness).iterdir():
        path.unlink()
    overdue.take_in()
    run = dispose_within(overdue)
    assert set(run.tripped) == {"trail"}
    agree(overdue, run.id)
    assert goes(overdue)
    assert overdue.verify().ok
    overdue.take_in(ended_at=overdue.clock.now() - 20 * DAY)
    assert goes(overdue)


def test_a_journal_that_does_not_know_the_last_run_trips(overdue_on_both: House) -> None:
    last = overdue_on_both.night()
    overdue_on_both.take_in(ended_at=overdue_on_both.clock.now() - 20 * DAY)
    lose_journal(overdue_on_both)
    tripped = trips(overdue_on_both, "journal")
    assert f"run {last.id}" in tripped.tripped["journal"]
    agree(overdue_on_both, tripped.id)
    assert goes(overdue_on_both)
    overdue_on_both.take_in(ended_at=overdue_on_both.clock.now() - 20 * DAY)
    assert goes(overdue_on_both), "the run that was agreed to made the journal whole"


def test_a_journal_that_was_changed_stops_the_night_before_it_begins(overdue: House) -> None:
    overdue.place(overdue.take_in())
    path = overdue.app.home / overdue.app.settings.witness / "journal"
    path.write_bytes(path.read_bytes().replace(b'"legal"', b'"legit"'))
    before = what_a_night_could_change(overdue)
    with pytest.raises(AuditChainBroken, match="journal"):
        dispose_within(overdue)
    assert what_a_night_could_change(overdue) == before
    assert overdue.rows("SELECT id FROM disposal_run") == []


def test_a_day_that_was_moved_ahead_of_its_recordings_trips(house: House) -> None:
    """One statement makes an archive due, and leaves no trace but this."""
    house.add_source()
    house.take_in()
    house.sql("UPDATE cohort SET trigger_on = '2020-01-01'")
    run = trips(house, "trigger")
    assert "calls.quality@Asia/Tokyo" in run.tripped["trigger"]
    assert "2020-01-01" in run.tripped["trigger"]


def test_a_day_that_was_moved_by_one_trips_once_the_cohort_is_due(overdue: House) -> None:
    overdue.sql(f"UPDATE cohort SET trigger_on = date(trigger_on, '-1 day') WHERE id = {LAST_COHORT}")
    assert goes(overdue), "what is due is right, and what is not due is not looked at"
    overdue.clock.move(days=10)
    trips(overdue, "trigger")


def test_agreeing_to_one_moved_day_is_not_agreeing_to_the_next(overdue: House) -> None:
    overdue.sql(f"UPDATE cohort SET trigger_on = '2020-01-01' WHERE id = {LAST_COHORT}")
    tripped_and_agreed(overdue, "trigger", size_bytes=10**9)
    overdue.sql(f"UPDATE cohort SET trigger_on = '2020-01-02' WHERE id = {LAST_COHORT}")
    trips(overdue, "trigger")


def test_an_event_is_no_day_of_the_recording(house: House) -> None:
    """A case may close before a late recording of it comes in, and long after its first."""
    house.add_source(purposes=["dispute"])
    early = house.take_in(reference="case-14")
    house.trigger("case-closed", "case-14", on=house.app.today())
    house.clock.move(days=31)
    approve_plan(house, print_plan(house))
    assert goes(house)
    assert house.find(early).state == State.DISPOSED


def back_up(house: House) -> None:
    with house.app.database.write() as session:
        record(session, house.clock.now(), Act(Tag.BACKED_UP, ACTOR, "backup"))


def test_a_backup_that_is_too_old_trips_once_backups_are_made(overdue: House) -> None:
    back_up(overdue)
    overdue.clock.move(days=7)
    overdue.take_in(ended_at=overdue.clock.now() - 20 * DAY)
    assert goes(overdue, backup_age=7 * DAY)
    overdue.take_in(ended_at=overdue.clock.now() - 20 * DAY)
    overdue.clock.move(seconds=1)
    trips(overdue, "backup", backup_age=7 * DAY)
    back_up(overdue)
    assert goes(overdue, backup_age=7 * DAY)


def test_without_backups_or_with_the_guard_switched_off_their_age_is_not_watched(overdue: House) -> None:
    assert goes(overdue, backup_age=DAY)
    back_up(overdue)
    overdue.clock.move(days=30)
    assert goes(overdue, backup_age=timedelta(0))


def test_another_object_store_than_the_catalogues_own_trips(overdue: House) -> None:
    own = overdue.memory_store._id
    overdue.memory_store._id = "another"
    assert "another" in trips(overdue, "store").tripped["store"]
    overdue.memory_store._id = own
    assert goes(overdue)


def test_a_night_that_is_wrong_in_several_ways_says_so_at_once(overdue: House) -> None:
    overdue.memory_store._id = "another"
    run = dispose_within(overdue, class_fraction=0.1, overall_fraction=0.1, size_bytes=1)
    assert set(run.tripped) == {"store", "class-fraction", "overall-fraction", "size"}


# --- going on after all


def test_two_people_agree_and_the_next_run_goes_on(overdue_on_both: House) -> None:
    run = trips(overdue_on_both, "size", size_bytes=1)
    agree(overdue_on_both, run.id, ACTOR)
    again = trips(overdue_on_both, "size", size_bytes=1)
    agree(overdue_on_both, run.id, SECOND)
    assert goes(overdue_on_both, size_bytes=1)
    first, second = overdue_on_both.audit(Tag.DISPOSAL_RESET)
    assert (first.actor, second.actor) == (ACTOR, SECOND)
    assert first.detail == {"guards": run.tripped}
    assert again.resets == []


def test_the_same_person_does_not_agree_twice(overdue_on_both: House) -> None:
    run = trips(overdue_on_both, "size", size_bytes=1)
    agree(overdue_on_both, run.id, ACTOR)
    with pytest.raises(NotPermitted, match=f"{ACTOR} has reset run"):
        agree(overdue_on_both, run.id, ACTOR)
    trips(overdue_on_both, "size", size_bytes=1)


def test_one_person_each_on_two_runs_is_nobody_twice(overdue: House) -> None:
    for person in (ACTOR, SECOND):
        agree(overdue, trips(overdue, "size", size_bytes=1).id, person)
    trips(overdue, "size", size_bytes=1)


def test_only_a_run_that_tripped_is_reset(overdue: House) -> None:
    with pytest.raises(NotFound, match="no run"):
        agree(overdue, "01M830MZXAGYEW048JPZB8DVN5")
    with pytest.raises(IllegalTransition, match="only a tripped run"):
        agree(overdue, overdue.night().id)


def tripped_and_agreed(house: House, guard: str = "size", **limits: Any) -> None:
    agree(house, trips(house, guard, **(limits or {"size_bytes": 1})).id)


def test_an_agreement_is_used_once(overdue: House) -> None:
    tripped_and_agreed(overdue)
    assert goes(overdue, size_bytes=1)
    overdue.take_in(ended_at=overdue.clock.now() - 20 * DAY)
    trips(overdue, "size", size_bytes=1)


def test_an_agreement_lapses_when_a_run_goes_through_without_it(overdue: House) -> None:
    tripped_and_agreed(overdue)
    overdue.clock.move(hours=1)
    assert goes(overdue)
    overdue.take_in(ended_at=overdue.clock.now() - 20 * DAY)
    trips(overdue, "size", size_bytes=1)


def test_agreeing_to_one_guard_is_not_agreeing_to_another(overdue: House) -> None:
    tripped_and_agreed(overdue)
    trips(overdue, "overall-fraction", overall_fraction=0.1)
    overdue.memory_store._id = "another"
    run = dispose_within(overdue, size_bytes=1)
    assert (run.state, set(run.tripped)) == (RunState.TRIPPED, {"size", "store"})


def test_agreeing_to_some_is_not_agreeing_to_more(overdue: House) -> None:
    tripped_and_agreed(overdue)
    overdue.take_in(ended_at=overdue.clock.now() - 20 * DAY)
    trips(overdue, "size", size_bytes=1)


def test_agreeing_to_a_size_is_not_agreeing_to_a_larger_one(overdue: House) -> None:
    """As many recordings as were agreed to, but others, which are longer."""
    tripped_and_agreed(overdue)
    small, *_ = [row.id for row in overdue.rows("SELECT id FROM recording ORDER BY id")]
    overdue.place(small)
    large = overdue.write(
        "large.rec", b"call 60 2026-02-02T00:00:00+00:00\n" + b"x" * 10_000, sidecar={"native_id": "large"}
    )
    overdue.ingest(large)
    assert overdue.plan().recordings == 3
    trips(overdue, "size", size_bytes=1)


LOSSES: dict[str, Callable[[House, int], object]] = {
    "holds": lambda house, _: forget_hold(house),
    "store": lambda house, n: setattr(house.memory_store, "_id", f"another {n}"),
}


@pytest.mark.parametrize("guard", LOSSES)
def test_agreeing_to_one_loss_is_not_agreeing_to_the_next(overdue: House, guard: str) -> None:
    LOSSES[guard](overdue, 1)
    tripped_and_agreed(overdue, guard, size_bytes=10**9)
    LOSSES[guard](overdue, 2)
    trips(overdue, guard)


def test_a_night_that_was_agreed_to_is_the_same_night_once_more(overdue: House) -> None:
    first = dispose_within(overdue, RunKind.NIGHT, size_bytes=1)
    agree(overdue, first.id)
    second = dispose_within(overdue, RunKind.NIGHT, size_bytes=1)
    assert ((first.on, first.attempt), (second.on, second.attempt)) == (
        (overdue.app.today(), 0),
        (overdue.app.today(), 1),
    )
    assert second.state == RunState.DONE


def test_the_guards_limits_are_the_operators_settings(overdue: House, tmp_path: Path) -> None:
    (overdue.app.home / "settings.toml").write_text(
        "guard_class_fraction = 0.4\nguard_overall_fraction = 0.3\nguard_from_recordings = 7\n"
        "guard_size_bytes = 99\nguard_clock_forward_days = 6\nguard_backup_age_days = 5\n"
    )
    again = House(tmp_path)
    again.app.close()
    again.app = type(again.app)(overdue.app.home, keys=overdue.memory_keys, store=overdue.memory_store)
    found = again.app.disposal_tools().limits
    again.close()
    assert (found.class_fraction, found.overall_fraction, found.from_recordings) == (0.4, 0.3, 7)
    assert (found.size_bytes, found.clock_forward, found.backup_age) == (99, 6 * DAY, 5 * DAY)
