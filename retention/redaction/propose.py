"""Search what a request is about for people and words that somebody must decide about.

    1  open     the original, through the door, into a file without a name
    2  search   by the engine, which keeps how far it was
    3  seal     the review document, as a paper of the case
    4  commit   one transaction: the paper, the row, the diary, the trail

Killed anywhere, nothing is proposed, and the next goes on where the search was.
"""

from retention.audit.tags import Tag
from retention.redaction.at_work import (
    Means,
    about,
    its_recordings,
    put_work_on_record,
    request_at_work,
    sealed_review,
)
from retention.redaction.original import opened_original
from retention.redaction.redactor import Progress, Review, Wish
from retention.redaction.workroom import workroom
from retention.requests.papers import keep_paper
from retention.requests.renditions import reviews_of
from retention.requests.tables import RenditionRow
from retention.vault.papers import Tools

LABEL = "review document"


def propose(
    tools: Tools,
    means: Means,
    name: str,
    wish: Wish,
    actor: str,
    *,
    recording_id: str = "",
    progress: Progress = lambda _done, _total: None,
) -> list[RenditionRow]:
    """Propose for every recording that has no proposal yet, or anew for the one that is named; what is new.

    Proposed anew, whatever was decided about it is to be decided again.

    Raises:
        NotFound: There is no such request, it is not about this recording, or a detector's weights are missing.
        IllegalTransition: The request is not at its search.
        InvalidInput: Nothing is handed over for a request of its kind; the photo shows no face; there is no such
            detector.
        NotPermitted: An original may not be opened; the reason is on record.
        MediaError: An original cannot be searched.
        DatabaseBusy: Another process works on one of them.
    """
    with tools.database.read() as session:
        row = request_at_work(session, name)
        known = {each.recording_id for each in reviews_of(session, row.id)}
        wanted = its_recordings(session, row, recording_id)
    wanted = wanted if recording_id else tuple(each for each in wanted if each not in known)
    return [_propose(tools, means, name, each, wish, actor, progress) for each in wanted]


def _propose(
    tools: Tools, means: Means, name: str, recording_id: str, wish: Wish, actor: str, progress: Progress
) -> RenditionRow:
    with tools.database.read() as session:
        row = request_at_work(session, name)
    with (
        about(recording_id),
        workroom(means.folder, row.id, recording_id) as room,
        opened_original(tools, means.door, row, recording_id, means.folder, actor) as original,
    ):
        review = means.redactor.propose(original, wish, room.search, progress)
        return _keep(tools, name, recording_id, str(original.medium), wish, review, actor)


def _keep(
    tools: Tools, name: str, recording_id: str, kind: str, wish: Wish, review: Review, actor: str
) -> RenditionRow:
    now = tools.clock.now()
    with tools.intake() as intake:
        with tools.database.read() as session:
            row = request_at_work(session, name)
        paper = sealed_review(tools, intake, row, review)
        with tools.database.write() as session:
            row = request_at_work(session, name)
            its_recordings(session, row, recording_id)
            keep_paper(session, tools, intake, paper, row.id, LABEL)
            found = session.merge(
                RenditionRow(
                    request_id=row.id,
                    recording_id=recording_id,
                    kind=kind,
                    review_id=paper.id,
                    open_points=list(review.open_points),
                    proposed_by=actor,
                    proposed_at=now,
                )
            )
            detail = {
                "review": paper.id,
                "any_angle": wish.any_angle,
                "extent": str(wish.extent),
                "ordered_by_a_photo": wish.photo is not None,
            }
            put_work_on_record(session, tools, row, found, now, actor, Tag.REVIEW_PROPOSED, detail)
            return found
