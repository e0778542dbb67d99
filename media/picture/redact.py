"""Redact a still picture: JPEG or PNG in, the same out, without anything but its pixels.

Boxes lie in stored pixels, before the orientation that EXIF asks for; the output
is turned upright and says nothing about it. A colour profile is applied and
left out: the output is sRGB. Transparency is laid over white, as pixels hide
under it. Of several pictures in one file only the first is taken.

A JPEG is written with the source's own quantisation, so that what is not masked
changes as little as it can. The work is done in a child process, and the result
is decoded and compared before it gets its name.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from media.child import ask_child
from media.video.mask_table import table_of
from media.video.masks import Mask, MaskPlan
from media.video.render.render import settle, unfinished

_STALL_SECONDS = 60.0
_MEMORY_BYTES = 4 * 1024**3
_WORKER = "media.picture.worker"


@dataclass(frozen=True, slots=True)
class PictureResult:
    """What was written.

    Attributes:
        width: In pixels, upright.
        height: In pixels, upright.
        masks: Painted rectangles inside the picture.
        psnr_db: Outside the masks, against the source as it is decoded; None where equal.
    """

    width: int
    height: int
    masks: int
    psnr_db: float | None
    size_bytes: int


_RESULT: TypeAdapter[Any] = TypeAdapter(PictureResult)


def redact_picture(source: Path, masks: Sequence[Mask], target: Path) -> PictureResult:
    """Write `source` with `masks` painted over to `target`.

    Raises:
        Unreadable: It is no JPEG or PNG, or cannot be decoded as a whole.
        ToolFailed: The disk is full, the child process died, or the finished picture does not hide what it
            should.
        ValueError: The target is the source.
    """
    with unfinished(source, target) as part:
        answer = ask_child(
            _WORKER,
            {"source": os.fsdecode(source.absolute()), "target": os.fsdecode(part.absolute())},
            bulk=table_of(MaskPlan({0: masks})).pack(),
            stall_seconds=_STALL_SECONDS,
            memory_bytes=_MEMORY_BYTES,
        )
        result: PictureResult = _RESULT.validate_python(answer)
        settle(part, target)
    return result
