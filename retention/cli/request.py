"""retention request: a person's request, from receipt to answer."""

from collections.abc import Iterable, Iterator
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from retention.bootstrap import App
from retention.catalogue.identifiers import Identifier, customer, phone
from retention.cli.shared import (
    EPILOG,
    amount,
    instant,
    local,
    named_actor,
    say,
    show,
    store,
    styled,
    table,
    whole_file,
)
from retention.ingest.admit import parse_time
from retention.kernel.errors import InvalidInput
from retention.requests.answer import close, deliver, extend, package
from retention.requests.carry_out import carry_out
from retention.requests.cases import find_request
from retention.requests.decide import Decision, approve, decide, send_back, withdraw
from retention.requests.file import file
from retention.requests.identify import Evidence, fail_identity, identify
from retention.requests.letter import answer_key, open_case, sheet_of
from retention.requests.match import describe, leave_out, match, matches
from retention.requests.model import Stage
from retention.requests.packs import read_text
from retention.requests.received import Described, Interval, Person, Received
from retention.requests.rulebooks import put_in_force as put_rules_in_force
from retention.requests.rules.model import Outcome, RequestKind
from retention.requests.show import all_requests, opened_file
from retention.requests.tables import RequestMatchRow, RequestRow

app = typer.Typer(help="A person's request: from receipt to answer.", no_args_is_help=True)


class Which(StrEnum):
    """A letter of a request."""

    RECEIPT = "receipt"
    EXTENSION = "extension"
    ANSWER = "answer"


Receipt = Annotated[str, typer.Argument(metavar="RECEIPT", help="The receipt number, such as 2026-0017.")]
Reason = Annotated[str, typer.Option(help="Why, in words.")]
Phones = Annotated[
    list[str] | None, typer.Option("--phone", help="A telephone number of the person; repeatable.")
]
Customers = Annotated[list[str] | None, typer.Option("--customer", help="A customer's id; repeatable.")]
Sources = Annotated[
    list[str] | None, typer.Option("--source", help="A camera or line, with --from and --to; repeatable.")
]
From = Annotated[
    str, typer.Option("--from", help="Start of the interval; local time of the source without a zone.")
]
To = Annotated[str, typer.Option("--to", help="End of the interval.")]
Recordings = Annotated[list[str] | None, typer.Option("--recording", help="A recording's id; repeatable.")]


@app.command("file", epilog=EPILOG)
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
    source: Sources = None,
    from_: From = "",
    to: To = "",
    recording: Recordings = None,
) -> None:
    """Put a request on file: its clock runs, and what it describes is held from that instant."""
    who = named_actor()
    with store() as opened:
        described = _described(opened, phone_, customer_, source, from_, to, recording)
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


@app.command("describe", epilog=EPILOG)
def describe_(
    receipt: Receipt,
    phone_: Phones = None,
    customer_: Customers = None,
    source: Sources = None,
    from_: From = "",
    to: To = "",
    recording: Recordings = None,
) -> None:
    """The person has said more: hold what it is about as well."""
    who = named_actor()
    with store() as opened:
        described = _described(opened, phone_, customer_, source, from_, to, recording)
        row = describe(opened.paper_tools(), receipt, described, who)
    _show_stage(row, "More is held for request {receipt}.")


@app.command("identify", epilog=EPILOG)
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
    _show_stage(
        row,
        "The letter for request {receipt} confirms nothing."
        if failed
        else "The requester of {receipt} is identified.",
    )


@app.command("match", epilog=EPILOG)
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


@app.command("leave-out", epilog=EPILOG)
def leave_out_(
    receipt: Receipt, recording_id: Annotated[str, typer.Argument(metavar="ID")], reason: Reason
) -> None:
    """The person is not in this recording after all; it stays held until the request is closed."""
    who = named_actor()
    with store() as opened:
        leave_out(opened.paper_tools(), receipt, recording_id, reason, who)
    show({"receipt": receipt, "left_out": recording_id}, f"Request {receipt} is not about {recording_id}.")


@app.command("decide", epilog=EPILOG)
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
    _show_stage(row, "Request {receipt} is decided: {outcome}. Another person must approve it.")


@app.command("approve", epilog=EPILOG)
def approve_(receipt: Receipt) -> None:
    """Agree, as a second person, with what was decided."""
    who = named_actor()
    with store() as opened:
        row = approve(opened.paper_tools(), receipt, who)
    _show_stage(row, "The decision on request {receipt} is approved: {outcome}.")


@app.command("send-back", epilog=EPILOG)
def send_back_(receipt: Receipt, reason: Reason) -> None:
    """Disagree, as a second person, with what was decided: it is open again."""
    who = named_actor()
    with store() as opened:
        row = send_back(opened.paper_tools(), receipt, reason, who)
    _show_stage(row, "Request {receipt} is open again.")


@app.command("carry-out", epilog=EPILOG)
def carry_out_(receipt: Receipt) -> None:
    """Do what was granted: suspend use, erase with a certificate, or protect in another way."""
    who = named_actor()
    with store() as opened:
        row = carry_out(opened.paper_tools(), opened.disposal_tools(), receipt, who)
    show(request_json(row) | {"effect": row.effect}, f"Request {row.receipt} is carried out: {row.effect}.")


