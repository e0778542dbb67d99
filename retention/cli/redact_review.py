"""retention redact review: decide about what a search found, without writing JSON by hand."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from media.files import write_whole
from media.review.by_hand import MOVING, ByHand, decide_by_hand
from media.review.document import ReviewDocument, Track, to_json
from media.review.masks import coverage
from retention.cli.by_hand import Carry, Draw, Hide, HideRest, Keep, Merge, Moving, Split, check_moving
from retention.cli.redact_shared import read_review
from retention.cli.shared import actor, amount, show, table
from retention.kernel.errors import InvalidInput


def review(
    document: Annotated[Path, typer.Argument(metavar="FILE", help="The review document of some footage.")],
    split: Split = None,
    merge: Merge = None,
    draw: Draw = None,
    carry: Carry = None,
    keep: Keep = None,
    hide: Hide = None,
    hide_rest: HideRest = False,
    moving: Moving = "hide",
    faces: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write a picture of each track into a new folder.")
    ] = None,
) -> None:
    """List what was found and what is decided about it; decide about more.

    Everything that the line asks for is done, or nothing: splits first, then merges, masks that are drawn, tracks
    that go on, what stays, what is hidden, and the rest. A new track has the next free number.
    """
    found = read_review(document)
    wanted = ByHand(
        splits=tuple(split or ()),
        merges=tuple(merge or ()),
        draws=tuple(draw or ()),
        carries=tuple(carry or ()),
        keep=tuple(keep or ()),
        hide=tuple(hide or ()),
        hides_rest=hide_rest,
        moving=MOVING[check_moving(moving)],
    )
    try:
        decided = decide_by_hand(found, wanted, actor())
    except ValueError as error:
        raise InvalidInput(str(error), hint=f"`retention redact review {document}` lists them.") from error
    if decided != found:
        write_whole(document, to_json(decided).encode())
    if faces is not None:
        _write_faces(decided, faces)
    _show(document, decided)


def _write_faces(document: ReviewDocument, folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise InvalidInput(
            f"the folder {folder} cannot be made: {error.strerror}", hint="Name one that is not there yet."
        ) from error
    for track in document.tracks:
        if track.thumbnail:
            write_whole(folder / f"track-{track.id:03d}.jpg", base64.b64decode(track.thumbnail))


def _show(path: Path, document: ReviewDocument) -> None:
    points = coverage(document).open_points
    rows = list(_rows(document))
    value = {
        "review": str(path),
        "tracks": [_json(track) for track in document.tracks],
        "gaps": [
            {"id": gap.id, "first": gap.first, "last": gap.last, "decision": str(gap.decision.verdict)}
            for gap in document.gaps
        ],
        "open_points": list(points),
    }
    left = f"{amount(len(points), 'open point')}." if points else "Everything is decided."
    listed = [table("", ["what", "is", "frames", ">sure", "likeness", "decided"], rows)] if rows else []
    show(value, [*listed, f"{path}: {left}"])


def _rows(document: ReviewDocument) -> Iterator[tuple[str, ...]]:
    for track in document.tracks:
        yield (
            f"track {track.id}",
            str(track.reason),
            f"{track.first}-{track.last}",
            f"{track.confidence:.2f}",
            "" if track.likeness is None else f"{track.likeness:.2f}",
            str(track.decision.verdict),
        )
    for gap in document.gaps:
        yield f"gap {gap.id}", gap.reason, f"{gap.first}-{gap.last}", "", "", str(gap.decision.verdict)


def _json(track: Track) -> dict[str, Any]:
    return {
        "id": track.id,
        "reason": str(track.reason),
        "first": track.first,
        "last": track.last,
        "confidence": track.confidence,
        "likeness": track.likeness,
        "decision": str(track.decision.verdict),
        "by": track.decision.by,
    }
