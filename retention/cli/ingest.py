"""retention ingest: take recordings in."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from retention.cli.shared import (
    EPILOG,
    harmless,
    is_json,
    named_actor,
    out,
    print_json,
    progress,
    say,
    size,
    store,
    styled,
)
from retention.disposal.night import dispose_of_refused
from retention.ingest.discover import discover
from retention.ingest.model import Outcome, Status
from retention.ingest.receive import Receiver
from retention.ingest.watch import Watcher
from retention.kernel.errors import InvalidInput

MARK = {
    Status.SEALED: styled("sealed     ", "green"),
    Status.DUPLICATE: styled("duplicate  ", "dim"),
    Status.QUARANTINED: styled("quarantined", "yellow"),
    Status.DISPOSED: styled("disposed   ", "magenta"),
}


def add_to(root: typer.Typer) -> None:
    """Hang the command into the tree."""
    root.command("ingest", epilog=EPILOG)(ingest)


def ingest(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files or folders.")],
    source: Annotated[str, typer.Option(help="The registered source that made the recordings.")],
    manifest: Annotated[
        Path | None, typer.Option(help="What the recorder says about its files: JSON or CSV.")
    ] = None,
    started_at: Annotated[
        str, typer.Option(help="When the recording started; local time of the source without a zone.")
    ] = "",
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on watching the folders; delete a file once it is safely in.")
    ] = False,
) -> None:
    """Take recordings in: inspect, seal, register; quarantine what cannot be decided.

    A file that was taken in before is a duplicate; nothing is taken in twice. With --watch a
    file is taken when it has stopped growing, and deleted at the source only after the sealed
    copy was read back and compared.
    """
    actor = named_actor()
    with store() as opened:
        tools = opened.ingest_tools()
        if watch:
            if manifest or started_at:
                raise InvalidInput(
                    "--watch takes neither --manifest nor --started-at", hint="Put sidecars beside the files."
                )
            watcher = Watcher(tools, actor, paths, source, opened.settings.stable_s)
            say(f"Watching {', '.join(map(str, paths))}; stop with Ctrl-C.")
            _report(watcher.outcomes(lambda: dispose_of_refused(opened.disposal_tools(), actor)))
            return
        candidates = list(discover(paths, source, manifest=manifest, started_at=started_at))
        with progress("Taking in", len(candidates)) as tell:
            outcomes = Receiver(tools, actor).receive(candidates)
            _report(_counted(outcomes, tell))
        dispose_of_refused(opened.disposal_tools(), actor)


def _counted(outcomes: Iterable[Outcome], tell: object) -> Iterable[Outcome]:
    for done, outcome in enumerate(outcomes, start=1):
        tell(done)  # type: ignore[operator]
        yield outcome


def _on_one_line(text: str) -> str:
    return harmless(text).replace("\n", "\\n").replace("\t", "\\t")


def _report(outcomes: Iterable[Outcome]) -> None:
    counts: Counter[Status] = Counter()
    size_bytes = 0
    for outcome in outcomes:
        counts[outcome.status] += 1
        size_bytes += outcome.size_bytes
        if is_json():
            print_json(
                {
                    "path": outcome.path,
                    "id": outcome.id,
                    "status": str(outcome.status),
                    "reason": outcome.reason,
                }
            )
        else:
            out.print(
                MARK[outcome.status],
                f"{outcome.id or ''} {_on_one_line(outcome.path)}"
                + (f"\n            {_on_one_line(outcome.reason)}" if outcome.reason else ""),
                soft_wrap=True,
            )
    told = (
        ", ".join(f"{counts[status]} {status}" for status in Status if counts[status]) or "nothing to take in"
    )
    say(f"{told} ({size(size_bytes)}).")
    if counts[Status.QUARANTINED]:
        say("See `retention quarantine list` for what a person must look at.")
