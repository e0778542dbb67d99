"""A mask plan as a small JSON file, for the command line: what a person or another program can write by hand.

    {"format": "mask-plan/1",
     "masks": [{"first": 12, "end": 40, "box": [left, top, right, bottom], "style": "fill"}]}

A mask stands still from frame `first` to before frame `end`; edges are stored
pixels. Moving masks are many short ones.
"""

from collections import defaultdict
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from media.video.masks import Box, Mask, MaskPlan, Style

_MAX_FRAMES = 50_000_000


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class _Row(_Strict):
    first: Annotated[int, Field(ge=0, le=_MAX_FRAMES)]
    end: Annotated[int, Field(ge=1, le=_MAX_FRAMES)]
    box: tuple[float, float, float, float]
    style: Style = Style.FILL


class _File(_Strict):
    format: Literal["mask-plan/1"]
    masks: list[_Row]


def read_plan(path: Path) -> MaskPlan:
    """The plan in `path`.

    Raises:
        ValueError: It is none; the message says where.
        OSError: It cannot be read.
    """
    try:
        listed = _File.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{path} is no mask plan: {where}: {first['msg']}") from error
    frames: dict[int, list[Mask]] = defaultdict(list)
    for row in listed.masks:
        mask = Mask(Box(*row.box), row.style)
        for frame in range(row.first, row.end):
            frames[frame].append(mask)
    return MaskPlan(frames)
