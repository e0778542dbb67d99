"""retention due, and retention disposal: preview a night, approve, run, resume, prove."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from sqlalchemy import select
from sqlmodel import col

from retention.cli.shapes import due_json, run_json
from retention.cli.shared import (
    EPILOG,
    amount,
    local,
    named_actor,
    parse_date,
    progress,
    say,
    show,
    size,
    store,
    styled,
    table,
    whole_file,
)
from retention.disposal import certificate as certificates
from retention.disposal import verifier
from retention.disposal.approve import approve as approve_plan
from retention.disposal.approve import approved_cohorts, keep_plan
from retention.disposal.approve import reset as reset_run
from retention.disposal.model import DisposalPlan, RunState
from retention.disposal.night import certificate_head, find_run, run_disposal
from retention.disposal.night import resume as resume_runs
from retention.disposal.plan import make_plan
from retention.disposal.start import plan_json
from retention.disposal.tables import RunRow
from retention.kernel.errors import CatalogueDisagrees, GuardTripped, NotFound

app = typer.Typer(help="The nightly disposal: plan, approve, run, resume, certificate.", no_args_is_help=True)

On = Annotated[str, typer.Option(help="The business date, in each site's own calendar; today by default.")]


def add_to(root: typer.Typer) -> None:
    """Hang the noun and `due` into the tree."""
    root.command("due", epilog=EPILOG)(due)
    root.add_typer(app, name="disposal", epilog=EPILOG)


def due(
    on: On = "",
    why: Annotated[
        bool,
        typer.Option("--why", help="Also say which rule makes each cohort due, and what stands in the way."),
    ] = False,
) -> None:
    """List what is due on a date, past or to come. Reads sums only: it is quick whatever the archive's size."""
    with store() as opened, opened.database.read() as session:
        schedule = opened.schedule()
        day = parse_date(on) if on else opened.today()
        plan = make_plan(session, schedule, day)
    value = due_json(plan)
    lines: list[Any] = [
        f"On {day}: {amount(plan.recordings, 'recording')} due ({size(plan.size_bytes)}), {plan.held} held."
    ]
    if value["cohorts"]:
        lines.append(_cohorts(plan))
    if why:
        reasons = {cohort.name: _why(schedule, cohort) for cohort in plan.cohorts if cohort.purpose_ends}
        for entry in value["cohorts"]:
            entry["why"] = reasons[entry["cohort"]]
        lines += [f"  {name}: {reason}" for name, reason in reasons.items()]
    if plan.unknown_classes:
        lines.append(
            styled(
                f"Kept, because the schedule does not know their class: {', '.join(plan.unknown_classes)}",
                "yellow",
            )
        )
    show(value, lines)


def _why(schedule: Any, cohort: Any) -> str:
    rule = schedule.classes[cohort.class_name]
    first = "that day counts" if rule.count_first_day else "the next day is the first"
    reason = f"{rule.purpose} keeps {rule.period} from {rule.trigger} on {cohort.trigger_on} ({first}), so it ends on {cohort.due_on}: {rule.basis}"
    return (
        reason
        + (f"; {cohort.held} held back" if cohort.held else "")
        + ("; needs a second person's approval" if cohort.needs_approval else "")
    )


def _cohorts(plan: DisposalPlan) -> Table:
    return table(
        "",
        ["class", "zone", "trigger day", "due", ">go", ">size", ">held", ">purpose ends", "approval"],
        [
            (
                c.class_name,
                c.zone,
                c.trigger_on,
                c.due_on,
                c.recordings,
                size(c.size_bytes),
                c.held or "",
                c.purpose_ends,
                "needed" if c.needs_approval else "",
            )
            for c in plan.cohorts
            if c.purpose_ends
        ],
    )


@app.command(epilog=EPILOG)
def plan(on: On = "") -> None:
    """Print what a run would dispose of, with the digest that a second person approves."""
    who = named_actor()
    with store() as opened:
        day = parse_date(on) if on else opened.today()
        with opened.database.write() as session:
            found = make_plan(session, opened.schedule(), day, approved=approved_cohorts(session))
            keep_plan(session, found, opened.clock.now(), who)
    lines: list[Any] = [
        f"On {day}: {amount(found.recordings, 'recording')} would be disposed of ({size(found.size_bytes)}), {found.held} held.",
        *([_cohorts(found)] if found.cohorts else []),
        f"digest {found.digest}",
    ]
    if found.needs_approval:
        lines.append(
            "Some of it needs a second person: `retention disposal approve DIGEST --as NAME`. The rest goes without."
        )
    show(plan_json(found), lines)


@app.command(epilog=EPILOG)
def approve(digest: Annotated[str, typer.Argument(metavar="DIGEST")]) -> None:
    """Approve a printed plan, as another person than the one who printed it."""
    who = named_actor()
    with store() as opened, opened.database.write() as session:
        approve_plan(session, digest, opened.clock.now(), who)
    show({"digest": digest, "approved_by": who}, f"Plan {digest} is approved by {who}.")


