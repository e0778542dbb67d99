"""Measured on real footage with ground truth: what is hidden of what people labelled.

A face counts as hidden when at least nine tenths of its box are covered. Moving
things that no detector names are left visible here, so that the faces alone
are measured.
"""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from media.review.decide import hide_all
from media.review.document import Reason, ReviewDocument, Verdict
from media.review.masks import to_mask_plan
from media.video.detect.centerface import CenterFace
from media.video.detect.port import Detection
from media.video.frames import open_footage
from media.video.masks import Box, Mask, MaskPlan
from media.video.propose import Wish, propose
from media.video.views import Mount
from tests.builders.footage import excerpt, turned

pytestmark = [pytest.mark.shared_data, pytest.mark.usefixtures("models")]

LABELLED = ("classroom", "face-demographics-walking", "TUD-Campus", "chaplin")
HIDDEN = 0.9
Proposed = Callable[[Path, Wish], ReviewDocument]


@pytest.fixture(scope="module")
def proposed() -> Proposed:
    return cache(propose)


def faces_only(document: ReviewDocument) -> MaskPlan:
    return to_mask_plan(hide_all(document, moving=Verdict.KEEP))


def covered(masks: Any, box: Box, width: int, height: int) -> float:
    """The share of a box's pixels in the picture that some mask covers."""
    canvas = np.zeros((height, width), bool)
    for mask in masks:
        canvas[_slice(mask.box)] = True
    return float(canvas[_slice(box)].mean())


def _slice(box: Box) -> tuple[slice, slice]:
    return (
        slice(max(0, round(box.top)), max(0, round(box.bottom))),
        slice(max(0, round(box.left)), max(0, round(box.right))),
    )


def share(plan: MaskPlan, document: ReviewDocument) -> float:
    """The share of all pixels of the footage that is covered."""
    source, total = document.source, 0.0
    whole = Box(0, 0, source.width, source.height)
    for masks in plan.frames.values():
        total += covered(masks, whole, source.width, source.height)
    return total / source.frames


def truth_of(shared_data: Path, name: str) -> list[dict[str, Any]]:
    text = (shared_data / "video" / f"{name}.truth.json").read_text(encoding="utf-8")
    frames: list[dict[str, Any]] = json.loads(text)["frames"]
    return frames


def box_of(label: dict[str, Any]) -> Box:
    return Box(label["x"], label["y"], label["x"] + label["w"], label["y"] + label["h"])


@pytest.mark.parametrize("name", LABELLED)
def test_every_labelled_face_that_can_be_recognised_is_hidden(
    shared_data: Path, proposed: Proposed, name: str
) -> None:
    document = proposed(shared_data / "video" / f"{name}.mp4", Wish())
    plan, source = faces_only(document), document.source
    left = [
        (entry["frame"], face)
        for entry in truth_of(shared_data, name)
        for face in entry.get("faces", ())
        if face["visibility"] in {"clear", "profile_or_tilted"}
        and covered(plan.at(entry["frame"]), box_of(face), source.width, source.height) < HIDDEN
    ]
    assert left == []


@pytest.mark.parametrize("name", LABELLED)
def test_little_else_is_hidden(shared_data: Path, proposed: Proposed, name: str) -> None:
    document = proposed(shared_data / "video" / f"{name}.mp4", Wish())
    assert share(faces_only(document), document) < 0.035


@pytest.mark.parametrize("name", ["car-detection", "traffic_camera"])
def test_cars_have_no_faces(shared_data: Path, tmp_path: Path, name: str) -> None:
    footage = excerpt(shared_data / "video" / f"{name}.mp4", tmp_path / "cars.mp4", 60)
    document = propose(footage, Wish(Mount.UPRIGHT))
    assert [track for track in document.tracks if track.reason is not Reason.MOVING] == []


@pytest.mark.parametrize(
    ("name", "quarters"),
    [("classroom", 1), ("classroom", 2), ("classroom", 3), ("face-demographics-walking", 1)],
)
def test_a_camera_that_hangs_turned_is_noticed_and_its_faces_are_hidden_as_well(
    shared_data: Path, tmp_path: Path, name: str, quarters: int
) -> None:
    """What a detector of another family finds upright is the reference."""
    upright = shared_data / "video" / f"{name}.mp4"
    document = propose(turned(upright, tmp_path / "turned.mp4", quarters))
    assert document.search is not None
    assert document.search.angles_deg == ((360 - 90 * quarters) % 360,)
    plan, source = faces_only(document), document.source
    found = [
        covered(plan.at(frame), turned_box(one.box, quarters, source), source.width, source.height)
        for frame, faces in reference(upright).items()
        for one in faces
    ]
    assert len(found) > 10
    assert sum(value >= HIDDEN for value in found) >= 0.99 * len(found)


@cache
def reference(path: Path) -> dict[int, list[Detection]]:
    """What CenterFace is fairly sure of in every fourth frame."""
    detector = CenterFace(0.5)
    with open_footage(path) as footage:
        return {
            frame.index: detector.find(frame.luma) for frame in footage.luma_frames() if frame.index % 4 == 0
        }


def turned_box(box: Box, quarters: int, source: Any) -> Box:
    """Where a box of the upright picture lies in the picture turned clockwise."""
    if quarters == 1:
        box = Box(source.width - box.bottom, box.left, source.width - box.top, box.right)
    elif quarters == 2:
        box = Box(
            source.width - box.right,
            source.height - box.bottom,
            source.width - box.left,
            source.height - box.top,
        )
    else:
        box = Box(box.top, source.height - box.right, box.bottom, source.height - box.left)
    inside = box.within(source.width, source.height)
    assert inside is not None
    return inside


@pytest.mark.parametrize(("name", "least"), [("TUD-Campus.mp4", 0.9), ("vtest.avi", 0.9)])
def test_whole_persons_are_hidden_where_that_is_asked_for(
    shared_data: Path, tmp_path: Path, name: str, least: float
) -> None:
    """Persons taller than 40 pixels, half covered, in the boxes of the MOT challenge."""
    frames = 75
    footage = excerpt(shared_data / "video" / name, tmp_path / f"part{Path(name).suffix}", frames)
    document = propose(footage, Wish(Mount.UPRIGHT, persons=True))
    plan, source = to_mask_plan(hide_all(document)), document.source
    found = [
        covered(plan.at(entry["frame"]), box_of(person), source.width, source.height) >= 0.5
        for entry in truth_of(shared_data, Path(name).stem)
        for person in entry.get("persons", ())
        if entry["frame"] < source.frames and person["h"] > 40
    ]
    assert len(found) > 200
    assert np.mean(found) >= least


def test_the_yardstick_counts_what_several_masks_cover_once() -> None:
    left, right = Mask(Box(0, 0, 10, 20)), Mask(Box(10, 0, 20, 20))
    assert covered([left], Box(0, 0, 20, 20), 40, 40) == pytest.approx(0.5)
    assert covered([left, right], Box(5, 5, 15, 15), 40, 40) == 1.0
