"""Redact a still picture: JPEG or PNG in, the same out, without anything but its pixels.

Boxes lie in stored pixels, before the orientation that EXIF asks for; the output
is turned upright and says nothing about it. A colour profile is applied and
left out: the output is sRGB. Transparency is laid over white, as pixels hide
under it. Of several pictures in one file only the first is taken.

A JPEG is written with the source's own quantisation, so that what is not masked
changes as little as it can. The work is done in a child process, and the result
is decoded and compared before it gets its name. Where faces are looked for,
another detector then searches the finished picture for who was forgotten.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from media.child import ask_child, path_text
from media.errors import NotReleased, Undecided
from media.video.detect.port import Detection
from media.video.mask_table import table_of
from media.video.masks import Box, Mask, MaskPlan, Style
from media.video.render.render import settle, unfinished
from media.video.tracks import FACE_MARGIN
from media.video.verify.second_look import is_hidden, is_kept

_STALL_SECONDS = 300.0
_MEMORY_BYTES = 4 * 1024**3
_WORKER = "media.picture.worker"
_MOST_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class PictureResult:
    """What was written.

    Attributes:
        width: In pixels, upright.
        height: In pixels, upright.
        masks: Painted rectangles inside the picture.
        psnr_db: Outside the masks, against the source as it is decoded; None where equal.
        seen_again: Faces that another detector saw in the finished picture, each as left, top, right, bottom
            and confidence.
    """

    width: int
    height: int
    masks: int
    psnr_db: float | None
    size_bytes: int
    seen_again: tuple[tuple[float, float, float, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person decided about a picture."""

    hides_all: bool = False  #: every face about which nobody decided
    hidden: tuple[Box, ...] = ()
    kept: tuple[Box, ...] = ()
    style: Style = Style.FILL


@dataclass(frozen=True, slots=True)
class Redacted:
    """A picture in which everybody is hidden who was to be."""

    result: PictureResult
    masks: tuple[Mask, ...]
    found: tuple[Detection, ...]  #: by the first look
    rounds: int  #: how often it was written until nobody was found again
    looked_with: tuple[str, ...] = field(default=("libfacedetection", "CenterFace"))


_RESULT: TypeAdapter[Any] = TypeAdapter(PictureResult)


def redact_picture(source: Path, masks: Sequence[Mask], target: Path) -> PictureResult:
    """Write `source` with `masks` painted over to `target`. Nobody is looked for.

    Raises:
        Unreadable: It is no JPEG or PNG, or cannot be decoded as a whole.
        NotReleased: The finished picture does not hide what it should.
        ToolFailed: The disk is full, or the child process died.
        ValueError: The target is the source.
    """
    with unfinished(source, target) as part:
        result = _paint(source, masks, part, looks_again=False)
        settle(part, target)
    return result


def find_faces(source: Path) -> tuple[Detection, ...]:
    """Every face that the first look finds, surest first.

    Raises:
        Unreadable: It is no JPEG or PNG, or cannot be decoded as a whole.
        ModelMissing: A detector's weights are not here.
    """
    answer = _ask(source, {})
    return tuple(Detection(Box(*row[:4]), row[4]) for row in answer["faces"])


def redact_faces(source: Path, wanted: Wanted, target: Path) -> Redacted:
    """Write `source` to `target` with every face hidden that is not to stay visible.

    Raises:
        Undecided: Somebody was found about whom nobody decided.
        NotReleased: Another detector finds somebody in the finished picture who was to be hidden.
        Unreadable, ModelMissing, ToolFailed, ValueError: As above.
    """
    found = find_faces(source)
    open_ones = [one.box for one in found if not _is_decided(one.box, wanted.hidden, wanted.kept)]
    if open_ones and not wanted.hides_all:
        raise Undecided(tuple(_sentence(box) for box in open_ones))
    hidden = [*wanted.hidden, *(box.grown(FACE_MARGIN.grow_share) for box in open_ones)]
    with unfinished(source, target) as part:
        for rounds in range(1, _MOST_ROUNDS + 1):
            masks = tuple(Mask(box, wanted.style) for box in hidden)
            result = _paint(source, masks, part, looks_again=True)
            again = [Box(*row[:4]) for row in result.seen_again]
            left = [box for box in again if not _is_decided(box, hidden, wanted.kept)]
            if not left:
                settle(part, target)
                return Redacted(result, masks, found, rounds)
            if not wanted.hides_all:
                break
            hidden += [box.grown(FACE_MARGIN.grow_share) for box in left]
        raise NotReleased(tuple(_sentence(box) for box in left))


def _is_decided(box: Box, hidden: Sequence[Box], kept: Sequence[Box]) -> bool:
    return is_hidden(box, hidden) or is_kept(box, kept)


def _sentence(box: Box) -> str:
    edges = (box.left, box.top, box.width, box.height)
    return "a face at " + ",".join(str(round(edge)) for edge in edges) + " (left, top, width, height)"


def _paint(source: Path, masks: Sequence[Mask], part: Path, *, looks_again: bool) -> PictureResult:
    request = {"target": path_text(part), "looks_again": looks_again}
    answer = _ask(source, request, table_of(MaskPlan({0: masks})).pack(), writes=[part])
    result: PictureResult = _RESULT.validate_python(answer)
    return result


def _ask(
    source: Path, request: dict[str, Any], bulk: bytes = b"", writes: Sequence[Path] = ()
) -> dict[str, Any]:
    return ask_child(
        _WORKER,
        {"source": path_text(source), **request},
        bulk=bulk,
        reads=[source],
        writes=writes,
        stall_seconds=_STALL_SECONDS,
        memory_bytes=_MEMORY_BYTES,
    )
