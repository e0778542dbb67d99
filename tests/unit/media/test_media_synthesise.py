"""Material for demonstrations: it is what it says, sounds and looks alive, and is the same every time."""

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from media.probe import Inspector
from media.synthesise.call import RATE, Codec, Language, Side, make_call
from media.synthesise.footage import RATE_FPS, Person, make_footage

STARTED_AT = datetime(2026, 3, 2, 14, 5, 58, tzinfo=ZoneInfo("Asia/Tokyo"))
LINES: list[tuple[Side, Language, str]] = [
    ("agent", "ja", "おでんわ ありがとうございます。"),
    ("caller", "en", "Hello, I call about my order."),
    ("caller", "dtmf", "48#"),
]


def _sound(path: Path) -> NDArray[np.float64]:
    """(samples, channels), 1 is full scale."""
    with av.open(path) as container:
        frames = [frame.to_ndarray().reshape(-1, 2) for frame in container.decode(audio=0)]
    return np.asarray(np.concatenate(frames), float) / 32768.0


def _pictures(path: Path) -> list[NDArray[np.float64]]:
    with av.open(path) as container:
        return [frame.to_ndarray(format="gray").astype(float) for frame in container.decode(video=0)]


def _level_dbfs(sound: NDArray[np.float64]) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(sound**2)) + 1e-9))


@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_mulaw", "pcm_alaw"])
def test_a_call_has_each_speaker_on_a_channel_of_their_own(
    inspector: Inspector, tmp_path: Path, codec: Codec
) -> None:
    turns = make_call(tmp_path / "call.wav", LINES, codec=codec)
    found = inspector.inspect(tmp_path / "call.wav", want_peaks=True)
    sound = _sound(tmp_path / "call.wav")
    assert (found.streams[0].codec, found.streams[0].sample_rate, found.streams[0].channels) == (
        codec,
        RATE,
        2,
    )
    assert [(turn.side, turn.language, turn.text) for turn in turns] == LINES
    for turn in turns:
        own = 0 if turn.side == "agent" else 1
        stretch = sound[turn.start : turn.end]
        assert -30 < _level_dbfs(stretch[:, own]) < -12
        assert _level_dbfs(stretch[:, 1 - own]) < -55


def test_a_call_has_the_band_of_a_telephone(tmp_path: Path) -> None:
    make_call(tmp_path / "call.wav", LINES[:2])
    power = np.abs(np.fft.rfft(_sound(tmp_path / "call.wav").sum(axis=1))) ** 2
    frequency = np.linspace(0, RATE / 2, len(power))
    outside = power[(frequency < 200) | (frequency > 3700)].sum()
    assert outside / power.sum() < 0.001


def test_pressed_keys_are_the_two_tones_of_the_standard(tmp_path: Path) -> None:
    (turn,) = make_call(tmp_path / "call.wav", [("caller", "dtmf", "5")])
    tone = _sound(tmp_path / "call.wav")[turn.start : turn.start + 800, 1]
    strongest = np.argsort(np.abs(np.fft.rfft(tone, 8000)))[::-1]
    assert {770, 1336} <= set(strongest[:40].tolist())
    assert abs(int(strongest[0]) - 1336) <= 5


def test_the_same_seed_makes_the_same_call_and_another_seed_another(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        make_call(tmp_path / name, LINES, seed=seed)
    first, second, third = ((tmp_path / name).read_bytes() for name in "abc")
    assert first == second != third


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (("agent", "ja", "お電話"), "write Japanese lines in kana: '電'"),
        (("caller", "dtmf", "12x"), "no key 'x'"),
    ],
)
def test_a_line_that_cannot_be_spoken_is_refused(
    tmp_path: Path, line: tuple[Side, Language, str], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        make_call(tmp_path / "call.wav", [line])


def test_a_call_without_lines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one line"):
        make_call(tmp_path / "call.wav", [])


def test_footage_is_that_of_a_camera_with_a_clock(inspector: Inspector, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    make_footage(path, camera="GATE-1 裏口", started_at=STARTED_AT, duration_s=3)
    found = inspector.inspect(path, want_thumbnail=True)
    track = found.streams[0]
    assert (track.codec, track.width, track.height) == ("h264", 640, 360)
    assert track.rate_fps == Fraction(RATE_FPS)
    assert found.duration_us == 3_000_000
    assert found.started_at == STARTED_AT.astimezone(UTC)
    assert [entry.name for entry in tmp_path.iterdir()] == ["clip.mp4"]


def test_the_clock_in_the_picture_runs_and_the_place_stands_still(tmp_path: Path) -> None:
    make_footage(tmp_path / "clip.mp4", camera="A", started_at=STARTED_AT, duration_s=2.5)
    pictures = _pictures(tmp_path / "clip.mp4")
    first, later = pictures[3], pictures[3 + RATE_FPS]
    clock, place = np.s_[8:30, 12:210], np.s_[60:300, 20:620]
    change = np.abs(later - first)
    assert change[clock].max() > 120 > 2 * change[place].max(), "58 became 59; nothing moves"
    assert 0 < change[place].mean() < 6, "a sensor has noise"


@pytest.mark.parametrize(
    ("scene", "ways"), [("garage", ("right", "left")), ("corridor", ("towards", "away"))]
)
def test_where_somebody_walks_the_picture_changes_and_the_truth_says_where(
    tmp_path: Path, scene: str, ways: tuple[str, str]
) -> None:
    people = [Person(0.2, ways[0], 0, 2.0), Person(2.0, ways[1], 1, 2.0)]  # type: ignore[arg-type]
    make = {"camera": "A", "started_at": STARTED_AT, "duration_s": 5, "scene": scene}
    seen = make_footage(tmp_path / "with.mp4", people=people, **make)  # type: ignore[arg-type]
    make_footage(tmp_path / "without.mp4", **make)  # type: ignore[arg-type]
    shown, empty = _pictures(tmp_path / "with.mp4"), _pictures(tmp_path / "without.mp4")
    assert {one.person for one in seen} == {0, 1}
    assert all(one.has_face == (people[one.person].way != "away") for one in seen)
    checked = 0
    for one in seen:
        box = np.s_[one.y : one.y + one.height, one.x : one.x + one.width]
        if min(one.width, one.height) >= 16:
            checked += 1
            assert np.abs(shown[one.frame] - empty[one.frame])[box].mean() > 8
    assert checked > 10
    absent = next(n for n in range(60) if n not in {one.frame for one in seen})
    assert np.abs(shown[absent] - empty[absent]).mean() < 4


def test_the_same_seed_makes_the_same_footage(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        make_footage(tmp_path / name, camera="A", started_at=STARTED_AT, duration_s=1, seed=seed)
    first, second, third = ((tmp_path / name).read_bytes() for name in "abc")
    assert first == second != third


def test_a_start_without_a_zone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs a zone"):
        make_footage(tmp_path / "a", camera="A", started_at=datetime(2026, 3, 2), duration_s=1)  # noqa: DTZ001


def test_nobody_walks_through_walls(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'towards' in the garage; it has right, left"):
        make_footage(
            tmp_path / "a", camera="A", started_at=STARTED_AT, duration_s=1, people=[Person(0, "towards")]
        )
