"""Answers that reached a person after the backup.

The ledger knows them again, also where the request itself must be filed again:
what was handed over cannot be taken back.
"""

from datetime import datetime

from retention.custody.replay.context import Entry, Replaying, instant_of
from retention.disclosure.tables import DisclosureRow
from retention.disclosure.tell import TOLD
from retention.requests.tables import LostRequestRow, RequestRow

INSTANTS = ("made_at", "expires_at")


def answer_delivered(here: Replaying, entry: Entry) -> None:
    """An answer that arrived, whatever the backup knows of its delivery."""
    present = here.session.get(DisclosureRow, entry["delivery"])
    if present is not None and present.delivered_at is not None:
        return
    said = {name: entry[name] for name in TOLD}
    said |= {name: datetime.fromisoformat(said[name]) for name in INSTANTS if said[name]}
    at = instant_of(entry)
    here.session.merge(DisclosureRow(id=entry["delivery"], delivered_at=at, **said))
    request = here.session.get(RequestRow, entry["request_id"])
    if request is None:
        # Whoever filed it may have been killed before the journal was told; its number is not given again.
        here.session.merge(LostRequestRow(receipt=entry["number"], request_id=entry["request_id"]))
    else:
        request.delivered_at = request.delivered_at or at
        here.session.add(request)
    here.done.deliveries += 1
