"""`retention redact` at its edges: what it says besides the answer, and whose fault it says something is."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from media import errors as media
from media.synthesise.call import make_call
from retention.cli.redact_shared import UNDECIDED, plain_errors
from retention.kernel.errors import (
    IllegalTransition,
    InvalidInput,
    NotFound,
    NotReleased,
    RetentionError,
    ToolFailed,
    ToolTimedOut,
    Unreadable,
    UnsupportedCodec,
)
from tests.builders.footage import room, write_footage
from tests.builders.sound import decode, encode, footage, loud
from tests.integration.cli.conftest import Shell

RATE = 48_000


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (media.UnsupportedCodec("it is in a codec of nobody's"), UnsupportedCodec),
        (media.Unreadable("it is cut off"), Unreadable),
        (media.NotReleased(("a face shows",)), NotReleased),
        (media.ToolTimedOut("it took too long"), ToolTimedOut),
        (media.Undecided(("track 3",)), IllegalTransition),
        (media.ToolFailed("it was killed"), ToolFailed),
        (OSError(28, "No space left on device"), ToolFailed),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_goes_wrong_with_a_file_names_the_file(error: Exception, ours: type[RetentionError]) -> None:
    with pytest.raises(ours, match=r"^hall\.mp4: ") as caught, plain_errors(Path("hall.mp4")):
        raise error
    assert caught.type is ours
    if ours is IllegalTransition:
        assert caught.value.hint == UNDECIDED


@pytest.mark.parametrize(
    ("error", "ours", "hint"),
    [
        (media.ModelMissing("YuNet is not here; fetch it"), NotFound, "retention models fetch"),
        (media.ExtraMissing("comparing faces", "faces"), NotFound, "retention[faces]"),
        (ValueError("a span ends before it begins"), InvalidInput, ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_is_no_fault_of_the_file_does_not_name_it(
    error: Exception, ours: type[RetentionError], hint: str
) -> None:
    with pytest.raises(ours) as caught, plain_errors(Path("hall.mp4")):
        raise error
    assert "hall.mp4" not in caught.value.message
    assert hint in caught.value.hint


# --- footage


@pytest.fixture
def filmed(tmp_path: Path) -> Path:
    """Two seconds of an empty room in which something is always heard."""
    return footage(tmp_path / "in.mp4", loud(2, RATE, channels=1), "aac", "libx264", rate=RATE)


def panning() -> Iterator[np.ndarray[tuple[int, int], np.dtype[np.uint8]]]:
    """A camera that turns: nothing stays where it was."""
    wall = np.concatenate([room(seed) for seed in range(3)], axis=1)
    for index in range(50):
        yield np.ascontiguousarray(wall[:, 24 * index : 24 * index + 640])


@pytest.mark.usefixtures("models")
def test_where_the_camera_moves_it_is_said_that_nobody_looked_for_what_moves(
    nowhere: Shell, tmp_path: Path
) -> None:
    source = write_footage(tmp_path / "in.mp4", panning(), lossless=False)
    page, text = tmp_path / "report.html", tmp_path / "report.txt"
    line = ("redact", "video", str(source), str(tmp_path / "copy.mp4"), "--hide-all")
    told = nowhere(*line, "--report", str(page), "--report", str(text), "--report-language", "en")
    assert told.code == 0, told.err
    note = "the camera moves, so nobody looked for things that move: only what a detector named is hidden"
    for written in (told.out, page.read_text(encoding="utf-8"), text.read_text(encoding="utf-8")):
        assert note in " ".join(written.split()).lower()


@pytest.mark.usefixtures("models")
def test_sound_that_was_muted_before_takes_the_place_of_the_footages_own(
    filmed: Path, nowhere: Shell, tmp_path: Path
) -> None:
    muted, copy = tmp_path / "muted.mp4", tmp_path / "copy.mp4"
    assert nowhere("redact", "audio", str(filmed), str(muted), "--mute", "0.5-1").code == 0
    line = ("redact", "video", str(filmed), str(copy), "--hide-all", "--audio")
    assert nowhere(*line, str(muted)).code == 0
    after, rate = decode(copy)
    assert not after[0, round(0.55 * rate) : round(0.95 * rate)].any()
    assert after[0, : rate // 4].any()


def test_what_becomes_of_the_sound_is_one_of_two_words_or_a_file(
    filmed: Path, nowhere: Shell, tmp_path: Path
) -> None:
    line = ("redact", "video", str(filmed), str(tmp_path / "copy.mp4"), "--hide-all", "--audio")
    told = nowhere.json(*line, "mute")
    assert told.error["exit_code"] == 11
    assert "--audio 'mute' is neither keep nor drop nor a file" in told.error["message"]
    assert "retention redact audio" in told.error["hint"]


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(
    ("written", "why"),
    [(b"nonsense", "is no review document"), (b"{}", "is no review document"), (None, "cannot be read")],
)
def test_a_review_that_is_none_is_refused_by_its_name(
    filmed: Path, nowhere: Shell, tmp_path: Path, written: bytes | None, why: str
) -> None:
    review = tmp_path / "review.json"
    if written is None:
        review.mkdir()
    else:
        review.write_bytes(written)
    line = ("redact", "video", str(filmed), str(tmp_path / "copy.mp4"), "--review", str(review))
    told = nowhere.json(*line)
    assert told.error["exit_code"] == 11
    assert f"{review} {why}" in told.error["message"]
    assert "pydantic" not in told.error["message"]
    assert not (tmp_path / "copy.mp4").exists()


# --- a still, and a call


@pytest.mark.usefixtures("models")
def test_a_mosaic_is_said_to_hide_less(nowhere: Shell, tmp_path: Path) -> None:
    source = tmp_path / "in.png"
    Image.fromarray(np.full((80, 120, 3), 200, np.uint8)).save(source)
    line = ("redact", "picture", str(source), str(tmp_path / "copy.png"), "--mask", "10,10,40,30", "--style")
    assert "! A mosaic hides less than a fill" in nowhere(*line, "mosaic").out
    assert "!" not in nowhere(*line, "fill").out


def test_where_nothing_can_hear_words_the_rest_is_pointed_out_and_the_way_to_words_is_said(
    nowhere: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As without the extra `speech`: the package cannot be found."""
    path = tmp_path / "call.wav"
    make_call(path, [("caller", "dtmf", "4111111111111111#")])
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    told = nowhere.json("redact", "suggest", str(path))
    assert told.code == 0, told.err
    assert [each["kind"] for each in told.value["spans"]] == ["card number"]
    (missing,) = told.value["not_looked_for"]
    assert "retention[speech]" in missing["text"]
    own = nowhere.json("redact", "suggest", str(path), "--model", str(tmp_path))
    assert own.code != 0
    assert "faster-whisper" in own.error["message"] + own.error["hint"]


def test_sides_that_share_packets_are_muted_together_or_in_another_form(
    nowhere: Shell, tmp_path: Path
) -> None:
    source = encode(tmp_path / "call.mp3", loud(2, 8_000), "mp3", 8_000)
    told = nowhere.json("redact", "audio", str(source), str(tmp_path / "copy.mp3"), "--mute", "0.5-1@1")
    assert told.error["exit_code"] == 11
    assert nowhere("redact", "audio", str(source), str(tmp_path / "copy.flac"), "--mute", "0.5-1@1").code == 0
