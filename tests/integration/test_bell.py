"""The bell rings, the ledger remembers: one night a business date, whatever clocks and processes do."""

import logging
import os
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from apscheduler.schedulers.blocking import BlockingScheduler
from hypothesis import given
from hypothesis import strategies as st

from retention.audit.tags import Tag
from retention.bootstrap import App
from retention.catalogue.states import State
from retention.disposal.model import RunState
from retention.founding import create_store
from retention.kernel.errors import DatabaseBusy, StoreUnavailable
from retention.workers.bell import (
    LOCK,
    Night,
    Nightly,
    catch_up,
    missed,
    night_of,
    overdue_reviews,
    ring,
    serve,
)
from tests.builders.custody import look
from tests.builders.house import House
from tests.builders.policy import FILE, policy_text

DAY = timedelta(days=1)
NIGHT = time(2, 0)


def ledger(house: House) -> list[tuple[str, date, str]]:
    rows = house.rows('SELECT kind, "on", state FROM disposal_run ORDER BY id')
    return [(row.kind, date.fromisoformat(str(row.on)), row.state) for row in rows]


def nights(house: House) -> list[date]:
    return [on for kind, on, state in ledger(house) if (kind, state) == ("night", "done")]


def with_store_created(house: House, at: datetime) -> None:
    house.sql(f"UPDATE store SET created_at = '{at.replace(tzinfo=None)}'")


def events(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage().split()[0].removeprefix("event=") for record in caplog.records]


@pytest.fixture(autouse=True)
def logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "retention.bell")


# --- one night a date


def test_a_ring_runs_the_night_of_the_controllers_own_date(house: House) -> None:
    """At two in the morning of the 14th in Tokyo it is still the 13th in UTC and on the machine."""
    house.add_source()
    recording = house.take_in()
    house.clock.move_to(date(2026, 3, 13))
    run = ring(house.app)
    assert run
    assert (run.on, run.state, run.started_by, run.disposed) == (date(2026, 3, 13), "done", "bell", 1)
    assert house.find(recording).state is State.DISPOSED


def test_a_bell_that_rings_twice_rings_one_night(house: House) -> None:
    house.clock.move_to(date(2026, 3, 3))
    first = ring(house.app)
    house.clock.move(hours=1)
    second = ring(house.app)
    assert first
    assert second
    assert (first.id, nights(house)) == (second.id, [date(2026, 3, 3)])


def test_every_day_has_its_night_and_its_signed_root(house: House) -> None:
    for day in range(3, 7):
        house.clock.move_to(date(2026, 3, day))
        ring(house.app)
        ring(house.app)
    dates = [date(2026, 3, day) for day in range(3, 7)]
    assert nights(house) == dates
    roots = house.rows('SELECT "on", seq FROM audit_root ORDER BY "on"')
    assert [date.fromisoformat(str(root.on)) for root in roots] == dates
    assert sorted({root.seq for root in roots}) == [root.seq for root in roots]
    assert house.verify().ok


# --- a night that did not run


