"""Rows of the quarantine."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, LargeBinary
from sqlmodel import Field

from retention.database import Row


class QuarantineRow(Row, table=True):
    """Something that could not be taken in: kept, encrypted, never played, until a person decides."""

    __tablename__ = "quarantine"
    __table_args__ = (
        CheckConstraint("state in ('waiting', 'released', 'rejected')", name="quarantine_state"),
    )

    id: str = Field(primary_key=True)
    state: str = Field(default="waiting", index=True)
    code: str
    reason: str
    source_id: str
    received_at: datetime
    key_id: str = Field(unique=True)  #: its own: whoever decides about an item ends it alone
    wrapped: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    note: bytes = Field(
        sa_column=Column(LargeBinary, nullable=False)
    )  #: its name and manifest entry, encrypted
    size_bytes: int = Field(default=0, sa_type=BigInteger)
    stored_bytes: int | None = Field(default=None, sa_type=BigInteger)  #: None: there were no bytes to keep
    sha256: bytes = Field(default=b"", sa_column=Column(LargeBinary, nullable=False))
    fingerprint: bytes = Field(
        sa_column=Column(LargeBinary, nullable=False, index=True)
    )  #: equal for the same thing offered again
    commitment: bytes = Field(default=b"", sa_column=Column(LargeBinary, nullable=False))
    decided_at: datetime | None = None
    decided_by: str = ""
    recording_id: str | None = None  #: what it became when it was released
