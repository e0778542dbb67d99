"""Rows of the requests. None names a person: who asks, and what they said, is encrypted (`papers`)."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger
from sqlmodel import JSON, Field

from retention.database import Row


class RulebookRow(Row, table=True):
    """A version of the jurisdiction's rules; never edited."""

    __tablename__ = "rulebook_version"

    version: int = Field(primary_key=True)
    digest: str
    text: str
    file_name: str
    applied_at: datetime
    applied_by: str


class RequestRow(Row, table=True):
    """A request, and how far it is."""

    __tablename__ = "request"

    id: str = Field(primary_key=True)
    receipt: str = Field(unique=True)  #: what the requester is told, such as 2026-0017
    kind: str
    stage: str = Field(index=True)
    outcome: str = ""
    language: str
    by_agent: bool = False
    rulebook_version: int = Field(foreign_key="rulebook_version.version")
    received_at: datetime
    filed_by: str
    due_on: date  #: the last date, in the controller's zone, on which an answer is in time
    extended_from: date | None = None  #: what it was before it was extended
    file_id: str = Field(unique=True)  #: the recording that holds what was asked, and by whom
    methods: list[str] = Field(default_factory=list, sa_type=JSON)  #: how the requester was identified
    grounds: list[str] = Field(default_factory=list, sa_type=JSON)  #: of a refusal, whole or in part
    identified_by: str = ""
    decided_by: str = ""
    decided_at: datetime | None = None
    approved_by: str = ""
    approved_at: datetime | None = None
    effect: dict[str, Any] = Field(
        default_factory=dict, sa_type=JSON
    )  #: what was carried out; no personal data
    delivered_at: datetime | None = None
    closed_at: datetime | None = None


class LostRequestRow(Row, table=True):
    """A request that a restored backup does not have: its number was told to somebody, and is not given again."""

    __tablename__ = "lost_request"

    receipt: str = Field(primary_key=True)
    request_id: str


class RequestHoldRow(Row, table=True):
    """A hold that keeps what a request describes."""

    __tablename__ = "request_hold"

    hold_id: str = Field(primary_key=True)
    request_id: str = Field(foreign_key="request.id", index=True)


class RequestMatchRow(Row, table=True):
    """A recording that a request is about, or was found not to be about."""

    __tablename__ = "request_match"

    request_id: str = Field(primary_key=True)
    recording_id: str = Field(primary_key=True, index=True)
    is_left_out: bool = False
    is_refused: bool = False  #: in part granted: not for this one
    is_gone: bool = False  #: its disposal had begun before the request froze it
    run_id: str = ""  #: the run whose certificate says that it is gone


class RenditionRow(Row, table=True):
    """The redacted copy of a recording that a request asks for: how far its review is, and the copy once it is made.

    Reviewed or proposed anew, it has no copy again. Its papers are in `request_paper` as well, earlier ones too.
    A summary has `hidden` and `kept` (how many tracks, or channels and spans), `muted_ms` (all channels together),
    `styles`, `looked_with` (by what it was searched, before and after), `sound` (what became of it), and
    `remains` (sentences: what a person must know is still there, or was not looked for). It has no fractions.
    """

    __tablename__ = "request_rendition"

    request_id: str = Field(primary_key=True, foreign_key="request.id")
    recording_id: str = Field(primary_key=True, index=True)
    kind: str  #: "video" or "sound"
    review_id: str  #: the paper that holds the review document in force
    open_points: list[str] = Field(
        default_factory=list, sa_type=JSON
    )  #: what nobody has decided about, a sentence each; no personal data
    proposed_by: str
    proposed_at: datetime
    reviewed_by: str = ""  #: who gave the review in last; empty until somebody did
    reviewed_at: datetime | None = None
    hands: list[str] = Field(
        default_factory=list, sa_type=JSON
    )  #: all who reviewed or rendered: none of them approves
    rendition_id: str = ""  #: the paper that holds the copy; empty until it is made and verified
    report_id: str = ""  #: the paper that holds the report of its verification
    page_id: str = ""  #: the paper that holds the same report as one page for people
    suffix: str = ""  #: of a file with the copy, such as ".mp4"
    sha256: bytes | None = None  #: of the copy
    size_bytes: int = Field(default=0, sa_type=BigInteger)  #: of the copy
    summary: dict[str, Any] = Field(
        default_factory=dict, sa_type=JSON
    )  #: what was done, for the manifest; no personal data
    rendered_by: str = ""
    rendered_at: datetime | None = None
    decided_sha256: bytes | None = None  #: of the copy that the decision is about


class RequestPaperRow(Row, table=True):
    """A sealed paper of a request."""

    __tablename__ = "request_paper"

    recording_id: str = Field(primary_key=True)
    request_id: str = Field(foreign_key="request.id", index=True)
    area: str
    label: str  #: what it is; no personal data


class CorrectionRow(Row, table=True):
    """That the particulars of a recording were corrected; what they were and are stands in its note, encrypted."""

    __tablename__ = "correction"

    recording_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)  #: from 1
    request_id: str = Field(index=True)  #: after a restore, perhaps one that must be filed again
    receipt: str
    particulars: list[str] = Field(sa_type=JSON)  #: which, such as "caller.phone"; never their values
    at: datetime
    actor: str
    approved_by: str
    told_at: datetime | None = None  #: when the journal was told of it


class RequestNoteRow(Row, table=True):
    """An entry of a request's diary, encrypted under the data key of its file."""

    __tablename__ = "request_note"

    request_id: str = Field(primary_key=True)
    position: int = Field(primary_key=True)
    at: datetime
    actor: str
    about: str  #: "search", "identity", "decision" …
    note: bytes
