"""The register of entrustees: who works for us under which contract, and what they may be given."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.audit.witness import SignedJournal
from retention.kernel.errors import IllegalTransition, InvalidInput, NotFound
from retention.provision.model import Entrustee, Scope
from retention.provision.tables import EntrusteeRow
from retention.schedule.model import Kind, Schedule


def entrustee_of(row: EntrusteeRow) -> Entrustee:
    """The value behind a row."""
    return Entrustee(
        id=row.id,
        name=row.name,
        contract=row.contract,
        from_on=row.from_on,
        until_on=row.until_on,
        scope=Scope(tuple(row.purposes), tuple(row.kinds), tuple(row.sites)),
        sub_entrustees=tuple(row.sub_entrustees),
        review_on=row.review_on,
        ended_on=row.ended_on,
    )


def add_entrustee(
    session: Session, schedule: Schedule, entrustee: Entrustee, at: datetime, actor: str
) -> EntrusteeRow:
    """Put an entrustee into the register, in the caller's transaction; `tell_of_entrustee` follows the commit.

    Raises:
        InvalidInput: The contract has no name or term, its scope no purpose, or the name is taken.
    """
    _check(schedule, entrustee)
    taken = select(EntrusteeRow).where(
        col(EntrusteeRow.name) == entrustee.name, col(EntrusteeRow.ended_on).is_(None)
    )
    if session.execute(taken).first():
        raise InvalidInput(
            f"{entrustee.name} is in the register already",
            hint="End that contract with `retention provision entrustee end`, then add the new one.",
        )
    row = row_of(entrustee, at, actor)
    session.add(row)
    session.flush()
    record(session, at, Act(Tag.ENTRUSTEE_ADDED, actor, row.id, detail=particulars(entrustee)))
    return row


def row_of(entrustee: Entrustee, at: datetime, actor: str) -> EntrusteeRow:
    """The row of an entrustee."""
    said = particulars(entrustee)
    scope = said.pop("scope")
    return EntrusteeRow(**said, **scope, added_at=at, added_by=actor)


def particulars(entrustee: Entrustee) -> dict[str, Any]:
    """An entrustee as JSON, the audit trail and the journal hold it."""
    scope = {name: list(values) for name, values in asdict(entrustee.scope).items()}
    return asdict(entrustee) | {"scope": scope, "sub_entrustees": list(entrustee.sub_entrustees)}


def _check(schedule: Schedule, entrustee: Entrustee) -> None:
    if not entrustee.name or not entrustee.contract:
        raise InvalidInput("an entrustee needs a name and a contract", hint="Give NAME and --contract TEXT.")
    if entrustee.from_on > entrustee.until_on:
        raise InvalidInput("the contract ends before it starts", hint="Swap --from and --until.")
    strange = sorted(set(entrustee.scope.purposes) - schedule.purposes.keys())
    if strange or not entrustee.scope.purposes:
        raise InvalidInput(
            f"the policy has no purpose {', '.join(strange)}" if strange else "the scope names no purpose",
            hint=f"It has {', '.join(sorted(schedule.purposes))}.",
        )
    unknown = sorted(set(entrustee.scope.kinds) - {Kind.CALL, Kind.FOOTAGE})
    if unknown:
        raise InvalidInput(
            f"there are no recordings of kind {', '.join(unknown)}", hint="Use call or footage."
        )


def end_entrustee(session: Session, name: str, on: date, at: datetime, actor: str) -> EntrusteeRow:
    """End a contract: from this day on nothing is given under it; `tell_of_entrustee` follows the commit.

    Raises:
        NotFound: There is no such entrustee.
        IllegalTransition: It has ended.
    """
    row = find_entrustee(session, name)
    if row.ended_on is not None:
        raise IllegalTransition(f"the contract with {row.name} has ended on {row.ended_on}")
    row.ended_on = on
    session.add(row)
    record(session, at, Act(Tag.ENTRUSTEE_ENDED, actor, row.id, detail={"on": on}))
    return row


def tell_of_entrustee(journal: SignedJournal, row: EntrusteeRow, at: datetime) -> None:
    """Tell the journal how an entrustee stands in the register now."""
    told = {"added_at": row.added_at, "added_by": row.added_by}
    journal.write("entrustee-registered", at, {"entrustee": particulars(entrustee_of(row)), **told})


def find_entrustee(session: Session, name: str) -> EntrusteeRow:
    """The entrustee with this name or id; the newest where a contract was renewed.

    Raises:
        NotFound: The register has none.
    """
    named = or_(col(EntrusteeRow.name) == name, col(EntrusteeRow.id) == name)
    statement = select(EntrusteeRow).where(named).order_by(col(EntrusteeRow.id).desc()).limit(1)
    row: EntrusteeRow | None = session.execute(statement).scalar_one_or_none()
    if row is None:
        raise NotFound(
            f"the register has no entrustee {name!r}", hint="`retention provision entrustee list` shows them."
        )
    return row


def all_entrustees(session: Session) -> list[Entrustee]:
    """The register, oldest first."""
    rows = session.execute(select(EntrusteeRow).order_by(col(EntrusteeRow.id))).scalars()
    return [entrustee_of(row) for row in rows]
