"""A mask plan as four flat arrays: small in memory, quick to send to a worker.

A day of a crowded place has millions of masks. As objects they would fill the
memory that a worker may use; as rows they take 41 bytes each.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from media.video.masks import Box, Mask, MaskPlan, Style

_STYLES = tuple(Style)
_ROW = np.dtype([("frame", "<i8"), ("box", "<f8", (4,)), ("style", "u1")])


@dataclass(frozen=True, slots=True)
class MaskTable:
    """Every mask of a video, in the order of its frames. Made by `table_of` or `unpack`."""

    rows: NDArray[np.void]

    def at(self, frame: int) -> Sequence[Mask]:
        """The masks of one frame."""
        first, end = np.searchsorted(self.rows["frame"], (frame, frame + 1))
        return [
            Mask(Box(*(float(edge) for edge in row["box"])), _STYLES[row["style"]])
            for row in self.rows[first:end]
        ]

    def has_any(self, first: int, end: int) -> bool:
        """Whether a frame from `first` to before `end` has a mask."""
        at = np.searchsorted(self.rows["frame"], (first, end))
        return bool(at[0] < at[1])

    def frames(self) -> int:
        """How many frames have a mask."""
        return len(np.unique(self.rows["frame"]))

    def last_frame(self) -> int:
        """The last frame with a mask; -1 where there is none."""
        return int(self.rows["frame"][-1]) if len(self.rows) else -1

    def styles(self) -> frozenset[Style]:
        """Those that occur."""
        return frozenset(_STYLES[number] for number in np.unique(self.rows["style"]))

    def pack(self) -> bytes:
        """Bytes that `unpack` reads."""
        return self.rows.tobytes()


def table_of(plan: MaskPlan) -> MaskTable:
    """`plan` as rows.

    Raises:
        ValueError: A frame number is negative, or an edge is no finite number.
    """
    listed = [
        (frame, (mask.box.left, mask.box.top, mask.box.right, mask.box.bottom), _STYLES.index(mask.style))
        for frame in sorted(plan.frames)
        for mask in plan.frames[frame]
    ]
    rows = np.array(listed, dtype=_ROW)
    if len(rows) and (rows["frame"][0] < 0 or not np.isfinite(rows["box"]).all()):
        raise ValueError("a mask needs a frame from 0 and finite edges")
    return MaskTable(rows)


def unpack(data: bytes) -> MaskTable:
    """The table that `pack` wrote."""
    return MaskTable(np.frombuffer(data, dtype=_ROW))
