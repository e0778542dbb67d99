"""Nights that go wrong: limits that trip, a run that two people agree to, and what must not have changed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from retention.catalogue.tables import ScheduleRow
from retention.disposal.approve import approve, approved_cohorts, keep_plan, reset
from retention.disposal.model import DisposalPlan, RunKind
from retention.disposal.night import run_disposal
from retention.disposal.plan import make_plan
from retention.disposal.tables import RunRow
from tests.builders.house import ACTOR, SECOND, House
from tests.builders.policy import FILE

#: Guards that never trip, so that a test can bring one of them to do so.
NO_LIMITS: dict[str, Any] = {
    "class_fraction": 1.0,
    "overall_fraction": 1.0,
    "from_recordings": 1,
    "size_bytes": 10**15,
    "clock_forward": timedelta(days=10_000),
    "backup_age": timedelta(0),
}


def dispose_within(house: House, kind: RunKind = RunKind.MANUAL, **limits: Any) -> RunRow:
    """Run today's disposal under these limits and no others."""
    tools = house.app.disposal_tools()
    tools = replace(tools, limits=replace(tools.limits, **(NO_LIMITS | limits)))
    return run_disposal(tools, house.app.today(), ACTOR, kind)


def agree(house: House, run_id: str, *people: str) -> None:
    """Let people agree to go on after a trip; two, unless they are named."""
    for person in people or (ACTOR, SECOND):
        with house.app.database.write() as session:
            reset(session, run_id, house.clock.now(), person)


def print_plan(house: House, actor: str = ACTOR, on: date | None = None) -> DisposalPlan:
    """Print a plan for approval, as `disposal plan` does."""
    with house.app.database.write() as session:
        plan = make_plan(
            session, house.app.schedule(), on or house.app.today(), approved=approved_cohorts(session)
        )
        keep_plan(session, plan, house.clock.now(), actor)
    return plan


def approve_plan(house: House, plan: DisposalPlan, actor: str = SECOND) -> None:
    """Approve a printed plan."""
    with house.app.database.write() as session:
        approve(session, plan.digest, house.clock.now(), actor)


def change_schedule(house: House, text: str) -> None:
    """Put another policy in force, without the plan that a change needs."""
    with house.app.database.write() as session:
        session.add(
            ScheduleRow(
                version=2,
                digest="",
                text=text,
                file_name=FILE,
                planned_by=ACTOR,
                approved_by=SECOND,
                applied_at=house.clock.now(),
            )
        )


def what_a_night_could_change(house: House) -> dict[str, Any]:
    """Everything that a run takes away: states, reasons, wraps, keys and bytes."""
    return {
        "recordings": house.rows("SELECT id, state, lot_id FROM recording ORDER BY id"),
        "cohorts": house.rows("SELECT id, state, run_id FROM cohort ORDER BY id"),
        "lots": house.rows("SELECT id, living, run_id, recordings FROM lot ORDER BY id"),
        "wraps": house.rows("SELECT recording_id, key_id FROM wrap ORDER BY recording_id, key_id"),
        "tombstones": house.rows("SELECT recording_id FROM tombstone ORDER BY recording_id"),
        "keys": sorted(house.memory_keys.keys),
        "objects": sorted(house.memory_store.objects),
    }


def journal(house: House, *kinds: str) -> list[dict[str, Any]]:
    """The journal's entries of these kinds, or all."""
    return [each for each in house.app.journal.entries() if not kinds or each["kind"] in kinds]


def on_first(act: str, do: Callable[[], object]) -> Callable[..., None]:
    """What a fake's `before` is set to: `do` the first time that `act` is about to happen."""
    waiting = [do]

    def before(now: str, *_: str) -> None:
        if now == act and waiting:
            waiting.pop()()

    return before


def fails(error: Exception, act: str) -> Callable[..., None]:
    """What a fake's `before` is set to: `act` fails, until it is set to something else."""

    def before(now: str, *_: str) -> None:
        if now == act:
            raise error

    return before
