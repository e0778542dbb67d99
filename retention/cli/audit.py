"""retention audit: verify the trail, export it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.audit.verify import ask, entries, verify_trail
from retention.cli.shared import EPILOG, instant, named_actor, say, show, store, styled
from retention.disposal.verifier import fingerprint
from retention.kernel.canonical import canonical_json
from retention.kernel.errors import AuditChainBroken, InvalidInput

app = typer.Typer(help="The audit trail: verify, export, sign.", no_args_is_help=True)


@app.command(epilog=EPILOG)
def verify() -> None:
    """Read the whole trail and find any entry that was changed, removed or inserted."""
    with store() as opened:
        vouched = ask(opened.witness)
        with opened.database.read() as session:
            verdict = verify_trail(session, vouched, opened.store_id, opened.signer.is_ours)
    value = {
        "ok": verdict.ok,
        "entries": verdict.entries,
        "first_bad": verdict.first_bad,
        "reason": verdict.reason,
        "witnessed": verdict.witnessed,
    }
    show(
        value,
        styled(
            f"The audit trail holds: {verdict.entries} entries, witnessed up to entry {verdict.witnessed}.",
            "green",
        )
        if verdict.ok
        else styled(f"The audit trail does not hold: {verdict.reason}.", "red"),
    )
    if not verdict.ok:
        where = f"the first bad entry is {verdict.first_bad}: " if verdict.first_bad is not None else ""
        raise AuditChainBroken(where + verdict.reason)


@app.command(epilog=EPILOG)
def export(
    out_file: Annotated[
        Path, typer.Option("--out", help="Where to write it, an entry a line; '-' is standard output.")
    ],
    after: Annotated[int, typer.Option(help="Only entries after this number.", min=0)] = 0,
) -> None:
    """Write the trail as JSON lines, as docs/formats/audit.md describes them."""
    who = named_actor()
    count = 0
    with store() as opened:
        with opened.database.read() as session:
            try:
                file = sys.stdout.buffer if str(out_file) == "-" else out_file.open("wb")
                for entry, digest in entries(session, after):
                    line = {
                        "seq": entry.seq,
                        "at": entry.at,
                        "tag": entry.tag,
                        "actor": entry.actor,
                        "subject": entry.subject,
                        "purpose": entry.purpose,
                        "detail": entry.detail,
                        "previous": entry.previous,
                        "digest": digest,
                    }
                    file.write(canonical_json(line) + b"\n")
                    count += 1
                file.flush()
                if str(out_file) != "-":
                    file.close()
            except OSError as error:
                raise InvalidInput(f"{out_file} cannot be written: {error.strerror}") from error
        with opened.database.write() as session:
            record(
                session,
                opened.clock.now(),
                Act(Tag.AUDIT_EXPORTED, who, "", detail={"entries": count, "after": after}),
            )
    say(f"{count} entries in {out_file}.")


@app.command(epilog=EPILOG)
def sign() -> None:
    """Sign the trail's present head as today's root (the nightly bell does it too)."""
    with store() as opened:
        root = opened.sign_root()
    show(
        {"on": root.on, "seq": root.seq, "digest": root.digest, "signed_at": instant(root.signed_at)},
        f"The trail up to entry {root.seq} is signed for {root.on}.",
    )


@app.command("key", epilog=EPILOG)
def key_() -> None:
    """Print the public key that others check our certificates and roots with."""
    with store() as opened:
        public = opened.signer.public_key
    show(
        {"public_key": public.hex(), "fingerprint": fingerprint(public)},
        [f"public key  {public.hex()}", f"fingerprint {fingerprint(public)}"],
    )
