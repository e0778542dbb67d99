"""retention do-not-record: callers whose calls are never kept."""

from typing import Annotated

import typer
from sqlalchemy import delete, func, select
from sqlmodel import col

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.catalogue.journal import tell_of_do_not_record
from retention.catalogue.tables import DoNotRecordRow
from retention.cli.recording import identifiers
from retention.cli.shared import EPILOG, named_actor, show, store
from retention.kernel.errors import InvalidInput, NotFound

app = typer.Typer(help="Callers who are not to be recorded.", no_args_is_help=True)

Phone = Annotated[str, typer.Option(help="A telephone number.")]
Customer = Annotated[str, typer.Option(help="A customer's id.")]


@app.command(epilog=EPILOG)
def add(phone: Phone = "", customer: Customer = "") -> None:
    """Dispose of this person's recordings at once from now on. Earlier ones need a request for erasure."""
    who = named_actor()
    with store() as opened:
        blinds = identifiers(opened, {"phone": phone, "customer": customer})
        if not blinds:
            raise InvalidInput("name the person", hint="Give --phone or --customer.")
        now = opened.clock.now()
        with opened.database.write() as session:
            for blind in blinds:
                session.merge(DoNotRecordRow(blind=blind, added_at=now, added_by=who))
            record(session, now, Act(Tag.DO_NOT_RECORD_ADDED, who, "", detail={"identifiers": len(blinds)}))
        tell_of_do_not_record(opened.journal, now, who, added=blinds)
    show({"added": len(blinds)}, "This person's recordings will be disposed of at once.")


@app.command(epilog=EPILOG)
def remove(phone: Phone = "", customer: Customer = "") -> None:
    """Record this person again."""
    who = named_actor()
    with store() as opened:
        blinds = identifiers(opened, {"phone": phone, "customer": customer})
        now = opened.clock.now()
        with opened.database.write() as session:
            found = session.execute(
                select(func.count()).select_from(DoNotRecordRow).where(col(DoNotRecordRow.blind).in_(blinds))
            ).scalar_one()
            if not found:
                raise NotFound("this person is not on the do-not-record list")
            session.execute(delete(DoNotRecordRow).where(col(DoNotRecordRow.blind).in_(blinds)))
            record(session, now, Act(Tag.DO_NOT_RECORD_REMOVED, who, "", detail={"identifiers": found}))
        tell_of_do_not_record(opened.journal, now, who, removed=blinds)
    show({"removed": found}, "This person is no longer on the list.")


@app.command("list", epilog=EPILOG)
def list_() -> None:
    """Say how many are on the list; the list itself cannot be read back."""
    with store() as opened, opened.database.read() as session:
        count = session.execute(select(func.count()).select_from(DoNotRecordRow)).scalar_one()
    show({"identifiers": count}, f"{count} identifiers are on the do-not-record list.")
