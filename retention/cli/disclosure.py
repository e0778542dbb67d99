"""retention disclosure: what was handed over to whoever asked, and the links by which they fetch it."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from retention.cli.deliveries import delivery_json, delivery_table
from retention.cli.shared import EPILOG, named_actor, say, show, store
from retention.disclosure.collect import collect
from retention.disclosure.ledger import disclosures, receipt_of
from retention.disclosure.model import FAILED
from retention.kernel.clock import SystemClock
from retention.requests.cases import find_request

app = typer.Typer(help="What was handed over to whoever asked.", no_args_is_help=True)


@app.command("list", epilog=EPILOG)
def list_(request: Annotated[str, typer.Option(help="Only those of this request.")] = "") -> None:
    """List deliveries, oldest first: how, when, of which package, in time or not, and what became of links."""
    with store() as opened:
        zone = opened.schedule().controller.zone
        with opened.database.read() as session:
            of = find_request(session, request).id if request else ""
            found = [(receipt_of(session, each), each) for each in disclosures(session, of)]
    show(
        [{"receipt": receipt, **delivery_json(each)} for receipt, each in found],
        delivery_table("Deliveries", found, zone) if found else "Nothing was handed over.",
    )


@app.command("collect", epilog=EPILOG)
def collect_() -> None:
    """Read back from the outbox which links were downloaded, died or expired; the night does so as well."""
    who = named_actor()
    with store() as opened:
        zone = opened.schedule().controller.zone
        changed = collect(opened.paper_tools(), opened.outbox, opened.store_id, who)
        with opened.database.read() as session:
            found = [(receipt_of(session, each), each) for each in changed]
    show(
        [{"receipt": receipt, **delivery_json(each)} for receipt, each in found],
        delivery_table("", found, zone) if found else "Nothing new.",
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
