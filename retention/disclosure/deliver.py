"""Hand an answer over: by a person, in an encrypted archive, or behind a link that is good for one download.

The ledger says so first: killed anywhere, there may be an entry for what nobody
received, and never an archive or a link without an entry. One delivery of a
request is made at a time, and a new one takes the place of those that have not
arrived, so that no two links lead to one answer. A passphrase is returned once,
and kept and logged nowhere.
"""

import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import BinaryIO, Protocol

from sqlmodel import Session

from retention.audit.tags import Tag
from retention.catalogue.find import find_recording
from retention.catalogue.schedules import schedule_in_force
from retention.disclosure.ledger import Ready, disclosures, entry, is_in_time, ready, withdraw_pending
from retention.disclosure.model import ARCHIVE, LINK, Delivery
from retention.disclosure.tables import DisclosureRow
from retention.disclosure.tell import tell_of_delivery
from retention.kernel.errors import InvalidInput
from retention.kernel.ids import new_id
from retention.outbox import link as links
from retention.outbox.folder import LINK as LINK_SUFFIX
from retention.outbox.folder import Folder
from retention.outbox.passphrase import ARCHIVE_GROUPS, LINK_GROUPS, new_passphrase
from retention.requests.cases import check_step, find_request, move_on, put_on_record
from retention.requests.model import Step
from retention.requests.papers import PURPOSE
from retention.requests.tables import RequestRow
from retention.schedule.calendar import due_at
from retention.schedule.model import Schedule
from retention.vault.door import Door, Way
from retention.vault.envelope import SealedReader
from retention.vault.papers import Tools

READ_BYTES = 1 << 20
MOST_DAYS = 30  #: a link lives no longer


class Encrypter(Protocol):
    """Writes an archive that a passphrase opens."""

    def __call__(self, package: BinaryIO, file: BinaryIO, passphrase: str) -> None:
        """Write the files of the ZIP archive `package` into `file`, encrypted, and read them back.

        FixityMismatch where what was written is not what was read.
        """


@dataclass(frozen=True, slots=True)
class Made:
    """A delivery that waits, and what opens it. The passphrase is nowhere else."""

    row: DisclosureRow
    passphrase: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Public:
    """Where links lead."""

    outbox: Folder
    base_url: str
    sender: str  #: this store's id
    cost: links.Cost = field(default_factory=links.Cost)


def hand_over(
    tools: Tools, outbox: Folder, name: str, route: str, remark: str, actor: str
) -> tuple[RequestRow, DisclosureRow]:
    """Put on record that a person handed the answer over: how, and to whom.

    Raises:
        InvalidInput: It does not say how.
        IllegalTransition: There is no answer to deliver.
    """
    if not route.strip():
        raise InvalidInput(
            "this does not say how the answer was delivered", hint="Give --route: post, in-person …"
        )
    now = tools.clock.now()
    with _alone(tools, name), tools.database.write() as session:
        row = find_request(session, name)
        made = _prepared(session, row) or entry(
            row, ready(session, row), "", Delivery.HANDED_OVER, now, actor, id=new_id(now)
        )
        made.state, made.route = Delivery.HANDED_OVER, route.strip()
        session.add(made)
        gone = list(withdraw_pending(session, row.id))
        arrived(session, tools, row, made, now, actor, {"remark": remark.strip()})
    for link_id in gone:
        outbox.take_away(link_id)
    return row, made


def make_archive(
    tools: Tools, door: Door, outbox: Folder, encrypt: Encrypter, name: str, file: BinaryIO, actor: str
) -> Made:
    """Write the answer into `file`, encrypted, to be posted; the caller gives the file its name once this returns.

    Raises:
        IllegalTransition: There is no answer to deliver.
        NotPermitted: The package may not be opened.
    """
    now, passphrase = tools.clock.now(), new_passphrase(ARCHIVE_GROUPS)
    with _alone(tools, name):
        row, package, _, reader = _opened(tools, door, name, actor)
        encrypt(io.BufferedReader(_Content(reader), READ_BYTES), file, passphrase)
        file.flush()
        os.fsync(file.fileno())
        sha256 = _sha256_of(file)
        with tools.database.write() as session:
            row = find_request(session, name)
            check_step(row, Step.DELIVER)
            gone = list(withdraw_pending(session, row.id))
            state, more = Delivery.PREPARED, {"id": new_id(now), "archive_sha256": sha256}
            made = entry(row, package, ARCHIVE, state, now, actor, **more)
            session.add(made)
            detail = {"delivery": made.id, "package": package.sha256, "sha256": sha256}
            put_on_record(session, tools, row, now, actor, Tag.DISCLOSURE_ARCHIVED, {}, detail)
        for link_id in gone:
            outbox.take_away(link_id)
    return Made(made, passphrase)


