"""What the commands about requests share."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from retention.cli.shared import (
    amount,
    instant,
    say,
    show,
    size,
)
from retention.requests.papers import PURPOSE
from retention.requests.renditions import next_step
from retention.requests.tables import RenditionRow, RequestRow

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


def copy_json(row: RenditionRow) -> dict[str, Any]:
    """How far the redacted copy of a recording is."""
    return {
        "recording": row.recording_id,
        "kind": row.kind,
        "review": row.review_id,
        "open_points": row.open_points,
        "proposed_by": row.proposed_by,
        "reviewed_by": row.reviewed_by or None,
        "rendered_by": row.rendered_by or None,
        "rendered_at": instant(row.rendered_at) if row.rendered_at else None,
        "rendition": row.rendition_id or None,
        "report": row.report_id or None,
        "page": row.page_id or None,
        "suffix": row.suffix or None,
        "sha256": row.sha256.hex() if row.sha256 else None,
        "size_bytes": row.size_bytes,
        "summary": row.summary,
        "is_decided": row.decided_sha256 is not None and row.decided_sha256 == row.sha256,
    }


def copy_lines(receipt: str, recording_id: str, row: RenditionRow | None, *, is_at_work: bool) -> list[str]:
    """How far the redacted copy of a recording is, what is open by name, and, while it may be made, what comes next."""
    step = next_step(receipt, recording_id, row)
    following = [f"  Next: {step}"] if step and is_at_work else []
    if row is None:
        return [f"{recording_id}: not proposed.", *following]
    if row.rendition_id:
        return [
            f"{recording_id}: the copy is made, and was looked at again. {_numbers(row)}.",
            *(f"  ! {remark}" for remark in row.summary["remains"]),
            f"  Look at it: retention open {row.rendition_id} --purpose {PURPOSE} --out copy{row.suffix}",
            f"  What was done: retention request report {receipt} --recording {recording_id} --out report.html",
        ]
    reviewed = f"reviewed by {row.reviewed_by}" if row.reviewed_by else "not reviewed"
    return [
        f"{recording_id}: {reviewed}, {amount(len(row.open_points), 'open point')}.",
        *(f"  {point}" for point in row.open_points),
        *following,
    ]


def _numbers(row: RenditionRow) -> str:
    """What was done in a copy, in a phrase."""
    return f"{row.summary['hidden']} hidden, {row.summary['kept']} kept; {size(row.size_bytes)}"
