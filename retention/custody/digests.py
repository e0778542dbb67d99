"""Read every object, decrypt it through any reason that is alive, and compare its SHA-256.

A page of objects at a time, in short reading transactions: a check of days
keeps no view of the catalogue open. Pages are read ahead of nothing; the
objects of one are hashed side by side, as decrypting and hashing let go of the
interpreter.
"""

import os
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from sqlalchemy import select, tuple_
from sqlmodel import Session, col

from retention.catalogue.model import ORIGINAL
from retention.catalogue.states import State
from retention.catalogue.tables import ObjectRow, RecordingRow, WrapRow
from retention.custody.model import Findings, Kind
from retention.custody.objects import expected_owner
from retention.custody.tools import Progress, Tools
from retention.database import table_of
from retention.ingest.tables import QuarantineRow
from retention.kernel.errors import FixityMismatch, KeyMissing
from retention.vault.fixity import Level, Problem
from retention.vault.fixity import check as check_object
from retention.vault.model import KeyService, Sealed, object_name

PAGE = 256
REMEDY = "Restore the object from a copy of the vault, or ingest the original file again."


@dataclass(frozen=True, slots=True)
class _Locked:
    """An object, its owner, and its data key under each reason to keep it: (key id, wrapped)."""

    sealed: Sealed
    owner_id: str
    owner: str
    wraps: tuple[tuple[str, bytes], ...] = field(repr=False)


def check_digests(tools: Tools, findings: Findings, progress: Progress) -> int:
    """Check every sealed and quarantined object; how many were read."""
    alive = tools.keys.key_ids()
    count = 0
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="digest") as pool:
        for page in _pages(tools):
            for locked, problem in zip(
                page, pool.map(lambda each: _problem(tools, each, alive), page), strict=True
            ):
                if problem and _is_still(tools, locked):
                    findings.add(Kind.CHANGED_BYTES, locked.sealed.name, problem, REMEDY)
            count += len(page)
            progress(count)
    return count


def _pages(tools: Tools) -> Iterator[list[_Locked]]:
    last = ("", "")
    while True:
        with tools.database.read() as session:
            page = _sealed_page(session, last)
        if not page:
            break
        yield page
        last = (page[-1].owner_id, page[-1].sealed.role)
    after = ""
    while True:
        with tools.database.read() as session:
            page = _quarantine_page(session, after)
        if not page:
            return
        yield page
        after = page[-1].owner_id


def _sealed_page(session: Session, after: tuple[str, str]) -> list[_Locked]:
    table, recording, wrap = table_of(ObjectRow), table_of(RecordingRow), table_of(WrapRow)
    rows = session.execute(
        select(table)
        .join(recording, recording.c.id == table.c.recording_id)
        .where(recording.c.state == State.SEALED, tuple_(table.c.recording_id, table.c.role) > after)
        .order_by(table.c.recording_id, table.c.role)
        .limit(PAGE)
    ).all()
    wraps: dict[str, list[tuple[str, bytes]]] = {}
    ids = {row.recording_id for row in rows}
    for found in session.execute(select(wrap).where(wrap.c.recording_id.in_(ids)).order_by(wrap.c.key_id)):
        wraps.setdefault(found.recording_id, []).append((found.key_id, found.wrapped))
    return [
        _Locked(
            Sealed(
                object_name(row.recording_id, row.role, row.version),
                row.role,
                row.size_bytes,
                row.stored_bytes,
                row.sha256,
                row.commitment,
            ),
            row.recording_id,
            str(State.SEALED),
            tuple(wraps.get(row.recording_id, ())),
        )
        for row in rows
    ]


def _quarantine_page(session: Session, after: str) -> list[_Locked]:
    rows = session.execute(
        select(QuarantineRow)
        .where(
            col(QuarantineRow.state) == "waiting",
            col(QuarantineRow.stored_bytes).is_not(None),
            col(QuarantineRow.id) > after,
        )
        .order_by(col(QuarantineRow.id))
        .limit(PAGE)
    ).scalars()
    return [
        _Locked(
            Sealed(
                object_name(row.id, ORIGINAL),
                ORIGINAL,
                row.size_bytes,
                row.stored_bytes or 0,
                row.sha256,
                row.commitment,
            ),
            row.id,
            str(State.QUARANTINED),
            ((row.key_id, row.wrapped),),
        )
        for row in rows
    ]


def _problem(tools: Tools, locked: _Locked, alive: Collection[str]) -> str:
    """What is wrong with the object's content; nothing where its absence, size or keys are found wrong elsewhere."""
    try:
        key = _any_key(tools.keys, locked, alive)
    except FixityMismatch as error:
        return f"{locked.sealed.name}: its data key is not what was wrapped: {error.message}"
    found = check_object(tools.store, locked.sealed, Level.DIGEST, key) if key else None
    return found.detail if found and found.problem is Problem.CHANGED else ""


def _any_key(keys: KeyService, locked: _Locked, alive: Collection[str]) -> bytes | None:
    for key_id, wrapped in locked.wraps:
        if key_id in alive:
            try:
                return keys.unwrap(key_id, wrapped, locked.owner_id.encode())
            except KeyMissing:
                continue  # destroyed since the check began
    return None


def _is_still(tools: Tools, locked: _Locked) -> bool:
    with tools.database.read() as session:
        return expected_owner(session, locked.sealed) == locked.owner
