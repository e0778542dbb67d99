"""retention schedule: how long recordings are kept, and how that is changed: plan, approve, wait, apply."""

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import select
from sqlmodel import Session, col

from retention.amendment.alarms import alarms
from retention.amendment.apply import apply as apply_plan
from retention.amendment.apply import finish
from retention.amendment.approve import all_plans
from retention.amendment.approve import approve as approve_plan
from retention.amendment.approve import cancel as cancel_plan
from retention.amendment.archive import holdings
from retention.amendment.model import PlanState
from retention.amendment.packs import read_text
from retention.amendment.plan import keep, propose
from retention.amendment.tables import SchedulePlanRow
from retention.amendment.tools import Tools
from retention.catalogue.schedules import read_schedule, schedule_row
from retention.catalogue.tables import ScheduleRow
from retention.cli.impact import impact_lines
from retention.cli.shared import (
    EPILOG,
    instant,
    is_json,
    local,
    named_actor,
    print_json,
    progress,
    say,
    show,
    size,
    store,
    styled,
    table,
)
from retention.founding import POLICY_FILE
from retention.kernel.errors import NotFound
from retention.schedule.model import RECORDING_ENDED, Ceiling, RetentionClass, Schedule

app = typer.Typer(help="The retention schedule in force, and changing it.", no_args_is_help=True)

Digest = Annotated[
    str, typer.Argument(metavar="DIGEST", help="The plan's digest, or its first eight characters or more.")
]


@app.command(epilog=EPILOG)
def plan(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="The new policy; the store's policy.yaml by default."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; needed where anything would be kept longer.")] = "",
) -> None:
    """Show what a new policy would change: what becomes due when, what moves, which notice must change.

    Nothing changes yet. A second person approves the digest that is printed, and after the
    cool-off it is applied.
    """
    who = named_actor()
    with store() as opened:
        path = file or opened.home / POLICY_FILE
        text = read_text(path)
        now = opened.clock.now()
        with opened.database.read() as session:
            proposal = propose(session, text, str(path), now)
        with opened.database.write() as session:
            row = keep(session, proposal, reason, now, who)
        cool_off = opened.schedule().changes.cool_off
    lines = [
        f"Plan to replace version {row.base_version} of the schedule by {path}.",
        *impact_lines(row.impact),
        f"digest {row.digest}",
    ]
    show({**_plan_json(row), **row.impact}, lines)
    say(
        f"Another person approves it with `retention schedule approve {row.digest[:12]} --as NAME`;"
        f" {_hours(cool_off)} later it can be applied."
    )


@app.command(epilog=EPILOG)
def approve(digest: Digest) -> None:
    """Approve a plan, as another person than the one who made it. Its cool-off begins."""
    who = named_actor()
    with store() as opened:
        zone = opened.schedule().controller.zone
        with opened.database.write() as session:
            row = approve_plan(session, digest, opened.clock.now(), who)
    assert row.cool_off_until is not None
    show(
        _plan_json(row),
        [
            f"Plan {row.digest[:12]} is approved by {who}. It cools off until {local(row.cool_off_until, zone)}.",
            f"Until it is applied, anybody can stop it: `retention schedule cancel {row.digest[:12]}`.",
        ],
    )


@app.command(epilog=EPILOG)
def apply(
    digest: Annotated[
        str,
        typer.Argument(
            metavar="[DIGEST]", help="The plan's digest; without it, what was interrupted is finished."
        ),
    ] = "",
) -> None:
    """Put an approved plan in force after its cool-off, or finish what was interrupted.

    Recordings whose class changes are brought there. Nothing is disposed of: what is due by
    then goes the next night, under its guards.
    """
    who = named_actor()
    with store() as opened:
        tools = Tools(opened.database, opened.keys, opened.journal, opened.clock)
        with progress("Wrapping data keys") as tell:
            if not digest:
                count = finish(tools, who, tell)
                show(
                    {"rewrapped": count},
                    f"{count} data keys were wrapped anew; every recording is in its class.",
                )
                return
            row = apply_plan(tools, digest, who, tell)
    lines = [f"Version {row.version} of the schedule is in force."]
    if row.impact["moved"]:
        lines.append(f"{row.impact['moved']} recordings moved; {row.rewrapped} data keys were wrapped anew.")
    show(_plan_json(row), lines)
    say("What is due by now goes the next night: `retention due`. The notices must say the new periods.")


@app.command(epilog=EPILOG)
def cancel(digest: Digest) -> None:
    """Cancel a plan that is not in force yet. Anybody may, under a name."""
    who = named_actor()
    with store() as opened, opened.database.write() as session:
        row = cancel_plan(session, digest, opened.clock.now(), who)
    show(_plan_json(row), f"Plan {row.digest[:12]} is cancelled by {who}. Nothing has changed.")


