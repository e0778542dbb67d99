"""retention request package, deliver: make the answer, and hand it over."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from retention.cli.deliveries import delivery_json
from retention.cli.request.common import Receipt, request_json, warn_of
from retention.cli.shared import local, named_actor, say, show, store, whole_file
from retention.disclosure.deliver import Made, hand_over, make_archive, make_link
from retention.disclosure.package import package
from retention.disposal import verifier
from retention.kernel.errors import InvalidInput
from retention.requests.cases import find_request
from retention.requests.papers import PURPOSE
from retention.vault.door import Way

if TYPE_CHECKING:
    from retention.bootstrap import App


def package_(
    receipt: Receipt,
    out: Annotated[Path | None, typer.Option(help="Also write the letter here.")] = None,
    zip_out: Annotated[
        Path | None, typer.Option("--zip", help="Also write the whole package here, not encrypted.")
    ] = None,
    with_verifier: Annotated[
        bool, typer.Option("--with-verifier", help="Write the offline verifier beside the package.")
    ] = False,
) -> None:
    """Make the answer: letter, redacted copies and signed manifest, sealed with the case."""
    who = named_actor()
    with store() as opened:
        made = package(opened.paper_tools(), opened.package_house, receipt, who)
        key = opened.signer.public_key
        if zip_out is not None:
            _write(opened, made.paper_id, zip_out, who)
    if out is not None:
        with whole_file(out) as file:
            file.write(made.letter.pdf)
    if zip_out is not None and with_verifier:
        with whole_file(zip_out.with_name("verify_package.py")) as file:
            file.write(Path(verifier.__file__).read_bytes())
    warn_of(made.letter.warnings)
    value = request_json(made.row) | {
        "package": {"sha256": made.sha256, "size_bytes": made.size_bytes, "files": list(made.names)},
        "public_key": key.hex(),
    }
    show(value, [f"The answer to request {made.row.receipt} is made:", *(f"  {each}" for each in made.names)])
    say(f"Anyone checks it offline: python verify_package.py FILE.zip --key {key.hex()}")


def deliver_(
    receipt: Receipt,
    route: Annotated[str, typer.Option(help="It was handed over: post, registered-post, in-person …")] = "",
    remark: Annotated[str, typer.Option(help="For the request's diary: to whom, by which number.")] = "",
    archive: Annotated[
        Path | None, typer.Option(help="Write it here, encrypted, to be posted; shows a passphrase once.")
    ] = None,
    link: Annotated[
        bool, typer.Option("--link", help="Put it behind a link for one download; shows a passphrase once.")
    ] = False,
    days: Annotated[int | None, typer.Option(help="For how many days the link lives.")] = None,
) -> None:
    """Hand the answer over: in an encrypted archive, behind a link, or as you say it was."""
    who = named_actor()
    if sum((bool(route), archive is not None, link)) != 1:
        raise InvalidInput(
            "an answer is delivered in one way at a time", hint="Give one of --route, --archive and --link."
        )
    with store() as opened:
        zone = opened.schedule().controller.zone
        if archive is not None:
            made = _archive(opened, receipt, archive, who)
            value = _shown(opened, receipt, made) | {"out": str(archive)}
            then = f"When it is posted: `retention request deliver {receipt} --route registered-post`."
            lines = [f"The answer to request {receipt} is in {archive}, encrypted."]
        elif link:
            made = _link(opened, receipt, days, who)
            value = _shown(opened, receipt, made) | {"url": made.url}
            then = (
                "`retention disclosure collect` tells when it was downloaded; the request is delivered then."
            )
            lines = [f"The answer to request {receipt} waits for one download:", f"  {made.url}"]
            lines.append(f"until {local(made.row.expires_at, zone)}." if made.row.expires_at else "")
        else:
            row, entry = hand_over(opened.paper_tools(), opened.outbox, receipt, route, remark, who)
            value = request_json(row) | {"delivery": delivery_json(entry)}
            show(value, f"The answer to request {row.receipt} is delivered.")
            return
    show(value, [*lines, f"Passphrase: {made.passphrase}"])
    say(f"It is shown this once. Tell it in another way than the one it goes by. {then}")


def _archive(opened: "App", receipt: str, out: Path, who: str) -> Made:
    with whole_file(out) as file:
        return make_archive(
            opened.paper_tools(), opened.door, opened.outbox, opened.encrypt_archive, receipt, file, who
        )


def _link(opened: "App", receipt: str, days: int | None, who: str) -> Made:
    lives = opened.settings.link_days if days is None else days
    return make_link(opened.paper_tools(), opened.door, opened.public(), receipt, lives, who)


def _shown(opened: "App", receipt: str, made: Made) -> dict[str, Any]:
    with opened.database.read() as session:
        row = find_request(session, receipt)
    return request_json(row) | {"delivery": delivery_json(made.row), "passphrase": made.passphrase}


def _write(opened: "App", paper_id: str, out: Path, who: str) -> None:
    reader = opened.door.open(opened.schedule(), paper_id, Way(PURPOSE), who, opened.clock.now())
    with whole_file(out) as file:
        file.writelines(reader.chunks())
