"""Hold the catalogue's rows against the vault's listing, side by side, in one pass.

Both come in ascending order of names, so the pass holds one row, one listed
object and a batch of strangers, however large the archive is. The rows are one
consistent view of the catalogue; the listing is not: what arrived meanwhile is
young and never called an orphan, and what went meanwhile is looked at again by
the caller before it is called missing.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, collate, func, literal, select, union_all
from sqlmodel import Session, col

from retention.audit.tables import AuditRow
from retention.audit.tags import Tag
from retention.catalogue.model import ORIGINAL
from retention.catalogue.states import State
from retention.catalogue.tables import IntakeRow, ObjectRow, RecordingRow
from retention.custody.model import INTAKE_AGE, Kind
from retention.database import Database, table_of
from retention.ingest.tables import QuarantineRow
from retention.kernel.errors import CatalogueDisagrees
from retention.vault.model import ObjectName, ObjectStore, Sealed, object_name, parse_name

READ_AT_ONCE = 5_000
STRANGERS_AT_ONCE = 500
#: An id's random end, by which the vault's folders are ordered, begins here (counted from 1).
SHARD_FROM = 25

Listed = tuple[ObjectName, int, datetime]
Named = TypeVar("Named")


@dataclass(frozen=True, slots=True)
class Expected:
    """An object that the catalogue knows."""

    sealed: Sealed
    owner: str  #: its recording's state, or "quarantined"

    @property
    def must_be_there(self) -> bool:
        """Whether its absence is a loss: while a recording is disposed of, its bytes may be gone."""
        return self.owner in {State.SEALED, State.QUARANTINED}


@dataclass(frozen=True, slots=True)
class Known:
    """An object that the catalogue knows, and what the vault holds of it."""

    expected: Expected
    stored_bytes: int | None  #: None: the vault does not hold it


@dataclass(frozen=True, slots=True)
class Stranger:
    """An object that the vault holds and the catalogue does not know, and that is no intake."""

    name: ObjectName
    stored_bytes: int
    stored_at: datetime
    kind: Kind  #: ORPHAN, STRANDED or UNDEAD


def walk(session: Session, store: ObjectStore, now: datetime) -> Iterator[Known | Stranger]:
    """Everything that the catalogue or the vault knows, in order of names; strangers a little late.

    On SQLite `session` comes from `Database.sorting_on_disk`: the rows are sorted by name.
    """
    classify = _Classifier(session, now)
    waiting: list[Listed] = []
    for expected, listed in pair_up(expected_objects(session), store.list_names()):
        if expected is not None:
            yield Known(expected, listed[1] if listed else None)
        elif listed is not None and classify.is_stranger(listed):
            waiting.append(listed)
        if len(waiting) >= STRANGERS_AT_ONCE:
            yield from classify(waiting)
            waiting = []
    yield from classify(waiting)


def expected_objects(session: Session) -> Iterator[Expected]:
    """Every object that the catalogue knows, in ascending order of names, streamed."""
    with session.execute(_statement(session).execution_options(yield_per=READ_AT_ONCE)) as rows:
        for row in rows:
            sealed = Sealed(
                name=object_name(row.id, row.role, row.version),
                role=row.role,
                size_bytes=row.size_bytes,
                stored_bytes=row.stored_bytes,
                sha256=row.sha256,
                commitment=row.commitment,
            )
            yield Expected(sealed, row.owner)


def _statement(session: Session) -> Select[Any]:
    sealed, recording, aside = table_of(ObjectRow), table_of(RecordingRow), table_of(QuarantineRow)
    facts = ("size_bytes", "stored_bytes", "sha256", "commitment")
    found = union_all(
        select(
            sealed.c.recording_id.label("id"),
            sealed.c.role,
            sealed.c.version,
            *(sealed.c[name] for name in facts),
            recording.c.state.label("owner"),
        ).join(recording, recording.c.id == sealed.c.recording_id),
        select(
            aside.c.id,
            literal(ORIGINAL).label("role"),
            literal(1).label("version"),
            *(aside.c[name] for name in facts),
            literal(str(State.QUARANTINED)).label("owner"),
        ).where(aside.c.state == "waiting", aside.c.stored_bytes.is_not(None)),
    ).subquery()
    order = (func.substr(found.c.id, SHARD_FROM), found.c.id, found.c.role)
    return select(found).order_by(*(_by_byte(session, column) for column in order))


def _by_byte(session: Session, column: ColumnElement[str]) -> ColumnElement[str]:
    """PostgreSQL would order by the database's language; the vault orders by code point."""
    return column if session.get_bind().dialect.name == "sqlite" else collate(column, "C")


