"""What a person writes on one line about a review does what it says, or says what is wrong with it."""

import re

import pytest

from media.review.by_hand import ByHand, decide_by_hand
from media.review.document import Gap, Position, Reason, ReviewDocument, Source, Track, Verdict
from media.review.masks import boxes_of
from media.video.masks import Box

SOURCE = Source(sha256="0" * 64, width=640, height=360, frames=300, time_base="1/25")


def track(number: int, first: int, last: int, left: float = 10, reason: Reason = Reason.FACE) -> Track:
    places = [Position(frame=frame, left=left, top=10, right=left + 20, bottom=40) for frame in (first, last)]
    return Track(id=number, reason=reason, positions=tuple(places))


DOCUMENT = ReviewDocument(
    source=SOURCE,
    tracks=(track(1, 0, 99), track(2, 110, 150), track(5, 20, 60, 300, Reason.MOVING)),
    gaps=(Gap(id=1, first=200, last=205, reason="a light went on"),),
)


def decided(**wanted: object) -> ReviewDocument:
    return decide_by_hand(DOCUMENT, ByHand(**wanted), "suzuki")  # type: ignore[arg-type]


def frames(document: ReviewDocument) -> dict[int, tuple[int, int]]:
    return {each.id: (each.first, each.last) for each in document.tracks}


def test_a_track_is_split_and_its_second_part_has_the_next_free_number() -> None:
    assert frames(decided(splits=("1@40",))) == {1: (0, 39), 2: (110, 150), 5: (20, 60), 6: (40, 99)}


def test_tracks_of_one_person_become_one() -> None:
    assert frames(decided(merges=("1,2",))) == {1: (0, 150), 5: (20, 60)}


def test_a_mask_is_drawn_that_stands_still_or_moves_and_is_hidden_at_once() -> None:
    document = decided(draws=("120-180:40,60,32,30", "0:0,0,10,10 10:100,50,10,10"))
    still, moving = document.tracks[-2:]
    assert {box for _, box in boxes_of(still.positions)} == {Box(40, 60, 72, 90)}
    assert dict(boxes_of(moving.positions))[5] == Box(50, 25, 60, 35)
    assert {each.decision.verdict for each in (still, moving)} == {Verdict.HIDE}
    assert still.decision.by == "suzuki"


def test_a_track_is_carried_on_before_its_first_frame_and_after_its_last() -> None:
    assert frames(decided(carries=("2@105", "2@299")))[2] == (105, 299)


def test_what_is_split_can_be_decided_about_in_the_same_line() -> None:
    document = decided(splits=("1@40",), keep=("track 6",), hides_rest=True)
    assert document.track(6).decision.verdict is Verdict.KEEP
    assert {each.decision.verdict for each in document.tracks if each.id != 6} == {Verdict.HIDE}
    assert document.gaps[0].decision.verdict is Verdict.HIDE


@pytest.mark.parametrize(
    ("moving", "verdict"), [(Verdict.UNDECIDED, Verdict.UNDECIDED), (Verdict.KEEP, Verdict.KEEP)]
)
def test_what_moves_can_be_left_to_a_person_or_kept(moving: Verdict, verdict: Verdict) -> None:
    document = decided(hides_rest=True, moving=moving)
    assert document.track(1).decision.verdict is Verdict.HIDE
    assert document.track(5).decision.verdict is verdict
    assert document.gaps[0].decision.verdict is verdict


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"splits": ("9@40",)}, "split 9@40: there is no track 9; this review has the tracks 1 to 2, 5"),
        ({"splits": ("1@400",)}, "split 1@400: track 1 lies in frames 0 to 99; 400 does not cut it"),
        ({"splits": ("1:40",)}, "split 1:40: write TRACK@FRAME, as 3@120"),
        ({"merges": ("1",)}, "merge 1: name at least two tracks to merge"),
        ({"merges": ("1,b",)}, "merge 1,b: write the numbers of the tracks, as 3,4"),
        ({"merges": ("1,7",)}, "merge 1,7: there is no track 7"),
        ({"draws": ("120:1,2,3",)}, "draw 120:1,2,3: write FRAME:LEFT,TOP,WIDTH,HEIGHT"),
        ({"draws": ("20-10:1,2,3,4",)}, "draw 20-10:1,2,3,4: frame 10 comes before frame 20"),
        ({"draws": ("20:1,2,0,4",)}, "draw 20:1,2,0,4: a mask needs width and height"),
        ({"draws": ("20:1,2,3,4 10:1,2,3,4",)}, "must be in order"),
        ({"draws": ("290-300:1,2,3,4",)}, "track 6 goes on after the last frame, 299"),
        ({"carries": ("1@50",)}, "carry 1@50: track 1 already lies in frames 0 to 99"),
        ({"carries": ("1@300",)}, "carry 1@300: track 1 goes on after the last frame, 299"),
        ({"keep": ("track 9",)}, "there is no track 9; this review has the tracks 1 to 2, 5"),
        ({"keep": ("gap 9",)}, "there is no gap 9"),
        ({"hide": ("the woman",)}, "'the woman' names nothing in this review: write track or gap or sound"),
        ({"hide": ("sound",)}, "this footage has no sound"),
    ],
)
def test_what_cannot_be_done_is_said_with_its_track(wanted: dict[str, tuple[str, ...]], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)) as refused:
        decided(**wanted)
    assert "\n" not in str(refused.value)


def test_where_nothing_was_found_there_is_nothing_to_name() -> None:
    with pytest.raises(ValueError, match="there is no track 1; this review has no track"):
        decide_by_hand(ReviewDocument(source=SOURCE), ByHand(keep=("track 1",)))
