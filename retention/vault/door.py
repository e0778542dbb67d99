"""The one door to content: an actor, a reason the recording carries, an audit entry.

The refusal is on record as well as the opening, and both before a single byte
is read. Opening works through the key of the reason that was named and of no
other: when that reason's key is gone, so is this way in.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from retention.audit.record import Act, record
from retention.audit.tags import Tag
from retention.catalogue.find import Reason, Recording, find_recording
from retention.catalogue.model import ORIGINAL
from retention.catalogue.states import State
from retention.catalogue.tables import ObjectRow, RecordingRow
from retention.database import Database
from retention.kernel.clock import local_date
from retention.kernel.errors import NotFound, NotPermitted
from retention.schedule.model import Schedule
from retention.vault.envelope import SealedReader
from retention.vault.model import KeyService, ObjectStore, Sealed, object_name
from retention.vault.note import open_note
from retention.vault.open import open_sealed
from retention.vault.reasons import data_key

#: What the trail calls an opening of what is known of the people in a recording.
PARTICULARS = "particulars"


@dataclass(frozen=True, slots=True)
class Way:
    """Through which reason somebody wants in: a purpose of use, a hold's key, to destroy some of it, or to give it away.

    A person's request opens what it is about through its own hold.
    """

    purpose: str = ""
    hold_id: str = ""
    hold_key_id: str = ""
    destruction: str = ""  #: the digest of the plan by which a span of it is destroyed
    provision: str = ""  #: the provision by which it is given to somebody else
    request: str = ""  #: the request whose hold this is, by its receipt number

    @property
    def name(self) -> str:
        """The reason, as it stands in the audit trail."""
        if self.destruction:
            return f"destruction:{self.destruction}"
        if self.provision:
            return f"provision:{self.provision}"
        if self.request:
            return f"request:{self.request}"
        return f"hold:{self.hold_id}" if self.hold_id else self.purpose


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave to open: the key to go through."""

    key_id: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not, and what to do."""

    reason: str
    hint: str = ""


def decide(recording: Recording, way: Way, actor: str, now: datetime) -> Grant | Refusal:
    """Whether `actor` may open `recording` through `way`. Pure."""
    if not actor:
        return Refusal("nobody is named who opens it", "Say who you are with --as NAME.")
    if recording.state != State.SEALED or recording.run_id is not None:
        return Refusal(f"it is {State.DISPOSING if recording.run_id else recording.state}")
    if way.hold_id:
        return _through_hold(recording, way)
    if way.destruction:
        return _through_any(recording)
    if way.provision:
        return _through_living(recording, now)
    return _through_purpose(recording, way.purpose, now)


def _through_hold(recording: Recording, way: Way) -> Grant | Refusal:
    if way.hold_id not in recording.hold_ids:
        return Refusal(f"it is not under hold {way.hold_id}")
    return Grant(way.hold_key_id)


def _through_any(recording: Recording) -> Grant | Refusal:
    """Destroying uses nothing: any living reason opens, and a hold keeps every second as it is."""
    if recording.hold_ids:
        return Refusal("it is under a hold", "`retention hold list` shows by whom and why.")
    alive = [reason for reason in recording.reasons if reason.state == "active"]
    return Grant(alive[0].key_id) if alive else Refusal("no reason to keep it is alive")


def _through_purpose(recording: Recording, purpose: str, now: datetime) -> Grant | Refusal:
    if not purpose:
        return Refusal("no purpose of use is named", "Name one that the recording carries with --purpose.")
    if recording.restricted:
        return Refusal("its use is suspended", "`retention hold list` shows by whom and why.")
    carried = [reason for reason in recording.reasons if reason.purpose == purpose]
    if not carried:
        names = ", ".join(sorted({reason.purpose for reason in recording.reasons})) or "none"
        return Refusal(f"it does not carry the purpose {purpose!r}", f"It carries: {names}.")
    for reason in carried:
        if _is_alive(reason, now):
            return Grant(reason.key_id)
    ends = max((reason.due_on for reason in carried if reason.due_on), default=None)
    return Refusal(f"the purpose {purpose!r} has expired" + (f" on {ends}" if ends else ""))


def _through_living(recording: Recording, now: datetime) -> Grant | Refusal:
    """Giving it away is a use: none that is suspended, and only while some purpose of it lasts."""
    if recording.restricted:
        return Refusal("its use is suspended", "`retention hold list` shows by whom and why.")
    for reason in recording.reasons:
        if _is_alive(reason, now):
            return Grant(reason.key_id)
    return Refusal("every purpose that it carries has expired")


def _is_alive(reason: Reason, now: datetime) -> bool:
    overdue = reason.due_on is not None and reason.due_on <= local_date(now, reason.zone)
    return reason.state == "active" and not overdue


class Door:
    """Opens recordings for those who may."""

    def __init__(self, database: Database, store: ObjectStore, keys: KeyService) -> None:
        self._database = database
        self._store = store
        self._keys = keys

    def open(
        self,
        schedule: Schedule,
        recording_id: str,
        way: Way,
        actor: str,
        now: datetime,
        role: str = ORIGINAL,
    ) -> SealedReader:
        """A reader over the recording's bytes.

        Raises:
            NotFound: There is no such recording, or it has no such derivative.
            NotPermitted: The reason is in the message and in the audit trail.
            IntegrityError: The stored bytes or the key are not what was recorded.
        """
        grant = self._pass(schedule, recording_id, way, actor, now, role)
        with self._database.read() as session:
            key = data_key(session, self._keys, recording_id, grant.key_id)
            return open_sealed(self._store, key, sealed_object(session, recording_id, role))

    def particulars(
        self, schedule: Schedule, recording_id: str, way: Way, actor: str, now: datetime
    ) -> bytes:
        """What is known of the people in a recording: the note that its recorder's words are kept in, as JSON.

        Raises:
            NotFound: There is no such recording, or nothing was said about it.
            NotPermitted: The reason is in the message and in the audit trail.
            IntegrityError: The note or the key are not what was recorded.
        """
        grant = self._pass(schedule, recording_id, way, actor, now, PARTICULARS)
        with self._database.read() as session:
            key = data_key(session, self._keys, recording_id, grant.key_id)
            personal = session.get_one(RecordingRow, recording_id).personal
        if personal is None:
            raise NotFound(f"nothing was said about the people of recording {recording_id}")
        return open_note(key, recording_id, personal)

    def _pass(
        self, schedule: Schedule, recording_id: str, way: Way, actor: str, now: datetime, role: str
    ) -> Grant:
        """Decide, and put it on record; what is refused as well."""
        with self._database.write() as session:
            recording = find_recording(session, schedule, recording_id)
            decision = decide(recording, way, actor, now)
            refused = isinstance(decision, Refusal)
            detail = (
                {"role": role, "why": decision.reason} if isinstance(decision, Refusal) else {"role": role}
            )
            tag = Tag.OPENING_REFUSED if refused else Tag.OPENED
            record(session, now, Act(tag, actor or "nobody", recording_id, way.name, detail))
        if isinstance(decision, Refusal):
            raise NotPermitted(
                f"recording {recording_id} may not be opened: {decision.reason}", hint=decision.hint
            )
        return decision


def sealed_object(session: Session, recording_id: str, role: str) -> Sealed:
    """What the catalogue recorded of an object when it was sealed.

    Raises:
        NotFound: The recording has no such object.
    """
    row = session.get(ObjectRow, (recording_id, role))
    if row is None:
        raise NotFound(f"recording {recording_id} has no {role}")
    return Sealed(
        name=object_name(recording_id, role, row.version),
        role=role,
        size_bytes=row.size_bytes,
        stored_bytes=row.stored_bytes,
        sha256=row.sha256,
        commitment=row.commitment,
    )
