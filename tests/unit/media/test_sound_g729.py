"""G.729, which recorders of telephone systems write without a header: decoded, muted exactly, and written as WAV.

No encoder of it is at hand, so its frames are composed here: 80 bits each,
random but for the one that must be even, the parity of the first pitch delay
(ITU-T G.729, 3.7.2 and table 8).
"""

import random
from pathlib import Path

import numpy as np
import pytest

from media.errors import Unreadable
from media.sound.mute import Request, mute
from media.sound.spans import Mute
from tests.builders.sound import decode

RATE = 8000
FRAME_BYTES, FRAME_SAMPLES = 10, 80
FRAMES = 300
_PITCH_AT, _PITCH_BITS, _PARITY_OF, _PARITY_AT = 18, 8, 6, 26


def _frame(dice: random.Random) -> bytes:
    """Ten bytes that a decoder takes for ten milliseconds of somebody."""
    bits = [dice.randrange(2) for _ in range(8 * FRAME_BYTES)]
    pitch = bits[_PITCH_AT : _PITCH_AT + _PITCH_BITS]
    bits[_PARITY_AT] = 1 - sum(pitch[:_PARITY_OF]) % 2
    return bytes(int("".join(map(str, bits[at : at + 8])), 2) for at in range(0, len(bits), 8))


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds that are never silent for long."""
    dice = random.Random(729)
    path = tmp_path_factory.mktemp("g729") / "call.g729"
    path.write_bytes(b"".join(_frame(dice) for _ in range(FRAMES)))
    return path


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_a_muted_copy_is_silent_exactly_there_and_else_as_it_decodes(
    call: Path, suffix: str, tmp_path: Path
) -> None:
    out = tmp_path / f"out{suffix}"
    report = mute(call, out, Request((Mute.parse("1-1.5"), Mute.parse("2.01-2.0201")), raw_format="g729"))
    before, _ = decode(call, form="g729")
    after, rate = decode(out)
    assert (report.tracks[0].method, report.tracks[0].total_samples, rate) == ("edit", before.shape[1], RATE)
    assert before.shape == after.shape == (1, FRAMES * FRAME_SAMPLES)
    near = np.zeros(before.shape[1], bool)
    for low, high in ((8000, 12_000), (16_080, 16_161)):
        assert np.abs(before[0, low:high]).max() > 0.01
        assert not after[0, low:high].any()
        near[low - 40 : high + 40] = True
    assert np.array_equal(before[:, ~near], after[:, ~near])
    assert np.abs(after[0, ~near]).max() > 0.1


def test_it_is_not_taken_for_g729_unless_somebody_says_so(call: Path, tmp_path: Path) -> None:
    with pytest.raises(Unreadable):
        mute(call, tmp_path / "out.wav", Request((Mute.parse("1-1.5"),)))
    assert list(tmp_path.iterdir()) == []


def test_a_last_frame_that_was_cut_off_is_no_reason_to_lose_the_others(call: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.g729"
    cut.write_bytes(call.read_bytes()[:-3])
    mute(cut, tmp_path / "out.wav", Request((Mute.parse("1-1.5"),), raw_format="g729"))
    after, _ = decode(tmp_path / "out.wav")
    assert after.shape[1] >= (FRAMES - 1) * FRAME_SAMPLES
    assert not after[0, 8000:12_000].any()
