"""retention source: the register of recorders, lines, queues and cameras."""

from typing import Annotated

import typer

from retention.catalogue.journal import tell_of_source
from retention.catalogue.model import Source
from retention.catalogue.sources import all_sources, find_source, register_source
from retention.cli.shared import EPILOG, named_actor, say, show, store, table
from retention.schedule.model import Kind
from retention.wiring import check_raw_format

app = typer.Typer(help="Register recorders, lines, queues and cameras; list them.", no_args_is_help=True)


def add_to(root: typer.Typer) -> None:
    """Hang the noun into the tree."""
    root.add_typer(app, name="source", epilog=EPILOG)


@app.command("add", epilog=EPILOG)
def add(
    source_id: Annotated[str, typer.Argument(metavar="ID", help="What the source is called from now on.")],
    kind: Annotated[Kind, typer.Option(help="What it records.")],
    site: Annotated[str, typer.Option(help="Where it is.")],
    zone: Annotated[str, typer.Option(help="The site's time zone; the controller's by default.")] = "",
    purpose: Annotated[
        list[str] | None, typer.Option(help="A purpose of use its recordings carry; repeatable.")
    ] = None,
    area: Annotated[
        str, typer.Option(help="A word the policy's classes may ask for, such as cash-desk.")
    ] = "",
    owner: Annotated[str, typer.Option(help="Who answers for it.")] = "",
    notice: Annotated[str, typer.Option(help="The sign or announcement in force, by its version.")] = "",
    clock_error: Annotated[
        float, typer.Option(help="How far its clock may be off, either way, in seconds.", min=0)
    ] = 0.0,
    channel: Annotated[
        list[str] | None, typer.Option(help="Whose voice a channel holds, in order: agent, caller.")
    ] = None,
    mount: Annotated[str, typer.Option(help="How the camera hangs: upright, 90, 180, 270, ceiling.")] = "",
    raw_format: Annotated[str, typer.Option(help="For sound without a header: mulaw, alaw, gsm, g722.")] = "",
) -> None:
    """Register a source, or change its particulars. Recordings from others are quarantined."""
    actor = named_actor()
    if raw_format:
        check_raw_format(raw_format)
    with store() as opened:
        schedule = opened.schedule()
        source = Source(
            id=source_id,
            kind=kind,
            site=site,
            zone=zone or schedule.controller.zone,
            area=area,
            owner=owner or actor,
            notice=notice,
            purposes=tuple(dict.fromkeys(purpose or [])),
            clock_error_s=clock_error,
            channels=tuple(channel or []),
            mount=mount,
            raw_format=raw_format,
        )
        now = opened.clock.now()
        with opened.database.write() as session:
            register_source(session, schedule, source, now, actor)
        tell_of_source(opened.journal, source, now)
    show(source.particulars(), f"Source {source.id} is registered.")


@app.command("list", epilog=EPILOG)
def list_() -> None:
    """List the registered sources."""
    with store() as opened, opened.database.read() as session:
        sources = all_sources(session)
    rows = [(s.id, s.kind, s.site, s.zone, s.area, ", ".join(s.purposes), s.notice) for s in sources]
    show(
        [source.particulars() for source in sources],
        table("Sources", ["id", "kind", "site", "zone", "area", "purposes", "notice"], rows)
        if rows
        else "No source is registered yet.",
    )


@app.command("show", epilog=EPILOG)
def show_(source_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Show one source with all its particulars."""
    with store() as opened, opened.database.read() as session:
        source = find_source(session, source_id)
    found = source.particulars()
    show(
        found,
        [
            f"{name}: {value if not isinstance(value, list) else ', '.join(value)}"
            for name, value in found.items()
        ],
    )
    if not source.notice:
        say("No sign or announcement is noted: --notice VERSION says how people are told.")
