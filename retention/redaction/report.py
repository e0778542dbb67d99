"""The report on a finished copy, for whoever has to approve it: what was done, looked for and found."""

from retention.kernel.errors import NotFound
from retention.redaction.at_work import Means, find_rendition, opened_paper
from retention.requests.cases import find_request
from retention.requests.renditions import next_step
from retention.vault.papers import Tools


def report_of(
    tools: Tools, means: Means, name: str, recording_id: str, actor: str, *, for_people: bool
) -> bytes:
    """The report as it was sealed with the copy: a page of HTML for people, or JSON.

    Raises:
        NotFound: There is no such request, or no finished copy of this recording.
        NotPermitted: It may not be opened; the reason is on record.
    """
    with tools.database.read() as session:
        row = find_request(session, name)
        found = find_rendition(session, row, recording_id)
        if not found.rendition_id:
            raise NotFound(
                f"there is no finished copy of recording {recording_id} for request {row.receipt}",
                hint=f"Next: {next_step(row.receipt, recording_id, found)}.",
            )
    return opened_paper(tools, means, found.page_id if for_people else found.report_id, actor)
