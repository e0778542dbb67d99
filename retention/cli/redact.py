"""retention redact: a copy of a file in which nobody shows, or is heard, who should not. Needs no store."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from media import errors as media_errors
from media.files import write_whole
from media.review.decide import hide_all as hide_everybody
from media.review.document import ReviewDocument, Verdict, from_json, to_json
from media.review.likeness import order_by_likeness
from media.review.masks import coverage
from media.sound.mute import Request, mute
from media.sound.samples import Style as SoundStyle
from media.sound.spans import Mute
from media.video.detect.choose import HELP as DETECTOR_HELP
from media.video.detect.choose import face_detector
from media.video.detect.port import Detector
from media.video.masks import Style
from media.video.propose import Means, Wish, propose
from media.video.redact import FoundAgain, Order, Watch, check_models, finish
from media.video.render.model import Audio, ReplaceAudio
from media.video.survey import Progress
from media.video.survey import Watch as SurveyWatch
from media.video.verify.model import VerifyReport
from media.video.verify.report import as_html, as_text
from media.video.verify.verify import to_json as report_json
from media.video.views import Mount
from retention.cli.shared import EPILOG, actor, amount, progress, show, size
from retention.kernel import errors

app = typer.Typer(
    help="Redact a copy of a file: faces in footage, words in calls. Needs no store.", no_args_is_help=True
)
Original = Annotated[Path, typer.Argument(metavar="IN", help="The original; it is only read.")]
Copy = Annotated[
    Path, typer.Argument(metavar="OUT", help="The copy; it appears when it is whole and checked.")
]
Report = Annotated[Path | None, typer.Option(metavar="FILE", help="Write what was looked for and found.")]


@app.command(epilog=EPILOG)
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
    any_angle: Annotated[
        bool, typer.Option("--any-angle", help="Search in every angle, however the camera hangs.")
    ] = False,
    persons: Annotated[bool, typer.Option("--persons", help="Hide whole persons, not only faces.")] = False,
    moving: Annotated[
        str,
        typer.Option(
            metavar="hide|review|keep",
            help="What --hide-all does with what moved and no detector named: hide it, leave it to a person, or keep it visible.",
        ),
    ] = "hide",
    detector: Annotated[str, typer.Option(metavar="libface|yunet=PATH", help=DETECTOR_HELP)] = "",
    sha256: Annotated[str, typer.Option(metavar="HEX", help="Of the detector's file.")] = "",
    style: Annotated[
        str, typer.Option(help="fill, cosmetic (softened fill) or mosaic, which is weaker.")
    ] = "",
    keep_face: Annotated[
        Path | None,
        typer.Option(metavar="PHOTO", help="Put tracks like this face first in the review; decides nothing."),
    ] = None,
    sound: Annotated[
        str, typer.Option("--audio", metavar="keep|drop|FILE", help="What becomes of the sound.")
    ] = "keep",
    report: Report = None,
) -> None:
    """Hide people in footage: search, decide, paint, and look again before anything is released.

    Without --hide-all, every track waits in the review document for a person's decision.
    """
    order = Order(
        hides_all=hide_all,
        moving=_moving(moving),
        style=_one_of(Style, style) if style else None,
        audio=_audio(sound),
        by=actor(),
    )
    with _plain_errors(original):
        face = face_detector(detector, sha256)
        check_models()
        wish = Wish(Mount.ANY if any_angle else Mount.UNKNOWN, persons=persons)
        document = _reviewed(original, review, wish, face)
        if keep_face is not None:
            document = order_by_likeness(document, keep_face)
        if review is not None:
            write_whole(review, to_json(document).encode())
        _decided(hide_everybody(document, moving=order.moving) if hide_all else document, review)
        with progress("rendering and looking again") as tell:
            watch = Watch(
                on_report=lambda found: _write_report(report, found), on_progress=lambda done, _: tell(done)
            )
            try:
                done = finish(original, document, copy, order, watch)
            except FoundAgain as found:
                if review is not None:
                    write_whole(review, to_json(found.document).encode())
                raise
    if review is not None:
        write_whole(review, to_json(done.document).encode())
    rendered, verified = done.released.rendered, done.released.verified
    notes = [*rendered.notes, *_camera_notes(done.document)]
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
            as_text(verified, "en").rstrip(),
        ],
    )


@app.command(epilog=EPILOG)
def audio(
    original: Original,
    copy: Copy,
    mutes: Annotated[
        list[str],
        typer.Option(
            "--mute", metavar="START-END[@CHANNEL]", help="Seconds, as decimals; any number of times."
        ),
    ],
    channel: Annotated[
        int | None, typer.Option(help="Of spans that name none; channels count from 0. Without it: all.")
    ] = None,
    style: Annotated[str, typer.Option(help="silence or tone.")] = "silence",
    raw_format: Annotated[str, typer.Option(help="What a headerless file is.")] = "",
    report: Report = None,
) -> None:
    """Mute spans of a call, or of the sound of footage. Its length stays; the copy is decoded and checked."""
    with _plain_errors(original), progress("muting") as tell:
        spans = tuple(Mute.parse(text, channel) for text in mutes)
        request = Request(spans, _one_of(SoundStyle, style), raw_format or None)
        done = mute(original, copy, request, lambda at, _: tell(at))
    value = done.as_json()
    if report is not None:
        write_whole(report, (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode())
    lines = [f"{copy}: {amount(len(spans), 'span')} muted."]
    for track in done.tracks:
        lines.append(f"  track {track.track}, {track.codec}: {track.checked}")
        lines += [f"  ! {text}" for text in track.survives]
    show(value, lines)


def _reviewed(
    original: Path, review: Path | None, wish: Wish, face: Callable[[], Detector]
) -> ReviewDocument:
    """The document that is there, or a new proposal; the search goes on where it was stopped."""
    if review is not None and review.exists():
        return from_json(review.read_bytes())
    work = (review or original).with_name(f".{(review or original).name}.search")
    with progress("searching") as tell:

        def on_progress(found: Progress) -> None:
            tell(found.frames)

        document = propose(original, wish, Means(face=face, work=work), SurveyWatch(on_progress=on_progress))
    shutil.rmtree(work, ignore_errors=True)
    return document


def _decided(document: ReviewDocument, review: Path | None) -> None:
    open_points = coverage(document).open_points
    if not open_points:
        return
    listed = "".join(f"\n  {point}" for point in open_points)
    raise errors.IllegalTransition(
        f"{amount(len(open_points), 'thing')} found in the footage still need a decision:{listed}",
        hint=f"Write hide or keep into each in {review}, then run this again."
        if review
        else "Give --review FILE to decide about each, or --hide-all.",
    )


def _write_report(path: Path | None, found: VerifyReport) -> None:
    if path is None:
        return
    if path.suffix == ".json":
        write_whole(path, report_json(found))
    else:
        text = as_html(found, "en") if path.suffix == ".html" else as_text(found, "en")
        write_whole(path, text.encode())


def _camera_notes(document: ReviewDocument) -> list[str]:
    """What was not looked for, where the camera did not stand still."""
    search = document.search
    if search is None or search.is_camera_fixed:
        return []
    why = f"the camera moves ({search.camera_why})"
    return [f"{why}, so nobody looked for things that move: only what a detector named is hidden"]


def _moving(text: str) -> Verdict:
    choices = {"hide": Verdict.HIDE, "review": Verdict.UNDECIDED, "keep": Verdict.KEEP}
    if text not in choices:
        raise errors.InvalidInput(
            f"--moving {text!r} is no choice", hint=f"Give one of {', '.join(choices)}."
        )
    return choices[text]


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


def _one_of(kind: type[Any], text: str) -> Any:
    words = [str(word) for word in kind]
    if text not in words:
        raise errors.InvalidInput(f"{text!r} is no style", hint=f"Give one of {', '.join(words)}.")
    return kind(text)


@contextmanager
def _plain_errors(original: Path) -> Iterator[None]:
    """What the toolbox says, as the command line says it."""
    try:
        yield
    except media_errors.UnsupportedCodec as error:
        raise errors.UnsupportedCodec(f"{original}: {error}") from error
    except media_errors.Unreadable as error:
        raise errors.Unreadable(f"{original}: {error}") from error
    except (media_errors.NotReleased, media_errors.RedactionFailed) as error:
        raise errors.NotReleased(f"{original}: {error}") from error
    except media_errors.ToolTimedOut as error:
        raise errors.ToolTimedOut(f"{original}: {error}") from error
    except media_errors.ModelMissing as error:
        raise errors.NotFound(str(error), hint="") from error
    except media_errors.MediaToolError as error:
        raise errors.ToolFailed(f"{original}: {error}") from error
    except ValueError as error:
        raise errors.InvalidInput(str(error)) from error
    except OSError as error:
        raise errors.ToolFailed(f"{original}: {error}") from error
