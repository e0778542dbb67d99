"""`retention redact` alone: no store, a file in, a checked copy out, or a reason."""

import json
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from media.models import digest_of
from media.review.document import ReviewDocument, Source, Verdict, from_json, to_json
from media.synthesise.footage import Appearance, Person, make_footage
from media.video.frames import luma_of, open_footage
from tests.builders.sound import wave_bytes
from tests.integration.cli.conftest import Shell

RATE = 8_000


@pytest.fixture
def call(tmp_path: Path) -> Path:
    """Two seconds of noise on two channels."""
    samples = np.random.default_rng(1).integers(-9_000, 9_000, (2 * RATE, 2), np.int16)
    path = tmp_path / "call.wav"
    path.write_bytes(wave_bytes(samples.tobytes(), rate=RATE))
    return path


def samples_of(path: Path) -> NDArray[np.int16]:
    """(samples, channels)."""
    with av.open(path) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return np.asarray(np.concatenate(frames, axis=1), np.int16).reshape(-1, 2)


def test_a_span_of_one_side_of_a_call_is_muted_and_the_rest_is_as_it_was(call: Path, nowhere: Shell) -> None:
    copy, report = call.with_name("copy.wav"), call.with_name("report.json")
    told = nowhere.json(
        "redact", "audio", str(call), str(copy), "--mute", "0.5-1.25@1", "--report", str(report)
    )
    assert told.code == 0, told.err
    assert told.value == json.loads(report.read_text(encoding="utf-8"))
    before, after = samples_of(call), samples_of(copy)
    assert np.array_equal(before[:, 0], after[:, 0])
    assert not after[RATE // 2 : RATE * 5 // 4, 1].any()
    assert np.array_equal(before[: RATE // 2 - 100, 1], after[: RATE // 2 - 100, 1])


def test_a_report_is_written_in_every_form_that_is_asked_for_and_in_the_language_of_its_reader(
    call: Path, nowhere: Shell
) -> None:
    page, document = call.with_name("report.html"), call.with_name("report.json")
    asked = ("redact", "audio", str(call), str(call.with_name("copy.wav")), "--mute", "0.5-1.25@1")
    line = (*asked, "--report", str(page), "--report", str(document), "--report-language")
    assert nowhere(*line, "ja").code == 0
    assert "音声の墨消し" in page.read_text(encoding="utf-8")
    assert json.loads(document.read_text(encoding="utf-8"))["tracks"]
    assert nowhere(*line, "en").code == 0
    assert "0.500-1.250" in page.read_text(encoding="utf-8")
    told = nowhere.json(*line, "fr")
    assert told.error["exit_code"] == 11
    assert told.error["hint"] == "Give one of en, ja."


def test_heads_and_persons_cannot_both_be_asked_for(nowhere: Shell, tmp_path: Path, models: None) -> None:
    del models
    (tmp_path / "in.mp4").write_bytes(b"footage")
    line = ("redact", "video", str(tmp_path / "in.mp4"), str(tmp_path / "copy.mp4"), "--hide-all")
    assert nowhere.json(*line, "--heads", "--persons").error["exit_code"] == 11
    assert "no way in which a camera hangs" in nowhere.json(*line, "--mount", "wall").error["message"]


def test_a_redaction_is_always_a_copy(call: Path, nowhere: Shell) -> None:
    before = call.read_bytes()
    told = nowhere.json("redact", "audio", str(call), str(call), "--mute", "0-1")
    assert told.error["exit_code"] == 11
    assert call.read_bytes() == before


@pytest.mark.parametrize("command", ["audio", "video"])
def test_what_cannot_be_read_is_refused_by_name(command: str, nowhere: Shell, tmp_path: Path) -> None:
    (tmp_path / "odd.mp4").write_bytes(b"no picture, no sound")
    how = ("--mute", "0-1") if command == "audio" else ("--hide-all",)
    told = nowhere.json("redact", command, str(tmp_path / "odd.mp4"), str(tmp_path / "copy.mp4"), *how)
    assert told.error["exit_code"] == 41
    assert "odd.mp4" in told.error["message"]
    assert not (tmp_path / "copy.mp4").exists()


def test_a_span_that_is_none_is_refused(call: Path, nowhere: Shell) -> None:
    told = nowhere.json("redact", "audio", str(call), str(call.with_name("copy.wav")), "--mute", "soon")
    assert told.error["exit_code"] == 11


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Appearance, ...]]:
    """Somebody comes towards the camera."""
    path = tmp_path_factory.mktemp("footage") / "in.mp4"
    truth = make_footage(
        path,
        camera="LOBBY",
        started_at=datetime(2026, 3, 20, 5, 5, tzinfo=UTC),
        duration_s=4,
        people=[Person(0, "towards", pace_m_s=2.5)],
        scene="corridor",
    )
    return path, truth


def test_a_detector_of_ones_own_is_named_with_its_digest(nowhere: Shell, tmp_path: Path) -> None:
    line = ("redact", "video", "in.mp4", str(tmp_path / "copy.mp4"), "--hide-all")
    told = nowhere.json(*line, "--detector", "yunet=model.onnx")
    assert told.error["exit_code"] == 11
    assert "needs the SHA-256" in told.error["message"]


@pytest.mark.usefixtures("models")
def test_a_detector_that_is_another_file_finds_nothing_and_says_so(
    footage: tuple[Path, tuple[Appearance, ...]], nowhere: Shell, tmp_path: Path
) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes(b"another")
    line = ("redact", "video", str(footage[0]), str(tmp_path / "copy.mp4"), "--hide-all")
    told = nowhere.json(*line, "--detector", f"yunet={model}", "--sha256", "0" * 64)
    assert told.code != 0
    assert "not the expected 0000" in told.error["message"]
    assert not (tmp_path / "copy.mp4").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("models")
def test_everybody_is_hidden_in_one_command(
    footage: tuple[Path, tuple[Appearance, ...]], nowhere: Shell, tmp_path: Path
) -> None:
    source, truth = footage
    told = nowhere.json("redact", "video", str(source), str(tmp_path / "copy.mp4"), "--hide-all")
    assert told.code == 0, told.err
    assert told.value["report"]["findings"] == []
    with open_footage(tmp_path / "copy.mp4") as copy:
        pictures = [luma_of(frame).copy() for frame in copy.frames()]
    large = [seen for seen in truth if seen.has_face and seen.width >= 20]
    assert large
    for seen in large:
        head = pictures[seen.frame][seen.y : seen.y + seen.height, seen.x : seen.x + seen.width]
        assert head.std() < 3


def test_what_becomes_of_what_moves_is_one_of_three(nowhere: Shell, tmp_path: Path) -> None:
    told = nowhere.json(
        "redact", "video", "in.mp4", str(tmp_path / "copy.mp4"), "--hide-all", "--moving", "no"
    )
    assert told.error["exit_code"] == 11
    assert "hide, review, keep" in told.error["hint"]


@pytest.mark.slow
@pytest.mark.usefixtures("models")
def test_somebody_who_is_missing_in_the_review_is_found_again_and_written_into_it(
    footage: tuple[Path, tuple[Appearance, ...]], nowhere: Shell, tmp_path: Path
) -> None:
    """As when a person takes out what has to be decided about."""
    source, review, copy = footage[0], tmp_path / "review.json", tmp_path / "copy.mp4"
    with open_footage(source) as opened:
        known = Source(
            sha256=digest_of(source),
            width=opened.stream.width,
            height=opened.stream.height,
            frames=sum(1 for _ in opened.frames()),
            time_base=str(opened.stream.time_base),
        )
    review.write_text(to_json(ReviewDocument(source=known)), encoding="utf-8")
    told = nowhere.json("redact", "video", str(source), str(copy), "--review", str(review))
    assert told.error["error"] == "not-released"
    assert str(source) in told.error["message"]
    assert not copy.exists()
    found = from_json(review.read_bytes()).tracks
    assert found
    assert {track.decision.verdict for track in found} == {Verdict.UNDECIDED}


@pytest.mark.slow
@pytest.mark.usefixtures("models")
def test_without_hide_all_a_person_decides_about_every_track_first(
    footage: tuple[Path, tuple[Appearance, ...]], nowhere: Shell, tmp_path: Path
) -> None:
    source, review, copy = footage[0], tmp_path / "review.json", tmp_path / "copy.mp4"
    line = ("redact", "video", str(source), str(copy), "--review", str(review))
    told = nowhere.json(*line)
    assert told.error["exit_code"] == 14
    assert "track 1" in told.error["message"]
    assert not copy.exists()
    document = from_json(review.read_bytes())
    assert {track.decision.verdict for track in document.tracks} == {Verdict.UNDECIDED}
    review.write_text(review.read_text(encoding="utf-8").replace('"undecided"', '"hide"'), encoding="utf-8")
    told = nowhere.json(*line)
    assert told.code == 0, told.err
    assert copy.exists()
