"""retention redact picture: hide the faces in a still."""

import json
from typing import Annotated

import typer

from media.models import digest_of
from media.picture.page import page_of
from media.picture.redact import Redacted, Wanted, redact_faces
from media.video.masks import Box, Style
from retention.cli.redact_report import ReportLanguage, Reports, checked_language, write_reports
from retention.cli.redact_shared import Copy, Original, one_of, plain_errors
from retention.cli.shared import amount, show, size
from retention.kernel.errors import InvalidInput

BOX = "LEFT,TOP,WIDTH,HEIGHT"


def picture(
    original: Original,
    copy: Copy,
    hide_all: Annotated[
        bool, typer.Option("--hide-all", help="Hide every face about which nobody has decided.")
    ] = False,
    masks: Annotated[
        list[str] | None,
        typer.Option("--mask", metavar=BOX, help="Hide this, in pixels as they are stored; any number."),
    ] = None,
    keep: Annotated[
        list[str] | None, typer.Option(metavar=BOX, help="This face stays visible; any number.")
    ] = None,
    style: Annotated[
        str, typer.Option(help="fill, cosmetic (softened fill) or mosaic, which is weaker.")
    ] = "fill",
    report: Reports = None,
    report_language: ReportLanguage = "",
) -> None:
    """Hide people in a JPEG or PNG: search, paint, and look again before anything is released.

    Without --hide-all, every face that is found has to be under a --mask or --keep. Whatever is not
    pixels (EXIF, thumbnails, profiles, comments) is not copied; the copy is upright, in sRGB.
    """
    language = checked_language(report_language)
    wanted = Wanted(
        hides_all=hide_all,
        hidden=tuple(_box(text) for text in masks or ()),
        kept=tuple(_box(text) for text in keep or ()),
        style=one_of(Style, style),
    )
    with plain_errors(original):
        done = redact_faces(original, wanted, copy)
        value = _json(done)
        if report:
            digests = {"source_sha256": digest_of(original), "copy_sha256": digest_of(copy)}
            document = (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()
            write_reports(report, document, page_of(done, language, **digests))
    lines = [
        (
            f"{copy}: {amount(len(done.found), 'face')} found, {amount(len(done.masks), 'mask')} painted;"
            f" {size(done.result.size_bytes)}."
        ),
        f"{done.looked_with[1]} looked again and found nobody else. A person looks at the copy once.",
    ]
    if wanted.style is Style.MOSAIC:
        lines.append("! A mosaic hides less than a fill: faces have been recognised through one.")
    show(value | {"out": str(copy)}, lines)


def _box(text: str) -> Box:
    try:
        left, top, width, height = (float(part) for part in text.split(","))
        return Box(left, top, left + width, top + height)
    except ValueError as error:
        raise InvalidInput(f"{text!r} is no place in a picture", hint=f"Write {BOX} in pixels.") from error


def _json(done: Redacted) -> dict[str, object]:
    """It names no file: names may be personal data."""
    return {
        "schema": "media-picture-redaction/1",
        "width": done.result.width,
        "height": done.result.height,
        "size_bytes": done.result.size_bytes,
        "psnr_db": done.result.psnr_db,
        "faces": [_place(one.box) | {"confidence": round(one.confidence, 3)} for one in done.found],
        "masks": [_place(mask.box) | {"style": str(mask.style)} for mask in done.masks],
        "looked_with": list(done.looked_with),
        "rounds": done.rounds,
    }


def _place(box: Box) -> dict[str, object]:
    edges = {"left": box.left, "top": box.top, "width": box.width, "height": box.height}
    return {name: round(value, 1) for name, value in edges.items()}
