"""Redaction from the toolbox's command line."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from media.__main__ import main
from tests.golden.clips import decoded, luma, scene, write_clip


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    rows = [{"first": 0, "end": 12, "box": [16, 8, 56, 40]}]
    path.write_text(json.dumps({"format": "mask-plan/1", "masks": rows}))
    return path


def test_a_video_is_rendered_verified_and_reported(
    tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = write_clip(tmp_path / "in.mp4", frames=12), tmp_path / "out.mp4"
    report = tmp_path / "report.json"
    assert main(["render", str(source), str(out), "--masks", str(plan), "--report", str(report)]) == 0
    assert "12 frames, 12 of them painted, 0 copied" in capsys.readouterr().out
    assert luma(decoded(out)[5])[12:36, 20:52].max() < 40
    assert json.loads(report.read_bytes())["findings"] == []
    assert main(["verify", str(source), str(out), "--masks", str(plan), "--language", "ja"]) == 0
    assert "再検査" in capsys.readouterr().out


def test_a_copy_that_shows_too_much_ends_with_an_exit_code(
    tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_clip(tmp_path / "in.mp4", frames=12)
    page = tmp_path / "report.html"
    assert main(["verify", str(source), str(source), "--masks", str(plan), "--report", str(page)]) == 1
    assert "must not be released" in page.read_text()
    assert capsys.readouterr().out == ""


def test_a_bad_range_is_refused_in_words(
    tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_clip(tmp_path / "in.mp4", frames=4)
    arguments = ["render", str(source), str(tmp_path / "o.mp4"), "--masks", str(plan), "--looked-at", "all"]
    assert main(arguments) == 1
    assert "write FIRST-END" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("render", "--replace-audio", "gone.wav"), "the sound that should take its place is not there"),
        (("verify",), "o.mp4 is not there"),
    ],
    ids=["render", "verify"],
)
def test_a_file_that_is_not_there_is_named(
    tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], reason: str
) -> None:
    source = write_clip(tmp_path / "in.mp4", frames=4)
    command, *more = arguments
    assert main([command, str(source), str(tmp_path / "o.mp4"), "--masks", str(plan), *more]) == 1
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "o.mp4").exists()


def test_a_still_is_redacted(tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(scene(0, 96, 64)).save(tmp_path / "in.png")
    assert main(["picture", str(tmp_path / "in.png"), str(tmp_path / "out.png"), "--masks", str(plan)]) == 0
    assert "96 x 64, 1 painted" in capsys.readouterr().out
    assert np.asarray(Image.open(tmp_path / "out.png"))[8:40, 16:56].max() == 0
