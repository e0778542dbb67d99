"""The document in which a person decides: what is undecided is named, and nothing leaks by editing."""

import json
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from media.errors import Undecided
from media.review import schema, sound
from media.review.decide import carry, decide, decide_gaps, draw, hide_all, merge, positions_of, split
from media.review.document import (
    Gap,
    Position,
    Reason,
    ReviewDocument,
    Source,
    Track,
    Verdict,
    from_json,
    to_json,
)
from media.review.masks import box_at, boxes_of, coverage, to_mask_plan
from media.video.masks import Box, Mask, Style

FRAMES = 100
SOURCE = Source(sha256="0" * 64, width=640, height=360, frames=FRAMES, time_base="1/25")

BY_HAND = """
{"source": {"sha256": "%s", "width": 640, "height": 360, "frames": 100, "time_base": "1/25"},
 "tracks": [{"id": 1, "reason": "drawn", "decision": {"verdict": "hide"},
             "positions": [{"frame": 10, "left": 100, "top": 50, "right": 140, "bottom": 100},
                           {"frame": 20, "left": 200, "top": 50, "right": 240, "bottom": 100}]}]}
"""


def at(frame: int, left: float, top: float = 100, size: float = 40) -> Position:
    return Position(frame=frame, left=left, top=top, right=left + size, bottom=top + size)


def track(number: int, *positions: Position, reason: Reason = Reason.FACE) -> Track:
    return Track(id=number, reason=reason, positions=positions)


WALK = track(1, at(10, 100), at(30, 200), at(60, 200))
OTHER = track(2, at(50, 400), at(80, 300), reason=Reason.MOVING)
BLIND = Gap(id=1, first=90, last=95, reason="nearly the whole picture changed")
DOCUMENT = ReviewDocument(source=SOURCE, tracks=(WALK, OTHER), gaps=(BLIND,))

frames = st.lists(st.integers(0, FRAMES - 1), min_size=1, max_size=12, unique=True).map(sorted)
places = st.tuples(st.floats(0, 500), st.floats(0, 250), st.floats(5, 100), st.floats(5, 100))


@st.composite
def tracks(draw: st.DrawFn, number: int = 1) -> Track:
    positions = []
    for frame in draw(frames):
        left, top, width, height = draw(places)
        positions.append(Position(frame=frame, left=left, top=top, right=left + width, bottom=top + height))
    return track(number, *positions)


def test_a_document_that_a_person_wrote_with_a_few_positions_is_enough() -> None:
    document = from_json(BY_HAND % ("a" * 64))
    assert to_mask_plan(document).at(15) == (Mask(Box(150, 50, 190, 100)),)
    assert to_mask_plan(document).at(21) == ()


@pytest.mark.parametrize(("path", "model"), schema.DOCUMENTS.items())
def test_the_schema_beside_the_code_is_the_codes_own(path: Path, model: type[BaseModel]) -> None:
    remedy = "run `python -m media.review.schema`"
    assert path.read_text(encoding="utf-8") == schema.schema_text(model), remedy


def test_documents_follow_the_schema() -> None:
    path = next(path for path, model in schema.DOCUMENTS.items() if model is ReviewDocument)
    validator = jsonschema.Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))
    validator.validate(json.loads(to_json(DOCUMENT)))
    validator.validate(json.loads(BY_HAND % ("a" * 64)))


@given(tracks())
def test_a_document_is_the_same_after_it_was_written_and_read(one: Track) -> None:
    document = ReviewDocument(source=SOURCE, tracks=(one,))
    assert from_json(to_json(document)) == document


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 2}, "Input should be 1"),
        ({"surprise": 1}, "Extra inputs are not permitted"),
        ({"tracks": [WALK.model_dump(), WALK.model_dump()]}, "two tracks have the same id"),
        ({"gaps": [{"id": 1, "first": 9, "last": 8, "reason": "x"}]}, "gap 1 ends before it begins"),
        (
            {"gaps": [{"id": 1, "first": 9, "last": 100, "reason": "x"}]},
            "gap 1 goes on after the last frame, 99",
        ),
    ],
)
def test_a_document_that_makes_no_sense_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        ReviewDocument.model_validate({**DOCUMENT.model_dump(), **change})


