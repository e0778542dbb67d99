"""Requests that were filed after the backup: what they froze is held again, and they must be filed again."""

from retention.custody.replay.context import Entry, Replaying
from retention.requests.tables import RequestRow


def request_filed(here: Replaying, entry: Entry) -> None:
    """A request whose papers the backup does not have: who restores is told its number."""
    if here.session.get(RequestRow, entry["request"]) is None:
        here.done.requests_lost.append(entry["receipt"])
