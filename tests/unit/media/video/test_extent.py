"""Where a head is, when a face or a person was seen; and that each keeps one track."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.review.document import Reason
from media.video.detect.port import Detection, DetectorFacts, Grey
from media.video.extent import Extent, body_of_face, head_of_face, head_of_person
from media.video.masks import Box
from media.video.proposal import proposal as propose
from media.video.propose import Means, Wish
from media.video.views import Mount
from tests.builders.footage import wandering, write_footage
from tests.fakes.bright_spots import BrightSpots

boxes = st.builds(
    lambda left, top, width, height: Box(left, top, left + width, top + height),
    st.floats(-500, 2000),
    st.floats(-500, 2000),
    st.floats(4, 500),
    st.floats(4, 500),
)


@given(boxes)
def test_a_head_holds_the_face_and_is_wider_above_it_than_below(face: Box) -> None:
    head = head_of_face(face)
    assert head.overlap(face) == pytest.approx(face.area)
    assert face.top - head.top > head.bottom - face.bottom > 0
    assert body_of_face(face).bottom > head.bottom


@given(boxes)
def test_the_head_of_a_person_is_at_the_top_in_the_middle_and_as_large_wherever_they_stand(
    person: Box,
) -> None:
    head, moved = head_of_person(person), head_of_person(person.moved(7, -3))
    assert head.top < person.top < head.bottom < person.bottom
    assert (head.left + head.right) / 2 == pytest.approx((person.left + person.right) / 2)
    assert (moved.left, moved.top) == pytest.approx((head.left + 7, head.top - 3))


class Below(BrightSpots):
    """A person hangs from each bright spot that lies in the given half; their head is the spot."""

    def __init__(self, least_y: float) -> None:
        super().__init__()
        self._least_y = least_y

    @property
    def facts(self) -> DetectorFacts:
        return DetectorFacts("below spots", "1", "0" * 64, "person")

    def find(self, picture: Grey) -> list[Detection]:
        return [
            Detection(
                Box(one.box.left - 30, one.box.top, one.box.right + 30, one.box.top + 7 * one.box.height), 0.9
            )
            for one in super().find(picture)
            if one.box.top >= self._least_y
        ]


def test_a_head_whose_face_is_seen_is_one_track_and_one_from_behind_is_one_too(tmp_path: Path) -> None:
    footage = write_footage(tmp_path / "a.mkv", wandering(60, [(50, 20), (80, 150)], (2, 0)))
    wish = Wish(Mount.UPRIGHT, Extent.HEAD)
    seen = propose(footage, wish, Means(face=BrightSpots, person=lambda: Below(0)))
    assert [track.reason for track in seen.tracks] == [Reason.HEAD, Reason.HEAD]
    nobody = Means(face=lambda: BrightSpots(top=0.0), person=lambda: Below(100))
    (track,) = propose(footage, wish, nobody).tracks[:1]
    assert track.reason is Reason.HEAD
    assert track.positions[0].top < 150
