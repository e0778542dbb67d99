"""A large catalogue, quickly: rows as ingest would have written them, without the bytes.

An archive of a company with 20 sites: footage of the last month, calls of the
last half year (two purposes, two cohorts), and statutory calls of seven years,
so that there are tens of thousands of lots. Counts per lot are exact. A caller
is in about ten calls, an agent of the call centre in one of a thousand, and each
call has its recorder's own id. Digests and wrapped keys are random, so the indexes are
as scattered as a real archive's: nothing here can be opened.

SQLite only, and nobody else may have the database open: rows go in without a
journal, and droppable indexes are made after.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from itertools import count
from pathlib import Path

from retention.catalogue.lots import LotKey, digest_of_reasons

ZONE = "Asia/Tokyo"
SITES = tuple(f"site-{number:02d}" for number in range(20))
CALLS_A_PERSON = 10
AGENTS = 1_000
_CACHE_KIB = 3_000_000
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_FILLED = ("recording", "wrap", "object", "identifier")


@dataclass(frozen=True, slots=True)
class Group:
    """Recordings of one kind, alike in their purposes, spread evenly over days and sites."""

    share: float  #: of the archive
    kind: str
    purposes: tuple[tuple[str, str], ...]  #: (purpose, class)
    days: int  #: how many days it spans
    newest: int = 1  #: how many days ago the newest was made


GROUPS = (
    Group(0.5, "footage", (("crime-prevention", "cctv.general"),), 30),
    Group(
        0.35,
        "call",
        (("service-quality", "calls.service-quality"), ("customer-inquiry", "calls.customer-inquiry")),
        180,
    ),
    Group(0.15, "call", (("statutory", "calls.statutory"),), 2550),
)

Blind = Callable[[str, int], bytes]
NewKey = Callable[[], str]


def blind_of(kind: str, number: int) -> bytes:
    """A blind index that is nobody's."""
    return blake2b(number.to_bytes(8, "big"), digest_size=16, person=kind.encode()).digest()


