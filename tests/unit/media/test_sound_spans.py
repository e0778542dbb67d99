"""Interval arithmetic of mutes, against a mask of one bool a sample."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.sound.spans import Mute, SpanIndex, make_plan, merge, to_samples, touched

TOTAL = 400
SPANS = st.lists(
    st.tuples(st.integers(0, TOTAL), st.integers(1, 60)).map(lambda one: (one[0], one[0] + one[1])),
    max_size=40,
)


def as_mask(spans: list[tuple[int, int]]) -> list[bool]:
    return [any(low <= at < high for low, high in spans) for at in range(TOTAL + 100)]


@given(SPANS)
def test_the_union_covers_exactly_what_the_spans_cover(spans: list[tuple[int, int]]) -> None:
    merged = merge(np.array(spans, np.int64).reshape(-1, 2))
    assert as_mask([(low, high) for low, high in merged.tolist()]) == as_mask(spans)
    assert all(before < after for before, after in zip(merged[:-1, 1], merged[1:, 0], strict=True))


@given(SPANS, st.integers(0, TOTAL), st.integers(1, TOTAL))
def test_what_is_touched_shares_a_sample(spans: list[tuple[int, int]], start: int, length: int) -> None:
    merged = merge(np.array(spans, np.int64).reshape(-1, 2))
    expected = [[low, high] for low, high in merged.tolist() if low < start + length and high > start]
    assert touched(merged, start, start + length).tolist() == expected
    assert SpanIndex(merged).touches(start, start + length) == bool(expected)


@given(
    st.decimals(0, 1000, places=9, allow_nan=False),
    st.decimals("0.000000001", 10, places=9),
    st.sampled_from([8000, 11025, 44100, 48000]),
)
def test_a_mute_grows_outwards_to_whole_samples(start_s: Decimal, length_s: Decimal, rate: int) -> None:
    mute = Mute(Fraction(start_s), Fraction(start_s) + Fraction(length_s))
    start, end = to_samples(mute, rate)
    assert start <= mute.start_s * rate < start + 1
    assert end - 1 < mute.end_s * rate <= end


def test_decimal_seconds_are_exact_where_floats_are_not() -> None:
    assert to_samples(Mute.parse("0.1-0.3"), 10) == (1, 3)
    assert to_samples(Mute.parse("4.35-4.36"), 100) == (435, 436)


@pytest.mark.parametrize(
    "text", ["", "5", "-1-2", "2-1", "1-1", "1e9-2e9", "nan-1", "1-inf", "1,5-2", "1-2@x", "٣-٤"]
)
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a mute|needs 0"):
        Mute.parse(text)


def test_a_channel_in_the_text_counts_more_than_the_option() -> None:
    assert Mute.parse("1-2@1", 0).channel == 1
    assert Mute.parse("1-2", 0).channel == 0
    assert Mute.parse("1-2").channel is None


def test_ten_thousand_overlapping_mutes_in_any_order_are_one_plan() -> None:
    random = np.random.default_rng(1)
    starts = random.integers(0, 3_000_000, 10_000)
    mutes = [Mute(Fraction(int(at), 1000), Fraction(int(at) + 700, 1000), int(at) % 2) for at in starts]
    plan = make_plan(mutes, 8000, 2, 8000 * 3600)
    assert [int((spans[:, 1] - spans[:, 0]).sum()) for spans in plan.channels] == [
        int(_naive(starts[starts % 2 == side] * 8, 5600).sum()) for side in (0, 1)
    ]


def _naive(
    starts: np.ndarray[tuple[int], np.dtype[np.int64]], length: int
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    mask = np.zeros(8000 * 3600, bool)
    for at in starts.tolist():
        mask[at : at + length] = True
    return mask


def test_a_mute_that_ends_after_the_recording_is_cut_and_one_that_starts_after_it_is_refused() -> None:
    assert make_plan([Mute.parse("0.5-9")], 100, 1, 100).channels[0].tolist() == [[50, 100]]
    with pytest.raises(ValueError, match="starts after the recording ends"):
        make_plan([Mute.parse("1-2")], 100, 1, 100)


def test_a_channel_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no channel 2"):
        make_plan([Mute.parse("0-1", 2)], 100, 2, 100)


def test_nothing_to_mute_leaves_every_sample() -> None:
    assert [len(spans) for spans in make_plan([], 100, 2, 100).channels] == [0, 0]
