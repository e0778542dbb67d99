"""What the commands about requests share."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from retention.cli.shared import (
    instant,
    say,
    show,
)
from retention.requests.tables import RequestRow

Receipt = Annotated[str, typer.Argument(metavar="RECEIPT", help="The receipt number, such as 2026-0017.")]
Reason = Annotated[str, typer.Option(help="Why, in words.")]


def request_json(row: RequestRow) -> dict[str, Any]:
    """A request, without whom it is from."""
    return {
        "receipt": row.receipt,
        "id": row.id,
        "kind": row.kind,
        "stage": row.stage,
        "outcome": row.outcome or None,
        "by_agent": row.by_agent,
        "language": row.language,
        "received_at": instant(row.received_at),
        "due_on": row.due_on,
        "methods": row.methods,
        "grounds": row.grounds,
        "filed_by": row.filed_by,
        "decided_by": row.decided_by or None,
        "approved_by": row.approved_by or None,
    }


def show_stage(row: RequestRow, words: str) -> None:
    """Say in `words` how far the request is."""
    show(request_json(row), words.format(receipt=row.receipt, outcome=row.outcome))


def warn_of(warnings: Iterable[str]) -> None:
    """Say what of a letter a person must look at."""
    for each in warnings:
        say(f"Look at the letter: {each}")
