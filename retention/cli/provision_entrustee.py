"""retention provision entrustee: the register of processors."""

from typing import Annotated, Any

import typer

from retention.cli.shared import EPILOG, named_actor, parse_date, show, store, styled, table
from retention.kernel.ids import new_id
from retention.provision.entrustees import (
    add_entrustee,
    all_entrustees,
    end_entrustee,
    entrustee_of,
    particulars,
    tell_of_entrustee,
)
from retention.provision.model import Entrustee, Scope

app = typer.Typer(help="The register of entrustees: contracts and what they cover.", no_args_is_help=True)


@app.command("add", epilog=EPILOG)
def add_(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The business.")],
    contract: Annotated[str, typer.Option(help="Title and number of the contract.")],
    from_: Annotated[str, typer.Option("--from", help="First day of the contract.")],
    until: Annotated[str, typer.Option(help="Last day of the contract.")],
    purpose: Annotated[list[str], typer.Option(help="A purpose that is entrusted; repeatable.")],
    review: Annotated[str, typer.Option(help="When it must be looked at again.")],
    kind: Annotated[
        list[str] | None, typer.Option(help="call or footage; both when left out; repeatable.")
    ] = None,
    site: Annotated[
        list[str] | None, typer.Option(help="A site; every site when left out; repeatable.")
    ] = None,
    sub_entrustee: Annotated[
        list[str] | None, typer.Option(help="Whom it entrusts further; repeatable.")
    ] = None,
) -> None:
    """Put an entrustee into the register."""
    who = named_actor()
    with store() as opened:
        now = opened.clock.now()
        entrustee = Entrustee(
            id=new_id(now),
            name=name.strip(),
            contract=contract.strip(),
            from_on=parse_date(from_),
            until_on=parse_date(until),
            scope=Scope(tuple(purpose), tuple(kind or ()), tuple(site or ())),
            sub_entrustees=tuple(sub_entrustee or ()),
            review_on=parse_date(review),
        )
        with opened.database.write() as session:
            row = add_entrustee(session, opened.schedule(), entrustee, now, who)
        tell_of_entrustee(opened.journal, row, now)
    show(particulars(entrustee), f"{entrustee.name} is in the register: {entrustee.id}.")


@app.command("list", epilog=EPILOG)
def list_() -> None:
    """List entrustees, ended contracts too."""
    with store() as opened:
        today = opened.today()
        with opened.database.read() as session:
            found = all_entrustees(session)
    show(
        [particulars(each) | {"live": each.is_live(today)} for each in found],
        table(
            "Entrustees",
            ["id", "name", "contract", "from", "until", "covers", "review"],
            [
                (
                    each.id,
                    each.name,
                    each.contract,
                    each.from_on,
                    _until(each, each.is_live(today)),
                    ", ".join((*each.scope.purposes, *each.scope.kinds, *each.scope.sites)),
                    styled(each.review_on, "bold red" if each.review_on <= today else ""),
                )
                for each in found
            ],
        )
        if found
        else "The register is empty.",
    )


def _until(entrustee: Entrustee, is_live: bool) -> Any:
    return styled(entrustee.ended_on or entrustee.until_on, "" if is_live else "red")


@app.command("end", epilog=EPILOG)
def end_(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name or id.")],
    on: Annotated[
        str, typer.Option(help="First day on which the contract is not in force; today by default.")
    ] = "",
) -> None:
    """End a contract: nothing is given under it from that day on."""
    who = named_actor()
    with store() as opened:
        now, day = opened.clock.now(), parse_date(on) if on else opened.today()
        with opened.database.write() as session:
            row = end_entrustee(session, name, day, now, who)
        tell_of_entrustee(opened.journal, row, now)
    show(particulars(entrustee_of(row)), f"The contract with {row.name} ends on {row.ended_on}.")