@pytest.mark.parametrize("read", [from_json, sound.from_json])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Yamada Hanako", "Invalid JSON: "),
        ('{"version": "Yamada Hanako"}', "version: Input should be 1"),
        ('{"version": 1, "source": {"sha256": "Yamada Hanako"}}', "source.sha256: String should match "),
    ],
)
def test_of_what_is_no_document_it_is_said_where_and_why_and_never_what_stands_there(
    read: Callable[[str], object], text: str, said: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(said)}") as refused:
        read(text)
    assert "Yamada" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_positions_out_of_order_or_without_size_are_refused() -> None:
    with pytest.raises(ValidationError, match="in order, one a frame"):
        track(1, at(10, 0), at(10, 5))
    with pytest.raises(ValidationError, match="width and height"):
        at(10, 0, size=0)


def test_everything_undecided_is_named_and_nothing_is_rendered() -> None:
    assert coverage(DOCUMENT).open_points == (
        "track 1 (face) is undecided: frames 10 to 60",
        "track 2 (moving, undecided) is undecided: frames 50 to 80",
        "gap 1 is undecided: nearly the whole picture changed, frames 90 to 95",
    )
    with pytest.raises(Undecided, match="track 2 "):
        to_mask_plan(DOCUMENT)


@pytest.mark.parametrize("verdict", [Verdict.HIDE, Verdict.KEEP])
def test_one_open_point_is_enough_to_refuse(verdict: Verdict) -> None:
    for document in (
        decide(decide_gaps(DOCUMENT, [1], verdict), [1], verdict),
        decide(decide_gaps(DOCUMENT, [1], verdict), [2], verdict),
        decide(DOCUMENT, [1, 2], verdict),
    ):
        assert len(coverage(document).open_points) == 1
        with pytest.raises(Undecided):
            to_mask_plan(document)


def test_what_is_kept_has_no_mask_and_takes_none_from_others() -> None:
    overlapping = track(2, at(10, 100), at(60, 100))
    document = ReviewDocument(source=SOURCE, tracks=(WALK, overlapping))
    document = decide(decide(document, [1], Verdict.HIDE), [2], Verdict.KEEP)
    assert to_mask_plan(document) == to_mask_plan(
        decide(ReviewDocument(source=SOURCE, tracks=(WALK,)), [1], Verdict.HIDE)
    )


def test_a_gap_that_is_hidden_hides_whole_frames() -> None:
    plan = to_mask_plan(hide_all(DOCUMENT))
    assert plan.at(92) == (Mask(Box(0, 0, 640, 360)),)
    assert plan.at(96) == ()


def test_hide_all_decides_everything_but_what_is_decided() -> None:
    document = hide_all(decide(DOCUMENT, [1], Verdict.KEEP, by="yuki"), by="night run")
    assert coverage(document).is_complete
    assert document.track(1).decision.verdict is Verdict.KEEP
    assert (document.track(2).decision.verdict, document.track(2).decision.by) == (Verdict.HIDE, "night run")


def test_hide_all_may_leave_what_no_detector_names_to_a_person_or_visible() -> None:
    assert coverage(hide_all(DOCUMENT, moving=Verdict.UNDECIDED)).open_points[0].startswith("track 2")
    kept = hide_all(DOCUMENT, moving=Verdict.KEEP)
    assert coverage(kept).is_complete
    assert set(to_mask_plan(kept).frames) == set(range(10, 61))


def test_masks_end_at_the_edge_of_the_picture_and_those_beyond_it_are_none() -> None:
    leaving = track(1, at(0, 620), at(10, 720))
    plan = to_mask_plan(hide_all(ReviewDocument(source=SOURCE, tracks=(leaving,))))
    assert plan.at(0) == (Mask(Box(620, 100, 640, 140)),)
    assert plan.at(10) == ()