def make_link(tools: Tools, door: Door, public: Public, name: str, days: int, actor: str) -> Made:
    """Put the answer, encrypted, into the outbox, behind a link that is good for one download.

    The link ends with the package itself, if that is sooner.

    Raises:
        InvalidInput: It would live for too many days, or for none.
        IllegalTransition: There is no answer to deliver.
        NotPermitted: The package may not be opened.
        StoreUnavailable: The outbox cannot be written.
    """
    if not 1 <= days <= MOST_DAYS:
        raise InvalidInput(f"a link lives for 1 to {MOST_DAYS} days, not {days}")
    now, token, passphrase = tools.clock.now(), links.new_token(), new_passphrase(LINK_GROUPS)
    with _alone(tools, name):
        row, package, schedule, reader = _opened(tools, door, name, actor)
        ends_at = min(now + timedelta(days=days), _package_ends(tools, schedule, package.paper_id))
        head = links.Head(
            id=links.id_of(token),
            sender=public.sender,
            language=row.language,
            zone=schedule.controller.zone,
            expires_at=ends_at,
            size_bytes=reader.size_bytes,
            cost=public.cost,
            salt=os.urandom(links.SALT_BYTES),
        )
        public.outbox.make()
        written = public.outbox.write(links.sealed_file(head, token, passphrase, reader.chunks()))
        try:
            made, gone = _note_link(tools, name, package, head, now, actor)
            for link_id in gone:
                public.outbox.take_away(link_id)
            public.outbox.publish(written, f"{head.id}{LINK_SUFFIX}")
        finally:
            written.unlink(missing_ok=True)
    return Made(made, passphrase, f"{public.base_url}/d/{links.link_text(token)}")


def _note_link(
    tools: Tools, name: str, package: Ready, head: links.Head, now: datetime, actor: str
) -> tuple[DisclosureRow, list[str]]:
    with tools.database.write() as session:
        row = find_request(session, name)
        check_step(row, Step.DELIVER)
        gone = list(withdraw_pending(session, row.id))
        more = {"id": new_id(now), "link_id": head.id, "expires_at": head.expires_at}
        made = entry(row, package, LINK, Delivery.WAITING, now, actor, **more)
        session.add(made)
        detail = {"delivery": made.id, "package": package.sha256, "expires_at": head.expires_at}
        put_on_record(session, tools, row, now, actor, Tag.DISCLOSURE_LINKED, {}, detail)
    return made, gone


def arrived(
    session: Session,
    tools: Tools,
    row: RequestRow,
    made: DisclosureRow,
    at: datetime,
    actor: str,
    said: dict[str, str],
) -> None:
    """Put on record that a delivery has reached the person, in the caller's transaction."""
    move_on(row, Step.DELIVER)
    made.delivered_at, made.in_time = at, is_in_time(session, row, at)
    row.delivered_at = row.delivered_at or at
    session.add(made)
    detail = {"delivery": made.id, "route": made.route, "in_time": made.in_time, "package": made.sha256}
    told = {**said, "route": made.route}
    put_on_record(session, tools, row, tools.clock.now(), actor, Tag.REQUEST_DELIVERED, told, detail)
    tell_of_delivery(tools.journal, row, made)


def _prepared(session: Session, row: RequestRow) -> DisclosureRow | None:
    """The archive that was made and not handed over yet."""
    waiting = [each for each in disclosures(session, row.id) if each.state == Delivery.PREPARED]
    return waiting[-1] if waiting else None


@contextmanager
def _alone(tools: Tools, name: str) -> Iterator[None]:
    with tools.database.read() as session:
        row = find_request(session, name)
        check_step(row, Step.DELIVER)
    with tools.database.exclusive(f"delivery-{row.id}"):
        yield


def _opened(
    tools: Tools, door: Door, name: str, actor: str
) -> tuple[RequestRow, Ready, Schedule, SealedReader]:
    with tools.database.read() as session:
        schedule, row = schedule_in_force(session), find_request(session, name)
        package = ready(session, row)
    reader = door.open(schedule, package.paper_id, Way(PURPOSE), actor, tools.clock.now())
    return row, package, schedule, reader


def _package_ends(tools: Tools, schedule: Schedule, paper_id: str) -> datetime:
    """When the last reason to keep a package ends; none waits for an event by the time it is delivered."""
    with tools.database.read() as session:
        reasons = find_recording(session, schedule, paper_id).reasons
    ends = [due_at(each.due_on, each.zone) for each in reasons if each.due_on]
    return max(ends) if len(ends) == len(reasons) else tools.clock.now() + timedelta(days=MOST_DAYS)


class _Content(io.RawIOBase):
    """A sealed package as a file that a ZIP library can seek in."""

    def __init__(self, reader: SealedReader) -> None:
        super().__init__()
        self._reader, self._at = reader, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = (
            offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._reader.size_bytes}[whence]
        )
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any writable buffer
        found = self._reader.read(self._at, len(buffer))
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)


def _sha256_of(file: BinaryIO) -> str:
    """Of what the disk has, which is what the recipient gets."""
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # any file that is read in binary
