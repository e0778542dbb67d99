"""Keep what a search found, segment by segment, so that a killed one goes on where it was.

A segment is `SEGMENT_FRAMES` frames. Its file appears whole when every look in
it has been answered. Whoever goes on decodes from the start, because frame
numbers after a seek cannot be trusted, and skips the search, which is the work.
What is kept is exactly what was found, so the outcome is the same to the last
digit.

The folder is named after the footage and everything that could change what is
found. It holds places and confidences, no pictures.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from media.files import write_whole
from media.video.detect.port import Detection
from media.video.masks import Box
from media.video.search import Found

SEGMENT_FRAMES = 300
_FORM = 4  #: counts up whenever the same identity would be searched otherwise


class Segments:
    """The kept answers of one search.

    Args:
        folder: Of all searches; None keeps nothing.
        identity: Everything that could change what is found.
    """

    def __init__(self, folder: Path | None, identity: Mapping[str, object]) -> None:
        text = json.dumps({"form": _FORM, **identity}, sort_keys=True)
        self._folder = None if folder is None else folder / hashlib.sha256(text.encode()).hexdigest()[:32]
        self._open: dict[int, Found] = {}
        self._kept: dict[int, dict[int, Found]] = {}
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)

    def find(self, frame: int) -> Found | None:
        """What an earlier run found in a frame; None where it did not get so far."""
        segment = frame // SEGMENT_FRAMES
        if segment not in self._kept:
            self._kept = {segment: self._read(segment)}
        return self._kept[segment].get(frame)

    def add(self, frame: int, found: Found) -> None:
        """Take in an answer; answers come in the order of frames."""
        if self._open and frame // SEGMENT_FRAMES != next(iter(self._open)) // SEGMENT_FRAMES:
            self.finish()
        self._open[frame] = found

    def finish(self) -> None:
        """Write the segment that is open."""
        if self._open and self._folder is not None:
            segment = next(iter(self._open)) // SEGMENT_FRAMES
            looks = {str(frame): _as_rows(found) for frame, found in self._open.items()}
            write_whole(self._path(segment), json.dumps(looks).encode())
        self._open = {}

    def _read(self, segment: int) -> dict[int, Found]:
        if self._folder is None or not self._path(segment).exists():
            return {}
        looks = json.loads(self._path(segment).read_bytes())
        return {int(frame): Found(*(_from_rows(rows) for rows in kinds)) for frame, kinds in looks.items()}

    def _path(self, segment: int) -> Path:
        assert self._folder is not None
        return self._folder / f"segment-{segment:06d}.json"


def _as_rows(found: Found) -> list[list[list[float]]]:
    return [
        [[one.box.left, one.box.top, one.box.right, one.box.bottom, one.confidence] for one in kind]
        for kind in (found.faces, found.persons, found.others)
    ]


def _from_rows(rows: list[list[float]]) -> tuple[Detection, ...]:
    return tuple(Detection(Box(*edges), confidence) for *edges, confidence in rows)
