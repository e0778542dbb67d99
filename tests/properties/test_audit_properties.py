"""Whatever an owner of the database does to rows of the trail is found, and the first bad row is named."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select, update
from sqlmodel import Session

from retention.audit.chain import Entry, entry_digest
from retention.audit.record import Act, record
from retention.audit.tables import AuditHeadRow, AuditRow
from retention.audit.tags import Tag
from retention.audit.verify import Verdict, ask, verify_trail
from retention.database import table_of
from tests.builders.house import House

ENTRIES = 9
TRAIL, HEAD = table_of(AuditRow), table_of(AuditHeadRow)
FIELDS = st.sampled_from(["at", "tag", "actor", "subject", "purpose", "detail", "previous", "digest"])
SEQ = st.integers(1, ENTRIES)


@dataclass(frozen=True)
class Tampering:
    """Something that was done to the trail."""

    way: str
    seq: int
    other: int
    field: str
    is_resealed: bool  #: its digest is made to fit
    moves_head: bool  #: the head is made to agree with the last entry


tamperings = st.builds(
    Tampering,
    st.sampled_from(["change", "remove", "cut", "swap", "repeat", "put_before_all", "put_between"]),
    SEQ,
    SEQ,
    FIELDS,
    st.booleans(),
    st.booleans(),
)


def rows_of(connection: Connection) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in connection.execute(select(TRAIL).order_by(TRAIL.c.seq))]


def digest_of(row: dict[str, Any]) -> str:
    return entry_digest(Entry(**{name: value for name, value in row.items() if name != "digest"}))


def changed(value: Any) -> Any:
    return value + timedelta(microseconds=1) if not isinstance(value, str) else f"{value[:-1]}~"


Rows = list[dict[str, Any]]


def change(rows: Rows, done: Tampering) -> tuple[Rows, int]:
    row = rows[done.seq - 1]
    row[done.field] = changed(row[done.field])
    if done.is_resealed:
        row["digest"] = digest_of(row)
    return rows, done.seq


def remove(rows: Rows, done: Tampering) -> tuple[Rows, int]:
    del rows[done.seq - 1]
    return rows, done.seq


def cut(rows: Rows, done: Tampering) -> tuple[Rows, int]:
    return rows[: done.seq - 1], done.seq


def swap(rows: Rows, done: Tampering) -> tuple[Rows, int]:
    one, other = rows[done.seq - 1], rows[done.other - 1]
    one["seq"], other["seq"] = other["seq"], one["seq"]
    return sorted(rows, key=lambda row: int(row["seq"])), min(done.seq, done.other)


def repeat(rows: Rows, done: Tampering) -> tuple[Rows, int]:
    return [*rows, rows[done.seq - 1] | {"seq": ENTRIES + 1}], ENTRIES + 1


def put_before_all(rows: Rows, done: Tampering) -> tuple[Rows, int]:
    return [rows[done.seq - 1] | {"seq": done.other - ENTRIES}, *rows], done.other - ENTRIES


def put_between(rows: Rows, done: Tampering) -> tuple[Rows, int]:
    here = done.seq - 1
    later = [row | {"seq": row["seq"] + 1} for row in rows[here:]]
    put_in = rows[here] | {"actor": "nobody"}
    if done.is_resealed:
        put_in["digest"] = digest_of(put_in)
    return [*rows[:here], put_in, *later], done.seq


WAYS: dict[str, Callable[[Rows, Tampering], tuple[Rows, int]]] = {
    way.__name__: way for way in (change, remove, cut, swap, repeat, put_before_all, put_between)
}


def tamper(rows: Rows, done: Tampering) -> tuple[Rows, int | None]:
    """The rows afterwards, and the first seq that is not as it was written; None when nothing is different."""
    found, first_bad = WAYS[done.way]([dict(row) for row in rows], done)
    return found, None if found == rows else first_bad


def verdict_after(house: House, done: Tampering) -> tuple[Verdict, int | None]:
    """What verification says about a trail that was tampered with; the tampering is undone again."""
    vouched = ask(house.app.witness)
    with house.app.database.engine.connect() as connection, connection.begin() as transaction:
        _drop_triggers(connection)
        before = rows_of(connection)
        rows, first_bad = tamper(before, done)
        connection.execute(delete(TRAIL))
        if rows:
            connection.execute(insert(TRAIL), rows)
        if done.moves_head and rows:
            connection.execute(update(HEAD).values(seq=rows[-1]["seq"], digest=rows[-1]["digest"]))
        with Session(connection, join_transaction_mode="rollback_only") as session:
            verdict = verify_trail(session, vouched, house.app.store_id, house.app.signer.is_ours)
        with suppress(Exception):
            transaction.rollback()
    return verdict, first_bad


def _drop_triggers(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        for verb in ("update", "delete", "replace"):
            connection.exec_driver_sql(f"DROP TRIGGER audit_entry_no_{verb}")
    else:
        connection.exec_driver_sql("ALTER TABLE audit_entry DISABLE TRIGGER ALL")


@pytest.fixture
def trail(new_house: Callable[[], House]) -> House:
    house = new_house()
    with house.app.database.write() as session:
        for number in range(ENTRIES - 1):
            act = Act(Tag.OPENED, f"actor-{number}", f"subject-{number}", "quality", {"n": number})
            record(session, house.clock.now(), act)
    assert house.app.store_id
    return house


@settings(max_examples=120)
@given(done=tamperings)
def test_every_tampering_is_found_and_the_first_bad_entry_is_named(trail: House, done: Tampering) -> None:
    verdict, first_bad = verdict_after(trail, done)
    assert verdict.ok is (first_bad is None)
    if not (done.is_resealed and done.way in {"change", "put_between"}):
        assert verdict.first_bad == first_bad, verdict
    elif first_bad:
        # An entry whose digest was made to fit is only contradicted by what follows it, or by the witness.
        assert verdict.first_bad in {first_bad, first_bad + 1}, verdict
    assert trail.verify() == Verdict(ok=True, entries=ENTRIES, first_bad=None, reason="", witnessed=ENTRIES)
