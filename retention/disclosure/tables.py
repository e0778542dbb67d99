"""Rows of the disclosure ledger: one for each delivery of an answer. None names a person."""

from datetime import datetime
from typing import Any

from sqlmodel import JSON, BigInteger, Field

from retention.database import Row


class DisclosureRow(Row, table=True):
    """A delivery of the answer to a request, and what became of it."""

    __tablename__ = "disclosure"

    id: str = Field(primary_key=True)
    request_id: str = Field(index=True)  #: after a restore, perhaps one that must be filed again
    route: str  #: "link", "archive", or how a person handed it over
    state: str = Field(index=True)
    made_at: datetime
    made_by: str
    package_id: str  #: the paper that was delivered
    sha256: str  #: of the package
    size_bytes: int = Field(sa_type=BigInteger)  #: of the package
    archive_sha256: str = ""  #: of the encrypted archive that was made of it
    link_id: str = ""  #: under which it waits in the outbox; says nothing about the link itself
    expires_at: datetime | None = None
    delivered_at: datetime | None = None
    in_time: bool | None = None  #: whether it arrived by the last day; None while it has not
    receipt: dict[str, Any] = Field(
        default_factory=dict, sa_type=JSON
    )  #: what the outbox told: attempts, downloads, instants
