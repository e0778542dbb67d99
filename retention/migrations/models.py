"""Every table of the service: importing this module fills the metadata."""

from sqlmodel import SQLModel

from retention.amendment import tables as amendment
from retention.audit import tables as audit
from retention.catalogue import tables as catalogue
from retention.disclosure import tables as disclosure
from retention.disposal import tables as disposal
from retention.holds import tables as holds
from retention.ingest import tables as ingest
from retention.provision import tables as provision
from retention.redaction import tables as redaction
from retention.requests import tables as requests

ROOMS = (amendment, audit, catalogue, disclosure, disposal, holds, ingest, provision, redaction, requests)

ALL_TABLES = frozenset(SQLModel.metadata.tables)
