"""Waveform peaks agree with a computation that has no cleverness in it."""

import struct
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from media.peaks import MAX_BUCKETS, PeaksBuilder, read_peaks


def _draw(blocks: list[NDArray[Any]], rate: int) -> bytes:
    builder = PeaksBuilder(rate, blocks[0].shape[0])
    for block in blocks:
        builder.add(block)
    return builder.finish()


def _plain(samples: NDArray[np.int16], per_bucket: int) -> NDArray[np.int8]:
    """Peaks of 16-bit samples, bucket by bucket."""
    starts = range(0, samples.shape[1], per_bucket)
    buckets = [samples[:, start : start + per_bucket] >> 8 for start in starts]
    return np.array([[[c.min(), c.max()] for c in bucket] for bucket in buckets], np.int8)


@given(
    seed=st.integers(0, 1000),
    channels=st.integers(1, 3),
    lengths=st.lists(st.integers(1, 3000), min_size=1, max_size=12),
    rate=st.sampled_from([8000, 8001, 999, 401]),
)
def test_peaks_do_not_depend_on_how_the_sound_is_cut_into_blocks(
    seed: int, channels: int, lengths: list[int], rate: int
) -> None:
    random = np.random.default_rng(seed)
    samples = random.integers(-32768, 32768, (channels, sum(lengths)), np.int16, endpoint=False)
    edges = np.cumsum([0, *lengths])
    blocks = [samples[:, a:b] for a, b in pairwise(edges)]
    peaks = read_peaks(_draw(blocks, rate))
    assert peaks.sample_rate == rate
    assert np.array_equal(peaks.values, _plain(samples, peaks.samples_per_bucket))


@pytest.mark.parametrize("samples", [MAX_BUCKETS - 1, MAX_BUCKETS, MAX_BUCKETS + 1, 5 * MAX_BUCKETS + 7])
def test_a_long_recording_has_coarser_buckets_and_never_more_of_them(samples: int) -> None:
    sound = np.random.default_rng(samples).integers(-32768, 32768, (2, samples), np.int16, endpoint=False)
    peaks = read_peaks(_draw([sound], rate=20))
    assert len(peaks.values) <= MAX_BUCKETS
    assert peaks.samples_per_bucket & (peaks.samples_per_bucket - 1) == 0
    assert np.array_equal(peaks.values, _plain(sound, peaks.samples_per_bucket))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 128, 255]], np.uint8), (-128, 127)),
        (np.array([[-32768, 0, 32767]], np.int16), (-128, 127)),
        (np.array([[-(2**31), 0, 2**31 - 1]], np.int32), (-128, 127)),
        (np.array([[-1.0, 0, 0.5]], np.float32), (-128, 64)),
        (np.array([[-9.0, 0, np.inf]], np.float32), (-128, 127)),
        (np.array([[np.nan, np.nan, np.nan]], np.float64), (0, 0)),
    ],
)
def test_every_sample_form_is_scaled_to_eight_bits(values: NDArray[Any], expected: tuple[int, int]) -> None:
    peaks = read_peaks(_draw([values], rate=60))
    assert tuple(peaks.values[0, 0]) == expected


def test_the_header_is_that_of_audiowaveform_version_2() -> None:
    data = _draw([np.zeros((2, 8000), np.int16)], rate=8000)
    assert struct.unpack_from("<iIiiIi", data) == (2, 1, 8000, 400, 20, 2)
    assert len(data) == 24 + 20 * 2 * 2


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 23,
        struct.pack("<iIiiIi", 1, 1, 8000, 400, 0, 1),
        struct.pack("<iIiiIi", 2, 0, 8000, 400, 0, 1),
        struct.pack("<iIiiIi", 2, 1, 8000, 400, 0, 0),
        struct.pack("<iIiiIi", 2, 1, 8000, 400, 5, 1) + b"\0" * 9,
    ],
)
def test_peaks_that_are_not_whole_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="peaks"):
        read_peaks(data)
