"""retention redaction: destroy what may not be stored, in the original itself."""

from typing import Annotated, Any

import typer

from retention.cli.shared import (
    EPILOG,
    amount,
    instant,
    local,
    named_actor,
    progress,
    show,
    size,
    store,
    table,
)
from retention.redaction.destroy import destroy, finish
from retention.redaction.model import Span
from retention.redaction.plan import approve as approve_plan
from retention.redaction.plan import destructions
from retention.redaction.plan import plan as plan_destruction
from retention.redaction.tables import DestructionRow

app = typer.Typer(
    help="Destroy what may not be stored even encrypted (card security codes), in the original itself.",
    no_args_is_help=True,
)


@app.command("destroy-span", epilog=EPILOG)
def destroy_span(
    recording_id: Annotated[str, typer.Argument(metavar="ID")],
    spans: Annotated[
        list[str],
        typer.Option(
            "--span",
            metavar="START-END[@CHANNEL]",
            help="Seconds, as decimals; any number of times. Without a channel: all of them.",
        ),
    ],
    reason: Annotated[str, typer.Option(help="Why; name nobody, and say nothing of what is heard.")],
    yes: Annotated[bool, typer.Option("--yes", help="Destroy; without it, only say what would be.")] = False,
) -> None:
    """Silence spans of a recording for good, and erase what it was before.

    The rest of the sound stays as it is, or is decoded without loss where its codec cannot be edited.
    A hold forbids it. A second person approves more than a minute, and what the schedule says so of.
    """
    who = named_actor()
    with store() as opened:
        with opened.database.write() as session:
            asked = [Span.parse(text) for text in spans]
            row = plan_destruction(
                session, opened.schedule(), recording_id, asked, reason, opened.clock.now(), who
            )
        if not yes:
            show(_json(row), _preview(row))
            return
        with progress("Destroying") as tell:
            row = destroy(opened.redaction_tools(), opened.redaction_means(), row.digest, who, tell)
    show(_json(row), _done(row))


def _preview(row: DestructionRow) -> list[str]:
    lines = [
        f"{amount(len(row.spans), 'span')} of {row.recording_id} would be destroyed: {', '.join(row.spans)}",
        f"now: {size(row.old_size_bytes)}, SHA-256 {row.old_sha256.hex()}",
        "A new version takes its place under a new key; the old bytes are erased, and no backup brings them back.",
        f"digest {row.digest}",
    ]
    if row.finished_at:
        return [*lines[:1], f"It is done: since {instant(row.finished_at)} nothing of it is left."]
    if row.needs_approval and not row.approved_at:
        lines.append(
            f"A second person must agree: `retention redaction approve {row.digest} --as NAME`; then --yes."
        )
    else:
        lines.append("There is no way back. The same line with --yes does it.")
    return lines


def _done(row: DestructionRow) -> list[str]:
    tracks = row.how.get("tracks", ())
    return [
        f"{amount(len(row.spans), 'span')} of {row.recording_id} destroyed: {', '.join(row.spans)}",
        f"version {row.version}: {size(row.new_size_bytes or 0)}, SHA-256 {(row.new_sha256 or b'').hex()}",
        *(f"  track {each['track']}, {each['codec']}: {each['checked']}" for each in tracks),
        *(f"  ! {note}" for each in tracks for note in each["notes"]),
        "No byte of what it was before is left in the store.",
    ]


@app.command(epilog=EPILOG)
def approve(digest: Annotated[str, typer.Argument(metavar="DIGEST")]) -> None:
    """Approve a planned destruction, as another person than the one who planned it."""
    who = named_actor()
    with store() as opened, opened.database.write() as session:
        row = approve_plan(session, digest, opened.clock.now(), who)
    show(_json(row), f"Plan {digest} is approved by {who}.")


@app.command("list", epilog=EPILOG)
def list_(
    recording: Annotated[str, typer.Option(help="Only of this recording.")] = "",
) -> None:
    """List what was planned and destroyed: where, why and by whom, never what was said."""
    with store() as opened, opened.database.read() as session:
        rows = destructions(session, recording)
        zone = opened.schedule().controller.zone
    show(
        [_json(row) for row in rows],
        table(
            "",
            ["recording", "spans", "reason", "state", "planned by", "approved by", "destroyed"],
            [
                (
                    row.recording_id,
                    ", ".join(row.spans),
                    row.reason,
                    row.state,
                    row.planned_by,
                    row.approved_by,
                    local(row.destroyed_at, zone) if row.destroyed_at else "",
                )
                for row in rows
            ],
        )
        if rows
        else "Nothing was planned.",
    )


@app.command(epilog=EPILOG)
def resume() -> None:
    """Finish destructions that were interrupted, or clear up after them."""
    who = named_actor()
    with store() as opened:
        done = finish(opened.redaction_tools(), who)
    show({"finished": done}, f"{amount(done, 'destruction')} finished or cleared up.")


def _json(row: DestructionRow) -> dict[str, Any]:
    return {
        "digest": row.digest,
        "recording": row.recording_id,
        "spans": row.spans,
        "reason": row.reason,
        "state": row.state,
        "version": row.version,
        "needs_approval": row.needs_approval,
        "planned_at": instant(row.planned_at),
        "planned_by": row.planned_by,
        "approved_at": instant(row.approved_at) if row.approved_at else None,
        "approved_by": row.approved_by or None,
        "destroyed_at": instant(row.destroyed_at) if row.destroyed_at else None,
        "destroyed_by": row.destroyed_by or None,
        "finished_at": instant(row.finished_at) if row.finished_at else None,
        "old_sha256": row.old_sha256.hex(),
        "old_size_bytes": row.old_size_bytes,
        "sha256": row.new_sha256.hex() if row.new_sha256 else None,
        "size_bytes": row.new_size_bytes,
        "how": row.how,
    }
