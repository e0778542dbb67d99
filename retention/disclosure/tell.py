"""What the journal is told of an answer that arrived, so that a restored backup knows it. It names nobody."""

from retention.audit.witness import SignedJournal
from retention.disclosure.tables import DisclosureRow
from retention.requests.tables import RequestRow

TOLD = (
    "request_id",
    "route",
    "state",
    "made_at",
    "made_by",
    "package_id",
    "sha256",
    "size_bytes",
    "archive_sha256",
    "link_id",
    "expires_at",
    "in_time",
    "receipt",
)


def tell_of_delivery(journal: SignedJournal, row: RequestRow, made: DisclosureRow) -> None:
    """An answer has arrived. Told before the commit: one too many on the ledger, never one too few."""
    assert made.delivered_at is not None
    said = {name: getattr(made, name) for name in TOLD}
    journal.write("answer-delivered", made.delivered_at, {"delivery": made.id, "number": row.receipt, **said})
