"""retention request decide … close: from the decision to the answer."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from retention.cli.request.common import Reason, Receipt, request_json, show_stage, warn_of
from retention.cli.shared import (
    named_actor,
    show,
    store,
    whole_file,
)
from retention.kernel.errors import InvalidInput
from retention.requests.answer import close, extend
from retention.requests.carry_out import carry_out
from retention.requests.decide import Decision, approve, decide, send_back, withdraw
from retention.requests.letter import answer_key, open_case, sheet_of
from retention.requests.rules.model import Outcome


class Which(StrEnum):
    """A letter of a request."""

    RECEIPT = "receipt"
    EXTENSION = "extension"
    ANSWER = "answer"


def decide_(
    receipt: Receipt,
    outcome: Annotated[Outcome, typer.Argument(help="How it is to end.")],
    ground: Annotated[list[str] | None, typer.Option(help="A ground of the rulebook; repeatable.")] = None,
    reason: Annotated[str, typer.Option(help="What the letter says about it.")] = "",
    not_for: Annotated[
        list[str] | None,
        typer.Option(help="With partial: a recording for which it is not granted; repeatable."),
    ] = None,
    measure: Annotated[
        str, typer.Option(help="What is done in place of what was asked, for the letter.")
    ] = "",
    partial_considered: Annotated[
        str, typer.Option(help="Before refusing a disclosure: why no part can be given.")
    ] = "",
) -> None:
    """Decide a request; a second person must approve."""
    who = named_actor()
    decision = Decision(
        outcome,
        tuple(ground or ()),
        reason.strip(),
        tuple(not_for or ()),
        measure.strip(),
        partial_considered.strip(),
    )
    with store() as opened:
        row = decide(opened.paper_tools(), receipt, decision, who)
    show_stage(row, "Request {receipt} is decided: {outcome}. Another person must approve it.")


def approve_(
    receipt: Receipt,
    seen: Annotated[
        str, typer.Option(help="For a correction: the code that `corrections` shows for what is decided.")
    ] = "",
) -> None:
    """Agree, as a second person, with what was decided."""
    who = named_actor()
    with store() as opened:
        row = approve(opened.paper_tools(), receipt, who, seen)
    show_stage(row, "The decision on request {receipt} is approved: {outcome}.")


def send_back_(receipt: Receipt, reason: Reason) -> None:
    """Disagree, as a second person, with what was decided, or take back what cannot be carried out: it is open again."""
    who = named_actor()
    with store() as opened:
        row = send_back(opened.paper_tools(), receipt, reason, who)
    show_stage(row, "Request {receipt} is open again.")


def withdraw_(receipt: Receipt, reason: Reason) -> None:
    """The requester does not ask any more."""
    who = named_actor()
    with store() as opened:
        row = withdraw(opened.paper_tools(), receipt, reason, who)
    show_stage(row, "Request {receipt} is withdrawn.")


def carry_out_(receipt: Receipt) -> None:
    """Do what was granted: correct, suspend use, stop provision, erase with a certificate, or protect in another way."""
    who = named_actor()
    with store() as opened:
        row = carry_out(opened.paper_tools(), opened.disposal_tools(), receipt, who)
    show(request_json(row) | {"effect": row.effect}, f"Request {row.receipt} is carried out: {row.effect}.")


def extend_(receipt: Receipt, reason: Reason) -> None:
    """Take more time, as far as the law allows it; `letter --which extension` tells the requester."""
    who = named_actor()
    with store() as opened:
        row = extend(opened.paper_tools(), receipt, reason, who)
    show(
        request_json(row), f"Request {row.receipt} is to be answered by {row.due_on}. Tell the requester now."
    )


def letter_(
    receipt: Receipt,
    out: Annotated[Path, typer.Option(help="Where to write the PDF.")],
    which: Annotated[
        Which, typer.Option(help="The receipt, the extension, or the answer as it stands.")
    ] = Which.ANSWER,
) -> None:
    """Print a letter of a request: to acknowledge it, to extend it, or to look at the answer before it is made."""
    who = named_actor()
    with store() as opened:
        tools = opened.paper_tools()
        case = open_case(tools, opened.door, opened.schedule(), receipt, who)
        if which is Which.ANSWER and not case.row.outcome:
            raise InvalidInput(f"request {receipt} is not decided", hint="Print --which receipt meanwhile.")
        key = answer_key(case.row) if which is Which.ANSWER else str(which)
        printed = opened.printer(sheet_of(tools, case, key))
    with whole_file(out) as file_out:
        file_out.write(printed.pdf)
    warn_of(printed.warnings)
    show({"receipt": case.row.receipt, "letter": key, "out": str(out)}, f"The letter {key} is in {out}.")


def close_(receipt: Receipt) -> None:
    """Close the case: lift its holds, and let the periods of its papers begin."""
    who = named_actor()
    with store() as opened:
        row = close(opened.paper_tools(), opened.hold_tools(), receipt, who)
    show_stage(row, "Request {receipt} is closed.")