@app.command("list", epilog=EPILOG)
def list_() -> None:
    """List the versions that were in force, the plans and what they wait for, and what needs seeing to."""
    with store() as opened, opened.database.read() as session:
        schedule, now = opened.schedule(), opened.clock.now()
        versions = _versions(session)
        plans = all_plans(session)
        found = alarms(session, schedule, now)
    zone = schedule.controller.zone
    value = {
        "versions": [_version_json(row) for row in versions],
        "plans": [_plan_json(row) for row in plans],
        "alarms": found,
    }
    lines: list[Any] = [
        table(
            "Versions",
            [">version", "in force since", "policy", "planned by", "approved by", "text"],
            [
                (
                    row.version,
                    local(row.applied_at, zone),
                    row.file_name,
                    row.planned_by,
                    row.approved_by,
                    row.digest[:12],
                )
                for row in versions
            ],
        )
    ]
    if plans:
        lines.append(
            table(
                "Plans",
                ["digest", ">replaces", "planned", "by", "due at once", "state", "waits for"],
                [
                    (
                        row.digest[:12],
                        row.base_version,
                        local(row.planned_at, zone),
                        row.planned_by,
                        row.impact["due_now"]["recordings"],
                        row.state,
                        _waits_for(row, versions[-1].version, now, zone),
                    )
                    for row in plans
                ],
            )
        )
    show(value, lines + [styled(alarm, "yellow") for alarm in found])


def _waits_for(row: SchedulePlanRow, version: int, now: datetime, zone: str) -> str:
    open_states = (PlanState.PLANNED, PlanState.APPROVED)
    if row.state in open_states and row.base_version != version:
        return f"nothing: version {version} is in force, make it again"
    if row.state == PlanState.PLANNED:
        return "a second person's approval"
    if row.state == PlanState.MOVING:
        return "`retention schedule apply` to finish it"
    if row.state == PlanState.APPROVED and row.cool_off_until:
        if now < row.cool_off_until:
            return (
                f"the cool-off, until {local(row.cool_off_until, zone)} ({_hours(row.cool_off_until - now)})"
            )
        return "`retention schedule apply`"
    return ""


def _hours(duration: timedelta) -> str:
    """A duration for people, rounded up to the minute."""
    minutes = -(-int(duration.total_seconds()) // 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


@app.command("show", epilog=EPILOG)
def show_(
    version: Annotated[
        int | None, typer.Argument(metavar="VERSION", help="Which version; the one in force by default.")
    ] = None,
    classes: Annotated[
        bool, typer.Option("--classes", help="The classes as a table, with what each holds now.")
    ] = False,
) -> None:
    """Show a version of the schedule: its text, or its classes."""
    with store() as opened, opened.database.read() as session:
        row = _find_version(session, version)
        held = holdings(session)
    schedule = read_schedule(row.text, row.file_name)
    rows = _class_rows(schedule, held)
    if is_json():
        print_json({**_version_json(row), "text": row.text, "classes": rows})
    elif classes:
        columns = ("class", "purpose", "keeps", "from", "sort", ">recordings", ">size", "basis")
        cells = [
            (*(row[c.lstrip(">")] for c in columns[:6]), size(row["bytes"]), row["basis"]) for row in rows
        ]
        show(None, table(f"Version {row.version}", columns, cells))
    else:
        sys.stdout.write(row.text)


def _class_rows(schedule: Schedule, held: dict[str, tuple[int, int]]) -> list[dict[str, Any]]:
    unknown = sorted(held.keys() - schedule.classes.keys())
    return [
        *(
            _class_row(rule.name, "floor" if rule.is_floor else "class", rule, held)
            for rule in schedule.classes.values()
        ),
        *(_class_row(name, "unknown: kept", None, held) for name in unknown),
        *(_class_row(each.name, "ceiling", each, held) for each in schedule.ceilings.values()),
    ]


def _class_row(
    name: str, sort: str, rule: RetentionClass | Ceiling | None, held: dict[str, tuple[int, int]]
) -> dict[str, Any]:
    recordings, size_bytes = held.get(name, (0, 0))
    of_class = rule if isinstance(rule, RetentionClass) else None
    return {
        "class": name,
        "purpose": of_class.purpose if of_class else "",
        "keeps": str(rule.period) if rule else "",
        "from": of_class.trigger if of_class else RECORDING_ENDED if rule else "",
        "sort": sort,
        "recordings": recordings,
        "bytes": size_bytes,
        "basis": rule.basis if rule else "",
    }


def _versions(session: Session) -> list[ScheduleRow]:
    return list(session.execute(select(ScheduleRow).order_by(col(ScheduleRow.version))).scalars())


def _find_version(session: Session, version: int | None) -> ScheduleRow:
    if version is None:
        return schedule_row(session)
    row = session.get(ScheduleRow, version)
    if row is None:
        raise NotFound(
            f"there is no version {version} of the schedule", hint="`retention schedule list` shows them."
        )
    return row


def _version_json(row: ScheduleRow) -> dict[str, Any]:
    return {
        "version": row.version,
        "digest": row.digest,
        "file": row.file_name,
        "planned_by": row.planned_by,
        "approved_by": row.approved_by,
        "applied_at": instant(row.applied_at),
    }


def _plan_json(row: SchedulePlanRow) -> dict[str, Any]:
    """A plan, with its totals only."""

    def at(moment: datetime | None) -> str | None:
        return instant(moment) if moment else None

    return {
        "digest": row.digest,
        "base_version": row.base_version,
        "state": row.state,
        "file": row.file_name,
        "reason": row.reason,
        "planned_at": at(row.planned_at),
        "planned_by": row.planned_by,
        "approved_at": at(row.approved_at),
        "approved_by": row.approved_by or None,
        "cool_off_until": at(row.cool_off_until),
        "applied_at": at(row.applied_at),
        "applied_by": row.applied_by or None,
        "cancelled_at": at(row.cancelled_at),
        "cancelled_by": row.cancelled_by or None,
        "version": row.version,
        "due_now": row.impact["due_now"],
        "moved": row.impact["moved"],
        "rewrapped": row.rewrapped,
        "unclassified": row.impact["unclassified"],
    }
