"""Sightings become tracks: nothing that was seen is left uncovered, and no mask crosses a cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.video.masks import Box
from media.video.tracks import (
    BODY_MARGIN,
    EXTEND_FRAMES,
    FACE_MARGIN,
    MAX_GAP_FRAMES,
    Margin,
    Sighting,
    cover,
    link,
)

FRAMES = 200


def seen(frame: int, left: float, top: float = 100, size: float = 20, confidence: float = 0.8) -> Sighting:
    return Sighting(frame, Box(left, top, left + size, top + size), confidence)


sightings = st.lists(
    st.builds(
        seen,
        st.integers(0, FRAMES - 1),
        st.integers(0, 600),
        st.integers(0, 300),
        st.integers(5, 90),
        st.floats(0.3, 1),
    ),
    max_size=40,
    unique_by=lambda one: (one.frame, one.box.left, one.box.top),
)
cuts = st.lists(st.integers(1, FRAMES - 1), max_size=4, unique=True).map(sorted)


@given(sightings, cuts)
def test_every_sighting_is_in_exactly_one_trail(found: list[Sighting], cuts: list[int]) -> None:
    trails = link(found, cuts)
    everything = [one for trail in trails for one in trail.sightings]
    assert sorted(everything, key=repr) == sorted(found, key=repr)
    for trail in trails:
        frames = [one.frame for one in trail.sightings]
        assert frames == sorted(set(frames))


@given(sightings, cuts, st.sampled_from([FACE_MARGIN, BODY_MARGIN]))
def test_whatever_was_seen_is_covered_and_no_frame_between_is_left_out(
    found: list[Sighting], cuts: list[int], margin: Margin
) -> None:
    for trail in link(found, cuts):
        covered = cover(trail, margin, FRAMES, cuts)
        frames = list(covered)
        assert frames == list(range(frames[0], frames[-1] + 1))
        for one in trail.sightings:
            assert covered[one.frame].overlap(one.box) == pytest.approx(one.box.area)


@given(sightings, cuts)
def test_no_mask_crosses_a_cut_or_the_ends_of_the_footage(found: list[Sighting], cuts: list[int]) -> None:
    for trail in link(found, cuts):
        covered = cover(trail, FACE_MARGIN, FRAMES, cuts)
        assert min(covered) >= 0
        assert max(covered) < FRAMES
        assert not any(min(covered) < cut <= max(covered) for cut in cuts)


def test_a_face_that_walks_is_one_trail_and_its_mask_walks_with_it() -> None:
    (trail,) = link([seen(frame, 50 + 6 * frame) for frame in range(0, 61, 3)])
    covered = cover(trail, FACE_MARGIN, FRAMES)
    for frame in range(61):
        truth = Box(50 + 6 * frame, 100, 70 + 6 * frame, 120)
        assert covered[frame].overlap(truth) == pytest.approx(truth.area)


def test_a_mask_goes_on_a_little_before_and_after_and_moves_meanwhile() -> None:
    (trail,) = link([seen(frame, 300 + 4 * frame) for frame in range(30, 61, 3)])
    covered = cover(trail, FACE_MARGIN, FRAMES)
    assert (min(covered), max(covered)) == (30 - EXTEND_FRAMES, 60 + EXTEND_FRAMES)
    late = Box(300 + 4 * 66, 100, 320 + 4 * 66, 120)
    assert covered[66].overlap(late) == pytest.approx(late.area)


def test_two_people_who_pass_each_other_stay_two() -> None:
    there = [seen(frame, 100 + 5 * frame) for frame in range(0, 60, 3)]
    back = [seen(frame, 400 - 5 * frame, top=130) for frame in range(0, 60, 3)]
    assert [trail.sightings for trail in link(there + back)] == [tuple(there), tuple(back)]


def test_someone_who_strides_past_the_camera_is_one_trail_from_the_second_sighting() -> None:
    assert len(link([seen(frame, 130 + 9 * frame, size=18) for frame in range(0, 30, 3)])) == 1


def test_a_face_that_is_away_for_long_comes_back_as_another() -> None:
    assert len(link([seen(0, 100), seen(MAX_GAP_FRAMES, 100)])) == 1
    assert len(link([seen(0, 100), seen(MAX_GAP_FRAMES + 1, 100)])) == 2


def test_a_mask_does_not_flicker_with_the_boxes() -> None:
    (trail,) = link([seen(frame, 100, size=20 if frame % 2 else 26) for frame in range(0, 30, 3)])
    widths = {round(box.width, 3) for box in cover(trail, FACE_MARGIN, FRAMES).values()}
    assert widths == {46.8}


def test_a_mask_reaches_as_far_beside_a_narrow_face_as_above_it() -> None:
    """A face in profile is a narrow box, and the ear and the back of the head lie beside it."""
    (trail,) = link([Sighting(frame, Box(100, 100, 112, 124), 0.9) for frame in range(0, 30, 3)])
    mask = cover(trail, FACE_MARGIN, FRAMES)[10]
    assert (100 - mask.left, mask.right - 112) == pytest.approx((9.6, 9.6))
    assert (100 - mask.top, mask.bottom - 124) == pytest.approx((9.6, 9.6))
