"""axe-core finds nothing to object to in the public notice: in light and dark, on a wide and a narrow screen.

The script is put into a copy of the page, without the policy that keeps
scripts out of the real one.
"""

from pathlib import Path

import pytest

from retention.notice.model import State
from tests.builders.browser import looked_at, needs_a_browser
from tests.builders.notice import PACKS, pages, source, version

pytestmark = pytest.mark.slow


@needs_a_browser
@pytest.mark.parametrize(("language", "width", "dark"), [("ja", 1280, False), ("en", 500, True)])
def test_axe_core_objects_to_nothing(tmp_path: Path, language: str, width: int, dark: bool) -> None:
    state = State((version(PACKS[0]),), (source(), source("till", area="cash-desk")))
    found = looked_at(pages(state)[f"notice.{language}.html"], tmp_path, width, dark=dark)
    assert found["said"] == []
    assert found["passes"] > 15
    assert found["wide"] <= 0
    assert found["dark"] is dark


@needs_a_browser
def test_axe_core_objects_to_a_page_that_is_spoilt(tmp_path: Path) -> None:
    html = pages(State((version(PACKS[0]),), ()))["notice.en.html"].replace('<html lang="en">', "<html>")
    found = looked_at(html, tmp_path, 1280, dark=False)
    assert [name for name, _ in found["said"]] == ["html-has-lang"]
