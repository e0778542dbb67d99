"""Ten thousand spans, in any order and over each other: as exact as one, in every way of muting and in pictures."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from media.sound.mute import Request, mute
from media.sound.spans import Mute
from media.video.masks import Box, Mask, MaskPlan
from media.video.render.render import render
from media.video.verify.verify import verify
from tests.builders.sound import decode, encode, loud
from tests.golden.clips import decoded, luma, psnr_db, write_clip

MANY = 10_000
SILENT = 1e-4


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [("call.ogg", "libopus", 48_000), ("call.m4a", "aac", 16_000), ("call.mp3", "libmp3lame", 16_000)],
)
def test_ten_thousand_mutes_of_packets_are_silent_and_what_lies_between_is_as_it_was(
    tmp_path: Path, name: str, codec: str, rate: int
) -> None:
    """In each three seconds, the second one is full of mutes; a decoder has settled before the third one ends."""
    source, out = encode(tmp_path / name, loud(30, rate, 1), codec, rate), tmp_path / f"out-{name}"
    dice = np.random.default_rng(5)
    starts_ms = dice.integers(0, 10, MANY) * 3000 + 1000 + dice.integers(0, 950, MANY)
    report = mute(source, out, Request(tuple(_mutes(starts_ms))))
    before, after = decode(source)[0], decode(out)[0]
    assert report.tracks[0].method == "packets"
    assert before.shape == after.shape
    muted = _covered(starts_ms, rate, before.shape[1])
    assert np.abs(before[0, muted]).max() > 0.2
    assert np.abs(after[0, muted]).max() <= SILENT
    for second in range(0, 30, 3):
        between = slice(round((second + 0.1) * rate), round((second + 0.8) * rate))
        assert np.abs(after[0, between]).max() > 0.2
        assert np.allclose(before[0, between], after[0, between], atol=2e-3)


def test_ten_thousand_mutes_of_a_codec_with_a_memory_are_exact_to_the_sample(tmp_path: Path) -> None:
    source, out = encode(tmp_path / "call.wav", loud(200, 8000, 1), "adpcm_ms"), tmp_path / "out.wav"
    starts_ms = np.random.default_rng(3).permutation(MANY) * 20
    report = mute(source, out, Request(tuple(_mutes(starts_ms))))
    before, after = decode(source)[0], decode(out)[0]
    assert report.tracks[0].method == "edit"
    assert before.shape == after.shape
    muted, near = (_covered(starts_ms, 8000, before.shape[1], fade) for fade in (0, 40))
    assert not after[0, muted].any()
    assert np.allclose(before[0, ~near], after[0, ~near], atol=1 / 32768)
    assert (after[0, ~near] != 0).mean() > 0.9


def test_ten_thousand_masks_are_all_painted_and_the_rest_of_the_picture_is_as_it_was(tmp_path: Path) -> None:
    frames, (width, height) = 40, (192, 96)
    source = write_clip(tmp_path / "in.mp4", frames=frames, size=(width, height), options={"crf": "18"})
    dice = np.random.default_rng(2)
    plan = MaskPlan({frame: _masks(dice, MANY // frames) for frame in range(frames)})
    render(source, plan, tmp_path / "out.mp4")
    assert verify(source, tmp_path / "out.mp4", plan, sound=None).findings == ()
    pairs = zip(decoded(source), decoded(tmp_path / "out.mp4"), strict=True)
    for number, (before, after) in enumerate(pairs):
        inside, near = (_painted(plan.at(number), (height, width), more) for more in (-6, 10))
        assert inside.sum() > 1000
        assert luma(after)[inside].max() < 40
        assert psnr_db(luma(before)[~near], luma(after)[~near]) > 38


def _mutes(starts_ms: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[Mute]:
    return [Mute.parse(f"{at / 1000}-{(at + 5) / 1000}") for at in starts_ms.tolist()]


def _covered(
    starts_ms: np.ndarray[tuple[int], np.dtype[np.int64]], rate: int, total: int, fade: int = 0
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Samples that are muted, or are as near to that as a fade."""
    covered = np.zeros(total, bool)
    for at in (starts_ms * rate // 1000).tolist():
        covered[max(0, at - fade) : at + 5 * rate // 1000 + fade] = True
    return covered


def _masks(dice: np.random.Generator, count: int) -> list[Mask]:
    """In the left half; most lie over others."""
    corners = dice.integers(0, (56, 56), (count, 2)).tolist()
    return [Mask(Box(left, top, left + 24, top + 24)) for left, top in corners]


def _painted(
    masks: Sequence[Mask], size: tuple[int, int], more: int
) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """What lies inside a mask that is wider by `more` pixels on every side."""
    area = np.zeros(size, bool)
    for mask in masks:
        box = mask.box
        area[
            max(0, int(box.top) - more) : int(box.bottom) + more,
            max(0, int(box.left) - more) : int(box.right) + more,
        ] = True
    return area
