"""The toolbox works alone from the command line."""

import json
from pathlib import Path

import pytest

from media.__main__ import main
from media.peaks import read_peaks
from tests.golden.material import write_pictures, write_sound


def test_a_call_can_be_made_and_inspected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call, peaks = tmp_path / "call.wav", tmp_path / "call.dat"
    assert main(["make-call", str(call), "--line", "caller:en:Hello: it is me.", "--codec", "pcm_mulaw"]) == 0
    assert "caller: Hello: it is me." in capsys.readouterr().out
    assert main(["inspect", str(call), "--peaks", str(peaks)]) == 0
    shown = capsys.readouterr().out
    assert f"{call}: audio, wav, " in shown
    assert "track 0: audio pcm_mulaw, 8000 Hz, 2 channels" in shown
    assert read_peaks(peaks.read_bytes()).values.shape[1] == 2


def test_footage_can_be_made_and_inspected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    footage, thumbnail = tmp_path / "clip.mp4", tmp_path / "clip.jpg"
    assert main(["make-footage", str(footage), "--duration", "1", "--scene", "corridor"]) == 0
    assert main(["inspect", str(footage), "--thumbnail", str(thumbnail), "--thorough"]) == 0
    shown = capsys.readouterr().out
    assert "track 0: video h264, 640 x 360, 12 pictures a second" in shown
    assert "says it started at 2026-03-02T05:05:00" in shown
    assert thumbnail.read_bytes().startswith(b"\xff\xd8")


def test_json_says_the_same_to_machines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    footage = write_pictures(tmp_path / "clip")
    assert main(["inspect", str(footage), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["path"], found["readable"], found["kind"]) == (str(footage), True, "video")
    assert found["streams"][0]["rate_fps"] == "12"


def test_what_is_no_recording_ends_with_code_1_and_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()
    assert main(["inspect", str(empty)]) == 1
    assert capsys.readouterr().err == f"{empty}: the file is empty\n"
    assert main(["inspect", str(empty), "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "path": str(empty),
        "readable": False,
        "reason": "the file is empty",
    }


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("still.mp4", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "this is a still picture (png), not a recording"),
        ("list.mp4", b"ffconcat version 1.0\nfile other.ts\n", "this is a playlist (concat), which points"),
        ("words.mp4", b"1\n00:00:00,000 --> 00:00:01,000\nhello\n", "its content looks like srt"),
    ],
)
def test_what_is_known_and_no_recording_is_called_by_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert main(["inspect", str(path)]) == 1
    assert reason in capsys.readouterr().err


def test_a_rotated_picture_and_a_warning_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(write_pictures(tmp_path / "clip", rotation=90))]) == 0
    assert "turned by 270°" in capsys.readouterr().out
    call = write_sound(tmp_path / "call")
    assert main(["inspect", str(call), "--raw-format", "gsm"]) == 0
    assert "warning: the file has a header of its own" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["make-call", "x.wav", "--line", "nonsense"], "not a line: 'nonsense'"),
        (["make-call", "x.wav", "--line", "agent:ja:電話"], "in kana"),
        (["make-footage", "x.mp4", "--person", "up@1"], "nobody can walk 'up'"),
        (["inspect", "x.wav", "--raw-format", "mp9"], "unknown raw format"),
    ],
)
def test_a_mistake_is_one_line_and_not_a_trace(
    arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    assert reason in capsys.readouterr().err


def test_the_tool_in_use_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tools"]) == 0
    assert capsys.readouterr().out.startswith("ffmpeg ")


@pytest.mark.usefixtures("models")
def test_models_that_are_here_are_not_fetched_and_a_wheel_of_nobody_s_gives_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "fetch"]) == 0
    assert capsys.readouterr().out == ""
    (tmp_path / "stranger-1.0-py3-none-any.whl").write_bytes(b"PK")
    assert main(["models", "take", str(tmp_path / "stranger-1.0-py3-none-any.whl")]) != 0
