"""retention provision: give a recording to somebody else, on a basis, on record."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from retention.bootstrap import App
from retention.catalogue.find import find_recording
from retention.cli.provision_entrustee import app as entrustee
from retention.cli.shared import (
    EPILOG,
    amount,
    instant,
    local,
    named_actor,
    progress,
    say,
    show,
    store,
    styled,
    table,
    whole_file,
)
from retention.ingest.admit import parse_time
from retention.kernel.errors import InvalidInput
from retention.provision.blocks import all_blocks, confirm_unblocked, unblock
from retention.provision.hand_over import hand_over
from retention.provision.model import Form, Proposal
from retention.provision.propose import approve, find_provision, items_of, propose, recipient_index, withdraw
from retention.provision.show import opened as opened_provision
from retention.provision.show import provisions
from retention.provision.tables import ProvisionItemRow, ProvisionRow
from retention.requests.provisions import rule_for
from retention.requests.rules.model import BasisCode

app = typer.Typer(help="Give a recording to somebody else, on a basis, on record.", no_args_is_help=True)
app.add_typer(entrustee, name="entrustee", epilog=EPILOG)

Digest = Annotated[
    str, typer.Argument(metavar="DIGEST", help="The proposal's digest; its first eight digits suffice.")
]
SHORT = 12  #: digits of a digest, for people
PERCENT = 100


@app.command("propose", epilog=EPILOG)
def propose_(
    recording: Annotated[list[str], typer.Argument(metavar="ID...", help="Recordings.")],
    to: Annotated[str, typer.Option(help="Who receives it; an entrustee by its name in the register.")],
    basis: Annotated[BasisCode, typer.Option(help="On what basis, as the rulebook has it.")],
    reason: Annotated[str, typer.Option(help="Why, in words.")],
    field: Annotated[
        list[str] | None,
        typer.Option(help="KEY=TEXT: what the basis wants written down; repeatable. See `bases`."),
    ] = None,
    from_: Annotated[
        str,
        typer.Option(
            "--from", help="Only what was recorded from then on; local time of the first recording's source."
        ),
    ] = "",
    to_: Annotated[str, typer.Option("--until", help="And before then.")] = "",
) -> None:
    """Propose to give recordings to somebody who is not the person in them."""
    who = named_actor()
    with store() as opened:
        rule, keep = rule_for(opened.rules(), basis)
        part = _part(opened, recording[0], from_, to_) if from_ or to_ else None
        proposal = Proposal(tuple(recording), to, _fields(field or []), reason, part)
        row = propose(opened.paper_tools(), rule, keep, proposal, who)
        shown = _read(opened, row)
    show(shown, [f"Proposed: {row.digest}", *_parts_in_words(shown)])
    say(
        f"Next: another person looks at it (`retention provision show {row.digest[:SHORT]}`) and approves it."
        if rule.needs_two_people
        else f"Next: `retention provision hand-over {row.digest[:SHORT]} --out FILE`."
    )


@app.command("approve", epilog=EPILOG)
def approve_(digest: Digest) -> None:
    """Agree, as a second person, that it is given."""
    who = named_actor()
    with store() as opened:
        row = approve(opened.paper_tools(), digest, who)
        shown = _read(opened, row)
    show(shown, f"Provision {row.digest} is approved.")


@app.command("withdraw", epilog=EPILOG)
def withdraw_(
    digest: Digest, reason: Annotated[str, typer.Option(help="Why, in words. Name nobody.")]
) -> None:
    """Give a proposal up, or refuse it."""
    who = named_actor()
    with store() as opened:
        row = withdraw(opened.paper_tools(), digest, reason, who)
        shown = _read(opened, row)
    show(shown, f"Provision {row.digest} is withdrawn.")


@app.command("hand-over", epilog=EPILOG)
def hand_over_(
    digest: Digest,
    out: Annotated[
        Path, typer.Option(help="Where to write it: a recording as it is, several as a ZIP archive.")
    ],
) -> None:
    """Write what was approved into a file, and put that on the ledger."""
    who = named_actor()
    with store() as opened:
        out = _named(opened, digest, out)
        with whole_file(out) as file, progress("Handing over", PERCENT) as tell:
            row = hand_over(
                opened.paper_tools(),
                opened.door,
                opened.cutter,
                digest,
                file,
                who,
                lambda done, total: tell(PERCENT * done // max(total, 1)),
            )
        shown = _read(opened, row)
    show(
        shown | {"out": str(out)},
        [f"Handed over: {out}", f"SHA-256 {row.sha256}, {amount(row.size_bytes, 'byte')}."],
    )


@app.command("list", epilog=EPILOG)
def list_(
    recording: Annotated[str, typer.Option(help="Only what was given of this recording.")] = "",
    to: Annotated[str, typer.Option(help="Only what was given to this recipient.")] = "",
) -> None:
    """List provisions, oldest first. Nobody is named here but entrustees."""
    with store() as opened:
        index_key, zone = opened.index_key, opened.schedule().controller.zone
        with opened.database.read() as session:
            rows = provisions(
                session,
                recording_ids=(recording,) if recording else (),
                recipient=recipient_index(index_key, to) if to else b"",
            )
            found = [(row, items_of(session, row.id)) for row in rows]
    show(
        [_json(row, items) for row, items in found],
        table(
            "Provisions",
            ["digest", "stage", "basis", "proposed", "handed over", ">recordings"],
            [
                (
                    row.digest[:SHORT],
                    row.stage,
                    row.basis,
                    local(row.proposed_at, zone),
                    local(row.handed_over_at, zone) if row.handed_over_at else "",
                    len(items),
                )
                for row, items in found
            ],
        )
        if found
        else "Nothing was given to anybody.",
    )


@app.command("show", epilog=EPILOG)
def show_(digest: Digest) -> None:
    """Show to whom, why and by which fields: an opening, and on record as one."""
    who = named_actor()
    with store() as opened:
        with opened.database.read() as session:
            row = find_provision(session, digest)
        paper = opened_provision(opened.paper_tools(), opened.door, opened.schedule(), row, who)
        shown = _read(opened, row)
    fields = [(name, text) for name, text in paper["fields"].items()]
    show(
        shown | {"fields": paper["fields"], "reason": paper["reason"], "cut": paper.get("cut", {})},
        [
            styled(f"Provision {row.digest}: {row.stage}, {row.basis}", "bold"),
            paper["reason"],
            table("", ["field", "says"], fields),
            table("", ["recording"], [(each,) for each in shown["recordings"]]),
            *_parts_in_words(shown),
        ],
    )


@app.command("bases", epilog=EPILOG)
def bases_() -> None:
    """List the bases of the rulebook in force, and the fields that each wants written down."""
    with store() as opened:
        book = opened.rules().book
    language = book.languages[0]
    show(
        [
            {"basis": code, "fields": list(each.fields), "two_people": each.needs_two_people}
            for code, each in book.bases.items()
        ],
        [
            table(
                f"{code}: {each.title[language]} ({each.article[language]})",
                ["field", "says"],
                [(name, book.provision_fields[name][language]) for name in each.fields],
            )
            for code, each in book.bases.items()
        ],
    )


@app.command("blocks", epilog=EPILOG)
def blocks_() -> None:
    """List what may not be given to anybody, because a person asked for that."""
    with store() as opened:
        zone = opened.schedule().controller.zone
        with opened.database.read() as session:
            rows = all_blocks(session)
    show(
        [
            {
                "id": row.id,
                "recording": row.recording_id,
                "of_person": row.blind is not None,
                "reason": row.reason,
                "placed_at": instant(row.placed_at),
                "placed_by": row.placed_by,
            }
            for row in rows
        ],
        table(
            "Stops of provision",
            ["id", "of", "reason", "since"],
            [
                (row.id, row.recording_id or "a person", row.reason, local(row.placed_at, zone))
                for row in rows
            ],
        )
        if rows
        else "Nothing is stopped.",
    )


@app.command("unblock", epilog=EPILOG)
def unblock_(
    block_id: Annotated[list[str], typer.Argument(metavar="ID...", help="Stops of provision.")],
    reason: Annotated[str, typer.Option(help="Why, in words. Name nobody.")],
) -> None:
    """Take stops of provision away: the person has agreed after all, or they were placed by mistake."""
    who = named_actor()
    with store() as opened:
        now = opened.clock.now()
        with opened.database.write() as session:
            unblock(session, now, who, block_ids=block_id, reason=reason)
        confirm_unblocked(opened.journal, now, who, block_id)
    show({"unblocked": block_id}, f"Taken away: {', '.join(block_id)}.")


def _part(opened: App, recording_id: str, from_: str, until: str) -> tuple[datetime, datetime]:
    if not from_ or not until:
        raise InvalidInput("a part of a recording needs a start and an end", hint="Give --from and --until.")
    with opened.database.read() as session:
        zone = opened.zone_of(find_recording(session, opened.schedule(), recording_id).source_id)
    return parse_time(from_, zone), parse_time(until, zone)


def _fields(said: list[str]) -> dict[str, str]:
    found = {}
    for each in said:
        name, has_text, text = each.partition("=")
        if not has_text:
            raise InvalidInput(f"{each!r} says nothing", hint="Write KEY=TEXT, such as statute='...'.")
        found[name.strip()] = text
    return found


def _named(opened: App, digest: str, out: Path) -> Path:
    """The path with the suffix of what comes out, where that is a part of one recording."""
    with opened.database.read() as session:
        items = items_of(session, find_provision(session, digest).id)
    part = items[0].part if len(items) == 1 else None
    if part is None or out.suffix.lower() == part.form.suffix:
        return out
    if out.suffix and part.form.suffix:
        raise InvalidInput(
            f"what comes out is not a {out.suffix} file, but {part.form.words}",
            hint=f"Name it {out.with_suffix(part.form.suffix)}.",
        )
    return out.with_name(out.name + part.form.suffix)


def _parts_in_words(shown: dict[str, Any]) -> list[str]:
    """What will come out, or came out, of each recording of which only a part is given."""
    return [
        f"Of {each['recording']}, {each['from_s']:.3f} s to {each['until_s']:.3f} s: {Form(each['form']).words}."
        for each in shown["excerpts"]
    ]


def _read(opened: Any, row: ProvisionRow) -> dict[str, Any]:
    with opened.database.read() as session:
        return _json(row, items_of(session, row.id))


def _json(row: ProvisionRow, items: Sequence[ProvisionItemRow]) -> dict[str, Any]:
    """A provision, without to whom it went."""
    return {
        "digest": row.digest,
        "id": row.id,
        "stage": row.stage,
        "basis": row.basis,
        "entrustee": row.entrustee_id,
        "recordings": [each.recording_id for each in items],
        "excerpts": [
            {
                "recording": each.recording_id,
                "from_s": part.from_us / 1e6,
                "until_s": part.until_us / 1e6,
                "form": part.form,
            }
            for each in items
            if (part := each.part)
        ],
        "proposed_at": instant(row.proposed_at),
        "proposed_by": row.proposed_by,
        "approved_by": row.approved_by or None,
        "handed_over_at": instant(row.handed_over_at) if row.handed_over_at else None,
        "handed_over_by": row.handed_over_by or None,
        "sha256": row.sha256 or None,
        "size_bytes": row.size_bytes or None,
    }
