"""retention request file … leave-out: from receipt to what is held."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from retention.bootstrap import App
from retention.catalogue.identifiers import Identifier, sought
from retention.cli.request.common import Reason, Receipt, show_stage
from retention.cli.shared import (
    amount,
    named_actor,
    say,
    show,
    store,
    styled,
    table,
)
from retention.ingest.admit import parse_time
from retention.kernel.errors import InvalidInput
from retention.requests.file import file
from retention.requests.identify import Evidence, fail_identity, identify
from retention.requests.match import describe, leave_out, match
from retention.requests.received import Described, Interval, Person, Received
from retention.requests.rules.model import RequestKind

Phones = Annotated[
    list[str] | None, typer.Option("--phone", help="A telephone number of the person; repeatable.")
]
Customers = Annotated[list[str] | None, typer.Option("--customer", help="A customer's id; repeatable.")]
Natives = Annotated[
    list[str] | None, typer.Option("--native", help="What the recorder called a recording; repeatable.")
]
CallAgents = Annotated[
    list[str] | None,
    typer.Option(
        "--call-agent", help="For a person who is an agent of the call centre: id, login or name; repeatable."
    ),
]
Sources = Annotated[
    list[str] | None, typer.Option("--source", help="A camera or line, with --from and --to; repeatable.")
]
From = Annotated[
    str, typer.Option("--from", help="Start of the interval; local time of the source without a zone.")
]
To = Annotated[str, typer.Option("--to", help="End of the interval.")]
Recordings = Annotated[list[str] | None, typer.Option("--recording", help="A recording's id; repeatable.")]


def file_(
    kind: Annotated[RequestKind, typer.Argument(help="What is asked for.")],
    name: Annotated[str, typer.Option(help="Who the recordings are of.")],
    contact: Annotated[str, typer.Option(help="Where the answer goes.")] = "",
    words: Annotated[str, typer.Option(help="What was asked, as it was said.")] = "",
    language: Annotated[str, typer.Option(help="Of the letters; the rulebook's first by default.")] = "",
    received_at: Annotated[str, typer.Option(help="When it arrived; now by default.")] = "",
    agent: Annotated[str, typer.Option(help="Who asks in the person's name.")] = "",
    agent_contact: Annotated[str, typer.Option(help="Where the answer goes then.")] = "",
    phone_: Phones = None,
    customer_: Customers = None,
    native_: Natives = None,
    call_agent_: CallAgents = None,
    source: Sources = None,
    from_: From = "",
    to: To = "",
    recording: Recordings = None,
) -> None:
    """Put a request on file: its clock runs, and what it describes is held from that instant."""
    who = named_actor()
    person = {"phone": phone_, "customer": customer_, "native": native_, "call-agent": call_agent_}
    with store() as opened:
        known = _identifiers(opened, person)
        described = _described(opened, known, source, from_, to, recording)
        now, zone = opened.clock.now(), opened.schedule().controller.zone
        received = Received(
            kind=kind,
            subject=Person(name.strip(), contact.strip()),
            received_at=parse_time(received_at, zone) if received_at else now,
            language=language or opened.rules().book.languages[0],
            words=words.strip(),
            agent=Person(agent.strip(), agent_contact.strip()) if agent else None,
            described=described,
        )
        filed = file(opened.paper_tools(), received, who)
    lines: list[Any] = [
        styled(f"Request {filed.receipt} is on file. Answer by {filed.due_on}.", "bold"),
        f"{amount(len(filed.held), 'recording')} held for it, and whatever arrives later and matches.",
    ]
    if filed.too_late:
        lines.append(
            styled(f"Too late for {', '.join(sorted(filed.too_late))}: disposal had begun before.", "yellow")
        )
    show(
        {
            "receipt": filed.receipt,
            "id": filed.request_id,
            "kind": kind,
            "due_on": filed.due_on,
            "held": sorted(filed.held),
            "too_late": sorted(filed.too_late),
            "holds": [each.hold.id for each in filed.placed],
        },
        lines,
    )
    say(f"Next: `retention request identify {filed.receipt} --method …`.")


def describe_(
    receipt: Receipt,
    phone_: Phones = None,
    customer_: Customers = None,
    native_: Natives = None,
    call_agent_: CallAgents = None,
    source: Sources = None,
    from_: From = "",
    to: To = "",
    recording: Recordings = None,
) -> None:
    """The person has said more: hold what it is about as well."""
    who = named_actor()
    person = {"phone": phone_, "customer": customer_, "native": native_, "call-agent": call_agent_}
    with store() as opened:
        known = _identifiers(opened, person)
        described = _described(opened, known, source, from_, to, recording)
        row = describe(opened.paper_tools(), receipt, described, who)
    show_stage(row, "More is held for request {receipt}.")


def identify_(
    receipt: Receipt,
    method: Annotated[list[str] | None, typer.Option(help="What was shown or done; repeatable.")] = None,
    evidence: Annotated[
        list[str] | None, typer.Option(help="METHOD=FILE: an image, sealed for a short time; repeatable.")
    ] = None,
    remark: Annotated[str, typer.Option(help="Who looked at what, for the request's diary.")] = "",
    failed: Annotated[bool, typer.Option("--failed", help="The requester cannot be identified.")] = False,
    reason: Annotated[str, typer.Option(help="With --failed: what was asked for, and what came.")] = "",
) -> None:
    """Put on record how the requester was identified. Nothing is said about content before."""
    who = named_actor()
    with store() as opened:
        tools = opened.paper_tools()
        if failed:
            row = fail_identity(tools, receipt, reason, who)
        else:
            given = [_evidence(each) for each in evidence or []]
            row = identify(tools, receipt, method or [], given, remark, who)
    show_stage(
        row,
        "The letter for request {receipt} confirms nothing."
        if failed
        else "The requester of {receipt} is identified.",
    )


def match_(receipt: Receipt) -> None:
    """Search for all that the request describes; the log keeps what was not found, too."""
    who = named_actor()
    with store() as opened:
        found = match(opened.paper_tools(), receipt, who)
    searched = table(
        "", ["searched for", ">found"], [(what, str(count)) for what, count in found.searched.items()]
    )
    gone = [
        f"{each} was disposed of before{f': certificate of run {run}' if run else ', and is going'}."
        for each, run in found.gone
    ]
    show(
        {
            "searched": [{"for": what, "found": count} for what, count in found.searched.items()],
            "held": list(found.living),
            "gone": [{"id": each, "run": run or None} for each, run in found.gone],
        },
        [searched, f"{amount(len(found.living), 'recording')} held.", *gone],
    )


def leave_out_(
    receipt: Receipt, recording_id: Annotated[str, typer.Argument(metavar="ID")], reason: Reason
) -> None:
    """The person is not in this recording after all; it stays held until the request is closed."""
    who = named_actor()
    with store() as opened:
        leave_out(opened.paper_tools(), receipt, recording_id, reason, who)
    show({"receipt": receipt, "left_out": recording_id}, f"Request {receipt} is not about {recording_id}.")


def _identifiers(opened: App, given: Mapping[str, list[str] | None]) -> tuple[Identifier, ...]:
    region = opened.schedule().jurisdiction
    return tuple(sought(kind, each, region) for kind, several in given.items() for each in several or [])


def _described(
    opened: App,
    identifiers: tuple[Identifier, ...],
    sources: list[str] | None,
    from_: str,
    to: str,
    recordings: list[str] | None,
) -> Described:
    if bool(sources) != bool(from_ and to):
        raise InvalidInput(
            "an interval needs a source, a start and an end", hint="Give --source with --from and --to."
        )
    return Described(
        identifiers=identifiers,
        intervals=tuple(_intervals(opened, sources or [], from_, to)),
        recording_ids=tuple(dict.fromkeys(recordings or [])),
    )


def _intervals(opened: App, sources: list[str], from_: str, to: str) -> Iterator[Interval]:
    for source in dict.fromkeys(sources):
        zone = opened.zone_of(source)
        yield Interval(source, parse_time(from_, zone), parse_time(to, zone))


def _evidence(said: str) -> Evidence:
    method, has_file, path = said.partition("=")
    if not has_file or not path:
        raise InvalidInput(f"{said!r} names no file", hint="Write METHOD=FILE, such as passport=scan.jpg.")
    try:
        return Evidence(method, [Path(path).read_bytes()])
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}") from error