@app.command("extend", epilog=EPILOG)
def extend_(receipt: Receipt, reason: Reason) -> None:
    """Take more time, as far as the law allows it; `letter --which extension` tells the requester."""
    who = named_actor()
    with store() as opened:
        row = extend(opened.paper_tools(), receipt, reason, who)
    show(
        request_json(row), f"Request {row.receipt} is to be answered by {row.due_on}. Tell the requester now."
    )


@app.command("letter", epilog=EPILOG)
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
    _warn(printed.warnings)
    show({"receipt": case.row.receipt, "letter": key, "out": str(out)}, f"The letter {key} is in {out}.")


@app.command("package", epilog=EPILOG)
def package_(
    receipt: Receipt, out: Annotated[Path | None, typer.Option(help="Also write the letter here.")] = None
) -> None:
    """Make the answer, and seal it with the case."""
    who = named_actor()
    with store() as opened:
        row, printed = package(opened.paper_tools(), opened.door, opened.printer, receipt, who)
    if out is not None:
        with whole_file(out) as file_out:
            file_out.write(printed.pdf)
    _warn(printed.warnings)
    show(request_json(row), f"The answer to request {row.receipt} is made{f': {out}' if out else ''}.")


@app.command("deliver", epilog=EPILOG)
def deliver_(
    receipt: Receipt,
    route: Annotated[str, typer.Option(help="How: post, registered-post, in-person …")],
    remark: Annotated[str, typer.Option(help="For the request's diary: to whom, by which number.")] = "",
) -> None:
    """Put on record that the answer was handed over."""
    who = named_actor()
    with store() as opened:
        row = deliver(opened.paper_tools(), receipt, route, remark, who)
    _show_stage(row, "The answer to request {receipt} is delivered.")


@app.command("close", epilog=EPILOG)
def close_(receipt: Receipt) -> None:
    """Close the case: lift its holds, and let the periods of its papers begin."""
    who = named_actor()
    with store() as opened:
        row = close(opened.paper_tools(), opened.hold_tools(), receipt, who)
    _show_stage(row, "Request {receipt} is closed.")


@app.command("rules", epilog=EPILOG)
def rules_(
    file_given: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A rulebook to put in force.")
    ] = None,
) -> None:
    """Show the rulebook in force, or put another one in force; requests on file keep theirs."""
    who = named_actor()
    with store() as opened:
        if file_given is not None:
            put_rules_in_force(opened.database, *read_text(file_given), opened.clock.now(), who)
        rules = opened.rules()
    book = rules.book
    show(
        {
            "version": rules.version,
            "rulebook": book.name,
            "digest": book.digest,
            "languages": list(book.languages),
            "methods": sorted(book.methods),
            "grounds": sorted(book.grounds),
        },
        [
            styled(f"Version {rules.version}: {book.name}", "bold"),
            table(
                "",
                ["kind", "article", "answer within"],
                [
                    (kind, rule.article[book.languages[0]], str(rule.answer_within))
                    for kind, rule in book.kinds.items()
                ],
            ),
            table(
                "",
                ["method", "points"],
                [(code, str(each.points)) for code, each in sorted(book.methods.items())],
            ),
            table(
                "",
                ["ground", "of"],
                [(code, ", ".join(sorted(each.kinds))) for code, each in sorted(book.grounds.items())],
            ),
        ],
    )


@app.command("withdraw", epilog=EPILOG)
def withdraw_(receipt: Receipt, reason: Reason) -> None:
    """The requester does not ask any more."""
    who = named_actor()
    with store() as opened:
        row = withdraw(opened.paper_tools(), receipt, reason, who)
    _show_stage(row, "Request {receipt} is withdrawn.")


@app.command("list", epilog=EPILOG)
def list_(every: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False) -> None:
    """List requests, the most urgent first. Nobody is named here."""
    with store() as opened, opened.database.read() as session:
        rows = [row for row in all_requests(session) if every or row.stage != Stage.CLOSED]
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


@app.command("show", epilog=EPILOG)
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
            zone = opened.schedule().controller.zone
        value = request_json(row) | {"matches": [_match_json(each) for each in found]}
        lines: list[Any] = [
            styled(f"Request {row.receipt}: {row.kind}", "bold"),
            f"{row.stage}{f', {row.outcome}' if row.outcome else ''}; received {local(row.received_at, zone)}, answer by {row.due_on}",
        ]
        if found:
            lines.append(
                table("", ["recording", "is"], [(each.recording_id, _state(each)) for each in found])
            )
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


def _warn(warnings: Iterable[str]) -> None:
    for each in warnings:
        say(f"Look at the letter: {each}")


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


def _days_left(row: RequestRow, today: date) -> Any:
    days = (row.due_on - today).days
    return styled(days, "bold red" if days < 3 else "yellow" if days < 7 else "")


def _show_stage(row: RequestRow, words: str) -> None:
    show(request_json(row), words.format(receipt=row.receipt, outcome=row.outcome))


def _described(
    opened: App,
    phones: list[str] | None,
    customers: list[str] | None,
    sources: list[str] | None,
    from_: str,
    to: str,
    recordings: list[str] | None,
) -> Described:
    if bool(sources) != bool(from_ and to):
        raise InvalidInput(
            "an interval needs a source, a start and an end", hint="Give --source with --from and --to."
        )
    region = opened.schedule().jurisdiction
    known = [*(phone(each, region) for each in phones or []), *(customer(each) for each in customers or [])]
    return Described(
        identifiers=tuple(each for each in known if isinstance(each, Identifier)),
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
