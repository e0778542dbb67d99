"""Rows of the run ledger."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, UniqueConstraint
from sqlmodel import JSON, Field

from retention.database import Row


class RunRow(Row, table=True):
    """One disposal run: its plan before, its counts after."""

    __tablename__ = "disposal_run"
    __table_args__ = (UniqueConstraint("kind", "on", "attempt", name="one_night_a_date"),)

    id: str = Field(primary_key=True)
    kind: str
    on: date
    attempt: int = 0
    state: str = Field(index=True)
    plan: dict[str, Any] = Field(sa_type=JSON)
    planned: int = 0
    disposed: int = 0
    held: int = 0
    failed: int = 0
    awaiting_approval: int = 0
    size_bytes: int = Field(default=0, sa_type=BigInteger)
    schedule_version: int = 0
    started_at: datetime
    started_by: str
    keys_destroyed_at: datetime | None = None
    finished_at: datetime | None = None
    tripped: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)  #: guard → reason
    resets: list[str] = Field(default_factory=list, sa_type=JSON)  #: who agreed to go on after a trip
    reset_used: bool = False
    certificate: str = ""  #: the certified root, hex; "" when nothing was disposed of


class DisposalApprovalRow(Row, table=True):
    """A plan that was printed, and who approved it."""

    __tablename__ = "disposal_approval"

    digest: str = Field(primary_key=True)
    on: date
    cohorts: dict[str, Any] = Field(sa_type=JSON)  #: cohort id → its extent
    planned_at: datetime
    planned_by: str
    approved_at: datetime | None = None
    approved_by: str = ""