def pair_up(
    expected: Iterable[Expected], listed: Iterable[Listed]
) -> Iterator[tuple[Expected | None, Listed | None]]:
    """Each name once, in order, with who knows it: the catalogue, the vault, or both.

    Raises:
        CatalogueDisagrees: One side is not in ascending order, so nothing can be said.
    """
    rows = _ascending((each.sealed.name, each) for each in expected)
    objects = _ascending((each[0], each) for each in listed)
    row, found = next(rows, None), next(objects, None)
    while row is not None or found is not None:
        if found is None or (row is not None and row[0] < found[0]):
            assert row is not None
            yield row[1], None
            row = next(rows, None)
        elif row is None or found[0] < row[0]:
            yield None, found[1]
            found = next(objects, None)
        else:
            yield row[1], found[1]
            row, found = next(rows, None), next(objects, None)


def _ascending(named: Iterable[tuple[str, Named]]) -> Iterator[tuple[str, Named]]:
    last = ""
    for name, each in named:
        if name <= last:
            raise CatalogueDisagrees(
                f"{name} was listed after {last}: the names do not come in order",
                hint="The object store does not list as it must; run `retention doctor`.",
            )
        last = name
        yield name, each


class _Classifier:
    """Tells what the strangers of one walk are."""

    def __init__(self, session: Session, now: datetime) -> None:
        self._session = session
        self._now = now
        self._intakes = frozenset(session.execute(select(col(IntakeRow.recording_id))).scalars())
        self._lost = lost_intervals(session)

    def is_stranger(self, listed: Listed) -> bool:
        """Whether it is not noted as an intake."""
        return parse_name(listed[0])[0] not in self._intakes

    def __call__(self, listed: list[Listed]) -> Iterator[Stranger]:
        """What each of them is; nothing of those that are young enough to be on their way in."""
        table = table_of(RecordingRow)
        ids = {parse_name(name)[0] for name, _, _ in listed}
        gone = select(table.c.id).where(table.c.id.in_(ids), table.c.state == State.DISPOSED)
        disposed = frozenset(self._session.execute(gone).scalars()) if ids else frozenset()
        present = select(col(ObjectRow.recording_id), col(ObjectRow.version)).where(
            col(ObjectRow.recording_id).in_(ids), col(ObjectRow.role) == ORIGINAL
        )
        versions = {row[0]: row[1] for row in self._session.execute(present)} if ids else {}
        for name, stored_bytes, stored_at in listed:
            recording_id, _, version = parse_name(name)
            is_undead = recording_id in disposed or version < versions.get(recording_id, 1)
            if is_undead or stored_at <= self._now - INTAKE_AGE:
                yield Stranger(name, stored_bytes, stored_at, self._kind(is_undead, stored_at))

    def _kind(self, is_undead: bool, stored_at: datetime) -> Kind:
        if is_undead:
            return Kind.UNDEAD
        lost = any(start <= stored_at <= end for start, end in self._lost)
        return Kind.STRANDED if lost else Kind.ORPHAN


def lost_intervals(session: Session) -> list[tuple[datetime, datetime]]:
    """When recordings were sealed whose rows a restored backup did not know."""
    details = session.execute(select(col(AuditRow.detail)).where(col(AuditRow.tag) == Tag.RESTORED)).scalars()
    found: list[tuple[datetime, datetime]] = []
    for detail in map(json.loads, details):
        start = datetime.fromisoformat(detail["made_at"]) - INTAKE_AGE
        # The store's clock is not ours.
        found.append((start, datetime.fromisoformat(detail["restored_at"]) + timedelta(hours=1)))
    return found


def expected_owner(session: Session, sealed: Sealed) -> str | None:
    """The state of an object's recording as it is now, or "quarantined"; None: the catalogue does not know it."""
    recording_id, role, version = parse_name(sealed.name)
    item = session.get(QuarantineRow, recording_id)
    if item is not None and item.state == "waiting":
        return str(State.QUARANTINED)
    known = session.get(ObjectRow, (recording_id, role))
    if known is None or known.version != version:
        return None
    table = table_of(RecordingRow)
    found: str | None = session.execute(
        select(table.c.state).where(table.c.id == recording_id)
    ).scalar_one_or_none()
    return found


def is_still_missing(database: Database, store: ObjectStore, expected: Expected) -> bool:
    """Whether an object that seemed lost is: the service goes on while we look."""
    with database.read() as session:
        owner = expected_owner(session, expected.sealed)
    return owner == expected.owner and store.size_of(expected.sealed.name) is None
