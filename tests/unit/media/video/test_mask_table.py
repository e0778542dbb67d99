"""Plans on their way: to a worker as rows, from a person as JSON."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.video.mask_table import table_of, unpack
from media.video.masks import Box, Mask, MaskPlan, Style
from media.video.plan_file import read_plan

masks = st.builds(
    lambda x, y, w, h, style: Mask(Box(x, y, x + w, y + h), style),
    st.floats(-1e4, 1e4),
    st.floats(-1e4, 1e4),
    st.floats(0.5, 1e4),
    st.floats(0.5, 1e4),
    st.sampled_from(Style),
)
plans = st.dictionaries(st.integers(0, 10**7), st.lists(masks, min_size=1, max_size=3), max_size=8).map(
    MaskPlan
)


@given(plans, st.integers(0, 10**7))
def test_a_table_says_what_its_plan_says(plan: MaskPlan, frame: int) -> None:
    table = unpack(table_of(plan).pack())
    for number in (frame, *plan.frames):
        assert list(table.at(number)) == list(plan.at(number))
    assert table.frames() == len(plan.frames)
    assert table.last_frame() == max(plan.frames, default=-1)
    assert table.styles() == {mask.style for some in plan.frames.values() for mask in some}
    assert table.has_any(frame, frame + 1000) == any(frame <= one < frame + 1000 for one in plan.frames)


def test_a_plan_with_impossible_numbers_is_refused() -> None:
    for plan in (MaskPlan({-1: [Mask(Box(0, 0, 1, 1))]}), MaskPlan({0: [Mask(Box(0, 0, float("inf"), 1))]})):
        with pytest.raises(ValueError, match="finite edges"):
            table_of(plan)


def test_a_plan_can_be_written_by_hand(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(
        '{"format": "mask-plan/1", "masks": [{"first": 2, "end": 4, "box": [1, 2, 3, 4.5], "style": "mosaic"}]}'
    )
    mask = Mask(Box(1, 2, 3, 4.5), Style.MOSAIC)
    assert read_plan(tmp_path / "plan.json") == MaskPlan({2: [mask], 3: [mask]})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{}", "format"),
        ('{"format": "mask-plan/2", "masks": []}', "format"),
        (
            '{"format": "mask-plan/1", "masks": [{"first": -1, "end": 4, "box": [1, 2, 3, 4]}]}',
            "masks.0.first",
        ),
        ('{"format": "mask-plan/1", "masks": [{"first": 0, "end": 4, "box": [1, 2, 3]}]}', "masks.0.box"),
        ('{"format": "mask-plan/1", "masks": [], "keep": 1}', "keep"),
        (
            '{"format": "mask-plan/1", "masks": [{"first": 0, "end": 4, "box": [3, 2, 1, 4]}]}',
            "width and height",
        ),
    ],
)
def test_what_is_no_plan_is_refused_and_the_place_is_named(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(ValueError, match=why):
        read_plan(tmp_path / "plan.json")
