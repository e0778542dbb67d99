"""Who is seen now and then is hidden from the look before to the look after."""

from hypothesis import given
from hypothesis import strategies as st

from media.video.glimpses import HOLD_FRAMES, glimpsed
from media.video.masks import Box
from media.video.tracks import FACE_MARGIN, Sighting, scene_of

FACE = Box(100, 100, 130, 140)


@given(
    st.integers(0, 399),
    st.lists(st.integers(1, 399), max_size=4, unique=True).map(sorted),
)
def test_one_sighting_hides_its_place_to_both_ends_but_never_across_a_cut(
    frame: int, cuts: list[int]
) -> None:
    ((trail, covered),) = glimpsed([Sighting(frame, FACE, 0.3)], FACE_MARGIN, 400, cuts)
    start, end = scene_of(frame, 400, cuts)
    assert trail.first == frame
    assert min(covered) <= max(start, frame - HOLD_FRAMES)
    assert max(covered) >= min(end, frame + HOLD_FRAMES)
    assert start <= min(covered) <= max(covered) <= end
    assert list(covered) == list(range(min(covered), max(covered) + 1))
    assert all(box.overlap(FACE) == FACE.area for box in covered.values())
