"""Footage of which one track is encrypted (CENC): what is needed of it is refused in words, and nothing is left."""

from pathlib import Path

import pytest

from media.errors import Unreadable
from media.probe import Inspector
from media.sound.suggest import suggest
from tests.builders.encrypted import write_encrypted
from tests.integration.cli.conftest import Answer, Shell

PICTURE, SOUND = ("video",), ("audio",)
REMEDY = "have the recorder export it without encryption"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def is_refused(told: Answer, what: str, out: Path) -> None:
    assert told.code == 41, told.err
    assert f"the {what} is encrypted; {REMEDY}" in told.error["message"]
    assert list(out.iterdir()) == []


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("tracks", [PICTURE, PICTURE + SOUND], ids=["picture", "both"])
def test_an_encrypted_picture_is_not_searched(
    tracks: tuple[str, ...], nowhere: Shell, tmp_path: Path, out: Path
) -> None:
    source = write_encrypted(tmp_path / "in.mp4", *tracks)
    told = nowhere.json(
        "redact", "video", str(source), str(out / "copy.mp4"), "--hide-all", "--audio", "drop"
    )
    is_refused(told, "picture", out)


def test_beside_an_encrypted_picture_the_sound_is_not_muted(
    nowhere: Shell, tmp_path: Path, out: Path
) -> None:
    source = write_encrypted(tmp_path / "in.mp4", *PICTURE)
    told = nowhere.json("redact", "audio", str(source), str(out / "copy.mp4"), "--mute", "0.5-1")
    is_refused(told, "picture", out)


@pytest.mark.parametrize("name", ["copy.mp4", "copy.mkv"])
def test_an_encrypted_sound_is_not_muted(name: str, nowhere: Shell, tmp_path: Path, out: Path) -> None:
    source = write_encrypted(tmp_path / "in.mp4", *SOUND)
    told = nowhere.json("redact", "audio", str(source), str(out / name), "--mute", "0.5-1")
    is_refused(told, "sound", out)


def test_an_encrypted_sound_is_not_listened_to(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=f"the sound is encrypted; {REMEDY}"):
        suggest(write_encrypted(tmp_path / "in.mp4", *SOUND))


@pytest.mark.usefixtures("models")
def test_footage_with_an_encrypted_sound_is_redacted_without_it_and_not_with_it(
    nowhere: Shell, tmp_path: Path, out: Path
) -> None:
    source = write_encrypted(tmp_path / "in.mp4", *SOUND)
    line = ("redact", "video", str(source), str(out / "copy.mp4"), "--hide-all")
    told = nowhere.json(*line, "--audio", "keep", "--review", str(tmp_path / "review.json"))
    is_refused(told, "sound", out)
    assert "drop it, or replace it" in told.error["message"]
    told = nowhere.json(*line, "--audio", "drop", "--review", str(tmp_path / "review.json"))
    assert told.code == 0, told.err
    assert [path.name for path in out.iterdir()] == ["copy.mp4"]


@pytest.mark.parametrize(
    ("tracks", "why"),
    [
        (PICTURE, "the picture is encrypted"),
        (SOUND, "the sound is encrypted"),
        (PICTURE + SOUND, "picture and sound are encrypted"),
    ],
    ids=["picture", "sound", "both"],
)
def test_whatever_is_encrypted_does_not_pass_inspection(
    tracks: tuple[str, ...], why: str, tmp_path: Path
) -> None:
    with Inspector() as inspector, pytest.raises(Unreadable, match=why):
        inspector.inspect(write_encrypted(tmp_path / "in.mp4", *tracks))
