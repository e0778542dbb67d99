"""What a real browser makes of a page, without a driver: Debian's Chromium, and axe-core put into a copy of the page."""

import json
import os
import re
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

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


FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
)
needs_a_browser = pytest.mark.skipif(
    BROWSER is None and not os.environ.get("CI"), reason="there is no chromium on this machine"
)


def looked_at(html: str, folder: Path, width: int, *, dark: bool) -> Any:
    """What axe-core objects to, and how many pixels the page is wider than the screen."""
    assert BROWSER
    bare = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
    script = AXE.read_text(encoding="utf-8").replace("</script", "<\\/script")
    page = folder / "page.html"
    page.write_text(bare.replace("</body>", f"<script>{script}{LOOK}</script></body>"), encoding="utf-8")
    colours = ["--blink-settings=preferredColorScheme=0"] if dark else []
    size = [f"--window-size={width},900", f"--user-data-dir={folder / 'profile'}"]
    done = subprocess.run(
        [BROWSER, *FLAGS, *colours, *size, "--virtual-time-budget=20000", "--dump-dom", page.as_uri()],
        capture_output=True,
        timeout=120,
        check=True,
        text=True,
    )
    said = re.search(r"SAID(\{.*\})END", done.stdout, re.DOTALL)
    assert said, done.stdout[-500:]
    return json.loads(said[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def pictured(url: str, folder: Path, width: int = 800, height: int = 900, *, dark: bool = False) -> Path:
    """A picture of a page as it is served."""
    assert BROWSER
    picture = folder / "picture.png"
    colours = ["--blink-settings=preferredColorScheme=0"] if dark else []
    size = [f"--window-size={width},{height}", f"--user-data-dir={folder / 'profile'}", "--hide-scrollbars"]
    subprocess.run(
        [BROWSER, *FLAGS, *colours, *size, f"--screenshot={picture}", url],
        capture_output=True,
        timeout=120,
        check=True,
    )
    return picture


def sheets(html: str, folder: Path) -> int:
    """On how many sheets of paper a page is printed."""
    assert BROWSER
    page, printed = folder / "page.html", folder / "page.pdf"
    page.write_text(html, encoding="utf-8")
    profile = f"--user-data-dir={folder / 'profile'}"
    subprocess.run(
        [BROWSER, *FLAGS, profile, "--no-pdf-header-footer", f"--print-to-pdf={printed}", page.as_uri()],
        capture_output=True,
        timeout=120,
        check=True,
    )
    return len(re.findall(rb"/Type\s*/Page\b", printed.read_bytes()))
