"""retention request propose, review, render: redacted copies of what a disclosure is about."""

from pathlib import Path
from typing import Annotated

import typer

from media.note import LANGUAGES
from retention.bootstrap import App
from retention.cli.by_hand import Carry, Draw, Hide, HideRest, Keep, Merge, Moving, Split, check_moving
from retention.cli.redact_report import checked_language
from retention.cli.request.common import Receipt, copy_json, copy_lines
from retention.cli.search_options import AnyAngle, Detector, Heads, KeepFace, Persons, Sha256, extent_of
from retention.cli.shared import amount, named_actor, progress, show, store, whole_file
from retention.kernel.errors import InvalidInput, NotReleased
from retention.redaction.propose import propose
from retention.redaction.redactor import Choice, Extent, Wish
from retention.redaction.render import render
from retention.redaction.review import choose, hand_out, pictures, take
from retention.requests.renditions import next_step
from retention.requests.tables import RenditionRow

MOST_REVIEW_BYTES = 256 * 1024 * 1024  #: of a document that is taken back

Recording = Annotated[str, typer.Option(metavar="ID", help="Only this recording, and anew.")]


def propose_(
    receipt: Receipt,
    recording: Recording = "",
    keep_face: KeepFace = None,
    any_angle: AnyAngle = False,
    heads: Heads = False,
    persons: Persons = False,
    detector: Detector = "",
    sha256: Sha256 = "",
    words: Annotated[
        bool, typer.Option("--words/--no-words", help="Whether spoken words are looked for in calls, too.")
    ] = True,
) -> None:
    """Search what a disclosure is about for everybody and everything that a person must decide about.

    Stopped or killed, the same line goes on where it was. Proposed anew, a recording is decided about anew.
    """
    who = named_actor()
    if keep_face is not None and not keep_face.is_file():
        raise InvalidInput(f"{keep_face} is not a file", hint="Give --keep-face a photo of one face.")
    wish = Wish(any_angle, Extent(extent_of(heads, persons)), words, keep_face, detector, sha256)
    with store() as opened, progress("Searching") as tell:
        tools, means = opened.paper_tools(), opened.copy_means()
        found = propose(tools, means, receipt, wish, who, recording_id=recording, progress=tell)
    _show_all(receipt, found, "Nothing new was proposed: `retention request show` says how far each is.")


def review_(
    receipt: Receipt,
    recording: Annotated[str, typer.Option(metavar="ID", help="The recording that is reviewed.")],
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the review document here.")] = None,
    faces: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="With --out: also a picture of each track, in a new folder."),
    ] = None,
    in_: Annotated[
        Path | None,
        typer.Option("--in", metavar="FILE", help="Take the document back, with what was decided."),
    ] = None,
    split: Split = None,
    merge: Merge = None,
    draw: Draw = None,
    carry: Carry = None,
    keep: Keep = None,
    hide: Hide = None,
    hide_rest: HideRest = False,
    moving: Moving = "hide",
) -> None:
    """Decide what of a recording is hidden: in a document that is written out and taken back, or by name.

    In the document, `undecided` becomes `hide` or `keep`. Nothing that was found may be taken out; more may be added.
    By name, everything that the line asks for is done, or nothing: splits first, then merges, masks that are drawn
    (of a call: --draw START-END@CHANNEL), tracks that go on, what stays, what is hidden, and the rest.
    """
    who = named_actor()
    choice = Choice(
        splits=tuple(split or ()),
        merges=tuple(merge or ()),
        draws=tuple(draw or ()),
        carries=tuple(carry or ()),
        keep=tuple(keep or ()),
        hide=tuple(hide or ()),
        hides_rest=hide_rest,
        moving=check_moving(moving),
    )
    if [out is not None, in_ is not None, bool(choice)].count(True) != 1:
        raise InvalidInput(
            "this does not say what to do with the review",
            hint="Give --out FILE, or --in FILE, or decide with --keep, --hide, --hide-rest, --split, --merge, --draw and --carry.",
        )
    with store() as opened:
        tools, means = opened.paper_tools(), opened.copy_means()
        if out is not None:
            _write_out(opened, receipt, recording, out, faces, who)
        elif in_ is not None:
            _show_all(receipt, [take(tools, means, receipt, recording, _read(in_), who)], "")
        else:
            _show_all(receipt, [choose(tools, means, receipt, recording, choice, who)], "")


def render_(
    receipt: Receipt,
    recording: Recording = "",
    hide_found: Annotated[
        bool, typer.Option("--hide-found", help="Hide whoever the second look finds, instead of asking.")
    ] = False,
    report_language: Annotated[
        str, typer.Option(metavar="|".join(LANGUAGES), help="Of the sealed page; without it, the request's.")
    ] = "",
) -> None:
    """Make the redacted copies of what is reviewed, look at each again, and seal them.

    Whoever is found again goes back to review, and no copy of that recording is kept.
    """
    who, language = named_actor(), report_language and checked_language(report_language)
    with store() as opened, progress("Rendering and looking again") as tell:
        tools, means = opened.paper_tools(), opened.copy_means()
        done = render(
            tools,
            means,
            receipt,
            who,
            recording_id=recording,
            hide_found=hide_found,
            language=language,
            progress=tell,
        )
    _show_all(receipt, done.made, "" if done.sent_back else "Every copy is made.")
    if done.sent_back:
        points = [f"\n  {row.recording_id}: {point}" for row in done.sent_back for point in row.open_points]
        steps = (next_step(receipt, row.recording_id, row) for row in done.sent_back)
        raise NotReleased(
            f"the second look found what nobody has decided about:{''.join(points)}",
            hint="Next: " + "; ".join(steps),
        )


def _write_out(opened: App, receipt: str, recording: str, out: Path, faces: Path | None, who: str) -> None:
    tools, means = opened.paper_tools(), opened.copy_means()
    # Where it goes is looked at first: an opening that could be written nowhere is not on record as one.
    with whole_file(out) as file:
        if faces is not None:
            _new_folder(faces)
        review = hand_out(tools, means, receipt, recording, who)
        file.write(review.text)
    if faces is not None:
        for name, content in pictures(tools, means, receipt, recording, review).items():
            with whole_file(faces / name) as picture:
                picture.write(content)
    points = review.open_points
    show(
        {"receipt": receipt, "recording": recording, "out": str(out), "open_points": list(points)},
        [
            f"The review of {recording} is in {out}: {amount(len(points), 'open point')}. It is personal data.",
            *(f"  {point}" for point in points),
        ],
    )


def _new_folder(path: Path) -> None:
    try:
        path.mkdir(mode=0o700)
    except OSError as error:
        raise InvalidInput(
            f"the folder {path} cannot be made: {error.strerror}", hint="Name one that is not there yet."
        ) from error


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_REVIEW_BYTES:
            raise InvalidInput(f"{path} is too large for a review document")
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}") from error


def _show_all(receipt: str, rows: list[RenditionRow], nothing: str) -> None:
    lines = [line for row in rows for line in copy_lines(receipt, row.recording_id, row, is_at_work=True)]
    show([copy_json(row) for row in rows], lines or ([nothing] if nothing else []))
