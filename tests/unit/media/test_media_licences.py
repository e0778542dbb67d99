"""The page about licences is complete, and says of the ffmpeg builds what they say of themselves."""

import re
import tomllib
from pathlib import Path

import imageio_ffmpeg

from media.tools import _ask_version

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")


def test_every_package_that_runs_is_listed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[\[<>=~! ;]", line)[0] for line in project["dependencies"]}
    assert {name for name in names if f"`{name}`" not in PAGE} == set()


def test_every_picture_that_is_used_is_listed() -> None:
    used = set()
    for path in (ROOT / "media" / "synthesise").glob("*.py"):
        used |= set(re.findall(r'"(\w+\.(?:png|jpg|npz))"', path.read_text(encoding="utf-8")))
    assert used
    assert {name for name in used if f"`{name}`" not in PAGE} == set()


def test_the_wheels_ffmpeg_is_the_gpl_build_that_the_page_says() -> None:
    assert _ask_version(Path(imageio_ffmpeg.get_ffmpeg_exe()), "imageio-ffmpeg").is_gpl
