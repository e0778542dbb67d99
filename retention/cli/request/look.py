"""retention request list, show: look, and change nothing about a request."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

import typer

from retention.cli.deliveries import delivery_json, delivery_table
from retention.cli.request.common import Receipt, copy_json, copy_lines, request_json
from retention.cli.shared import (
    local,
    named_actor,
    show,
    store,
    styled,
    table,
)
from retention.disclosure.ledger import disclosures
from retention.requests.cases import find_request
from retention.requests.match import matches
from retention.requests.model import Stage
from retention.requests.renditions import reviews_of
from retention.requests.rules.model import RequestKind
from retention.requests.show import opened_file, requests_at
from retention.requests.tables import RenditionRow, RequestMatchRow, RequestRow


def list_(every: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False) -> None:
    """List requests, the most urgent first. Nobody is named here."""
    with store() as opened, opened.database.read() as session:
        rows = requests_at(session, set(Stage) if every else set(Stage) - {Stage.CLOSED})
        today = opened.today()
    show(
        [request_json(row) for row in rows],
        table(
            "Requests",
            ["receipt", "kind", "stage", "outcome", "answer by", ">days left"],
            [
                (row.receipt, row.kind, row.stage, row.outcome, row.due_on, _days_left(row, today))
                for row in rows
            ],
        )
        if rows
        else "No request is open.",
    )


def show_(
    receipt: Receipt,
    with_diary: Annotated[
        bool, typer.Option("--diary", help="Also who asks and what was done; on record.")
    ] = False,
) -> None:
    """Show how far a request is and what it is about."""
    who = named_actor()
    with store() as opened:
        with opened.database.read() as session:
            row = find_request(session, receipt)
            found = matches(session, row.id)
            copies = reviews_of(session, row.id)
            given = disclosures(session, row.id)
            zone = opened.schedule().controller.zone
        value = request_json(row) | {
            "matches": [_match_json(each) for each in found],
            "copies": [copy_json(each) for each in copies],
            "deliveries": [delivery_json(each) for each in given],
        }
        lines: list[Any] = [
            styled(f"Request {row.receipt}: {row.kind}", "bold"),
            f"{row.stage}{f', {row.outcome}' if row.outcome else ''}; received {local(row.received_at, zone)}, answer by {row.due_on}",
        ]
        if found:
            lines.append(
                table("", ["recording", "is"], [(each.recording_id, _state(each)) for each in found])
            )
        lines += _copy_lines(row, found, copies)
        if given:
            lines.append(delivery_table("", [(row.receipt, each) for each in given], zone))
        if with_diary:
            received, notes = opened_file(opened.paper_tools(), opened.door, opened.schedule(), row, who)
            value |= {"received": received, "diary": notes}
            lines += [
                f"{local(row.received_at, zone)}: {received['subject']['name']} {received['subject']['contact']}",
                received["words"],
                table(
                    "",
                    ["at", "by", "what", "said"],
                    [(n["at"], n["by"], n["about"], n["said"]) for n in notes],
                ),
            ]
    show(value, [line for line in lines if line])


def _match_json(found: RequestMatchRow) -> dict[str, Any]:
    return {
        "id": found.recording_id,
        "left_out": found.is_left_out,
        "gone": found.is_gone,
        "run": found.run_id or None,
    }


def _state(found: RequestMatchRow) -> str:
    if found.is_gone:
        return f"disposed of before: run {found.run_id}" if found.run_id else "being disposed of"
    return "left out" if found.is_left_out else "held"


def _copy_lines(
    row: RequestRow, found: Sequence[RequestMatchRow], copies: Sequence[RenditionRow]
) -> list[str]:
    """How far the copy of each recording is, what is open by name, and what comes next."""
    if row.kind != RequestKind.DISCLOSURE or row.stage in (Stage.FILED, Stage.IDENTIFIED):
        return []
    known = {each.recording_id: each for each in copies}
    wanted = [
        each.recording_id for each in found if not (each.is_gone or each.is_left_out or each.is_refused)
    ]
    return [
        line
        for recording_id in wanted
        for line in copy_lines(
            row.receipt, recording_id, known.get(recording_id), is_at_work=row.stage == Stage.MATCHED
        )
    ]


def _days_left(row: RequestRow, today: date) -> Any:
    days = (row.due_on - today).days
    return styled(days, "bold red" if days < 3 else "yellow" if days < 7 else "")
