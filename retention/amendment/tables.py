"""Rows of the plans to change the schedule."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint
from sqlmodel import JSON, Field, SQLModel

from retention.amendment.model import PlanState


class SchedulePlanRow(SQLModel, table=True):
    """A change that was planned: the text, what it amounts to, who agreed, how far it is."""

    __tablename__ = "schedule_plan"
    __table_args__ = (
        CheckConstraint(
            "state in ({})".format(", ".join(f"'{state}'" for state in PlanState)), name="schedule_plan_state"
        ),
    )

    digest: str = Field(primary_key=True)
    base_version: int  #: the version that it would replace
    text: str
    file_name: str
    reason: str = ""
    impact: dict[str, Any] = Field(sa_type=JSON)
    planned_at: datetime
    planned_by: str
    approved_at: datetime | None = None
    approved_by: str = ""
    cool_off_until: datetime | None = None
    cancelled_at: datetime | None = None
    cancelled_by: str = ""
    applied_at: datetime | None = None
    applied_by: str = ""
    version: int | None = None  #: the version that it became
    rewrapped: int = 0  #: data keys that were wrapped anew so far
    move_id: str = ""  #: the last of its moves of which the journal was told
    state: str = Field(default=str(PlanState.PLANNED), index=True)
