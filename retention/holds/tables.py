"""Rows of the holds."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import JSON, Field

from retention.database import Row


class HoldRow(Row, table=True):
    """A hold: an owner, a reason, a review date, a key."""

    __tablename__ = "hold"
    __table_args__ = (
        Index(
            "hold_in_force",
            "id",
            sqlite_where=text("lifted_at IS NULL"),
            postgresql_where=text("lifted_at IS NULL"),
        ),
    )

    id: str = Field(primary_key=True)
    kind: str
    reason: str
    owner: str
    review_on: date
    key_id: str = Field(unique=True)
    suspends_use: bool = False
    criteria: dict[str, Any] = Field(sa_type=JSON)
    placed_at: datetime
    placed_by: str
    lifted_at: datetime | None = None
    lifted_by: str = ""
    lift_reason: str = ""
    key_destroyed_at: datetime | None = None


class HoldMatchRow(Row, table=True):
    """A recording under a hold, for as long as the hold is in force."""

    __tablename__ = "hold_match"

    hold_id: str = Field(primary_key=True)
    recording_id: str = Field(primary_key=True, index=True)


class HoldDrillRow(Row, table=True):
    """The last drill of a recording under a hold."""

    __tablename__ = "hold_drill"

    hold_id: str = Field(primary_key=True)
    recording_id: str = Field(primary_key=True)
    drilled_at: datetime
    drilled_by: str
    outcome: str
    what: str = ""
