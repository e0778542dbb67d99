"""retention search, show, explain, open: find recordings and use them for a purpose they carry."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.bootstrap import App
from retention.catalogue.explain import explain as explain_recording
from retention.catalogue.find import Query, Recording, find_recording
from retention.catalogue.find import search as search_catalogue
from retention.catalogue.identifiers import KINDS, blind_index, sought
from retention.cli.shapes import corrections_json, recording_json
from retention.cli.shared import (
    EPILOG,
    actor,
    is_json,
    local,
    named_actor,
    out,
    print_json,
    progress,
    say,
    size,
    store,
    styled,
    table,
    whole_file,
)
from retention.cli.shared import (
    show as show_value,
)
from retention.holds.find import find_hold, holds_by_id
from retention.ingest.admit import parse_time
from retention.kernel.errors import InvalidInput
from retention.requests.corrected import corrections_of
from retention.requests.particulars import Correction, people_of
from retention.requests.tables import CorrectionRow
from retention.vault.door import Way

STDOUT = Path("-")


def add_to(root: typer.Typer) -> None:
    """Hang the commands into the tree."""
    for command in (search, show, explain, open_):
        root.command(command.__name__.rstrip("_"), epilog=EPILOG)(command)


def identifiers(opened: App, given: Mapping[str, str]) -> tuple[bytes, ...]:
    """The keyed indexes of the identifiers given by kind, the rarest first.

    Raises:
        InvalidInput: A number is none, or what is given stands for nobody.
    """
    region = opened.schedule().jurisdiction
    found = (sought(kind, given[kind], region) for kind in KINDS if given.get(kind))
    return tuple(blind_index(opened.index_key, each.kind, each.value) for each in found)


def search(
    phone: Annotated[str, typer.Option(help="A telephone number of somebody in the call.")] = "",
    customer: Annotated[str, typer.Option(help="A customer's id.")] = "",
    native: Annotated[str, typer.Option(help="What the recorder called it.")] = "",
    call_agent: Annotated[
        str, typer.Option(help="The call centre's agent in it: id, login, extension or name.")
    ] = "",
    source: Annotated[str, typer.Option(help="The line, camera or other source that made it.")] = "",
    from_: Annotated[str, typer.Option("--from", help="Only what ended after this time.")] = "",
    to: Annotated[str, typer.Option(help="Only what started before this time.")] = "",
) -> None:
    """Find recordings by number, customer, agent, recorder's id, source and time: each option narrows the search.

    Shows no content and nobody's name.
    """
    who = named_actor()
    person = {"phone": phone, "customer": customer, "native": native, "call-agent": call_agent}
    with store() as opened:
        schedule = opened.schedule()
        zone = opened.zone_of(source) if source else schedule.controller.zone
        query = Query(
            blinds=identifiers(opened, person),
            source_id=source,
            from_at=parse_time(from_, zone) if from_ else None,
            until_at=parse_time(to, zone) if to else None,
        )
        by = [name for name, given in {**person, "source": source, "from": from_, "to": to}.items() if given]
        with opened.database.read() as session:
            found = [
                (each, holds_by_id(session, each.hold_ids))
                for each in search_catalogue(session, schedule, query)
            ]
        with opened.database.write() as session:
            record(
                session,
                opened.clock.now(),
                Act(Tag.SEARCHED, who, source, detail={"by": by, "found": len(found)}),
            )
    if is_json():
        for each, holds in found:
            print_json(recording_json(each, holds))
        return
    rows = [_row(each) for each, _ in found]
    out.print(
        table("", ["id", "kind", "source", "started", "state", ">size", "purposes", "holds"], rows)
        if rows
        else "Nothing found.",
        crop=False,
    )
    say(f"{len(rows)} found.")


def _row(each: Recording) -> tuple[Any, ...]:
    started = (
        local(each.started_at, each.place.zone) if each.place else f"{local(each.started_at, 'UTC')} UTC"
    )
    purposes = ", ".join(f"{r.purpose} → {r.due_on or 'open'}" for r in each.reasons)
    return (
        each.id,
        each.kind,
        each.source_id,
        started,
        each.state,
        size(each.size_bytes),
        purposes,
        len(each.hold_ids) or "",
    )


def show(
    recording_id: Annotated[str, typer.Argument(metavar="ID")],
    purpose: Annotated[
        str, typer.Option(help="Also who is in it, opened for this purpose; that is on record.")
    ] = "",
    hold: Annotated[str, typer.Option(help="The same, opened through the hold that keeps it.")] = "",
) -> None:
    """Show what the catalogue knows of a recording: purposes, cohorts, due dates, holds, state, corrections."""
    with store() as opened:
        with opened.database.read() as session:
            found = find_recording(session, opened.schedule(), recording_id)
            holds = holds_by_id(session, found.hold_ids)
            corrected = corrections_of(session, recording_id)
        note = _note(opened, recording_id, purpose, hold) if purpose or hold else None
    value = recording_json(found, holds) | {"corrections": corrections_json(corrected)}
    zone = found.place.zone if found.place else "UTC"
    head = [
        styled(
            f"{found.id}  {found.kind} from {found.source_id}, {value['state']}"
            + (", use suspended" if found.restricted else ""),
            "bold",
        ),
        f"{local(found.started_at, zone)} to {local(found.ended_at, zone)} {zone} (time from: {found.time_basis})",
        f"{size(found.size_bytes)}, SHA-256 {value['sha256']}",
    ]
    purposes = table(
        "",
        ["purpose", "class", "trigger day", "due", "cohort", "state"],
        [
            (r.purpose, r.class_name, r.trigger_on or "open", r.due_on or "", r.cohort, r.state)
            for r in found.reasons
        ],
    )
    held = table(
        "",
        ["hold", "kind", "reason", "owner", "review"],
        [(h.id, h.kind, h.reason, h.owner, h.review_on) for h in holds.values()],
    )
    lines = [
        *head,
        *([purposes] if found.reasons else []),
        *([held] if holds else []),
        *_corrected(corrected),
    ]
    if note is not None:
        before = [Correction.of(each) for each in note.get("corrections", ())]
        value |= {"people": list(people_of(note)), "before": [list(each.was) for each in before]}
        value["statements"] = [each.statement for each in before if each.statement]
        value["native_id"] = note.get("entry", {}).get("native_id", "")
        lines += [f"The recorder calls it {value['native_id']}."] if value["native_id"] else []
        lines += [_said(each) for each in people_of(note)]
        lines += [
            f"{each.place} was {each.was or 'empty'} before a correction."
            for made in before
            for each in made.differences
        ]
        lines += [f"The person says: {each.statement}" for each in before if each.statement]
    show_value(value, lines)


def _note(opened: App, recording_id: str, purpose: str, hold: str) -> dict[str, Any]:
    """What is known of its people, through the door."""
    way, now = _way(opened, recording_id, purpose, hold), opened.clock.now()
    found: dict[str, Any] = json.loads(
        opened.door.particulars(opened.schedule(), recording_id, way, actor(), now)
    )
    return found


def _said(person: dict[str, Any]) -> str:
    return "  ".join(f"{name}: {value}" for name, value in person.items() if value not in ("", None))


def _corrected(rows: Iterable[CorrectionRow]) -> list[str]:
    return [
        f"Corrected on {row.at:%Y-%m-%d} for request {row.receipt}: {', '.join(row.particulars)}"
        for row in rows
    ]


def explain(recording_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Say why a recording is kept and until when: the chain of rules, triggers, due dates and blockers."""
    with store() as opened, opened.database.read() as session:
        found = find_recording(session, opened.schedule(), recording_id)
        tombstone = opened.tombstone(session, recording_id)
        holds = holds_by_id(session, found.hold_ids)
        if found.place is None:
            reasons = [
                f"it was disposed of in run {tombstone['run']}: {tombstone['why']}"
                if tombstone
                else f"it is {found.state}"
            ]
            show_value(
                {
                    "id": found.id,
                    "outcome": str(found.state),
                    "due_on": None,
                    "reasons": reasons,
                    "tombstone": tombstone,
                },
                reasons,
            )
            return
        decision = explain_recording(opened.schedule(), found, opened.clock.now())
        corrected = corrections_of(session, recording_id)
    value = {
        "id": found.id,
        "outcome": str(decision.outcome),
        "due_on": decision.due_on,
        "due_at": decision.due_at,
        "purposes": [
            {
                "purpose": p.purpose,
                "class": p.class_name,
                "trigger_on": p.trigger_on,
                "due_on": p.due_on,
                "due_at": p.due_at,
                "expired": p.expired,
            }
            for p in decision.purposes
        ],
        "holds": [
            {"id": h.id, "kind": str(h.kind), "reason": h.reason, "review_on": h.review_on}
            for h in holds.values()
        ],
        "conflicts": list(decision.conflicts),
        "reasons": list(decision.reasons),
        "corrections": corrections_json(corrected),
    }
    colour = {"due": "red", "held": "yellow"}.get(str(decision.outcome), "green")
    show_value(
        value,
        [
            styled(f"{decision.outcome.upper()} {found.id}", f"bold {colour}"),
            *[f"  - {reason}" for reason in decision.reasons],
            *_corrected(corrected),
        ],
    )


