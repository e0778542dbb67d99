"""Rows of the audit trail. The database refuses to change or remove them."""

from datetime import date, datetime

from sqlmodel import Field

from retention.database import Row


class AuditRow(Row, table=True):
    """One entry of the trail; append-only by trigger."""

    __tablename__ = "audit_entry"

    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime
    tag: str = Field(index=True)
    actor: str
    subject: str = Field(index=True)
    purpose: str = ""
    detail: str = "{}"
    previous: str
    digest: str


class AuditHeadRow(Row, table=True):
    """The last entry, and the lock that puts writers in a row."""

    __tablename__ = "audit_head"

    id: int = Field(default=1, primary_key=True)
    seq: int
    digest: str


class AuditRootRow(Row, table=True):
    """The trail's head at the end of a day, signed; append-only by trigger."""

    __tablename__ = "audit_root"

    on: date = Field(primary_key=True)
    seq: int
    digest: str
    signed_at: datetime
    signature: bytes


APPEND_ONLY = ("audit_entry", "audit_root")
