"""retention request report: what was done and found in a copy, for whoever approves it."""

from pathlib import Path
from typing import Annotated

import typer

from retention.cli.request.common import Receipt
from retention.cli.shared import named_actor, show, store, whole_file
from retention.redaction.report import report_of


def report_(
    receipt: Receipt,
    recording: Annotated[str, typer.Option(metavar="ID", help="The recording whose copy it is about.")],
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="Write it here: .json for machines, else a page for people.")
    ],
) -> None:
    """Write the report that was sealed with a copy: what was hidden and looked for, and what a person must still do."""
    who = named_actor()
    with store() as opened, whole_file(out) as file:
        tools, means = opened.paper_tools(), opened.copy_means()
        for_people = out.suffix != ".json"
        file.write(report_of(tools, means, receipt, recording, who, for_people=for_people))
    show(
        {"receipt": receipt, "recording": recording, "out": str(out)},
        f"The report on the copy of {recording} is in {out}.",
    )