@given(tracks(), st.data())
def test_a_track_that_is_cut_in_two_hides_what_it_hid(one: Track, data: st.DataObject) -> None:
    document = ReviewDocument(source=SOURCE, tracks=(one,))
    if one.first == one.last:
        with pytest.raises(ValueError, match="does not cut it"):
            split(document, 1, one.first)
        return
    parts = split(document, 1, data.draw(st.integers(one.first + 1, one.last)))
    assert {part.decision.verdict for part in parts.tracks} == {Verdict.UNDECIDED}
    before, after = (to_mask_plan(hide_all(each)) for each in (document, parts))
    assert set(before.frames) == set(after.frames)
    for frame in before.frames:
        assert _edges(before.at(frame)[0]) == pytest.approx(_edges(after.at(frame)[0]), abs=0.02)


@given(tracks(1), tracks(2))
def test_merged_tracks_hide_all_that_they_hid_apart(one: Track, two: Track) -> None:
    document = ReviewDocument(source=SOURCE, tracks=(one, two))
    merged = merge(document, [1, 2])
    assert [each.id for each in merged.tracks] == [1]
    (whole,) = merged.tracks
    covered = dict(boxes_of(whole.positions))
    for each in (one, two):
        for frame, box in boxes_of(each.positions):
            held = covered[frame].grown(0.001).moved(0, 0)
            grown = Box(held.left - 0.6, held.top - 0.6, held.right + 0.6, held.bottom + 0.6)
            assert grown.overlap(box) == pytest.approx(box.area)


@given(st.dictionaries(st.integers(0, 60), places, min_size=1, max_size=40))
def test_few_positions_stand_for_many_boxes_to_half_a_pixel(found: dict[int, tuple[float, ...]]) -> None:
    boxes = {frame: Box(x, y, x + w, y + h) for frame, (x, y, w, h) in found.items()}
    positions = positions_of(boxes)
    expanded = dict(boxes_of(positions))
    for frame, box in boxes.items():
        assert _edges(Mask(expanded[frame])) == pytest.approx(_edges(Mask(box)), abs=0.52)


def test_an_even_walk_takes_few_positions() -> None:
    boxes = {frame: Box(frame * 2, 10, frame * 2 + 20, 40) for frame in range(101)}
    assert len(positions_of(boxes)) == 3


def test_a_mask_that_is_drawn_hides_at_once() -> None:
    document = draw(
        ReviewDocument(source=SOURCE), [at(5, 10), at(9, 50)], style=Style.MOSAIC, by="yuki", note="a badge"
    )
    assert to_mask_plan(document).at(7) == (Mask(Box(30, 100, 70, 140), Style.MOSAIC),)
    assert document.tracks[0].decision.by == "yuki"


def test_nothing_is_drawn_after_the_last_frame() -> None:
    with pytest.raises(ValueError, match="after the last frame"):
        draw(ReviewDocument(source=SOURCE), [at(FRAMES, 10)])


def test_a_track_is_carried_over_frames_in_which_nobody_saw_it() -> None:
    document = carry(carry(decide(DOCUMENT, [1], Verdict.HIDE), 1, 70), 1, 2)
    carried = document.track(1)
    assert (carried.first, carried.last) == (2, 70)
    assert box_at(carried, 65) == Box(200, 100, 240, 140)
    assert carried.decision.verdict is Verdict.HIDE


def test_a_track_is_not_carried_where_it_is_or_where_no_footage_is() -> None:
    with pytest.raises(ValueError, match="already lies in frames 10 to 60"):
        carry(DOCUMENT, 1, 30)
    with pytest.raises(ValueError, match="after the last frame"):
        carry(DOCUMENT, 1, FRAMES)


def test_what_does_not_exist_cannot_be_decided() -> None:
    acts: tuple[Callable[[], object], ...] = (
        lambda: decide(DOCUMENT, [3], Verdict.KEEP),
        lambda: decide_gaps(DOCUMENT, [3], Verdict.KEEP),
        lambda: split(DOCUMENT, 3, 5),
        lambda: merge(DOCUMENT, [1, 3]),
        lambda: carry(DOCUMENT, 3, 5),
    )
    for act in acts:
        with pytest.raises(KeyError, match=r"no (track|gap) 3"):
            act()


def test_the_time_base_can_be_read_as_a_fraction() -> None:
    assert Fraction(SOURCE.time_base) == Fraction(1, 25)


def _edges(mask: Mask) -> tuple[float, ...]:
    return mask.box.left, mask.box.top, mask.box.right, mask.box.bottom
