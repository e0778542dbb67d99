"""retention quarantine: look at what could not be taken in; release it with corrections, or reject it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.cli.shared import EPILOG, instant, local, named_actor, show, size, store, table
from retention.disposal.model import RunState
from retention.disposal.night import dispose_of_refused
from retention.disposal.tables import RunRow
from retention.ingest.manifest import Entry, Participant, read_sidecar
from retention.ingest.model import Candidate, Outcome, Status
from retention.ingest.quarantine import (
    check_waiting,
    decided,
    find_item,
    items,
    mark_for_disposal,
    note_of_item,
    unsealed,
)
from retention.ingest.receive import Receiver
from retention.ingest.tables import QuarantineRow
from retention.kernel.errors import InvalidInput

app = typer.Typer(
    help="What could not be taken in: list, show, release with corrections, reject.", no_args_is_help=True
)
Item = Annotated[str, typer.Argument(metavar="ID")]


@app.command("list", epilog=EPILOG)
def list_(state: Annotated[str, typer.Option(help="waiting, released or rejected.")] = "waiting") -> None:
    """List what waits for a person's decision, with the reason."""
    with store() as opened, opened.database.read() as session:
        found = items(session, state)
        names = [note_of_item(opened.keys, row)["name"] if row.state == "waiting" else "" for row in found]
        zone = opened.schedule().controller.zone
    rows = [
        (row.id, name, row.source_id, size(row.size_bytes), local(row.received_at, zone), row.reason)
        for row, name in zip(found, names, strict=True)
    ]
    show(
        [_json(row) | {"name": name} for row, name in zip(found, names, strict=True)],
        table("Quarantine", ["id", "file", "source", ">size", "received", "reason"], rows)
        if rows
        else "Nothing waits in quarantine.",
    )


@app.command("show", epilog=EPILOG)
def show_(item_id: Item) -> None:
    """Show one item and what its source said about it."""
    who = named_actor()
    with store() as opened, opened.database.write() as session:
        row = find_item(session, item_id)
        note = note_of_item(opened.keys, row) if row.state == "waiting" else {}
        record(session, opened.clock.now(), Act(Tag.QUARANTINE_SHOWN, who, item_id))
    value = _json(row) | note
    show(value, [f"{name}: {found}" for name, found in value.items()])


@app.command(epilog=EPILOG)
def release(
    item_id: Item,
    source: Annotated[str, typer.Option(help="The source it really came from.")] = "",
    started_at: Annotated[str, typer.Option(help="When it really started.")] = "",
    purpose: Annotated[
        list[str] | None, typer.Option(help="The purposes it carries besides its source's.")
    ] = None,
    phone: Annotated[str, typer.Option(help="The caller's number, where the given one was none.")] = "",
    manifest: Annotated[
        Path | None, typer.Option(help="A corrected sidecar; replaces what the source said.")
    ] = None,
    drop_manifest: Annotated[
        bool, typer.Option("--drop-manifest", help="Take it in without what the source said.")
    ] = False,
) -> None:
    """Take an item in after all, with corrections. It goes through the same checks as any file."""
    who = named_actor()
    with store() as opened:
        with opened.database.read() as session:
            row = find_item(session, item_id)
        check_waiting(row)
        note = note_of_item(opened.keys, row)
        entry = (
            None
            if drop_manifest
            else read_sidecar(manifest)
            if manifest
            else Entry.model_validate(note["entry"])
        )
        entry = _corrected(entry, started_at, purpose or [], phone)
        with unsealed(opened.store, opened.keys, row, opened.home / "tmp") as path:
            candidate = Candidate(
                path, source or row.source_id, entry, shown_as=note["name"], started_at=started_at
            )
            outcome = next(iter(list(Receiver(opened.ingest_tools(), who).receive([candidate]))))
        if outcome.status is Status.QUARANTINED:
            raise InvalidInput(
                f"{item_id} still cannot be taken in: {outcome.reason}",
                hint="Correct that too, or reject it.",
            )
        _leave(opened, row, "released", who, outcome)
    show(
        _json(row) | {"state": "released", "recording": outcome.id, "status": str(outcome.status)},
        f"{item_id} was taken in as {outcome.id} ({outcome.status}).",
    )


def _corrected(entry: Entry | None, started_at: str, purposes: list[str], phone: str) -> Entry | None:
    if not (started_at or purposes or phone):
        return entry
    found: dict[str, Any] = entry.model_dump() if entry else {}
    if started_at:
        found |= {"started_at": started_at, "ended_at": ""}
    if purposes:
        found["purposes"] = purposes
    if phone:
        people = [person for person in (entry.participants if entry else ()) if person.is_agent]
        found["participants"] = [
            *(p.model_dump() for p in people),
            Participant(side="caller", phone=phone).model_dump(),
        ]
    return Entry.model_validate(found)


def _leave(opened: Any, row: QuarantineRow, state: str, who: str, outcome: Outcome | None) -> RunRow | None:
    with opened.database.write() as session:
        decided(session, row, state, opened.clock.now(), who, outcome.id if outcome else None)
        mark_for_disposal(session, row, f"{state} from quarantine" + (f" as {outcome.id}" if outcome else ""))
    return dispose_of_refused(opened.disposal_tools(), who)


@app.command(epilog=EPILOG)
def reject(
    item_ids: Annotated[list[str], typer.Argument(metavar="ID…")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before several are disposed of.")] = False,
) -> None:
    """Dispose of items at once, with a certificate each."""
    who = named_actor()
    with store() as opened:
        with opened.database.read() as session:
            rows = [find_item(session, each) for each in dict.fromkeys(item_ids)]
        for row in rows:
            check_waiting(row)
        if len(rows) > 1 and not yes:
            typer.confirm(f"Dispose of {len(rows)} items for good?", abort=True, err=True)
        for row in rows:
            run = _leave(opened, row, "rejected", who, None)
            is_gone = run is not None and run.state == RunState.DONE
            show(
                _json(row) | {"state": "rejected"},
                f"{row.id} is disposed of."
                if is_gone
                else f"{row.id} is rejected; nobody can open it, and the next disposal erases it.",
            )


def _json(row: QuarantineRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": row.state,
        "code": row.code,
        "reason": row.reason,
        "source": row.source_id,
        "received_at": instant(row.received_at),
        "size_bytes": row.size_bytes,
        "sha256": row.sha256.hex(),
        "recording": row.recording_id,
    }