def open_(
    recording_id: Annotated[str, typer.Argument(metavar="ID")],
    out_file: Annotated[Path, typer.Option("--out", help="Where to write it; '-' is standard output.")],
    purpose: Annotated[str, typer.Option(help="The purpose of use, which the recording must carry.")] = "",
    hold: Annotated[str, typer.Option(help="Instead of a purpose: the hold that keeps it.")] = "",
    request: Annotated[
        str, typer.Option(metavar="RECEIPT", help="Instead of a purpose: the open request that is about it.")
    ] = "",
    role: Annotated[str, typer.Option(help="original, thumbnail or peaks.")] = "original",
) -> None:
    """Open a recording for a purpose it carries. Every opening, and every refusal, is on record."""
    with store() as opened:
        way = _way(opened, recording_id, purpose, hold, request)
        with opened.database.read() as session:
            corrected = corrections_of(session, recording_id)
        # Where it goes is looked at first: an opening that could be written nowhere is not on record as one.
        with _target(out_file) as write:
            reader = opened.door.open(opened.schedule(), recording_id, way, actor(), opened.clock.now(), role)
            done = 0
            with progress("Opening", reader.size_bytes) as tell:
                for chunk in reader.chunks():
                    write(chunk)
                    done += len(chunk)
                    tell(done)
    show_value(
        {"id": recording_id, "out": str(out_file), "size_bytes": done}, []
    ) if out_file != STDOUT else None
    say(f"{recording_id} was opened for {way.name}: {size(done)} in {out_file}. It is on record.")
    for each in _corrected(corrected):
        say(each)


def _way(opened: App, recording_id: str, purpose: str, hold: str, request: str = "") -> Way:
    if [bool(purpose), bool(hold), bool(request)].count(True) != 1:
        raise InvalidInput(
            "name one reason to open it", hint="Give --purpose P, --hold HOLD, or --request RECEIPT."
        )
    with opened.database.read() as session:
        if hold:
            return Way(hold_id=hold, hold_key_id=find_hold(session, hold).key_id)
        if not request:
            return Way(purpose)
        from retention.redaction.original import way_in  # noqa: PLC0415 - a room that no other opening enters
        from retention.requests.cases import find_request  # noqa: PLC0415 - as above

        found = find_recording(session, opened.schedule(), recording_id)
        return way_in(session, find_request(session, request), found)


@contextmanager
def _target(path: Path) -> Iterator[Callable[[bytes], object]]:
    """Standard output, or a new file that appears whole or not at all, readable by its owner alone."""
    if path == STDOUT:
        yield sys.stdout.buffer.write
        return
    with whole_file(path) as file:
        yield file.write
