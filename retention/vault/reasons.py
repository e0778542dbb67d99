"""A recording's data key, reached through a reason to keep the recording; and the end of a reason."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session

from retention.audit.witness import SignedJournal
from retention.catalogue.tables import WrapRow
from retention.database import table_of
from retention.kernel.errors import KeyMissing
from retention.vault.model import KeyService

READ_AT_ONCE = 5_000


def data_key(session: Session, keys: KeyService, recording_id: str, key_id: str) -> bytes:
    """The data key of a recording, through the one reason whose key is `key_id`.

    Raises:
        KeyMissing: The recording is not kept for that reason, or its key is gone.
    """
    wrapped = session.get(WrapRow, (recording_id, key_id))
    if wrapped is None:
        raise KeyMissing(f"recording {recording_id} has no data key under key {key_id}")
    return keys.unwrap(key_id, wrapped.wrapped, recording_id.encode())


def data_keys(
    session: Session, keys: KeyService, recording_ids: Iterable[str]
) -> Iterator[tuple[str, bytes]]:
    """(recording id, data key) through whichever reason is alive; streamed.

    A disposal may destroy a key while this runs; what has another reason is then reached through that.

    Raises:
        KeyMissing: A recording has no living reason in the key service.
    """
    table = table_of(WrapRow)
    alive = keys.key_ids()
    ids = list(recording_ids)
    for start in range(0, len(ids), READ_AT_ONCE):
        some = ids[start : start + READ_AT_ONCE]
        ways: dict[str, list[tuple[str, bytes]]] = {recording_id: [] for recording_id in some}
        for row in session.execute(select(table).where(table.c.recording_id.in_(some))):
            if row.key_id in alive:
                ways[row.recording_id].append((row.key_id, row.wrapped))
        for recording_id, found in ways.items():
            yield recording_id, _through_any(keys, recording_id, found)


def _through_any(keys: KeyService, recording_id: str, ways: Iterable[tuple[str, bytes]]) -> bytes:
    for key_id, wrapped in ways:
        with suppress(KeyMissing):
            return keys.unwrap(key_id, wrapped, recording_id.encode())
    raise KeyMissing(f"recording {recording_id} is kept, but no key that opens it is left")


def destroy_for_good(
    keys: KeyService, journal: SignedJournal, at: datetime, key_ids: Collection[str]
) -> None:
    """Destroy keys whose reasons have ended, and tell the journal first.

    An old copy of the keys (an escrow) may still hold them: what brings it back
    asks the journal which keys must stay dead.
    """
    if key_ids:
        journal.write("keys-destroyed", at, {"keys": sorted(key_ids)})
        keys.destroy(key_ids)
