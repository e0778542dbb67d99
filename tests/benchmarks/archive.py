"""A large catalogue, quickly: rows as ingest would have written them, without the bytes.

An archive of a company with 20 sites: footage of the last month, calls of the
last year (two purposes, two cohorts), and statutory calls of seven years, so
that there are tens of thousands of lots. Counts per lot are exact. Data keys
and identifiers are random: nothing here can be opened.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from retention.catalogue.lots import LotKey

ZONE = "Asia/Tokyo"
SITES = tuple(f"site-{number:02d}" for number in range(20))
#: The share of the archive, the class of each purpose, and how many days it reaches back.
SHARES: tuple[tuple[float, str, tuple[tuple[str, str], ...], int], ...] = (
    (0.5, "footage", (("crime-prevention", "cctv.general"),), 30),
    (
        0.35,
        "call",
        (("service-quality", "calls.service-quality"), ("customer-inquiry", "calls.customer-inquiry")),
        180,
    ),
    (0.15, "call", (("statutory", "calls.statutory"),), 2550),
)


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot to be filled."""

    id: int
    kind: str
    site: str
    day: date
    recordings: int


def fill(database: Path, recordings: int, today: date, size_bytes: int = 500_000) -> int:
    """Fill an empty catalogue with about `recordings` recordings; how many there are."""
    connection = sqlite3.connect(database)
    connection.executescript(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -500000;"
    )
    _sources(connection)
    cohorts: dict[tuple[str, date], int] = {}
    total = 0
    for lot in _lots(connection, cohorts, recordings, today, size_bytes):
        _fill_lot(connection, lot, total, size_bytes)
        total += lot.recordings
    connection.commit()
    connection.executescript("PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE); ANALYZE;")
    connection.close()
    return total


def _sources(connection: sqlite3.Connection) -> None:
    for site in SITES:
        for kind in ("call", "footage"):
            connection.execute(
                "INSERT INTO source (id, kind, site, zone, area, owner, notice, purposes, clock_error_s, channels,"
                " mount, raw_format, registered_at) VALUES (?, ?, ?, ?, '', '', '', '[]', 0, '[]', '', '', ?)",
                (f"{kind}-{site}", kind, site, ZONE, "2020-01-01 00:00:00.000000"),
            )


def _lots(
    connection: sqlite3.Connection,
    cohorts: dict[tuple[str, date], int],
    recordings: int,
    today: date,
    size_bytes: int,
) -> Iterator[Lot]:
    number = 0
    for share, kind, purposes, days in SHARES:
        each = max(1, round(recordings * share / (days * len(SITES))))
        for back in range(days):
            day = today - timedelta(days=back + 1)
            members = []
            for purpose, class_name in purposes:
                if (class_name, day) not in cohorts:
                    cohorts[class_name, day] = _cohort(connection, class_name, day)
                members.append((cohorts[class_name, day], purpose))
            for site in SITES:
                number += 1
                _lot(connection, number, kind, site, members, each, size_bytes)
                yield Lot(number, kind, site, day, each)


def _cohort(connection: sqlite3.Connection, class_name: str, day: date) -> int:
    found = connection.execute(
        "INSERT INTO cohort (name, class_name, zone, trigger_on, reference, key_id, state)"
        " VALUES (?, ?, ?, ?, '', lower(hex(randomblob(8))), 'active')",
        (f"{class_name}@{ZONE}@{day}", class_name, ZONE, day.isoformat()),
    ).lastrowid
    assert found is not None
    return found


def _lot(
    connection: sqlite3.Connection,
    number: int,
    kind: str,
    site: str,
    members: list[tuple[int, str]],
    recordings: int,
    size_bytes: int,
) -> None:
    key = LotKey(kind, site, ZONE, "", frozenset(members))
    connection.execute(
        "INSERT INTO lot (id, signature, kind, site, zone, area, holds, restricted, living, recordings, size_bytes)"
        " VALUES (?, ?, ?, ?, ?, '', 0, 0, ?, ?, ?)",
        (number, key.signature, kind, site, ZONE, len(members), recordings, recordings * size_bytes),
    )
    connection.executemany(
        "INSERT INTO lot_cohort (cohort_id, lot_id, purpose) VALUES (?, ?, ?)",
        [(cohort, number, purpose) for cohort, purpose in members],
    )


def _fill_lot(connection: sqlite3.Connection, lot: Lot, first: int, size_bytes: int) -> None:
    start = datetime(lot.day.year, lot.day.month, lot.day.day, 1, tzinfo=UTC)
    end = start + timedelta(minutes=5)
    connection.execute(
        "WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1 + ?2)"
        " INSERT INTO recording (id, source_id, kind, native_index, sha256, size_bytes, started_at, ended_at,"
        " received_at, claimed_start, time_basis, state, lot_id, facts)"
        " SELECT '01' || printf('%08X', i) || hex(randomblob(8)), ?3, ?4, x'', randomblob(32), ?5, ?6, ?7, ?7, '',"
        " 'manifest', 'sealed', ?8, '{}' FROM n",
        (
            first,
            lot.recordings,
            f"{lot.kind}-{lot.site}",
            lot.kind,
            size_bytes,
            f"{start:%Y-%m-%d %H:%M:%S}.000000",
            f"{end:%Y-%m-%d %H:%M:%S}.000000",
            lot.id,
        ),
    )
    connection.execute(
        "INSERT INTO wrap (recording_id, key_id, wrapped)"
        " SELECT recording.id, cohort.key_id, randomblob(61) FROM recording"
        " JOIN lot_cohort ON lot_cohort.lot_id = recording.lot_id JOIN cohort ON cohort.id = lot_cohort.cohort_id"
        " WHERE recording.lot_id = ?",
        (lot.id,),
    )
    connection.execute(
        "INSERT INTO object (recording_id, role, size_bytes, stored_bytes, sha256, commitment)"
        " SELECT id, 'original', size_bytes, size_bytes + 200, sha256, randomblob(32) FROM recording WHERE lot_id = ?",
        (lot.id,),
    )
    if lot.kind == "call":
        connection.execute(
            "INSERT INTO identifier (blind, recording_id) SELECT randomblob(16), id FROM recording WHERE lot_id = ?",
            (lot.id,),
        )
