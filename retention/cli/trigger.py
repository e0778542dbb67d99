"""retention trigger: an event that starts a count has happened."""

from typing import Annotated

import typer

from retention.cli.shared import EPILOG, amount, named_actor, parse_date, show, store
from retention.kernel.errors import InvalidInput
from retention.vault.trigger import start_count

app = typer.Typer(help="Tell that a case was closed or a contract ended.", no_args_is_help=True)


@app.command("record", epilog=EPILOG)
def record_(
    event: Annotated[
        str, typer.Argument(metavar="EVENT", help="As the policy's classes call it, such as case-closed.")
    ],
    reference: Annotated[str, typer.Option(help="Which case or contract, as the manifest named it.")] = "",
    on: Annotated[str, typer.Option(help="The day it happened; today by default.")] = "",
) -> None:
    """Start the count of every recording that waits for this event."""
    who = named_actor()
    with store() as opened:
        day = parse_date(on) if on else opened.today()
        if day > opened.today():
            raise InvalidInput(f"{day} lies in the future", hint="Record the event when it has happened.")
        found = start_count(
            opened.database,
            opened.keys,
            opened.journal,
            opened.schedule(),
            event=event,
            reference=reference,
            on=day,
            at=opened.clock.now(),
            actor=who,
        )
    show(
        {
            "event": event,
            "reference": reference,
            "on": day,
            "recordings": found.recordings,
            "cohorts": list(found.cohorts),
        },
        f"{event} of {reference or 'no reference'} on {day}: {amount(found.recordings, 'recording')} now counting from it.",
    )