def test_a_night_that_is_missing_is_alarmed_and_caught_up_under_its_own_date(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.add_source()
    recording = house.take_in()
    house.clock.move_to(date(2026, 3, 13), at=time(9, 30))
    assert missed(house.app) == date(2026, 3, 13)
    run = catch_up(house.app)
    assert run
    assert (run.on, run.disposed) == (date(2026, 3, 13), 1)
    assert house.find(recording).state is State.DISPOSED
    (alarm,) = house.audit(Tag.NIGHT_MISSED)
    assert (alarm.actor, alarm.detail) == ("bell", {"on": "2026-03-13"})
    assert "night.missed" in events(caplog)
    assert missed(house.app) is None


def test_what_is_caught_up_before_the_nights_hour_leaves_this_days_night_to_run(sqlite_house: House) -> None:
    """Just after midnight the last night is yesterday's; today's is still to come, and other sites' days with it."""
    sqlite_house.clock.move_to(date(2026, 3, 5), at=time(0, 30))
    run = catch_up(sqlite_house.app)
    assert run
    assert run.on == date(2026, 3, 4)
    sqlite_house.clock.move_to(date(2026, 3, 5))
    ring(sqlite_house.app)
    assert nights(sqlite_house) == [date(2026, 3, 4), date(2026, 3, 5)]


def test_a_night_that_ran_is_not_caught_up(house: House) -> None:
    house.clock.move_to(date(2026, 3, 3))
    ring(house.app)
    house.clock.move(hours=23)
    assert catch_up(house.app) is None
    assert nights(house) == [date(2026, 3, 3)]
    assert house.audit(Tag.NIGHT_MISSED) == []


def test_a_run_by_hand_that_was_done_is_no_night_missed(sqlite_house: House) -> None:
    sqlite_house.clock.move_to(date(2026, 3, 3), at=time(8, 0))
    sqlite_house.dispose()
    assert missed(sqlite_house.app) is None


def test_what_goes_at_once_is_no_night(sqlite_house: House) -> None:
    (item,) = sqlite_house.ingest(sqlite_house.write("noise", b"noise"))
    sqlite_house.clock.move_to(date(2026, 3, 3), at=time(8, 0))
    sqlite_house.reject(str(item.id))
    assert missed(sqlite_house.app) == date(2026, 3, 3)


@pytest.mark.parametrize(
    ("made_at", "missing"), [("01:59:59", True), ("02:00:00", True), ("02:00:01", False), ("09:00:00", False)]
)
def test_a_store_misses_no_night_from_before_it_was_made(
    sqlite_house: House, made_at: str, *, missing: bool
) -> None:
    sqlite_house.clock.move_to(date(2026, 3, 3), at=time(10, 0))
    made = datetime.combine(date(2026, 3, 3), time.fromisoformat(made_at), ZoneInfo("Asia/Tokyo"))
    with_store_created(sqlite_house, made.astimezone(UTC))
    assert (missed(sqlite_house.app) is not None) == missing
    sqlite_house.clock.move(days=1)
    assert missed(sqlite_house.app) == date(2026, 3, 4)


# --- a night that cannot run, or not to the end


def test_a_night_that_tripped_is_an_alarm_with_its_reason_and_counts_as_missing(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.memory_store._id = "another"
    house.clock.move_to(date(2026, 3, 3))
    run = ring(house.app)
    assert run
    assert run.state == RunState.TRIPPED
    (told,) = [record for record in caplog.records if "guard.tripped" in record.getMessage()]
    assert told.levelno == logging.ERROR
    assert "guard=store" in told.getMessage()
    assert "another" in told.getMessage()
    assert "night.tripped" in events(caplog)
    assert missed(house.app) == date(2026, 3, 3)


def test_a_night_that_leaves_bytes_is_an_alarm(sqlite_house: House, caplog: pytest.LogCaptureFixture) -> None:
    sqlite_house.add_source()
    sqlite_house.take_in()
    vars(sqlite_house.memory_store)["erase_many"] = lambda names: dict.fromkeys(names, "no")
    sqlite_house.clock.move_to(date(2026, 3, 13))
    ring(sqlite_house.app)
    (told,) = [record for record in caplog.records if "night.incomplete" in record.getMessage()]
    assert (told.levelno, "failed=1" in told.getMessage()) == (logging.ERROR, True)


@pytest.mark.parametrize(
    ("error", "code"),
    [(StoreUnavailable("no answer"), "store-unavailable"), (OSError(28, "the disk is full"), "OSError")],
)
def test_whatever_stops_a_night_the_bell_alarms_and_rings_on(
    sqlite_house: House, caplog: pytest.LogCaptureFixture, error: Exception, code: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    sqlite_house.memory_store.before = fail
    sqlite_house.clock.move_to(date(2026, 3, 3))
    assert ring(sqlite_house.app) is None
    assert f"event=night.failed code={code}" in [record.getMessage() for record in caplog.records]
    sqlite_house.memory_store.before = lambda *_: None
    assert catch_up(sqlite_house.app)
    assert nights(sqlite_house) == [date(2026, 3, 3)]


def test_a_destruction_that_was_interrupted_is_finished_by_the_night_and_said_to_be(
    sqlite_house: House, caplog: pytest.LogCaptureFixture
) -> None:
    sqlite_house.add_source()
    call = sqlite_house.take_in()

    def fail(act: str, _: str) -> None:
        if act == "erase_many":
            raise StoreUnavailable("no")

    sqlite_house.memory_store.before = fail
    with pytest.raises(StoreUnavailable):
        sqlite_house.destroy_span(call)
    sqlite_house.memory_store.before = lambda *_: None
    for day in (3, 4):
        sqlite_house.clock.move_to(date(2026, 3, day))
        ring(sqlite_house.app)
    (told,) = [record for record in caplog.records if "destructions" in record.getMessage()]
    assert (told.levelno, told.getMessage()) == (logging.WARNING, "event=destructions.finished number=1")
    assert look(sqlite_house).ok


def test_receipts_that_cannot_be_read_are_an_alarm_and_no_nights_failure(
    sqlite_house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """Something stands in the outbox that the office may not take away, as when it belongs to somebody else."""
    app = sqlite_house.app
    (app.home / app.settings.outbox / ".left.part" / "of somebody else").mkdir(parents=True)
    os.utime(app.home / app.settings.outbox / ".left.part", (0, 0))
    sqlite_house.clock.move_to(date(2026, 3, 3))
    run = ring(app)
    assert run
    assert run.state == "done"
    (told,) = [record for record in caplog.records if "receipts" in record.getMessage()]
    assert (told.levelno, told.getMessage()) == (
        logging.ERROR,
        "event=receipts.failed code=store-unavailable",
    )


# --- holds that wait for somebody


def test_a_hold_past_its_review_is_an_alarm_every_night(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.add_source()
    hold = house.place(house.take_in()).hold
    lifted = house.place(house.take_in()).hold
    house.lift(lifted.id)
    house.sql(f"UPDATE hold SET review_on = '2026-03-04' WHERE id IN ('{hold.id}', '{lifted.id}')")
    assert overdue_reviews(house.app, date(2026, 3, 3)) == []
    assert overdue_reviews(house.app, date(2026, 3, 4)) == [hold.id]
    for day in (3, 4, 5):
        house.clock.move_to(date(2026, 3, day))
        ring(house.app)
    assert events(caplog).count("hold.review-overdue") == 2


# --- one leader


def test_a_second_bell_of_a_store_is_turned_away(house: House) -> None:
    started: list[str] = []
    with house.app.database.exclusive(LOCK), pytest.raises(DatabaseBusy, match="busy with bell"):
        serve(house.app, lambda: started.append("second"))
    assert started == []
    assert ledger(house) == []


def test_the_leader_catches_up_before_it_says_that_it_serves(
    sqlite_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scheduler itself is APScheduler's: here it is started and ends at once."""
    scheduled: list[list[object]] = []
    monkeypatch.setattr(
        BlockingScheduler, "start", lambda scheduler: scheduled.append(list(scheduler.get_jobs()))
    )
    sqlite_house.clock.move_to(date(2026, 3, 3), at=time(9, 0))
    serve(sqlite_house.app, lambda: scheduled.append([*nights(sqlite_house)]))
    assert scheduled[0] == [date(2026, 3, 3)]
    (job,) = scheduled[1]
    assert (job.coalesce, job.misfire_grace_time, job.max_instances) == (True, None, 1)  # type: ignore[attr-defined]
    with sqlite_house.app.database.exclusive(LOCK):
        pass


# --- clocks that change

SHIFTING = ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Cairo", "America/St_Johns")


def rings(night: Night, start: datetime, days: int) -> list[datetime]:
    """When the bell would ring in the days after `start`, if APScheduler asked for it each time."""
    found: list[datetime] = []
    last, trigger = None, Nightly(night)
    while True:
        last = trigger.get_next_fire_time(last, start)
        if last > start + days * DAY or len(found) > 2 * days:
            return found
        found.append(last.astimezone(UTC))


@given(
    zone=st.sampled_from([*SHIFTING, "Asia/Tokyo"]),
    at=st.builds(time, st.sampled_from([0, 0, 1, 2, 3, 23]), st.sampled_from([0, 1, 30, 59])),
    start=st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_every_date_has_one_ring_which_finds_its_own_date_to_be_the_last_night(
    zone: str, at: time, start: datetime
) -> None:
    night = Night(zone, at)
    found = rings(night, start, 400)
    dates = [night.last_due(each) for each in found]
    assert dates == [dates[0] + n * DAY for n in range(len(dates))]
    assert abs(len(dates) - 400) <= 1  # the span may begin and end an hour apart on the clock
    assert dates == [each.astimezone(ZoneInfo(zone)).date() for each in found]


@pytest.mark.parametrize(
    ("at", "on", "rung_at"),
    [
        (time(2, 30), date(2026, 3, 8), "07:30"),  # the hour is skipped: 03:30 summer time
        (time(1, 30), date(2026, 11, 1), "05:30"),  # the hour is repeated: the first
        (time(0, 0), date(2026, 3, 9), "04:00"),  # the day before had 23 hours
    ],
)
def test_new_york_skips_an_hour_in_march_and_repeats_one_in_november(
    at: time, on: date, rung_at: str
) -> None:
    night = Night("America/New_York", at)
    found = rings(night, datetime.combine(on - DAY, time(12), UTC), 2)
    assert [f"{each:%H:%M}" for each in found if night.last_due(each) == on] == [rung_at]


def new_yorks(house: House, at: Callable[[], None]) -> App:
    app = create_store(
        house.app.home.parent / "new-york",
        policy_text(zone="America/New_York"),
        FILE,
        "founder",
        clock=house.clock,
        keys=house.memory_keys,
        store=house.memory_store,
    )
    at()
    return app


def test_a_night_whose_hour_comes_twice_is_one_night(sqlite_house: House) -> None:
    app = new_yorks(sqlite_house, lambda: sqlite_house.clock.set(datetime(2026, 11, 1, 5, 30, tzinfo=UTC)))
    try:
        first = ring(app)
        sqlite_house.clock.move(hours=0.75)
        assert missed(app) is None, "by the wall clock the night is still to come; it has been"
        sqlite_house.clock.move(hours=0.25)
        second = ring(app)
    finally:
        app.close()
    assert first
    assert second
    assert (first.id, first.on) == (second.id, date(2026, 11, 1))


def test_the_nights_hour_is_the_operators_setting(sqlite_house: House) -> None:
    assert night_of(sqlite_house.app) == Night("Asia/Tokyo", time(2, 0))
