"""The bell: APScheduler rings, the ledger remembers.

A memory job store, one leader (a lock), the controller's zone, coalescing, no
limit on lateness. The bell decides nothing: it asks for the night of a business
date, and the run ledger turns a double ring, a clock change and a catch-up
after downtime into one night. A night that did not run is found by looking at
the ledger, not at the bell.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.base import BaseTrigger
from sqlalchemy import select
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.bootstrap import App
from retention.catalogue.tables import StoreRow
from retention.disclosure.collect import collect
from retention.disclosure.model import FAILED
from retention.disposal.model import UNSCHEDULED, RunKind, RunState
from retention.disposal.night import run_disposal
from retention.disposal.tables import RunRow
from retention.holds.drill import drill, drilled_since
from retention.holds.find import holds_in_force
from retention.kernel.errors import DatabaseBusy, RetentionError
from retention.redaction.destroy import finish

LOCK = "bell"
ACTOR = "bell"
log = logging.getLogger("retention.bell")


@dataclass(frozen=True, slots=True)
class Night:
    """When nights are, in the controller's zone."""

    zone: str
    at: time

    def last_due(self, now: datetime) -> date:
        """The business date of the last night that should have run by `now`."""
        local = now.astimezone(ZoneInfo(self.zone))
        return (
            local.date()
            if local.timetz().replace(tzinfo=None) >= self.at
            else local.date() - timedelta(days=1)
        )

    def begins_at(self, on: date) -> datetime:
        """When the night of a business date begins, UTC."""
        return datetime.combine(on, self.at, ZoneInfo(self.zone)).astimezone(UTC)

    def first_after(self, at: datetime) -> datetime:
        """When the first night after an instant begins, UTC."""
        on = self.last_due(at)
        while (found := self.begins_at(on)) <= at:
            on += timedelta(days=1)
        return found


class Nightly(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Rings once for every business date.

    APScheduler's own cron trigger adds a day as 24 hours: in a zone with daylight saving it leaves out
    a night soon after midnight, on the day of the change or the one after.
    """

    def __init__(self, night: Night) -> None:
        self._night = night

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """When the bell rings next, after it rang last."""
        after = previous_fire_time or now
        return self._night.first_after(after.astimezone(UTC)).astimezone(ZoneInfo(self._night.zone))


def night_of(app: App) -> Night:
    """The store's nights."""
    hour, minute = app.settings.night_at.split(":")
    return Night(app.schedule().controller.zone, time(int(hour), int(minute)))


def ring(app: App, on: date | None = None) -> RunRow | None:
    """Run the night of business date `on`, by default today's; None when it could not be run.

    Whatever went wrong is logged as an alarm, and the night is found missing later: the bell rings on.
    """
    try:
        root = app.sign_root()
        log.info("event=root.signed on=%s seq=%d", root.on, root.seq)
        _finish_destructions(app)
        run = run_disposal(app.disposal_tools(), on or app.today(), ACTOR, RunKind.NIGHT)
    except Exception as error:
        code = getattr(error, "code", type(error).__name__)
        log.exception("event=night.failed code=%s", code)
        return None
    level = logging.INFO if run.state == RunState.DONE else logging.ERROR
    log.log(
        level,
        "event=night.%s run=%s on=%s disposed=%d held=%d failed=%d",
        run.state,
        run.id,
        run.on,
        run.disposed,
        run.held,
        run.failed,
    )
    for guard, reason in run.tripped.items():
        log.error("event=guard.tripped run=%s guard=%s reason=%r", run.id, guard, reason)
    _collect_receipts(app)
    for hold_id in overdue_reviews(app, app.today()):
        log.warning("event=hold.review-overdue hold=%s", hold_id)
    drill_some(app)
    return run


def drill_some(app: App) -> int:
    """Drill this night's share of what is held, oldest drill first; how many. A night that is rung twice drills once.

    What goes wrong is an alarm, and never the night's failure: what was not drilled is the next night's first.
    """
    night = night_of(app)
    begun_at = night.begins_at(night.last_due(app.clock.now()))
    drilled = 0
    try:
        with app.database.read() as session:
            left = app.settings.drill_recordings - drilled_since(session, begun_at, ACTOR)
        if left > 0:
            for found in drill(app.drill_tools(), ACTOR, number=left):
                drilled += 1
                if found.is_fault:
                    words = "event=hold.drill-failed hold=%s recording=%s outcome=%s what=%r"
                    log.error(words, found.hold_id, found.recording_id, found.outcome, found.what)
    except Exception as error:
        code = getattr(error, "code", type(error).__name__)
        log.exception("event=hold.drill-broken code=%s", code)
    else:
        log.info("event=hold.drilled recordings=%d", drilled)
    return drilled


def _finish_destructions(app: App) -> None:
    """Whoever is at it himself is left alone."""
    with suppress(DatabaseBusy):
        if cleared := finish(app.redaction_tools(), ACTOR):
            log.warning("event=destructions.finished number=%d", cleared)


def _collect_receipts(app: App) -> None:
    """What cannot be read tonight is read tomorrow, or by `retention disclosure collect`."""
    try:
        changed = collect(app.paper_tools(), app.outbox, app.store_id, ACTOR)
    except RetentionError as error:
        log.error("event=receipts.failed code=%s", error.code)  # noqa: TRY400 - its code says all there is
        return
    for each in changed:
        level = logging.WARNING if each.state in FAILED else logging.INFO
        log.log(level, "event=disclosure.%s delivery=%s", each.state, each.id)


def catch_up(app: App) -> RunRow | None:
    """Ring at once for the last night when it is missing from the ledger, and put the alarm on record."""
    wanted = missed(app)
    if wanted is None:
        return None
    with app.database.write() as session:
        record(session, app.clock.now(), Act(Tag.NIGHT_MISSED, ACTOR, "", detail={"on": wanted}))
    log.error("event=night.missed on=%s", wanted)
    return ring(app, wanted)


def missed(app: App) -> date | None:
    """The business date of the last night, when it did not run; a store misses no night before it was made."""
    night = night_of(app)
    wanted = night.last_due(app.clock.now())
    with app.database.read() as session:
        is_younger = session.execute(select(col(StoreRow.created_at))).scalar_one() > night.begins_at(wanted)
        return None if is_younger or _was_run(session, wanted) else wanted


def _was_run(session: Session, on: date) -> bool:
    ran = select(col(RunRow.id)).where(
        col(RunRow.on) >= on, col(RunRow.kind).not_in(UNSCHEDULED), col(RunRow.state) == RunState.DONE
    )
    return session.execute(ran.limit(1)).first() is not None


def overdue_reviews(app: App, today: date) -> list[str]:
    """Holds whose review date has come."""
    with app.database.read() as session:
        return [hold.id for hold in holds_in_force(session) if hold.review_on <= today]


def serve(app: App, started: Callable[[], None]) -> None:
    """Ring every night until stopped; one leader at a time.

    Raises:
        DatabaseBusy: Another process is the bell of this store.
    """
    night = night_of(app)
    with app.database.exclusive(LOCK):
        catch_up(app)
        scheduler = BlockingScheduler(timezone=ZoneInfo(night.zone))
        scheduler.add_job(
            ring,
            Nightly(night),
            args=[app],
            coalesce=True,
            misfire_grace_time=None,
            max_instances=1,
        )
        started()
        scheduler.start()
