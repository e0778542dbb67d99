"""Keys are found by the rules of Q.23 and Q.24, and nothing else is taken for one."""

import numpy as np
import pytest
from numpy.typing import NDArray

from media.sound.dtmf import HIGH_HZ, KEYS, LOW_HZ, KeyFinder
from tests.builders.sound import loud

ALL_KEYS = "".join(KEYS)


def press(
    keys: str,
    rate: int = 8000,
    *,
    on_s: float = 0.07,
    off_s: float = 0.07,
    twist_db: float = 0.0,
    off_pitch: float = 0.0,
    level: float = 0.2,
) -> NDArray[np.float32]:
    """Pressed keys; `twist_db` is how much louder the high tone is, `off_pitch` how far both are off, as a share."""
    time_s = np.arange(round(on_s * rate)) / rate
    gap = np.zeros(round(off_s * rate))
    parts = [gap]
    for key in keys:
        row = next(number for number, line in enumerate(KEYS) if key in line)
        low, high = (hz * (1 + off_pitch) for hz in (LOW_HZ[row], HIGH_HZ[KEYS[row].index(key)]))
        high_level = level * 10 ** (twist_db / 20)
        parts += [
            level * np.sin(2 * np.pi * low * time_s) + high_level * np.sin(2 * np.pi * high * time_s),
            gap,
        ]
    return np.concatenate(parts).astype(np.float32)


def found(samples: NDArray[np.float32], rate: int = 8000) -> str:
    finder = KeyFinder(rate)
    for part in np.array_split(samples, 7):
        finder.add(part)
    return "".join(key.key for key in finder.finish())


@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 44_100, 48_000])
def test_all_sixteen_keys_are_known_at_every_rate(rate: int) -> None:
    assert found(press(ALL_KEYS, rate), rate) == ALL_KEYS


@pytest.mark.parametrize("off_pitch", [-0.015, 0.015])
@pytest.mark.parametrize("twist_db", [-8, -4, 0, 4])
def test_what_a_line_may_do_to_tones_is_tolerated(twist_db: float, off_pitch: float) -> None:
    assert found(press(ALL_KEYS, twist_db=twist_db, off_pitch=off_pitch)) == ALL_KEYS


@pytest.mark.parametrize("off_pitch", [-0.04, 0.04])
def test_tones_beside_the_frequencies_are_no_keys(off_pitch: float) -> None:
    assert found(press(ALL_KEYS, off_pitch=off_pitch)) == ""


@pytest.mark.parametrize("twist_db", [-14, 10])
def test_tones_of_very_unequal_loudness_are_no_keys(twist_db: float) -> None:
    assert found(press(ALL_KEYS, twist_db=twist_db)) == ""


def test_the_shortest_key_counts_and_a_click_does_not() -> None:
    assert found(press("159#", on_s=0.04, off_s=0.04)) == "159#"
    assert found(press("159#", on_s=0.015)) == ""


def test_a_key_that_is_held_is_one_key_and_a_brief_interruption_does_not_double_it() -> None:
    assert found(press("7", on_s=2)) == "7"
    held = press("7", on_s=0.3)
    held[2000:2080] = 0
    assert found(held) == "7"


def test_the_same_key_twice_is_two_keys() -> None:
    assert found(press("5555")) == "5555"


def test_noise_quieter_than_the_tones_does_not_hide_them() -> None:
    keys = press("4000056655665556")
    noise = np.random.default_rng(1).normal(0, 0.2 / 10 ** (12 / 20), len(keys)).astype(np.float32)
    assert found(keys + noise) == "4000056655665556"


def test_places_cover_the_tone() -> None:
    finder = KeyFinder(8000)
    finder.add(press("3", on_s=0.1, off_s=0.5))
    (key,) = finder.finish()
    assert 4000 - 200 <= key.start <= 4000
    assert 4800 <= key.end <= 4800 + 200


def test_what_is_no_key_is_not_found() -> None:
    random = np.random.default_rng(2)
    assert found(random.normal(0, 0.2, 80_000).astype(np.float32)) == ""
    assert found(loud(10, 8000, 1)[0].astype(np.float32)) == ""
    time_s = np.arange(16_000) / 8000
    voice = np.sum([np.sin(2 * np.pi * 139.4 * number * time_s) / number for number in range(1, 20)], axis=0)
    assert found((0.2 * voice).astype(np.float32)) == ""


def test_a_rate_that_cannot_carry_the_tones_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be heard"):
        KeyFinder(2000)
