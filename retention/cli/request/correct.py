"""retention request correct, corrections: what is to be changed about a recording, and what the second person looks at."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from retention.cli.request.common import Receipt
from retention.cli.shared import named_actor, show, store, styled, table
from retention.requests.cases import find_request
from retention.requests.correct import code_of, propose, proposed
from retention.requests.particulars import Change, Correction
from retention.requests.show import opened_file


def correct_(
    receipt: Receipt,
    recording_id: Annotated[str, typer.Argument(metavar="ID")],
    changes: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SIDE.FIELD=VALUE…",
            help="What is right. SIDE.FIELD= takes it away, SIDE= the whole person; #2 is the second person. None: nothing is changed.",
        ),
    ] = None,
    add: Annotated[
        bool, typer.Option("--add", help="A side that is not there is somebody whom the recorder left out.")
    ] = False,
    statement: Annotated[
        str, typer.Option(help="What the person says about it: kept beside it, also where it is not changed.")
    ] = "",
) -> None:
    """Put together what is to be corrected about a recording. Nothing is changed before two people have agreed."""
    who = named_actor()
    with store() as opened:
        wanted = [Change.parse(each) for each in changes or []]
        made = propose(
            opened.paper_tools(),
            opened.door,
            receipt,
            recording_id,
            wanted,
            who,
            may_add=add,
            statement=statement,
        )
    lines = [_listed("To be corrected, once it is decided", [made])] if made.places else []
    show(_json(made), lines or f"Nothing is to be corrected about {recording_id}.")


def corrections_(receipt: Receipt) -> None:
    """Show what is to be corrected, and the code with which a second person approves just that. It is on record."""
    who = named_actor()
    with store() as opened:
        tools = opened.paper_tools()
        with opened.database.read() as session:
            row = find_request(session, receipt)
        opened_file(tools, opened.door, opened.schedule(), row, who)
        with opened.database.read() as session:
            found = proposed(session, tools, row)
            code = code_of(session, tools, row) if row.outcome else None
    value = {
        "receipt": row.receipt,
        "stage": row.stage,
        "outcome": row.outcome or None,
        "seen": code,
        "corrections": [_json(each) for each in found],
    }
    lines: list[Any] = [_listed(f"Request {row.receipt}: {row.outcome or row.stage}", found)]
    if code and row.stage == "decided":
        lines.append(styled(f"To approve: retention request approve {row.receipt} --seen {code}", "bold"))
    show(value, lines if found else "Nothing is to be corrected.")


def _listed(title: str, found: Sequence[Correction]) -> Any:
    rows = [
        (each.recording_id, change.place, change.was, change.becomes)
        for each in found
        for change in each.differences
    ]
    rows += [(each.recording_id, "statement", "", each.statement) for each in found if each.statement]
    return table(title, ["recording", "particular", "is", "is to be"], rows)


def _json(correction: Correction) -> dict[str, Any]:
    return {
        "recording": correction.recording_id,
        "changes": [
            {"who": each.who, "field": each.field, "is": each.was, "is_to_be": each.becomes}
            for each in correction.differences
        ],
        "statement": correction.statement or None,
    }