def fill(
    database: Path,
    recordings: int,
    today: date,
    size_bytes: int = 500_000,
    *,
    groups: Sequence[Group] = GROUPS,
    blind: Blind = blind_of,
    new_key: NewKey | None = None,
) -> int:
    """Fill an empty catalogue with about `recordings` recordings; how many there are.

    Args:
        database: The catalogue's file, with its schema.
        recordings: How many are wanted.
        today: The day before which the newest were made.
        size_bytes: Of each.
        groups: What there is of which kind.
        blind: The blind index of an identifier by its kind: "phone", "call-agent" and "native" 0, 1, 2 …
        new_key: Makes a cohort's key; an id without a key where there is none.
    """
    connection = sqlite3.connect(database)
    connection.create_function("blind", 2, blind, deterministic=True)
    connection.executescript(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;"
        f"PRAGMA cache_size = -{_CACHE_KIB}; PRAGMA temp_store = MEMORY; PRAGMA threads = 2;"
    )
    indexes = _drop_indexes(connection)
    connection.execute("BEGIN")
    filler = _Filler(connection, today, size_bytes, new_key or _key_of_nobody())
    filler.add_sources()
    for group in groups:
        filler.add(group, recordings)
    filler.add_what_hangs_on_recordings(max(1, recordings // CALLS_A_PERSON))
    connection.commit()
    for statement in indexes:
        connection.execute(statement)
    connection.executescript(
        "ANALYZE; PRAGMA locking_mode = NORMAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
    )
    connection.close()
    return filler.recordings


def _key_of_nobody() -> NewKey:
    numbers = count()
    return lambda: f"{next(numbers):016x}"


def _drop_indexes(connection: sqlite3.Connection) -> list[str]:
    """Drop the indexes that can be made at the end; the statements that make them."""
    marks = ", ".join("?" * len(_FILLED))
    found = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        f" AND tbl_name IN ({marks})",
        _FILLED,
    ).fetchall()
    for name, _ in found:
        connection.execute(f"DROP INDEX {name}")
    return [sql for _, sql in found]


@dataclass(frozen=True, slots=True)
class _Lot:
    id: int
    kind: str
    site: str
    day: date
    recordings: int


class _Filler:
    """Adds groups, and keeps count."""

    def __init__(self, connection: sqlite3.Connection, today: date, size_bytes: int, new_key: NewKey) -> None:
        self.recordings = 0
        self._connection = connection
        self._today = today
        self._size_bytes = size_bytes
        self._new_key = new_key
        self._cohorts: dict[tuple[str, date], int] = {}
        self._lots = 0
        self._reasons: dict[tuple[tuple[int, str], ...], int] = {}

    def add_sources(self) -> None:
        for site in SITES:
            for kind in ("call", "footage"):
                self._connection.execute(
                    "INSERT INTO source (id, kind, site, zone, area, owner, notice, purposes, clock_error_s,"
                    " channels, mount, raw_format, longest_s, registered_at)"
                    " VALUES (?, ?, ?, ?, '', '', '', '[]', 0, '[]', '', '', 180, '2020-01-01 00:00:00.000000')",
                    (f"{kind}-{site}", kind, site, ZONE),
                )

    def add(self, group: Group, of: int) -> None:
        """The group's cohorts, lots and recordings, oldest last; spread so that the total comes out."""
        wanted = round(of * group.share)
        places = group.days * len(SITES)
        for place, lot in enumerate(self._make_lots(group, wanted, places)):
            self._add_recordings(lot, (place * 7) % 600)

    def _make_lots(self, group: Group, wanted: int, places: int) -> Iterator[_Lot]:
        place = 0
        for back in range(group.days):
            day = self._today - timedelta(days=group.newest + back)
            members = [(self._cohort(name, day), purpose) for purpose, name in group.purposes]
            for site in SITES:
                recordings = wanted * (place + 1) // places - wanted * place // places
                place += 1
                if recordings:
                    yield self._lot(group.kind, site, day, members, recordings)

    def _cohort(self, class_name: str, day: date) -> int:
        known = self._cohorts.get((class_name, day))
        if known is None:
            known = self._cohorts[class_name, day] = len(self._cohorts) + 1
            self._connection.execute(
                "INSERT INTO cohort (id, name, class_name, zone, trigger_on, reference, key_id, state)"
                " VALUES (?, ?, ?, ?, ?, '', ?, 'active')",
                (known, f"{class_name}@{ZONE}@{day}", class_name, ZONE, day.isoformat(), self._new_key()),
            )
        return known

    def _lot(self, kind: str, site: str, day: date, members: list[tuple[int, str]], recordings: int) -> _Lot:
        self._lots += 1
        signature = LotKey(kind, site, ZONE, "", frozenset(members)).signature
        self._connection.execute(
            "INSERT INTO lot (id, signature, kind, site, zone, area, reasons_id, holds, restricted, living,"
            " recordings, size_bytes) VALUES (?, ?, ?, ?, ?, '', ?, 0, 0, ?, ?, ?)",
            (
                self._lots,
                signature,
                kind,
                site,
                ZONE,
                self._reasons_of(members),
                len(members),
                recordings,
                recordings * self._size_bytes,
            ),
        )
        return _Lot(self._lots, kind, site, day, recordings)

    def _reasons_of(self, members: list[tuple[int, str]]) -> int:
        known = self._reasons.get(tuple(members))
        if known is None:
            known = self._reasons[tuple(members)] = len(self._reasons) + 1
            self._connection.execute(
                "INSERT INTO reasons (id, digest) VALUES (?, ?)", (known, digest_of_reasons(members))
            )
            self._connection.executemany(
                "INSERT INTO reason (cohort_id, reasons_id, purpose) VALUES (?, ?, ?)",
                [(cohort, known, purpose) for cohort, purpose in members],
            )
        return known

    def _add_recordings(self, lot: _Lot, offset_s: int) -> None:
        """A lot's recordings, evenly over its day; ids grow, as those of arriving recordings do."""
        midnight = datetime(lot.day.year, lot.day.month, lot.day.day, tzinfo=UTC) - timedelta(hours=9)
        first = midnight + timedelta(seconds=offset_s)
        self._connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?2)"
            " INSERT INTO recording (id, source_id, kind, native_index, sha256, size_bytes, started_at, ended_at,"
            " received_at, claimed_start, time_basis, state, lot_id, facts)"
            " SELECT printf('01%08X', ?1 + i) || hex(randomblob(7))"
            " || substr(?8, 1 + abs(random() % 32), 1) || substr(?8, 1 + abs(random() % 32), 1),"
            " ?3, ?4, CASE ?4 WHEN 'call' THEN blind('native', ?1 + i) ELSE x'' END, randomblob(32), ?5,"
            " strftime('%Y-%m-%d %H:%M:%S.000000', ?6, '+' || (i * 86000 / ?2) || ' seconds'),"
            " strftime('%Y-%m-%d %H:%M:%S.000000', ?6, '+' || (i * 86000 / ?2 + 180) || ' seconds'),"
            " ?9, '', 'manifest', 'sealed', ?7, '{}' FROM n",
            (
                self.recordings,
                lot.recordings,
                f"{lot.kind}-{lot.site}",
                lot.kind,
                self._size_bytes,
                f"{first:%Y-%m-%d %H:%M:%S}",
                lot.id,
                _CROCKFORD,
                f"{first + timedelta(days=1):%Y-%m-%d %H:%M:%S}.000000",
            ),
        )
        self.recordings += lot.recordings

    def add_what_hangs_on_recordings(self, persons: int) -> None:
        """Wraps, objects and identifiers of every recording."""
        self._connection.execute(
            "INSERT INTO wrap (recording_id, key_id, wrapped)"
            " SELECT recording.id, cohort.key_id, randomblob(61) FROM recording"
            " CROSS JOIN lot ON lot.id = recording.lot_id"
            " CROSS JOIN reason ON reason.reasons_id = lot.reasons_id"
            " CROSS JOIN cohort ON cohort.id = reason.cohort_id"
        )
        self._connection.execute(
            "INSERT INTO object (recording_id, role, size_bytes, stored_bytes, sha256, commitment)"
            " SELECT id, 'original', size_bytes, size_bytes + 200, sha256, randomblob(32) FROM recording"
        )
        self._connection.execute(
            "INSERT INTO identifier (blind, recording_id)"
            " SELECT blind('phone', abs(rowid * 2654435761) % ?), id FROM recording WHERE kind = 'call'"
            " UNION ALL SELECT blind('call-agent', rowid % ?), id FROM recording WHERE kind = 'call'"
            " UNION ALL SELECT native_index, id FROM recording WHERE kind = 'call'"
            " ORDER BY 1, 2",
            (persons, AGENTS),
        )
