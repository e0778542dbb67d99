"""A delivery as commands show it: nobody is named, and no link can be made of it."""

from collections.abc import Iterable
from typing import Any

from rich.table import Table

from retention.cli.shared import local, styled, table
from retention.disclosure.model import FAILED
from retention.disclosure.tables import DisclosureRow

DIGITS = 12  #: of a digest, for people


def delivery_json(row: DisclosureRow) -> dict[str, Any]:
    """A delivery for machines."""
    return {
        "id": row.id,
        "route": row.route,
        "state": row.state,
        "made_at": row.made_at,
        "made_by": row.made_by,
        "delivered_at": row.delivered_at,
        "in_time": row.in_time,
        "expires_at": row.expires_at,
        "sha256": row.sha256,
        "size_bytes": row.size_bytes,
        "archive_sha256": row.archive_sha256 or None,
        "link": row.receipt or None,
    }


def delivery_table(title: str, rows: Iterable[tuple[str, DisclosureRow]], zone: str) -> Table:
    """Deliveries for people, each with the receipt number of its request."""
    columns = ["request", "route", "state", "delivered", "in time", "package", "tries"]
    return table(title, columns, [_line(receipt, each, zone) for receipt, each in rows])


def _line(receipt: str, row: DisclosureRow, zone: str) -> tuple[Any, ...]:
    in_time = "" if row.in_time is None else "yes" if row.in_time else styled("no", "bold red")
    state = styled(row.state, "bold red") if row.state in FAILED else row.state
    at = local(row.delivered_at, zone) if row.delivered_at else ""
    return receipt, row.route, state, at, in_time, row.sha256[:DIGITS], row.receipt.get("tried", "")
