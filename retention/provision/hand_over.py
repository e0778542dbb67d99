"""Hand over what was approved: through the door, as one file, with an entry in the ledger.

The opening is on record before a byte is read. The ledger says that something
was handed over before the file appears under its name, and the journal before
the ledger is committed: killed anywhere, there may be an entry for what nobody
received, and never a file without an entry.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from sqlalchemy import select
from sqlmodel import Session, col

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.catalogue.model import ORIGINAL, NewRecording
from retention.catalogue.schedules import schedule_in_force
from retention.catalogue.tables import CohortRow, LotRow, ReasonRow, RecordingRow, WrapRow
from retention.kernel.errors import FixityMismatch, InvalidInput, MediaError, StaleApproval, ToolFailed
from retention.provision.model import Cutter, Progress, Stage, Step, step
from retention.provision.papers import Area, open_paper, text_of, write_paper
from retention.provision.propose import find_provision, items_of, may_be_given
from retention.provision.tables import ProvisionItemRow, ProvisionRow
from retention.provision.tell import tell_of_hand_over
from retention.schedule.model import Schedule
from retention.vault.door import Door, Way, sealed_object
from retention.vault.papers import Tools, keep_paper

#: Written into every archive in place of the time, so that the same recordings make the same bytes.
NO_TIME = (1980, 1, 1, 0, 0, 0)
READ_BYTES = 1 << 20


def hand_over(
    tools: Tools,
    door: Door,
    cutter: Cutter,
    digest: str,
    file: BinaryIO,
    actor: str,
    progress: Progress = lambda _done, _total: None,
) -> ProvisionRow:
    """Write what was approved into `file`: a recording, or a part of one; several as one ZIP archive.

    The caller gives the file its name once this returns. `progress` is told how far the cutting is.

    Raises:
        NotFound: There is no such provision.
        IllegalTransition: It is not approved, or was handed over before.
        NotPermitted: It may not be given any more; nothing is on the ledger.
        StaleApproval: A recording, or the paper, is no longer what was approved.
        FixityMismatch: The stored bytes are not those that were sealed.
        MediaError: A part of a recording cannot be cut exactly, or what was cut is not that part.
        InvalidInput: Nothing of a recording lies in its part.
    """
    with tools.database.read() as session:
        row = find_provision(session, digest)
        schedule, items = schedule_in_force(session), items_of(session, row.id)
    proposed = _check(tools, door, schedule, row, items, actor)
    with tools.database.read() as session:
        facts = {each.recording_id: session.get_one(RecordingRow, each.recording_id).facts for each in items}

    how: dict[str, Mapping[str, Any]] = {}

    def open_item(item: ProvisionItemRow) -> Iterator[bytes]:
        chunks = _chunks(tools, door, schedule, row, item, actor)
        if item.part is None:
            return chunks
        with _named(item.recording_id):
            piece = cutter.cut(chunks, facts[item.recording_id], item.part, progress)
        how[item.recording_id] = piece.how
        return piece.chunks

    _write(items, open_item, file)
    size_bytes = file.seek(0, os.SEEK_END)
    file.flush()
    os.fsync(file.fileno())
    sha256 = _sha256_of(file)
    now = tools.clock.now()
    said = proposed | {
        "approved_by": row.approved_by,
        "handed_over_by": actor,
        "handed_over_at": now,
        "cut": how,
        "sha256": sha256,
        "size_bytes": size_bytes,
    }
    with tools.intake() as intake:
        paper = write_paper(tools, intake, schedule, Area.RECORD, text_of(said), row.id)
        with tools.database.write() as session:
            row = find_provision(session, row.id)
            _check_again(session, schedule, row, items, actor, tools)
            row.stage = step(row.digest, Stage(row.stage), Step.HAND_OVER)
            row.handed_over_at, row.handed_over_by = now, actor
            row.sha256, row.size_bytes, row.record_id = sha256, size_bytes, paper.id
            session.add(row)
            keep_paper(session, tools, intake, paper)
            detail = {
                "basis": row.basis,
                "digest": row.digest,
                "recordings": [each.recording_id for each in items],
                "sha256": sha256,
                "size_bytes": size_bytes,
                "paper": paper.id,
            }
            record(session, now, Act(Tag.PROVISION_HANDED_OVER, actor, row.id, detail=detail))
            tell_of_hand_over(tools.journal, row, items, paper, _keys_of(session, paper))
    return row


def _check(
    tools: Tools, door: Door, schedule: Schedule, row: ProvisionRow, items: list[ProvisionItemRow], actor: str
) -> dict[str, Any]:
    """What was proposed, where it still stands."""
    step(row.digest, Stage(row.stage), Step.HAND_OVER)
    with tools.database.read() as session:
        _check_again(session, schedule, row, items, actor, tools)
        if sealed_object(session, row.proposal_id, ORIGINAL).sha256.hex() != row.digest:
            raise StaleApproval(f"the paper of provision {row.digest} is not the one that was approved")
    return open_paper(tools, door, schedule, row.proposal_id, actor)


def _check_again(
    session: Session,
    schedule: Schedule,
    row: ProvisionRow,
    items: list[ProvisionItemRow],
    actor: str,
    tools: Tools,
) -> None:
    ids = [each.recording_id for each in items]
    may_be_given(session, schedule, ids, row.entrustee_id, actor, tools.clock.now())
    for each in items:
        if sealed_object(session, each.recording_id, ORIGINAL).sha256 != each.sha256:
            raise StaleApproval(
                f"recording {each.recording_id} was changed since provision {row.digest} was proposed",
                hint="Withdraw it, and propose it again.",
            )


def _write(
    items: list[ProvisionItemRow], open_item: Callable[[ProvisionItemRow], Iterator[bytes]], file: BinaryIO
) -> None:
    opened = ((each, open_item(each)) for each in items)
    if len(items) == 1:
        for _, chunks in opened:
            file.writelines(chunks)
        return
    # What is recorded is compressed already.
    with ZipFile(file, "w", ZIP_STORED) as archive:
        for each, chunks in opened:
            with archive.open(ZipInfo(_member(each), NO_TIME), "w", force_zip64=True) as member:
                for chunk in chunks:
                    member.write(chunk)


def _member(item: ProvisionItemRow) -> str:
    return item.recording_id + (item.part.form.suffix if item.part else "")


@contextmanager
def _named(recording_id: str) -> Iterator[None]:
    """Whatever is wrong with a part names the recording."""
    try:
        yield
    except (MediaError, InvalidInput, ToolFailed) as error:
        raise type(error)(
            f"no part of recording {recording_id} was given: {error.message}",
            hint="Nothing was handed over. Propose another part, all of it, or a redacted copy.",
        ) from error


def _chunks(
    tools: Tools, door: Door, schedule: Schedule, row: ProvisionRow, item: ProvisionItemRow, actor: str
) -> Iterator[bytes]:
    """A recording's bytes, of which nobody gets the last before their digest was found to be the approved one."""
    way = Way(provision=row.id)
    reader = door.open(schedule, item.recording_id, way, actor, tools.clock.now())
    found = hashlib.sha256()
    for chunk in reader.chunks():
        found.update(chunk)
        yield bytes(chunk)
    if found.digest() != item.sha256:
        raise FixityMismatch(f"the content of {item.recording_id} is not the content that was sealed")


def _sha256_of(file: BinaryIO) -> str:
    """Of what the disk has, which is what the recipient gets."""
    file.seek(0)
    found = hashlib.sha256()
    while chunk := file.read(READ_BYTES):
        found.update(chunk)
    return found.hexdigest()


def _keys_of(session: Session, paper: NewRecording) -> list[tuple[str, str, bytes]]:
    """(class, key, the paper's data key wrapped under it) of each reason to keep a paper."""
    rows = session.execute(
        select(col(CohortRow.class_name), col(CohortRow.key_id), col(WrapRow.wrapped))
        .join(ReasonRow, col(ReasonRow.cohort_id) == col(CohortRow.id))
        .join(LotRow, col(LotRow.reasons_id) == col(ReasonRow.reasons_id))
        .join(RecordingRow, col(RecordingRow.lot_id) == col(LotRow.id))
        .join(
            WrapRow,
            (col(WrapRow.recording_id) == col(RecordingRow.id))
            & (col(WrapRow.key_id) == col(CohortRow.key_id)),
        )
        .where(col(RecordingRow.id) == paper.id)
    )
    return [(row.class_name, row.key_id, row.wrapped) for row in rows]
