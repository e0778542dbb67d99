"""retention redact video: hide people in footage."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from media.errors import Unreadable
from media.files import write_whole
from media.page import as_text
from media.review.by_hand import MOVING
from media.review.decide import hide_all as hide_everybody
from media.review.document import ReviewDocument, from_json, to_json
from media.review.likeness import Likeness
from media.review.masks import coverage
from media.video.detect.choose import face_detector
from media.video.detect.port import Detector as FindsFaces
from media.video.extent import Extent
from media.video.masks import Style
from media.video.propose import Means, Wish, propose
from media.video.redact import FoundAgain, Order, Watch, check_models, finish, other_detector, unsearched
from media.video.render.model import Audio, ReplaceAudio
from media.video.render.render import check_target
from media.video.verify.report import page_of
from media.video.verify.verify import to_json as report_json
from media.video.views import Mount as HeadsLie
from media.video.views import mount_of
from media.video.watch import Progress
from media.video.watch import Watch as SurveyWatch
from retention.cli.by_hand import Moving, check_moving
from retention.cli.redact_report import ReportLanguage, Reports, checked_language, write_reports
from retention.cli.redact_shared import Copy, Original, one_of, plain_errors
from retention.cli.search_options import (
    AnyAngle,
    Detector,
    Heads,
    KeepFace,
    Mount,
    Persons,
    Sha256,
    extent_of,
)
from retention.cli.shared import actor, amount, progress, show, size
from retention.kernel import errors


def video(
    original: Original,
    copy: Copy,
    hide_all: Annotated[
        bool, typer.Option("--hide-all", help="Hide everybody about whom nobody has decided.")
    ] = False,
    review: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The review document: obeyed if it is there, else written."),
    ] = None,
    mount: Mount = "",
    any_angle: AnyAngle = False,
    heads: Heads = False,
    persons: Persons = False,
    moving: Moving = "hide",
    detector: Detector = "",
    sha256: Sha256 = "",
    style: Annotated[
        str, typer.Option(help="fill, cosmetic (softened fill) or mosaic, which is weaker.")
    ] = "",
    keep_face: KeepFace = None,
    sound: Annotated[
        str, typer.Option("--audio", metavar="keep|drop|FILE", help="What becomes of the sound.")
    ] = "keep",
    report: Reports = None,
    report_language: ReportLanguage = "",
) -> None:
    """Hide people in footage: search, decide, paint, and look again before anything is released.

    Without --hide-all, every track waits in the review document for a person's decision.
    """
    language = checked_language(report_language)
    order = Order(
        hides_all=hide_all,
        moving=MOVING[check_moving(moving)],
        style=one_of(Style, style) if style else None,
        audio=_audio(sound),
        by=actor(),
    )
    with plain_errors(original), _no_use_in_going_on(copy):
        face = face_detector(detector, sha256)
        check_models()
        check_target(original, copy)
        wish = Wish(HeadsLie.ANY if any_angle else mount_of(mount), Extent(extent_of(heads, persons)))
        likeness = None if keep_face is None else _likeness(keep_face)
        document = _reviewed(original, review, copy, wish, face)
        if likeness is not None:
            document = likeness.order(document)
            _keep(document, review)
        _decided(hide_everybody(document, moving=order.moving) if hide_all else document, review)
        camera = unsearched(document)
        with progress("rendering and looking again") as tell:
            watch = Watch(
                on_report=lambda found: write_reports(
                    report, report_json(found), page_of(found, language, camera)
                ),
                on_progress=tell,
            )
            try:
                done = finish(original, document, copy, order, watch)
            except FoundAgain as found:
                _keep(found.document, review)
                raise
    _keep(done.document, review)
    shutil.rmtree(_work(copy), ignore_errors=True)
    rendered, verified = done.released.rendered, done.released.verified
    notes = [*rendered.notes, *(note.text for note in camera)]
    show(
        {
            "out": str(copy),
            "frames": rendered.frames,
            "masked_frames": rendered.masked_frames,
            "copied_frames": rendered.copied_frames,
            "tracks": len(done.document.tracks),
            "rounds": done.rounds,
            "size_bytes": rendered.size_bytes,
            "source_bytes": rendered.source_bytes,
            "report": json.loads(report_json(verified)),
            "notes": notes,
        },
        [
            (
                f"{copy}: {amount(len(done.document.tracks), 'track')}, {rendered.masked_frames} of"
                f" {rendered.frames} frames painted, {rendered.copied_frames} copied;"
                f" {size(rendered.size_bytes)} of {size(rendered.source_bytes)}."
            ),
            *(f"! {note}" for note in notes),
            as_text(page_of(verified, language)).rstrip(),
        ],
    )


def _likeness(photo: Path) -> Likeness:
    """Looked at before the search: a photo that shows no face is not found out after hours."""
    try:
        return Likeness(photo)
    except Unreadable as error:
        raise errors.InvalidInput(str(error), hint="Give another photo, or leave --keep-face out.") from error


def _reviewed(
    original: Path, review: Path | None, copy: Path, wish: Wish, face: Callable[[], FindsFaces]
) -> ReviewDocument:
    """The document that is there, or a new proposal, written down at once; a search goes on where it was stopped.

    How far it was is kept beside the copy until the document is written, or the copy made.
    """
    if review is not None and review.exists():
        return from_json(review.read_bytes())
    with progress("searching") as tell:

        def on_progress(found: Progress) -> None:
            tell(found.frames, found.total)

        means = Means(face=face, other=other_detector, work=_work(copy))
        document = propose(original, wish, means, SurveyWatch(on_progress=on_progress))
    if review is not None:
        _keep(document, review)
        shutil.rmtree(_work(copy), ignore_errors=True)
    return document


@contextmanager
def _no_use_in_going_on(copy: Path) -> Iterator[None]:
    """Where the footage cannot be used, how far its search was is of no use either."""
    try:
        yield
    except Unreadable:
        shutil.rmtree(_work(copy), ignore_errors=True)
        raise


def _work(copy: Path) -> Path:
    return copy.with_name(f".{copy.name}.search")


def _keep(document: ReviewDocument, review: Path | None) -> None:
    if review is not None:
        write_whole(review, to_json(document).encode())


def _decided(document: ReviewDocument, review: Path | None) -> None:
    open_points = coverage(document).open_points
    if not open_points:
        return
    listed = "".join(f"\n  {point}" for point in open_points)
    raise errors.IllegalTransition(
        f"{amount(len(open_points), 'thing')} found in the footage still need a decision:{listed}",
        hint=f"`retention redact review {review}` decides about each (or write hide or keep into it); then run this again."
        if review
        else "Give --review FILE to decide about each, or --hide-all.",
    )


def _audio(text: str) -> Audio | ReplaceAudio:
    if text in {"keep", "drop"}:
        return Audio(text)
    path = Path(text)
    if not path.is_file():
        raise errors.InvalidInput(
            f"--audio {text!r} is neither keep nor drop nor a file",
            hint="Make one with `retention redact audio`.",
        )
    return ReplaceAudio(path)
