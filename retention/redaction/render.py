"""Make the copies that a request hands over, look at each again, and seal it.

    1  open     the original, and the review document
    2  render   by the engine, into the private folder; decoded and searched again there
    3  seal     copy, report and its page, as papers of the case
    4  commit   one transaction: papers, row, diary, trail

What the second look finds goes back to review, and no copy of that recording
is kept. Killed anywhere before the commit, there is no copy.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from retention.audit.tags import Tag
from retention.catalogue.model import NewRecording
from retention.catalogue.schedules import schedule_in_force
from retention.kernel.errors import IllegalTransition
from retention.redaction.at_work import (
    Means,
    about,
    find_rendition,
    its_recordings,
    opened_review,
    put_work_on_record,
    request_at_work,
    sealed_review,
    with_hand,
    without_copy,
)
from retention.redaction.original import opened_original
from retention.redaction.propose import LABEL
from retention.redaction.redactor import Copy, FoundAgain, Progress, Review
from retention.redaction.review import unchanged
from retention.redaction.workroom import workroom
from retention.requests.papers import Area, keep_paper, write_paper
from retention.requests.renditions import next_step, reviews_of
from retention.requests.tables import RenditionRow, RequestRow
from retention.vault.intake import Intake
from retention.vault.papers import Tools

_READ_BYTES = 1024 * 1024


@dataclass(slots=True)
class Rendered:
    """What became of the recordings that were to be rendered."""

    made: list[RenditionRow] = field(default_factory=list)
    sent_back: list[RenditionRow] = field(default_factory=list)  #: in which somebody was found again


def render(
    tools: Tools,
    means: Means,
    name: str,
    actor: str,
    *,
    recording_id: str = "",
    hide_found: bool = False,
    language: str = "",
    progress: Progress = lambda _done, _total: None,
) -> Rendered:
    """Render every recording that is reviewed and has no copy yet, or anew the one that is named.

    With `hide_found`, whoever the second look finds is hidden too, in the actor's name: nobody is uncovered by it.
    The page that is sealed with each copy is in `language`, or in that of the request.

    Raises:
        NotFound: There is no such request, or it is not about this recording.
        IllegalTransition: The request is not at its search, or something is undecided; each is named.
        NotPermitted: An original may not be opened; the reason is on record.
        StaleApproval: Another review was given meanwhile.
        MediaError: A copy cannot be made, or did not pass its check.
        DatabaseBusy: Another process works on one of them.
    """
    with tools.database.read() as session:
        row = request_at_work(session, name)
        known = {each.recording_id: each for each in reviews_of(session, row.id)}
        wanted = its_recordings(session, row, recording_id)
    ready = [known[each] for each in wanted if each in known and _is_ready(known[each], bool(recording_id))]
    if not ready:
        _refuse(row, wanted, known)
    done = Rendered()
    for each in ready:
        with about(each.recording_id):
            _render(tools, means, row, each, actor, progress, done, hide_found=hide_found, language=language)
    return done


def _is_ready(found: RenditionRow, again: bool) -> bool:
    return bool(found.reviewed_by) and not found.open_points and (again or not found.rendition_id)


def _refuse(row: RequestRow, wanted: tuple[str, ...], known: dict[str, RenditionRow]) -> None:
    """Name what stands in the way of each.

    Raises:
        IllegalTransition: Always, unless every copy is made.
    """
    steps = {each: step for each in wanted if (step := next_step(row.receipt, each, known.get(each)))}
    if not steps:
        return
    points = [
        f"\n  {each}: {point}"
        for each in steps
        for point in (
            known[each].open_points or ["nobody has reviewed it"] if each in known else ["not proposed"]
        )
    ]
    raise IllegalTransition(
        f"no copy can be made for request {row.receipt}:{''.join(points)}",
        hint="Next: " + "; ".join(steps.values()),
    )


def _render(
    tools: Tools,
    means: Means,
    row: RequestRow,
    found: RenditionRow,
    actor: str,
    progress: Progress,
    done: Rendered,
    *,
    hide_found: bool,
    language: str,
) -> None:
    review = opened_review(tools, means, found, actor)
    with (
        workroom(means.folder, row.id, found.recording_id) as room,
        opened_original(tools, means.door, row, found.recording_id, means.folder, actor) as original,
    ):
        try:
            copy = means.redactor.render(
                original,
                review,
                room.copies,
                progress,
                hide_found_for=actor if hide_found else "",
                language=language or row.language,
            )
        except FoundAgain as refusal:
            done.sent_back.append(_send_back(tools, row, found, refusal, actor))
        else:
            done.made.append(_seal(tools, row, found, review, copy, actor))


def _send_back(
    tools: Tools, row: RequestRow, found: RenditionRow, refusal: FoundAgain, actor: str
) -> RenditionRow:
    now = tools.clock.now()
    with tools.intake() as intake:
        paper = sealed_review(tools, intake, row, refusal.review)
        with tools.database.write() as session:
            row = request_at_work(session, row.id)
            again = unchanged(find_rendition(session, row, found.recording_id), found)
            keep_paper(session, tools, intake, paper, row.id, LABEL)
            without_copy(again, paper, refusal.review)
            detail = {"review": paper.id, "found": len(refusal.findings)}
            put_work_on_record(session, tools, row, again, now, actor, Tag.RENDITION_REFUSED, detail)
            return again


def _seal(
    tools: Tools, row: RequestRow, found: RenditionRow, review: Review, copy: Copy, actor: str
) -> RenditionRow:
    now = tools.clock.now()
    with tools.intake() as intake:
        by = None if copy.review == review else sealed_review(tools, intake, row, copy.review)
        rendition, report, page = _papers(tools, intake, row, copy)
        with tools.database.write() as session:
            row = request_at_work(session, row.id)
            its_recordings(session, row, found.recording_id)
            again = unchanged(find_rendition(session, row, found.recording_id), found)
            if by is not None:
                keep_paper(session, tools, intake, by, row.id, LABEL)
                without_copy(again, by, copy.review)
            keep_paper(session, tools, intake, rendition, row.id, "redacted copy")
            keep_paper(session, tools, intake, report, row.id, "report on a redacted copy")
            keep_paper(session, tools, intake, page, row.id, "report on a redacted copy, as a page")
            again.rendition_id, again.report_id, again.page_id = rendition.id, report.id, page.id
            again.suffix = copy.path.suffix
            again.sha256, again.size_bytes = rendition.original.sha256, rendition.original.size_bytes
            again.summary, again.rendered_by, again.rendered_at = dict(copy.summary), actor, now
            with_hand(again, actor)
            detail = {
                "review": again.review_id,
                "rendition": rendition.id,
                "report": report.id,
                "page": page.id,
                "sha256": rendition.original.sha256.hex(),
                "size_bytes": rendition.original.size_bytes,
            }
            put_work_on_record(session, tools, row, again, now, actor, Tag.RENDITION_MADE, detail)
            return again


def _papers(
    tools: Tools, intake: Intake, row: RequestRow, copy: Copy
) -> tuple[NewRecording, NewRecording, NewRecording]:
    """Copy, report and page."""
    with tools.database.read() as session:
        schedule = schedule_in_force(session)
    return (
        write_paper(tools, intake, schedule, Area.RENDITION, _pieces(copy.path), row.id),
        write_paper(tools, intake, schedule, Area.RENDITION, [copy.report], row.id),
        write_paper(tools, intake, schedule, Area.RENDITION, [copy.page], row.id),
    )


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_READ_BYTES):
            yield piece
