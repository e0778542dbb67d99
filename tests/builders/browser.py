"""What a real browser makes of a page: Debian's Chromium, driven by Playwright, with axe-core where it is asked for."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, sync_playwright

BROWSER = shutil.which("chromium")
AXE = files("axe_core_python").joinpath("axe.min.js")
LOOK = """
async () => {
  const found = await axe.run(document, {resultTypes: ["violations"]});
  const said = found.violations.map(each => [each.id, each.nodes.map(node => node.html)]);
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  return {said, wide, dark, passes: found.passes.length};
}
"""
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
needs_a_browser = pytest.mark.skipif(
    BROWSER is None and not os.environ.get("CI"), reason="there is no chromium on this machine"
)


@contextmanager
def browsing(width: int = 1280, *, dark: bool = False) -> Iterator[Page]:
    """A window of a browser that knows nobody."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=[*FLAGS])
        size: ViewportSize = {"width": width, "height": 900}
        yield browser.new_page(viewport=size, color_scheme="dark" if dark else "light")
        browser.close()


def looked_at(html: str, folder: Path, width: int, *, dark: bool) -> Any:
    """What axe-core objects to in a page that is a file, and how many pixels it is wider than the screen."""
    file = folder / "page.html"
    file.write_text(html, encoding="utf-8")
    with browsing(width, dark=dark) as page:
        page.goto(file.as_uri())
        return judged(page)


def judged(page: Page) -> Any:
    """The same of the page that is open, as it is."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    return page.evaluate(LOOK)


def sheets(html: str, folder: Path) -> int:
    """On how many sheets of paper a page is printed."""
    assert BROWSER
    page, printed = folder / "page.html", folder / "page.pdf"
    page.write_text(html, encoding="utf-8")
    profile = f"--user-data-dir={folder / 'profile'}"
    subprocess.run(
        [
            BROWSER,
            "--headless",
            *FLAGS,
            profile,
            "--no-pdf-header-footer",
            f"--print-to-pdf={printed}",
            page.as_uri(),
        ],
        capture_output=True,
        timeout=120,
        check=True,
    )
    return len(re.findall(rb"/Type\s*/Page\b", printed.read_bytes()))
