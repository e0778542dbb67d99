"""retention hold: suspend disposal, review, lift."""

from typing import Annotated, Any

import typer

from retention.cli.recording import identifiers
from retention.cli.shapes import hold_json
from retention.cli.shared import (
    EPILOG,
    amount,
    instant,
    local,
    named_actor,
    parse_date,
    progress,
    say,
    show,
    store,
    styled,
    table,
)
from retention.holds.drill import Drilled, drill
from retention.holds.enforce import end, put_in_force
from retention.holds.find import all_holds, find_hold, holds_in_force, match_counts
from retention.holds.model import Criteria, HoldKind
from retention.holds.place import new_hold
from retention.ingest.admit import parse_time
from retention.kernel.errors import IntegrityError

app = typer.Typer(help="Suspend disposal: place, list and lift holds.", no_args_is_help=True)


@app.command(epilog=EPILOG)
def place(
    kind: Annotated[HoldKind, typer.Option(help="Why disposal is suspended.")],
    reason: Annotated[str, typer.Option(help="The reason, in words.")],
    review_on: Annotated[str, typer.Option(help="When its owner must look at it again: a date.")],
    recording: Annotated[list[str] | None, typer.Option(help="A recording's id; repeatable.")] = None,
    phone: Annotated[str, typer.Option(help="Everything with this person's number, now and later.")] = "",
    customer: Annotated[str, typer.Option(help="Everything with this customer's id, now and later.")] = "",
    native: Annotated[str, typer.Option(help="Everything that a recorder calls this, now and later.")] = "",
    call_agent: Annotated[
        str, typer.Option(help="Everything with this agent of the call centre, now and later.")
    ] = "",
    source: Annotated[
        str, typer.Option(help="Everything of this source between --from and --to, now and later.")
    ] = "",
    from_: Annotated[
        str, typer.Option("--from", help="Start of the interval; local time of the source without a zone.")
    ] = "",
    to: Annotated[str, typer.Option(help="End of the interval.")] = "",
    owner: Annotated[str, typer.Option(help="Who answers for it; you by default.")] = "",
    suspend_use: Annotated[
        bool, typer.Option("--suspend-use", help="Nobody may play it either (suspension of use).")
    ] = False,
) -> None:
    """Place a hold. From that instant nothing it covers can be disposed of.

    Several of --phone, --customer, --native and --call-agent cover what carries any of them.
    """
    who = named_actor()
    person = {"phone": phone, "customer": customer, "native": native, "call-agent": call_agent}
    with store() as opened:
        zone = opened.zone_of(source) if source else "UTC"
        criteria = Criteria(
            recording_ids=tuple(dict.fromkeys(recording or [])),
            blinds=frozenset(identifiers(opened, person)),
            source_id=source,
            from_at=parse_time(from_, zone) if from_ else None,
            until_at=parse_time(to, zone) if to else None,
        )
        hold = new_hold(
            opened.keys,
            opened.clock.now(),
            who,
            kind=kind,
            reason=reason,
            review_on=parse_date(review_on),
            criteria=criteria,
            suspends_use=suspend_use,
            owner=owner,
        )
        placed = put_in_force(opened.hold_tools(), hold)
    value = hold_json(hold) | {"recordings": list(placed.recording_ids), "too_late": list(placed.too_late)}
    lines: list[Any] = [f"Hold {hold.id} is in force: {amount(len(placed.recording_ids), 'recording')} held."]
    if placed.too_late:
        lines.append(
            styled(
                f"Too late for {len(placed.too_late)}, whose disposal had begun before: {', '.join(placed.too_late)}",
                "yellow",
            )
        )
    show(value, lines)
    if not criteria.recording_ids:
        say("What arrives later and matches will be held too.")


@app.command(epilog=EPILOG)
def lift(
    hold_id: Annotated[str, typer.Argument(metavar="HOLD")],
    reason: Annotated[str, typer.Option(help="Why it is no longer needed.")],
) -> None:
    """Lift a hold. What nothing else keeps is disposed of by the next night."""
    who = named_actor()
    with store() as opened:
        lifted = end(opened.hold_tools(), hold_id, reason, who)
    show(
        hold_json(lifted.hold) | {"released": lifted.released, "due": lifted.due},
        f"Hold {hold_id} is lifted: {amount(lifted.released, 'recording')} kept for other reasons, {lifted.due} due now.",
    )


@app.command("list", epilog=EPILOG)
def list_(every: Annotated[bool, typer.Option("--all", help="Lifted ones too.")] = False) -> None:
    """List holds with owner, reason and review date."""
    with store() as opened, opened.database.read() as session:
        holds = all_holds(session) if every else holds_in_force(session)
        counts = match_counts(session)
        zone = opened.schedule().controller.zone
        today = opened.today()
    rows = [
        (
            hold.id,
            hold.kind,
            hold.reason,
            hold.owner,
            styled(hold.review_on, "red")
            if hold.review_on <= today and not hold.lifted_at
            else hold.review_on,
            counts.get(hold.id, 0),
            f"lifted {local(hold.lifted_at, zone)}"
            if hold.lifted_at
            else "in force" + (", use suspended" if hold.suspends_use else ""),
        )
        for hold in holds
    ]
    show(
        [hold_json(hold) | {"recordings": counts.get(hold.id, 0)} for hold in holds],
        table("Holds", ["id", "kind", "reason", "owner", "review", ">recordings", "state"], rows)
        if rows
        else "No hold is in force.",
    )


@app.command("show", epilog=EPILOG)
def show_(hold_id: Annotated[str, typer.Argument(metavar="HOLD")]) -> None:
    """Show one hold."""
    with store() as opened, opened.database.read() as session:
        hold = find_hold(session, hold_id)
        count = match_counts(session).get(hold_id, 0)
    value = hold_json(hold) | {"recordings": count}
    show(value, [f"{name}: {found}" for name, found in value.items()])


@app.command("drill", epilog=EPILOG)
def drill_(
    hold: Annotated[str, typer.Option(help="Only what this hold keeps.")] = "",
    sample: Annotated[
        int | None,
        typer.Option(min=1, help="How many, oldest drill first; a night's share by default."),
    ] = None,
) -> None:
    """Open held recordings, check their digests and decode them to their end. Each opening is on record."""
    who = named_actor()
    with store() as opened:
        number = sample or max(opened.settings.drill_recordings, 1)
        with progress("Drilling", number) as tell:
            found = list(drill(opened.drill_tools(), who, number=number, hold_id=hold, progress=tell))
    broken = [each for each in found if each.is_fault]
    rows = [(each.recording_id, each.hold_id, each.outcome, each.what) for each in found]
    lines: list[Any] = (
        [table("", ["recording", "hold", "is", "what"], rows)] if rows else ["Nothing is held."]
    )
    lines += [styled(f"{each.recording_id}: {each.remedy}", "red") for each in broken]
    show([_drilled_json(each) for each in found], lines)
    if broken:
        raise IntegrityError(
            f"{amount(len(broken), 'held recording')} could not be shown as the hold promises",
            hint="Do what is said beside each, then drill again.",
        )


def _drilled_json(found: Drilled) -> dict[str, Any]:
    return {
        "recording": found.recording_id,
        "hold": found.hold_id,
        "at": instant(found.at),
        "outcome": str(found.outcome),
        "what": found.what,
        "remedy": found.remedy or None,
    }
