"""The public pages of the outbox in a real browser: as they are served, styled, and without an objection of axe-core's."""

import re
from pathlib import Path

import pytest
from PIL import Image

from tests.builders.browser import looked_at, needs_a_browser, pictured
from tests.builders.outbox import served

pytestmark = [pytest.mark.slow, needs_a_browser]
PAPER, STRONG, DARK_PAPER = (251, 250, 247), (13, 85, 96), (20, 24, 27)


@pytest.mark.parametrize(("language", "width", "dark"), [("ja", 1280, False), ("en", 500, True)])
def test_axe_core_objects_to_none_of_the_pages(tmp_path: Path, language: str, width: int, dark: bool) -> None:
    with served(tmp_path / "outbox") as outbox:
        put = outbox.put(language=language)
        pages = [outbox.get(put), outbox.post(put, "guess"), outbox.ask("GET", "/")]
    for number, page in enumerate(pages):
        folder = tmp_path / str(number)
        folder.mkdir()
        found = looked_at(page.body.decode(), folder, width, dark=dark)
        assert found["said"] == []
        assert found["passes"] > 8
        assert found["wide"] <= 0
        assert found["dark"] is dark


@pytest.mark.parametrize("dark", [False, True])
def test_the_served_page_s_own_policy_lets_its_style_through(tmp_path: Path, dark: bool) -> None:
    with served(tmp_path / "outbox") as outbox:
        url = f"http://localhost:{outbox.port}{outbox.put().path}"
        picture = Image.open(pictured(url, tmp_path, dark=dark)).convert("RGB")
    assert picture.getpixel((3, 3)) == (DARK_PAPER if dark else PAPER)
    colours = {colour for _, colour in picture.getcolors(1 << 20) or []}
    assert (STRONG in colours) is not dark


def test_no_title_says_what_it_is_about(tmp_path: Path) -> None:
    with served(tmp_path / "outbox") as outbox:
        titles = {
            re.search(r"<title>(.*)</title>", outbox.get(outbox.put(language=code)).body.decode())
            for code in ("ja", "en", "de")
        }
    assert {each and each[1] for each in titles} == {
        "資料の受け取り", "Collect your documents", "Ihre Unterlagen abholen",
    }  # fmt: skip
