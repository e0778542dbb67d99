"""Rows of provisions, their stops, and the register of entrustees.

None names a person: to whom something went, and why, is in a sealed paper
(`papers`). An entrustee is a business, and stands here by name.
"""

from datetime import date, datetime

from sqlalchemy import BigInteger, Column, LargeBinary
from sqlmodel import JSON, Field

from retention.database import Row
from retention.provision.model import Excerpt, Form


class EntrusteeRow(Row, table=True):
    """A processor: its contract and what it may be given."""

    __tablename__ = "entrustee"

    id: str = Field(primary_key=True)
    name: str
    contract: str
    from_on: date
    until_on: date
    purposes: list[str] = Field(sa_type=JSON)
    kinds: list[str] = Field(sa_type=JSON)
    sites: list[str] = Field(sa_type=JSON)
    sub_entrustees: list[str] = Field(sa_type=JSON)
    review_on: date
    added_at: datetime
    added_by: str
    ended_on: date | None = None  #: the first day on which the contract is not in force


class ProvisionRow(Row, table=True):
    """A provision, and how far it is."""

    __tablename__ = "provision"

    id: str = Field(primary_key=True)
    digest: str = Field(unique=True)  #: of the proposal's paper, which holds a secret number
    stage: str = Field(index=True)
    basis: str
    rulebook_version: int
    entrustee_id: str | None = Field(default=None, foreign_key="entrustee.id")
    recipient: bytes = Field(
        sa_column=Column(LargeBinary, nullable=False, index=True)
    )  #: keyed index of the name
    proposal_id: str  #: the paper that says to whom, why and by which fields
    record_id: str = ""  #: the paper that keeps this from the day of the provision on
    proposed_at: datetime
    proposed_by: str
    approved_at: datetime | None = None
    approved_by: str = ""
    handed_over_at: datetime | None = None
    handed_over_by: str = ""
    sha256: str = ""  #: of the file that was handed over, hex
    size_bytes: int = Field(default=0, sa_type=BigInteger)


class ProvisionItemRow(Row, table=True):
    """A recording of a provision, as it was when it was proposed."""

    __tablename__ = "provision_item"

    provision_id: str = Field(primary_key=True, foreign_key="provision.id")
    recording_id: str = Field(primary_key=True, index=True)
    sha256: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    from_us: int | None = Field(
        default=None, sa_type=BigInteger
    )  #: only a part of it, in microseconds from its beginning
    until_us: int | None = Field(default=None, sa_type=BigInteger)  #: exclusive
    form: str = ""  #: what the part comes out as; "" where all of the recording is given

    @property
    def part(self) -> Excerpt | None:
        """Which part of the recording; None where it is all of it."""
        if self.from_us is None or self.until_us is None:
            return None
        return Excerpt(self.from_us, self.until_us, Form(self.form))


class ProvisionBlockRow(Row, table=True):
    """A stop of provision: of one recording, or of whatever carries an identifier, also what arrives later."""

    __tablename__ = "provision_block"

    id: str = Field(primary_key=True)
    recording_id: str | None = Field(default=None, index=True)
    blind: bytes | None = Field(default=None, sa_column=Column(LargeBinary, index=True))
    reason: str  #: no personal data: a request's id
    placed_at: datetime
    placed_by: str