@app.command(epilog=EPILOG)
def run(on: On = "") -> None:
    """Dispose of what is due: keys first, bytes after, a certificate at the end. Finishes earlier runs first."""
    who = named_actor()
    with store() as opened:
        day = parse_date(on) if on else opened.today()
        with progress("Disposing") as tell:
            found = run_disposal(opened.disposal_tools(), day, who, progress=tell)
    _tell(found)


def _tell(found: RunRow) -> None:
    lines: list[Any] = [
        f"Run {found.id} of {found.on} is {found.state}: {found.disposed} disposed of ({size(found.size_bytes)}), {found.held} held, {found.failed} failed."
    ]
    if found.awaiting_approval:
        lines.append(
            f"{found.awaiting_approval} wait for a second person's approval: `retention disposal plan`."
        )
    if found.certificate:
        lines.append(
            f"Certificate {found.certificate[:16]}…: `retention disposal certificate {found.id} --out FILE`."
        )
    if found.state == RunState.INCOMPLETE:
        lines.append(
            styled(
                "Some bytes could not be erased; nobody can read them. `retention disposal resume` tries again.",
                "yellow",
            )
        )
    show(run_json(found), lines)
    if found.state == RunState.TRIPPED:
        raise GuardTripped(
            f"run {found.id} tripped and disposed of nothing: {'; '.join(found.tripped.values())}",
            hint=f"Find out why. If it is right, two people agree: `retention disposal reset {found.id} --as NAME`; then run again.",
        )


@app.command(epilog=EPILOG)
def resume() -> None:
    """Finish runs that were interrupted."""
    who = named_actor()
    with store() as opened, progress("Disposing") as tell:
        found = resume_runs(opened.disposal_tools(), who, tell)
    show(
        [run_json(each) for each in found],
        [
            f"Run {each.id} is {each.state}: {each.disposed} disposed of, {each.failed} failed."
            for each in found
        ]
        or "No run is unfinished.",
    )


@app.command(epilog=EPILOG)
def reset(run_id: Annotated[str, typer.Argument(metavar="RUN")]) -> None:
    """Agree that a run which tripped over a guard may go on. Two different people must."""
    who = named_actor()
    with store() as opened, opened.database.write() as session:
        count = reset_run(session, run_id, opened.clock.now(), who)
    text = (
        "Two people have agreed: the next run may go on."
        if count > 1
        else "One person has agreed; a second must."
    )
    show({"run": run_id, "resets": count}, text)


@app.command("list", epilog=EPILOG)
def list_(limit: Annotated[int, typer.Option(help="How many, newest first.", min=1)] = 30) -> None:
    """List the runs, newest first."""
    with store() as opened, opened.database.read() as session:
        runs = list(session.execute(select(RunRow).order_by(col(RunRow.id).desc()).limit(limit)).scalars())
        zone = opened.schedule().controller.zone
    rows = [
        (
            r.id,
            r.kind,
            r.on,
            r.state,
            local(r.started_at, zone),
            r.disposed,
            r.held,
            r.failed,
            "; ".join(r.tripped.values()),
        )
        for r in runs
    ]
    show(
        [run_json(each) for each in runs],
        table(
            "Runs", ["id", "kind", "on", "state", "started", ">disposed", ">held", ">failed", "tripped"], rows
        )
        if rows
        else "There was no run yet.",
    )


@app.command(epilog=EPILOG)
def certificate(
    run_id: Annotated[str, typer.Argument(metavar="RUN")],
    out_file: Annotated[Path, typer.Option("--out", help="Where to write it.")],
    recording: Annotated[str, typer.Option(help="Only the proof of this one recording.")] = "",
    with_verifier: Annotated[
        bool, typer.Option("--with-verifier", help="Write the offline verifier beside it.")
    ] = False,
) -> None:
    """Write the certificate of destruction of a run, or the proof for one of its recordings."""
    with store() as opened, opened.database.read() as session:
        found = find_run(session, run_id)
        if not found.disposed:
            raise NotFound(f"run {run_id} disposed of nothing: there is nothing to certify")
        first_line = certificate_head(session, opened.disposal_tools(), found)
        if certificates.root_of(first_line) != found.certificate:
            raise CatalogueDisagrees(
                f"the tombstones of run {run_id} are not those that were certified",
                hint=f"The witness folder keeps {certificates.document_name(run_id)} as it was issued. Tell a person.",
            )
        with whole_file(out_file) as file:
            if recording:
                file.write(certificates.proof(session, run_id, recording, first_line) + b"\n")
            else:
                file.writelines(certificates.document(session, run_id, first_line))
    beside = out_file.with_name("verify_certificate.py")
    if with_verifier:
        with whole_file(beside) as file:
            file.write(Path(verifier.__file__).read_bytes())
    key = opened.signer.public_key
    printed = verifier.fingerprint(key)
    value = {
        "run": run_id,
        "out": str(out_file),
        "recordings": found.disposed,
        "root": found.certificate,
        "public_key": key.hex(),
        "fingerprint": printed,
    }
    show(
        value,
        f"{out_file}: {'the proof of one recording' if recording else amount(found.disposed, 'recording')}, signed by {printed[:16]}….",
    )
    say(
        f"Anyone checks it offline: python {beside.name if with_verifier else 'verifier.py'} {out_file.name} --key {key.hex()}"
    )
