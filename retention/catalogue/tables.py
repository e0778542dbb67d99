"""Rows of the catalogue.

A recording carries purposes; each puts it in a cohort (class x zone x trigger
day), and a cohort has one key. Recordings that share site, kind, area, cohorts
and holds share a **lot**: counts and sizes are kept per lot, so that a due
list or an impact preview sums over thousands of lots and never scans millions
of recordings. A hold moves its matches to other lots.

Nothing here identifies a person by itself: identifiers are encrypted under the
recording's own data key and found through a keyed blind index.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import JSON, Field

from retention.catalogue.states import State
from retention.database import Row


class StoreRow(Row, table=True):
    """The one row that says which store this is."""

    __tablename__ = "store"

    id: str = Field(primary_key=True)
    object_store_id: str  #: the object store it was made for
    created_at: datetime
    controller_zone: str


class SourceRow(Row, table=True):
    """A recorder, line, queue or camera."""

    __tablename__ = "source"

    id: str = Field(primary_key=True)
    kind: str
    site: str
    zone: str
    area: str = ""
    owner: str = ""
    notice: str = ""  #: the sign or announcement in force, by its version
    purposes: list[str] = Field(sa_type=JSON)
    clock_error_s: float = 0.0  #: how far its clock may be off, either way
    channels: list[str] = Field(default_factory=list, sa_type=JSON)  #: which side each audio channel holds
    mount: str = ""  #: how the camera hangs
    raw_format: str = ""  #: for recorders that write sound without a header
    longest_s: float = (
        0.0  #: no recording of it is longer, so that a search by time need not go back for ever
    )
    registered_at: datetime


class CohortRow(Row, table=True):
    """One class x one zone x one trigger day: one due date, one key."""

    __tablename__ = "cohort"
    __table_args__ = (
        Index("cohort_by_day", "state", "class_name", "zone", "trigger_on"),
        CheckConstraint("state in ('active', 'expiring', 'expired')", name="cohort_state"),
    )

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    class_name: str
    zone: str
    trigger_on: date | None  #: NULL while the trigger is open
    reference: str = ""  #: the case or contract an open trigger waits for
    key_id: str = Field(unique=True)
    state: str = "active"
    expired_at: datetime | None = None
    run_id: str | None = None


class LotRow(Row, table=True):
    """Recordings that share site, kind, area, reasons and holds."""

    __tablename__ = "lot"
    __table_args__ = (
        Index(
            "lot_without_reason",
            "reasons_id",
            sqlite_where=text("living = 0 and recordings > 0"),
            postgresql_where=text("living = 0 and recordings > 0"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    signature: str = Field(unique=True)
    kind: str
    site: str
    zone: str
    area: str
    reasons_id: int = Field(foreign_key="reasons.id", index=True)
    holds: int = 0  #: how many holds its recordings are under
    restricted: bool = False  #: one of the holds suspends use
    run_id: str | None = Field(default=None, index=True)  #: the disposal run that lets its recordings go
    living: int = 0  #: how many of its cohorts have not expired
    recordings: int = 0
    size_bytes: int = Field(default=0, sa_type=BigInteger)


class ReasonsRow(Row, table=True):
    """A set of reasons to keep: that of the lots of one day, at every site."""

    __tablename__ = "reasons"

    id: int | None = Field(default=None, primary_key=True)
    digest: str = Field(unique=True)  #: of its members


class ReasonRow(Row, table=True):
    """A member of a set of reasons: a cohort, and the purpose it stands for."""

    __tablename__ = "reason"

    cohort_id: int = Field(primary_key=True, foreign_key="cohort.id")
    reasons_id: int = Field(primary_key=True, foreign_key="reasons.id", index=True)
    purpose: str = Field(primary_key=True)


class LotHoldRow(Row, table=True):
    """A lot's holds."""

    __tablename__ = "lot_hold"

    hold_id: str = Field(primary_key=True)
    lot_id: int = Field(primary_key=True, foreign_key="lot.id", index=True)


class RecordingRow(Row, table=True):
    """The unit of custody."""

    __tablename__ = "recording"
    __table_args__ = (
        UniqueConstraint("source_id", "native_index", "sha256", name="recording_once"),
        Index("recording_by_time", "source_id", "started_at"),
        Index(
            "recording_going",
            "id",
            sqlite_where=text("state = 'disposing'"),
            postgresql_where=text("state = 'disposing'"),
        ),
        CheckConstraint(
            "state in ({})".format(", ".join(f"'{state}'" for state in State)), name="recording_state"
        ),
    )

    id: str = Field(primary_key=True)
    source_id: str
    kind: str
    native_index: bytes = Field(
        sa_column=Column(LargeBinary, nullable=False)
    )  #: keyed index of the recorder's own id
    sha256: bytes = Field(
        sa_column=Column(LargeBinary, nullable=False)
    )  #: of the bytes as they came in, like the size; `object` has those of now
    size_bytes: int = Field(sa_type=BigInteger)
    started_at: datetime
    ended_at: datetime
    received_at: datetime
    claimed_start: str = ""  #: as the source said it, untouched
    time_basis: str = ""  #: where started_at comes from
    state: str
    lot_id: int | None = Field(default=None, foreign_key="lot.id", index=True)
    facts: dict[str, Any] = Field(
        default_factory=dict, sa_type=JSON
    )  #: what inspection found; no personal data
    personal: bytes | None = Field(default=None, sa_column=Column(LargeBinary))  #: sealed under the data key


class WrapRow(Row, table=True):
    """A recording's data key, wrapped under the key of one reason to keep it."""

    __tablename__ = "wrap"

    recording_id: str = Field(primary_key=True)
    key_id: str = Field(primary_key=True)
    wrapped: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class ObjectRow(Row, table=True):
    """A sealed object of a recording: the original or a derivative."""

    __tablename__ = "object"

    recording_id: str = Field(primary_key=True)
    role: str = Field(primary_key=True)
    version: int = Field(
        default=1, sa_column_kwargs={"server_default": "1"}
    )  #: the same for all of a recording's
    size_bytes: int = Field(sa_type=BigInteger)
    stored_bytes: int = Field(sa_type=BigInteger)
    sha256: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    commitment: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class IdentifierRow(Row, table=True):
    """A person's identifier in a recording, as a keyed blind index."""

    __tablename__ = "identifier"

    blind: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    recording_id: str = Field(primary_key=True, index=True)


class DoNotRecordRow(Row, table=True):
    """A caller who is not to be recorded, as a keyed blind index."""

    __tablename__ = "do_not_record"

    blind: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    added_at: datetime
    added_by: str


class IntakeRow(Row, table=True):
    """An object that is being written: swept if its writer died."""

    __tablename__ = "intake"

    recording_id: str = Field(primary_key=True)
    writer: str = Field(index=True)
    began_at: datetime


class TombstoneRow(Row, table=True):
    """What is left of a disposed recording: the leaf of its run's certificate."""

    __tablename__ = "tombstone"
    __table_args__ = (UniqueConstraint("run_id", "position", name="tombstone_position"),)

    recording_id: str = Field(primary_key=True)
    run_id: str
    position: int
    leaf: str  #: canonical JSON, exactly as certified


class ScheduleRow(Row, table=True):
    """A retention schedule that is or was in force; never edited."""

    __tablename__ = "schedule_version"

    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    digest: str
    text: str
    file_name: str
    planned_by: str
    approved_by: str
    applied_at: datetime
