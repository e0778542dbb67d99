"""Forms of samples, and what painting does to them: everything inside, nothing outside, fades between."""

from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest
from av.audio.codeccontext import AudioCodecContext
from hypothesis import given
from hypothesis import strategies as st

from media.sound.samples import FORMS, Painter, Style
from media.sound.spans import Mute, Plan, make_plan
from tests.builders.sound import samples_of

RATE = 1000  # a fade is 5 samples


@pytest.mark.parametrize("name", FORMS)
def test_bytes_mean_what_ffmpeg_takes_them_for(name: str) -> None:
    form = FORMS[name]
    raw = np.random.default_rng(5).integers(0, 256, (2000, form.width), np.uint8)
    if name.startswith("pcm_f"):
        raw = form.from_levels(np.linspace(-1.2, 1.2, 2000))
    decoder = av.CodecContext.create(name, "r")
    assert isinstance(decoder, AudioCodecContext)
    decoder.sample_rate, decoder.layout = 8000, "mono"
    (frame,) = decoder.decode(av.Packet(raw.tobytes()))
    assert np.allclose(form.to_levels(raw), samples_of(frame)[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", FORMS)
def test_numbers_come_back_as_the_bytes_they_came_from(name: str) -> None:
    form = FORMS[name]
    raw = form.from_levels(np.random.default_rng(5).uniform(-1, 1, 2000))
    assert np.array_equal(form.from_levels(form.to_levels(raw)), raw)


@pytest.mark.parametrize("name", FORMS)
def test_silence_is_the_quietest_there_is(name: str) -> None:
    form = FORMS[name]
    silence = form.to_levels(np.frombuffer(form.silence, np.uint8)[None])
    assert abs(float(silence[0])) <= (8 / 32768 if name == "pcm_alaw" else 0)


def plan_of(spans: list[tuple[int, int, int]], total: int) -> Plan:
    mutes = [Mute(Fraction(low, RATE), Fraction(low + length, RATE), side) for low, length, side in spans]
    return make_plan(mutes, RATE, 2, total)


@given(
    name=st.sampled_from(sorted(FORMS)),
    spans=st.lists(
        st.tuples(st.integers(0, 199), st.integers(1, 40), st.integers(0, 1)), min_size=1, max_size=12
    ),
    cuts=st.lists(st.integers(1, 199), max_size=5),
    seed=st.integers(0, 100),
)
def test_painting_is_exact_to_the_sample_however_it_is_cut_into_blocks(
    name: str, spans: list[tuple[int, int, int]], cuts: list[int], seed: int
) -> None:
    form, total = FORMS[name], 200
    levels = np.random.default_rng(seed).uniform(-0.9, 0.9, 2 * total)
    before = np.ascontiguousarray(form.from_levels(levels)).reshape(total, 2, form.width)
    plan = plan_of(spans, total)
    painter, after = Painter(plan, form), before.copy()
    edges = sorted({0, *cuts, total})
    for low, high in pairwise(edges):
        painter.paint(after[low:high], low)
    for side in (0, 1):
        muted = np.zeros(total, bool)
        for low, length, which in spans:
            if which == side:
                muted[low : low + length] = True
        distance = _distance(muted)
        assert (after[muted, side] == np.frombuffer(form.silence, np.uint8)).all()
        assert np.array_equal(after[distance > 5, side], before[distance > 5, side])
        faded = (distance > 0) & (distance <= 5)
        expected = form.to_levels(before[faded, side]) * (distance[faded] / 6)
        step = 0.05 if form.width == 1 else 2.0**-14
        assert np.allclose(form.to_levels(after[faded, side]), expected, atol=step)


def _distance(
    muted: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """To the nearest muted sample; far where there is none."""
    places = np.flatnonzero(muted)
    if len(places) == 0:
        return np.full(len(muted), 1000)
    return np.asarray(np.abs(np.arange(len(muted))[:, None] - places[None]).min(axis=1))


def test_a_tone_stands_where_speech_was_and_begins_softly() -> None:
    form = FORMS["pcm_s16le"]
    block = form.from_levels(np.full(16_000, 0.5)).reshape(16_000, 1, 2)
    plan = make_plan([Mute.parse("0.5-1.5")], 8000, 1, 16_000)
    Painter(plan, form, Style.TONE).paint(block, 0)
    heard = form.to_levels(block[4000:12_000, 0])
    spectrum = np.abs(np.fft.rfft(heard))
    assert spectrum.argmax() == 1000
    assert np.abs(heard).max() == pytest.approx(0.1, abs=0.001)
    assert np.abs(heard[:4]).max() < 0.02
