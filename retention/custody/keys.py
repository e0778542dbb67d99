"""The keys as a whole: what there is, a new root, a copy kept apart, and that copy brought back.

A copy (an escrow) is on record before it exists, with the date on which it
ends: certificates of destruction state when the last copy of their keys is
gone. Bringing a copy back leaves dead what was destroyed since it was made.
"""

import os
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from sqlalchemy import select
from sqlmodel import Session

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.audit.witness import SignedJournal
from retention.catalogue.tables import CohortRow
from retention.custody.backup import sync_folder
from retention.custody.replay.journal import look_ahead
from retention.custody.tools import Tools
from retention.database import table_of
from retention.holds.tables import HoldRow
from retention.ingest.tables import QuarantineRow
from retention.kernel.canonical import isoformat
from retention.kernel.errors import InvalidInput, StoreUnavailable
from retention.vault.model import KeyService

#: Puts those keys of a copy that may live into the key service, and its secrets; the ids that were not there.
PutIn = Callable[[Collection[str]], frozenset[str]]


@dataclass(frozen=True, slots=True)
class KeysReport:
    """The keys that are there, by what they are for."""

    keys: int
    cohorts: Mapping[str, int]  #: by the cohort's state; "expired" should be none
    holds: Mapping[str, int]  #: "in force" and "lifted"
    quarantine: int
    without_row: tuple[str, ...]  #: no row knows them; of a failed act, or of rows lost with a restore


def report_keys(session: Session, keys: KeyService) -> KeysReport:
    """What the keys that are there are for."""
    alive = keys.key_ids()
    cohort, hold, item = table_of(CohortRow), table_of(HoldRow), table_of(QuarantineRow)
    cohorts = {row.key_id: row.state for row in session.execute(select(cohort.c.key_id, cohort.c.state))}
    holds = {
        row.key_id: "lifted" if row.lifted_at else "in force"
        for row in session.execute(select(hold.c.key_id, hold.c.lifted_at))
    }
    items = frozenset(session.execute(select(item.c.key_id)).scalars())
    return KeysReport(
        keys=len(alive),
        cohorts=Counter(state for key_id, state in cohorts.items() if key_id in alive),
        holds=Counter(state for key_id, state in holds.items() if key_id in alive),
        quarantine=len(items & alive),
        without_row=tuple(sorted(alive - cohorts.keys() - holds.keys() - items)),
    )


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A key that is there and cannot be used."""

    key_id: str
    reason: str  #: what it is for, in words

    @property
    def what(self) -> str:
        """A sentence for a person."""
        return f"the key {self.key_id} of {self.reason} cannot be read: the keyring was changed"


UNREADABLE_REMEDY = "Dispose of nothing. Import the newest escrow of the keys: `retention keys restore FILE`."


def unreadable_keys(session: Session, keys: KeyService) -> list[Unreadable]:
    """The keys that are there and cannot be used, each with the reason that it is for."""
    found = keys.unreadable()
    if not found:
        return []
    cohort, hold, item = table_of(CohortRow), table_of(HoldRow), table_of(QuarantineRow)
    reasons = {row.key_id: f"cohort {row.name}" for row in session.execute(select(cohort))}
    reasons |= {row.key_id: f"hold {row.id}" for row in session.execute(select(hold.c.id, hold.c.key_id))}
    reasons |= {
        row.key_id: f"quarantined item {row.id}" for row in session.execute(select(item.c.id, item.c.key_id))
    }
    return [Unreadable(key_id, reasons.get(key_id, "no reason on record")) for key_id in sorted(found)]


def rotate_root(tools: Tools, actor: str) -> None:
    """Protect all keys by a new root; touches no recording."""
    with tools.database.write() as session:
        record(session, tools.clock.now(), Act(Tag.KEYS_ROTATED, actor, "", detail={}))
        tools.keys.rotate_root()


def write_escrow(
    tools: Tools, path: Path, actor: str, expires_at: datetime, export: Callable[[], bytes]
) -> int:
    """Write a copy of the keys to `path`; how many keys are in it.

    Args:
        tools: The store.
        path: A file that does not exist.
        actor: Who asks.
        expires_at: When the copy ends.
        export: Makes the copy.

    Raises:
        InvalidInput: The file exists, or its folder does not.
        StoreUnavailable: It could not be written; the copy is on record all the same.
    """
    if path.exists() or not path.parent.is_dir():
        raise InvalidInput(
            f"{path} exists, or its folder does not", hint="Name a new file in a folder that is there."
        )
    copy, count = export(), len(tools.keys.key_ids())
    detail = {"expires_at": isoformat(expires_at), "sha256": sha256(copy).hexdigest(), "keys": count}
    with tools.database.write() as session:
        record(session, tools.clock.now(), Act(Tag.KEYS_ESCROWED, actor, path.name, detail=detail))
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(copy)
            file.flush()
            os.fsync(descriptor)
        sync_folder(path.parent)
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be written: {error.strerror}") from error
    return count


def bring_back(
    key_ids: Collection[str], put_in: PutIn, journal: Callable[[], SignedJournal], spent: Collection[str] = ()
) -> frozenset[str]:
    """Bring back the keys of a copy, but for those that were destroyed since; the ids that were not there.

    Args:
        key_ids: The keys in the copy.
        put_in: Puts them into the key service.
        journal: The journal; asked for once the copy's secrets are there, as one of them signs its lines.
        spent: Keys that the catalogue knows to be spent.

    Raises:
        AuditChainBroken: The journal is not as it was written.
    """
    put_in(frozenset())
    dead = look_ahead(journal()).dead | set(spent)
    return put_in(frozenset(key_ids) - dead)
