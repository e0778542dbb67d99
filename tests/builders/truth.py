"""What people labelled in footage, and how much of it is covered: the yardstick of tests and benchmarks.

A label is a quadrilateral, so that it can be turned with its picture. Labels
come from the truth files of the shared footage, and for more frames from
`tests/fixtures/face_labels.json`, which says how they were made.
"""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from media.video.frames import open_footage
from media.video.masks import Box, Mask

HIDDEN = 0.9  #: of a face's label
COVERED = 0.5  #: of a person's box
MIN_PERSON_PX = 40
HEAD_SHARE = 1 / 7  #: of a person's height
RECOGNISABLE = ("clear", "profile_or_tilted")
_OWN = Path(__file__).parents[1] / "fixtures" / "face_labels.json"

Corners = NDArray[np.float64]  #: (4, 2), x and y in stored pixels


@dataclass(frozen=True, slots=True)
class Label:
    """Something that a person saw in one frame."""

    frame: int
    corners: Corners
    kind: str  #: a face's visibility; "person"


def faces_of(folder: Path, clip: str) -> list[Label]:
    """The labelled faces of a clip of the shared footage, without those that do not matter."""
    entries = [*_truth(folder, clip), *json.loads(_OWN.read_text(encoding="utf-8"))["clips"].get(clip, ())]
    return [
        Label(entry["frame"], _corners(face), face["visibility"])
        for entry in entries
        for face in entry.get("faces", ())
        if face["visibility"] != "ignore"
    ]


def persons_of(folder: Path, clip: str) -> list[Label]:
    """The labelled persons of a clip that are tall enough to matter."""
    return [
        Label(entry["frame"], _corners(person), "person")
        for entry in _truth(folder, clip)
        for person in entry.get("persons", ())
        if person["h"] > MIN_PERSON_PX
    ]


def heads_of(folder: Path, clip: str) -> list[Label]:
    """Where the heads of the labelled persons are: a square in the middle of the top of each box.

    Its side is a seventh of the box's height, as the labelled faces of TUD-Campus have it. Who leans or strides
    carries the head up to a side beside the middle, so this counts some as open that are hidden, and none otherwise.
    """
    return [replace(one, corners=corners_of(_head_of(one)), kind="head") for one in persons_of(folder, clip)]


def _head_of(person: Label) -> Box:
    (left, top), (right, bottom) = person.corners.min(axis=0), person.corners.max(axis=0)
    side, middle = (bottom - top) * HEAD_SHARE, (left + right) / 2
    return Box(float(middle - side / 2), float(top), float(middle + side / 2), float(top + side))


def covered(masks: Iterable[Mask], corners: Corners, width: int, height: int) -> float:
    """The share of a label's pixels in the picture that some mask covers; what several cover counts once."""
    label = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(label, np.round(corners).astype(np.int32), 1)
    painted = np.zeros((height, width), bool)
    for mask in masks:
        box = mask.box
        rows = slice(max(0, round(box.top)), max(0, round(box.bottom)))
        painted[rows, max(0, round(box.left)) : max(0, round(box.right))] = True
    inside = label > 0
    return float(painted[inside].mean()) if inside.any() else 1.0


def corners_of(box: Box) -> Corners:
    """A box as a label's corners: the last pixel is inside."""
    right, bottom = box.right - 1, box.bottom - 1
    return np.array([(box.left, box.top), (right, box.top), (right, bottom), (box.left, bottom)], np.float64)


def turn(source: Path, target: Path, angle_deg: int) -> "Turn":
    """Write the footage as a camera would have taken it that hangs turned, its picture clockwise by `angle_deg`."""
    with av.open(str(target), "w") as out, open_footage(source) as footage:
        how = Turn.of(angle_deg, footage.facts.width, footage.facts.height)
        stream = out.add_stream("libx264", rate=footage.facts.rate_fps or 25)
        stream.width, stream.height = how.width, how.height
        stream.pix_fmt, stream.options = "yuv420p", {"crf": "14", "preset": "veryfast"}
        for frame in footage.frames():
            picture = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            turned = np.asarray(cv2.warpAffine(picture, how.matrix, (how.width, how.height)), np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(turned, format="bgr24")))
        out.mux(stream.encode())
    return how


@dataclass(frozen=True, slots=True)
class Turn:
    """A turned picture: its size, and where each pixel went."""

    width: int
    height: int
    matrix: NDArray[np.float64]

    @classmethod
    def of(cls, angle_deg: int, width: int, height: int) -> "Turn":
        """Clockwise by `angle_deg`, on a canvas that holds all of it; sides are even."""
        cosine, sine = (abs(math.cos(math.radians(angle_deg))), abs(math.sin(math.radians(angle_deg))))
        across = 2 * math.ceil(round(width * cosine + height * sine, 6) / 2)
        down = 2 * math.ceil(round(width * sine + height * cosine, 6) / 2)
        matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -angle_deg, 1.0)
        matrix[0, 2] += (across - width) / 2
        matrix[1, 2] += (down - height) / 2
        return cls(across, down, np.asarray(matrix, np.float64))

    def label(self, label: Label) -> Label:
        """Where a label lies in the turned picture."""
        corners = label.corners @ self.matrix[:, :2].T + self.matrix[:, 2]
        return Label(label.frame, corners, label.kind)


@cache
def _truth(folder: Path, clip: str) -> tuple[dict[str, Any], ...]:
    path = folder / "video" / f"{clip}.truth.json"
    return tuple(json.loads(path.read_text(encoding="utf-8"))["frames"]) if path.exists() else ()


def _corners(label: dict[str, Any]) -> Corners:
    box = Box(label["x"], label["y"], label["x"] + label["w"], label["y"] + label["h"])
    return corners_of(box)


def kinds_of(labels: Iterable[Label]) -> Iterator[str]:
    """The categories that occur, in the order of how much they matter."""
    found = {label.kind for label in labels}
    return (kind for kind in (*RECOGNISABLE, "hard", "person") if kind in found)
