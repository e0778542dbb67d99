"""Which ffmpeg is used."""

import stat
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import pytest

from media.errors import ToolFailed
from media.tools import find_ffmpeg


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> Iterator[None]:
    find_ffmpeg.cache_clear()
    yield
    find_ffmpeg.cache_clear()


def _script(folder: Path, text: str) -> Path:
    path = folder / "ffmpeg"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_a_system_ffmpeg_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _script(
        tmp_path, "echo ffmpeg version 5.1.6-0+deb12u1 Copyright; echo configuration: --enable-gpl"
    )
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    tool = find_ffmpeg()
    assert (tool.path, tool.version, tool.origin, tool.is_gpl) == (path, "5.1.6-0+deb12u1", "system", True)


@pytest.mark.parametrize("text", ["exit 127", "echo I am something else"])
def test_the_wheel_steps_in_for_a_system_ffmpeg_that_does_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    _script(tmp_path, text)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert find_ffmpeg().origin != "system"


def test_the_wheel_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    tool = find_ffmpeg()
    assert tool.origin == "imageio-ffmpeg"
    assert tool.path.is_absolute()
    assert tool.version


def test_without_any_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> str:
        raise RuntimeError("no binary for this platform")

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", none)
    with pytest.raises(ToolFailed, match="install the `imageio-ffmpeg` wheel"):
        find_ffmpeg()
