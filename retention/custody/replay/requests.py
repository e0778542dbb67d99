"""Requests that were filed or closed after the backup.

What a lost one froze is held again, and it must be filed again; one that was
answered and closed is closed, since its holds are lifted.
"""

from datetime import datetime

from retention.custody.replay.context import Entry, Replaying, instant_of
from retention.requests.model import Stage
from retention.requests.tables import RequestRow


def request_filed(here: Replaying, entry: Entry) -> None:
    """A request whose papers the backup does not have: who restores is told its number."""
    if here.session.get(RequestRow, entry["request"]) is None:
        here.done.requests_lost.append(entry["receipt"])


def request_closed(here: Replaying, entry: Entry) -> None:
    """A request that was answered and is closed, however far it was in the backup."""
    row = here.session.get(RequestRow, entry["request"])
    if row is None or row.stage == Stage.CLOSED:
        return
    row.stage, row.outcome, row.closed_at = Stage.CLOSED, entry["outcome"], instant_of(entry)
    row.delivered_at = datetime.fromisoformat(entry["delivered_at"])
    here.session.add(row)
    here.done.requests_closed += 1
