"""Tables as text and back: the same text from SQLite and PostgreSQL.

A row is a JSON array on a line, its values in the order of the columns that
the manifest names. Bytes are base64, instants ISO 8601 in UTC with a Z, dates
ISO 8601. A table is cut into parts, so that a part fits in memory.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Date, DateTime, LargeBinary, Table, func, insert, select
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session, SQLModel

from retention.kernel.canonical import isoformat
from retention.kernel.errors import CatalogueDisagrees

PART_ROWS = 5_000
_FOLDER = "tables"

Codec = Callable[[Any], Any]


def all_tables() -> list[Table]:
    """Every table of the service, each after those it refers to."""
    return list(SQLModel.metadata.sorted_tables)


def columns_of_all() -> dict[str, list[str]]:
    """The columns of every table, in order."""
    return {table.name: [column.name for column in table.columns] for table in all_tables()}


def count_rows(session: Session) -> dict[str, int]:
    """How many rows each table has."""
    return {
        table.name: int(session.execute(select(func.count()).select_from(table)).scalar_one())
        for table in all_tables()
    }


def dump_tables(session: Session) -> Iterator[tuple[str, bytes]]:
    """Name and content of each part of each table, streamed."""
    for table in all_tables():
        encoders = [_encoder(column) for column in table.columns]
        with session.execute(select(table).execution_options(yield_per=PART_ROWS)) as rows:
            for number, some in enumerate(rows.partitions(PART_ROWS)):
                content = b"".join(_line(encoders, row) for row in some)
                yield f"{_FOLDER}/{table.name}/{number:06}.jsonl", content


def _line(encoders: list[Codec], row: Any) -> bytes:
    values = [value if value is None else encode(value) for encode, value in zip(encoders, row, strict=True)]
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def load_part(session: Session, name: str, content: bytes) -> int:
    """Insert the rows of one part; how many. Members that are no part are left alone.

    Raises:
        CatalogueDisagrees: There is no such table.
    """
    folder, _, rest = name.partition("/")
    if folder != _FOLDER:
        return 0
    table = SQLModel.metadata.tables.get(rest.partition("/")[0])
    if table is None:
        raise CatalogueDisagrees(f"the backup holds {name}, a table that this version does not know")
    decoders = {column.name: _decoder(column) for column in table.columns}
    rows = [
        {
            key: value if value is None else decode(value)
            for (key, decode), value in zip(decoders.items(), json.loads(line), strict=True)
        }
        for line in content.splitlines()
    ]
    if rows:
        session.execute(insert(table), rows)
    return len(rows)


def _kind(column: Column[Any]) -> type[Any]:
    found = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    return next((kind for kind in (LargeBinary, DateTime, Date) if isinstance(found, kind)), object)


def _encoder(column: Column[Any]) -> Codec:
    codecs: dict[type[Any], Codec] = {
        LargeBinary: lambda value: b64encode(value).decode("ascii"),
        DateTime: isoformat,
        Date: date.isoformat,
    }
    return codecs.get(_kind(column), _same)


def _decoder(column: Column[Any]) -> Codec:
    codecs: dict[type[Any], Codec] = {
        LargeBinary: b64decode,
        DateTime: datetime.fromisoformat,
        Date: date.fromisoformat,
    }
    return codecs.get(_kind(column), _same)


def _same(value: Any) -> Any:
    return value
