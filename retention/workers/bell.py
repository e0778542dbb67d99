"""The bell: APScheduler rings, the ledger remembers.

A memory job store, one leader (a lock), the controller's zone, coalescing, no
limit on lateness. The bell decides nothing: it asks for the night of a business
date, and the run ledger turns a double ring, a clock change and a catch-up
after downtime into one night. A night that did not run is found by looking at
the ledger, not at the bell.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy import select
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.bootstrap import App
from retention.catalogue.tables import StoreRow
from retention.disposal.model import RunKind, RunState
from retention.disposal.night import run_disposal
from retention.disposal.tables import RunRow
from retention.holds.find import holds_in_force
from retention.kernel.clock import local_date
from retention.kernel.errors import RetentionError

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


def night_of(app: App) -> Night:
    """The store's nights."""
    hour, minute = app.settings.night_at.split(":")
    return Night(app.schedule().controller.zone, time(int(hour), int(minute)))


def ring(app: App) -> RunRow | None:
    """Run the night of today's business date; None when it could not be run (it is logged, and found missing later)."""
    try:
        on = local_date(app.clock.now(), app.schedule().controller.zone)
        root = app.sign_root()
        log.info("event=root.signed on=%s seq=%d", root.on, root.seq)
        run = run_disposal(app.disposal_tools(), on, ACTOR, RunKind.NIGHT)
    except RetentionError as error:
        log.exception("event=night.failed code=%s", error.code)
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
    for hold_id in overdue_reviews(app, on):
        log.warning("event=hold.review-overdue hold=%s", hold_id)
    return run


def catch_up(app: App) -> RunRow | None:
    """Ring at once when the last night is missing from the ledger, and put the alarm on record."""
    wanted = missed(app)
    if wanted is None:
        return None
    with app.database.write() as session:
        record(session, app.clock.now(), Act(Tag.NIGHT_MISSED, ACTOR, "", detail={"on": wanted}))
    log.error("event=night.missed on=%s", wanted)
    return ring(app)


def missed(app: App) -> date | None:
    """The business date of the last night, when it did not run; a store misses no night before it was made."""
    night = night_of(app)
    wanted = night.last_due(app.clock.now())
    with app.database.read() as session:
        is_younger = session.execute(select(col(StoreRow.created_at))).scalar_one() > night.begins_at(wanted)
        return None if is_younger or _was_run(session, wanted) else wanted


def _was_run(session: Session, on: date) -> bool:
    ran = select(col(RunRow.id)).where(
        col(RunRow.on) >= on, col(RunRow.kind) != RunKind.REFUSED, col(RunRow.state) == RunState.DONE
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
            CronTrigger(hour=night.at.hour, minute=night.at.minute, timezone=ZoneInfo(night.zone)),
            args=[app],
            coalesce=True,
            misfire_grace_time=None,
            max_instances=1,
        )
        started()
        scheduler.start()
