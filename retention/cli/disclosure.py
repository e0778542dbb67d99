"""retention disclosure: what was handed over to whoever asked, and the links by which they fetch it."""

import logging
from pathlib import Path
from typing import Annotated, Any

import typer

from retention.cli.shared import EPILOG, local, named_actor, say, show, store, styled, table
from retention.disclosure.collect import collect
from retention.disclosure.ledger import disclosures
from retention.disclosure.model import FAILED
from retention.disclosure.tables import DisclosureRow
from retention.kernel.clock import SystemClock
from retention.requests.cases import find_request
from retention.requests.tables import RequestRow

app = typer.Typer(help="What was handed over to whoever asked.", no_args_is_help=True)
DIGITS = 12  #: of a digest, for people


@app.command("list", epilog=EPILOG)
def list_(request: Annotated[str, typer.Option(help="Only those of this request.")] = "") -> None:
    """List deliveries, oldest first: how, when, of which package, in time or not, and what became of links."""
    with store() as opened:
        zone = opened.schedule().controller.zone
        with opened.database.read() as session:
            of = find_request(session, request).id if request else ""
            found = [
                (session.get_one(RequestRow, each.request_id), each) for each in disclosures(session, of)
            ]
    rows = [_line(row.receipt, each, zone) for row, each in found]
    show(
        [{"receipt": row.receipt, **delivery_json(each)} for row, each in found],
        table("Deliveries", ["request", "route", "state", "delivered", "in time", "package", "tries"], rows)
        if rows
        else "Nothing was handed over.",
    )


@app.command("collect", epilog=EPILOG)
def collect_() -> None:
    """Read back from the outbox which links were downloaded, died or expired; the night does so as well."""
    who = named_actor()
    with store() as opened:
        zone = opened.schedule().controller.zone
        changed = collect(opened.paper_tools(), opened.outbox, opened.store_id, who)
        with opened.database.read() as session:
            found = [(session.get_one(RequestRow, each.request_id).receipt, each) for each in changed]
    show(
        [{"receipt": receipt, **delivery_json(each)} for receipt, each in found],
        table(
            "",
            ["request", "route", "state", "delivered", "in time", "package", "tries"],
            [_line(receipt, each, zone) for receipt, each in found],
        )
        if found
        else "Nothing new.",
    )
    for receipt, each in found:
        if each.state in FAILED:
            say(f"The answer to request {receipt} was not downloaded ({each.state}): call the person.")


@app.command("serve", epilog=EPILOG)
def serve_(
    outbox: Annotated[Path, typer.Option(help="The folder in which answers wait. It holds nothing else.")],
    host: Annotated[
        str, typer.Option(help="Where to listen; without TLS on this machine alone.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Where to listen; 0 for any free port.")] = 8443,
    base_url: Annotated[
        str, typer.Option(help="What links begin with; other host names are not answered to.")
    ] = "",
    certificate: Annotated[Path | None, typer.Option(help="The certificate for TLS, in PEM.")] = None,
    private_key: Annotated[Path | None, typer.Option(help="Its private key, in PEM.")] = None,
) -> None:
    """Serve links to the public. Needs the outbox alone, and may run on a machine that has nothing else."""
    from retention.outbox.address import Address  # noqa: PLC0415 - a web server, for this command alone
    from retention.outbox.server import serve  # noqa: PLC0415 - as above

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    address = Address(host, port, base_url, certificate, private_key)
    try:
        serve(
            outbox,
            address,
            SystemClock(),
            lambda port: say(f"Serving {outbox} on {host}:{port}. Stop with Ctrl-C."),
        )
    except (KeyboardInterrupt, SystemExit) as stopped:
        if isinstance(stopped, SystemExit) and stopped.code:
            raise
        say("Stopped.")


def delivery_json(row: DisclosureRow) -> dict[str, Any]:
    """A delivery as JSON tells it: nobody is named, and no link can be made of it."""
    return {
        "id": row.id,
        "route": row.route,
        "state": row.state,
        "made_at": row.made_at,
        "made_by": row.made_by,
        "delivered_at": row.delivered_at,
        "in_time": row.in_time,
        "expires_at": row.expires_at,
        "sha256": row.sha256,
        "size_bytes": row.size_bytes,
        "archive_sha256": row.archive_sha256 or None,
        "receipt": row.receipt or None,
    }


def _line(receipt: str, row: DisclosureRow, zone: str) -> tuple[Any, ...]:
    in_time = "" if row.in_time is None else "yes" if row.in_time else styled("no", "bold red")
    state = styled(row.state, "bold red") if row.state in FAILED else row.state
    at = local(row.delivered_at, zone) if row.delivered_at else ""
    return receipt, row.route, state, at, in_time, row.sha256[:DIGITS], row.receipt.get("tried", "")
