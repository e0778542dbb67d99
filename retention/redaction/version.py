"""A new version of a recording: put in the place of the old one, in the catalogue and after a restore.

All its objects, its particulars and its data key are new, so that nothing that
opened the old version opens this one, and nothing of this one opens the old.
Names of objects carry the version, and no name ever stands for other bytes.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlmodel import Session

from retention.audit.witness import SignedJournal
from retention.catalogue.model import ORIGINAL, SealedObject
from retention.catalogue.tables import ObjectRow, RecordingRow, WrapRow
from retention.database import table_of
from retention.redaction.tables import DestructionRow
from retention.vault.intake import ROLES
from retention.vault.model import ObjectName, object_name

TOLD = ("digest", "reason", "planned_by", "approved_by", "destroyed_by", "spans", "how")


@dataclass(frozen=True, slots=True)
class Version:
    """What the catalogue holds of a recording's content from now on."""

    recording_id: str
    number: int
    objects: tuple[SealedObject, ...]
    wraps: Mapping[str, bytes] = field(repr=False)  #: key id → wrapped data key
    personal: bytes | None
    facts: Mapping[str, Any]

    @property
    def original(self) -> SealedObject:
        """The object that holds the recording itself."""
        return next(each for each in self.objects if each.role == ORIGINAL)

    def names(self) -> list[ObjectName]:
        """Of its objects."""
        return [object_name(self.recording_id, each.role, self.number) for each in self.objects]


def put_in_place(session: Session, new: Version) -> None:
    """Replace every row about the old version's bytes, in the caller's writing transaction."""
    for model in (ObjectRow, WrapRow):
        table = table_of(model)
        session.execute(delete(table).where(table.c.recording_id == new.recording_id))
    objects = [
        {
            "recording_id": new.recording_id,
            "role": each.role,
            "version": new.number,
            "size_bytes": each.size_bytes,
            "stored_bytes": each.stored_bytes,
            "sha256": each.sha256,
            "commitment": each.commitment,
        }
        for each in new.objects
    ]
    session.execute(insert(table_of(ObjectRow)), objects)
    wraps = [
        {"recording_id": new.recording_id, "key_id": key_id, "wrapped": wrapped}
        for key_id, wrapped in new.wraps.items()
    ]
    session.execute(insert(table_of(WrapRow)), wraps)
    recording = table_of(RecordingRow)
    session.execute(
        update(recording)
        .where(recording.c.id == new.recording_id)
        .values(personal=new.personal, facts=dict(new.facts))
    )


def version_of(session: Session, recording_id: str) -> int:
    """The version that the catalogue holds; 0 when it holds none."""
    table = table_of(ObjectRow)
    found = select(table.c.version).where(table.c.recording_id == recording_id, table.c.role == ORIGINAL)
    return int(session.execute(found).scalar_one_or_none() or 0)


def other_names(recording_id: str, present: int, latest: int) -> list[ObjectName]:
    """Every name that the versions up to `latest` could have, but for those of the present one."""
    return [
        object_name(recording_id, role, number)
        for number in range(1, latest + 1)
        if number != present
        for role in sorted(ROLES)
    ]


def tell(journal: SignedJournal, at: datetime, row: DestructionRow, new: Version) -> None:
    """Tell, before the commit, all that a restored backup needs to know the new version."""
    objects = [
        {
            "role": each.role,
            "size_bytes": each.size_bytes,
            "stored_bytes": each.stored_bytes,
            "sha256": each.sha256.hex(),
            "commitment": each.commitment.hex(),
        }
        for each in new.objects
    ]
    journal.write(
        "span-destroyed",
        at,
        {name: getattr(row, name) for name in TOLD}
        | {
            "recording": new.recording_id,
            "version": new.number,
            "old_sha256": row.old_sha256.hex(),
            "old_size_bytes": row.old_size_bytes,
            "objects": objects,
            "wraps": [[key_id, b64encode(wrapped).decode()] for key_id, wrapped in new.wraps.items()],
            "personal": b64encode(new.personal or b"").decode(),
            "facts": dict(new.facts),
        },
    )


def confirm(journal: SignedJournal, at: datetime, row: DestructionRow) -> None:
    """Tell that it was committed."""
    journal.write("span-confirmed", at, {"digest": row.digest, "version": row.version})


def told(entry: Mapping[str, Any]) -> Version:
    """The version that an entry of the journal tells of."""
    return Version(
        recording_id=entry["recording"],
        number=entry["version"],
        objects=tuple(
            SealedObject(
                each["role"],
                each["size_bytes"],
                each["stored_bytes"],
                bytes.fromhex(each["sha256"]),
                bytes.fromhex(each["commitment"]),
            )
            for each in entry["objects"]
        ),
        wraps={key_id: b64decode(wrapped) for key_id, wrapped in entry["wraps"]},
        personal=b64decode(entry["personal"]) or None,
        facts=entry["facts"],
    )
