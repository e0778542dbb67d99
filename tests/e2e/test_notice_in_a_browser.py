"""axe-core finds nothing to object to in the public notice: in light and dark, on a wide and a narrow screen.

The script is put into a copy of the page, without the policy that keeps
scripts out of the real one.
"""

import json
import os
import re
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from retention.notice.model import State
from tests.builders.notice import PACKS, pages, source, version

pytestmark = pytest.mark.slow

BROWSER = shutil.which("chromium")
AXE = files("axe_core_python").joinpath("axe.min.js")
LOOK = """
axe.run(document, {resultTypes: ["violations"]}).then(found => {
  const said = found.violations.map(each => [each.id, each.nodes.map(node => node.html)]);
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.body.textContent = "SAID" + JSON.stringify({said, wide, dark, passes: found.passes.length}) + "END";
});
"""


def looked_at(html: str, folder: Path, width: int, *, dark: bool) -> Any:
    """What axe-core objects to, and how many pixels the page is wider than the screen."""
    assert BROWSER
    bare = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
    script = AXE.read_text(encoding="utf-8").replace("</script", "<\\/script")
    page = folder / "page.html"
    page.write_text(bare.replace("</body>", f"<script>{script}{LOOK}</script></body>"), encoding="utf-8")
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
    ]
    colours = ["--blink-settings=preferredColorScheme=0"] if dark else []
    size = [f"--window-size={width},900", f"--user-data-dir={folder / 'profile'}"]
    done = subprocess.run(
        [BROWSER, *flags, *colours, *size, "--virtual-time-budget=20000", "--dump-dom", page.as_uri()],
        capture_output=True,
        timeout=120,
        check=True,
        text=True,
    )
    said = re.search(r"SAID(\{.*\})END", done.stdout, re.DOTALL)
    assert said, done.stdout[-500:]
    return json.loads(said[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


@pytest.mark.skipif(
    BROWSER is None and not os.environ.get("CI"), reason="there is no chromium on this machine"
)
@pytest.mark.parametrize(("language", "width", "dark"), [("ja", 1280, False), ("en", 500, True)])
def test_axe_core_objects_to_nothing(tmp_path: Path, language: str, width: int, dark: bool) -> None:
    state = State((version(PACKS[0]),), (source(), source("till", area="cash-desk")))
    found = looked_at(pages(state)[f"notice.{language}.html"], tmp_path, width, dark=dark)
    assert found["said"] == []
    assert found["passes"] > 15
    assert found["wide"] <= 0
    assert found["dark"] is dark


@pytest.mark.skipif(
    BROWSER is None and not os.environ.get("CI"), reason="there is no chromium on this machine"
)
def test_axe_core_objects_to_a_page_that_is_spoilt(tmp_path: Path) -> None:
    html = pages(State((version(PACKS[0]),), ()))["notice.en.html"].replace('<html lang="en">', "<html>")
    found = looked_at(html, tmp_path, 1280, dark=False)
    assert [name for name, _ in found["said"]] == ["html-has-lang"]
