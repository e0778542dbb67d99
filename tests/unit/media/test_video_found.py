"""Measured on real footage with ground truth: what is hidden of what people labelled.

A face counts as hidden when at least nine tenths of its box are covered. Moving
things that no detector names are left visible here, so that the faces alone
are measured.
"""

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.review.decide import hide_all
from media.review.document import Reason, ReviewDocument, Verdict
from media.review.masks import to_mask_plan
from media.video.detect.centerface import CenterFace
from media.video.extent import Extent
from media.video.frames import open_footage
from media.video.masks import Box, Mask, MaskPlan
from media.video.propose import Wish, propose
from media.video.views import Mount
from tests.builders.footage import excerpt
from tests.builders.truth import (
    COVERED,
    HIDDEN,
    RECOGNISABLE,
    Label,
    Turn,
    corners_of,
    covered,
    faces_of,
    heads_of,
    persons_of,
    turn,
)

pytestmark = [pytest.mark.shared_data, pytest.mark.usefixtures("models")]

LABELLED = ("classroom", "face-demographics-walking", "TUD-Campus", "chaplin")
Proposed = Callable[[Path, Wish], ReviewDocument]


@pytest.fixture(scope="module")
def proposed() -> Proposed:
    return cache(propose)


def faces_only(document: ReviewDocument) -> MaskPlan:
    return to_mask_plan(hide_all(document, moving=Verdict.KEEP))


def share(plan: MaskPlan, document: ReviewDocument) -> float:
    """The share of all pixels of the footage that is covered."""
    source, total = document.source, 0.0
    whole = corners_of(Box(0, 0, source.width, source.height))
    for masks in plan.frames.values():
        total += covered(masks, whole, source.width, source.height)
    return total / source.frames


def open_labels(document: ReviewDocument, labels: Iterable[Label]) -> list[Label]:
    """Labels of faces that can be recognised and are not hidden."""
    plan, source = faces_only(document), document.source
    return [
        label
        for label in labels
        if label.kind in RECOGNISABLE
        and covered(plan.at(label.frame), label.corners, source.width, source.height) < HIDDEN
    ]


@pytest.mark.parametrize("name", LABELLED)
def test_every_labelled_face_that_can_be_recognised_is_hidden(
    shared_data: Path, proposed: Proposed, name: str
) -> None:
    document = proposed(shared_data / "video" / f"{name}.mp4", Wish())
    labels = faces_of(shared_data, name)
    assert len({label.frame for label in labels}) >= 4
    assert open_labels(document, labels) == []


@pytest.mark.parametrize("name", LABELLED)
def test_little_else_is_hidden(shared_data: Path, proposed: Proposed, name: str) -> None:
    document = proposed(shared_data / "video" / f"{name}.mp4", Wish())
    assert share(faces_only(document), document) < 0.05


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
    turn(upright, tmp_path / "turned.mp4", 90 * quarters)
    document = propose(tmp_path / "turned.mp4")
    assert document.search is not None
    assert document.search.angles_deg == ((360 - 90 * quarters) % 360,)
    plan, source = faces_only(document), document.source
    how = Turn.of(90 * quarters, *size_of(upright))
    found = [
        covered(plan.at(one.frame), how.label(one).corners, source.width, source.height)
        for one in reference(upright)
    ]
    assert len(found) > 10
    assert sum(value >= HIDDEN for value in found) >= 0.99 * len(found)


@cache
def reference(path: Path) -> list[Label]:
    """What CenterFace is fairly sure of in every fourth frame."""
    detector = CenterFace(0.5)
    with open_footage(path) as footage:
        return [
            Label(frame.index, corners_of(one.box), "clear")
            for frame in footage.luma_frames()
            if frame.index % 4 == 0
            for one in detector.find(frame.luma)
        ]


def size_of(path: Path) -> tuple[int, int]:
    with open_footage(path) as footage:
        return footage.facts.width, footage.facts.height


def test_heads_that_are_tilted_by_half_a_quarter_are_hidden_as_well(
    shared_data: Path, tmp_path: Path
) -> None:
    how = turn(shared_data / "video" / "classroom.mp4", tmp_path / "tilted.mp4", 45)
    document = propose(tmp_path / "tilted.mp4")
    assert open_labels(document, map(how.label, faces_of(shared_data, "classroom"))) == []


@pytest.mark.parametrize(("name", "least", "most"), [("TUD-Campus.mp4", 0.95, 0.6), ("vtest.avi", 0.9, 0.15)])
def test_whole_persons_are_hidden_where_that_is_asked_for(
    shared_data: Path, tmp_path: Path, name: str, least: float, most: float
) -> None:
    """Persons taller than 40 pixels, half covered, in the boxes of the MOT challenge; and not all else too."""
    frames = 75
    footage = excerpt(shared_data / "video" / name, tmp_path / f"part{Path(name).suffix}", frames)
    document = propose(footage, Wish(extent=Extent.PERSON))
    plan, source = to_mask_plan(hide_all(document)), document.source
    found = [
        covered(plan.at(one.frame), one.corners, source.width, source.height) >= COVERED
        for one in persons_of(shared_data, Path(name).stem)
        if one.frame < source.frames
    ]
    assert len(found) > 200
    assert np.mean(found) >= least
    assert share(plan, document) < most


@pytest.mark.parametrize(("name", "least", "most"), [("TUD-Campus.mp4", 0.75, 0.2), ("vtest.avi", 0.8, 0.05)])
def test_heads_are_hidden_also_from_behind_where_that_is_asked_for(
    shared_data: Path, tmp_path: Path, name: str, least: float, most: float
) -> None:
    """Half of the square at the top of a labelled person; and whoever's face is labelled, whole."""
    footage = excerpt(shared_data / "video" / name, tmp_path / f"part{Path(name).suffix}", 75)
    document = propose(footage, Wish(extent=Extent.HEAD))
    assert {track.reason for track in document.tracks} <= {Reason.HEAD, Reason.MOVING}
    plan, source = faces_only(document), document.source
    found = [
        covered(plan.at(one.frame), one.corners, source.width, source.height) >= COVERED
        for one in heads_of(shared_data, Path(name).stem)
        if one.frame < source.frames
    ]
    assert len(found) > 200
    assert np.mean(found) >= least
    assert share(plan, document) < most
    assert open_labels(document, faces_of(shared_data, Path(name).stem)) == []


def test_the_yardstick_counts_what_several_masks_cover_once() -> None:
    left, right = Mask(Box(0, 0, 10, 20)), Mask(Box(10, 0, 20, 20))
    assert covered([left], corners_of(Box(0, 0, 20, 20)), 40, 40) == pytest.approx(0.5)
    assert covered([left, right], corners_of(Box(5, 5, 15, 15)), 40, 40) == 1.0


@given(st.integers(0, 359))
def test_a_label_turns_with_its_picture(angle: int) -> None:
    how, label = Turn.of(angle, 80, 60), Label(0, corners_of(Box(20, 10, 30, 40)), "clear")
    picture = np.zeros((60, 80), np.uint8)
    picture[10:40, 20:30] = 255
    turned = cv2.warpAffine(picture, how.matrix, (how.width, how.height))
    drawn = np.zeros_like(turned)
    cv2.fillConvexPoly(drawn, np.round(how.label(label).corners).astype(np.int32), 255)
    assert np.mean(turned[drawn > 0] > 127) > 0.9
    assert np.mean(drawn[turned > 127] > 0) > 0.9
