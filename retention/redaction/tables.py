"""Rows of the ledger of destroyed spans."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, LargeBinary
from sqlmodel import JSON, Field

from retention.database import Row


class DestructionRow(Row, table=True):
    """Spans of an original: planned, approved, destroyed. It tells where and why, never what was said."""

    __tablename__ = "destruction"
    __table_args__ = (
        CheckConstraint("state in ('planned', 'started', 'destroyed', 'finished')", name="destruction_state"),
    )

    digest: str = Field(primary_key=True)
    recording_id: str = Field(index=True)
    spans: list[str] = Field(sa_type=JSON)
    reason: str
    needs_approval: bool
    planned_at: datetime
    planned_by: str
    approved_at: datetime | None = None
    approved_by: str = ""
    state: str = Field(default="planned", index=True)
    version: int = 0  #: the version that its last attempt makes or made; 0 before the first
    old_sha256: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    old_size_bytes: int = Field(sa_type=BigInteger)
    new_sha256: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    new_size_bytes: int | None = Field(default=None, sa_type=BigInteger)
    how: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    destroyed_at: datetime | None = None  #: the new version was in force
    destroyed_by: str = ""
    finished_at: datetime | None = None  #: every byte of the old one was gone
