"""Hand the review document out, and take it back when a person has decided.

The document holds what people look like and said. Handing it out is an opening
of a paper; taking one back seals a new paper, and no copy made before counts.
"""

from collections.abc import Callable, Mapping

from retention.audit.tags import Tag
from retention.kernel.errors import StaleApproval
from retention.redaction.at_work import (
    Means,
    about,
    find_rendition,
    its_recordings,
    medium_of,
    opened_review,
    put_work_on_record,
    request_at_work,
    sealed_review,
    with_hand,
    without_copy,
)
from retention.redaction.propose import LABEL
from retention.redaction.redactor import Choice, Medium, Review
from retention.requests.cases import find_request
from retention.requests.papers import keep_paper
from retention.requests.tables import RenditionRow
from retention.vault.papers import Tools


def hand_out(tools: Tools, means: Means, name: str, recording_id: str, actor: str) -> Review:
    """The review document of a recording, decided or not.

    Raises:
        NotFound: There is no such request, or nothing is proposed for this recording.
        NotPermitted: It may not be opened; the reason is on record.
    """
    with tools.database.read() as session:
        found = find_rendition(session, find_request(session, name), recording_id)
    return opened_review(tools, means, found, actor)


def pictures(tools: Tools, means: Means, name: str, recording_id: str, review: Review) -> Mapping[str, bytes]:
    """File name → JPEG of whoever a track of this document shows."""
    with tools.database.read() as session:
        found = find_rendition(session, find_request(session, name), recording_id)
    return means.redactor.pictures(medium_of(found), review)


def take(tools: Tools, means: Means, name: str, recording_id: str, text: bytes, actor: str) -> RenditionRow:
    """Put a person's decisions about a recording in force, as a whole document.

    What is still undecided may be: it is named, and nothing is rendered before.

    Raises:
        NotFound: There is no such request, or nothing is proposed for this recording.
        IllegalTransition: The request is not at its search.
        InvalidInput: It is no review document, is about another recording, or lacks something that was found.
        StaleApproval: Another review was given while this one was taken.
    """
    return _put_in_force(
        tools,
        means,
        name,
        recording_id,
        lambda medium, before: means.redactor.take(medium, before, text, actor),
        actor,
    )


def choose(
    tools: Tools, means: Means, name: str, recording_id: str, choice: Choice, actor: str
) -> RenditionRow:
    """As `take`, by the names of what is to be kept and hidden.

    Raises:
        InvalidInput: It names what is not there.
        NotFound, IllegalTransition, StaleApproval: As `take`.
    """
    return _put_in_force(
        tools,
        means,
        name,
        recording_id,
        lambda medium, before: means.redactor.choose(medium, before, choice, actor),
        actor,
    )


def _put_in_force(
    tools: Tools,
    means: Means,
    name: str,
    recording_id: str,
    decided: Callable[[Medium, Review], Review],
    actor: str,
) -> RenditionRow:
    with tools.database.read() as session:
        row = request_at_work(session, name)
        its_recordings(session, row, recording_id)
        found = find_rendition(session, row, recording_id)
    with about(recording_id):
        review = decided(medium_of(found), opened_review(tools, means, found, actor))
    now = tools.clock.now()
    with tools.intake() as intake:
        paper = sealed_review(tools, intake, row, review)
        with tools.database.write() as session:
            row = request_at_work(session, name)
            its_recordings(session, row, recording_id)
            again = unchanged(find_rendition(session, row, recording_id), found)
            keep_paper(session, tools, intake, paper, row.id, LABEL)
            without_copy(again, paper, review)
            with_hand(again, actor)
            again.reviewed_by, again.reviewed_at = actor, now
            detail = {"review": paper.id}
            put_work_on_record(session, tools, row, again, now, actor, Tag.REVIEW_GIVEN, detail)
            return again


def unchanged(now: RenditionRow, before: RenditionRow) -> RenditionRow:
    """The row, if the same review document is in force as before.

    Raises:
        StaleApproval: Another is.
    """
    if now.review_id != before.review_id:
        raise StaleApproval(
            f"another review of recording {now.recording_id} was given meanwhile",
            hint="`retention request review --out FILE` shows it; decide in that.",
        )
    return now
