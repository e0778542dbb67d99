"""A browser plays what is rendered: to its end, at its length, wherever one seeks."""

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from media.video.render.model import FrameRange
from media.video.render.render import render
from tests.golden.clips import Sound, hide, length_s, write_clip

pytestmark = pytest.mark.slow

BROWSER = shutil.which("chromium")
TIMEOUT_SECONDS = 120
ALL = [FrameRange(0, 48)]
PAGE = """<!doctype html><video id=v muted src=out.mp4></video><script>
const v = document.getElementById("v"), seen = [];
const say = what => fetch("/said", {method: "POST", body: JSON.stringify(what)});
const seek = s => new Promise(done => { v.onseeked = done; v.currentTime = s; });
v.onerror = () => say({error: v.error.message});
v.onloadeddata = async () => {
  v.onloadeddata = null;
  for (let i = 0; i < 12; i++) { await seek(v.duration * (i + 0.5) / 12); seen.push(v.readyState >= 2); }
  await seek(0);
  v.onended = () => say({duration: v.duration, size: [v.videoWidth, v.videoHeight], seen,
                         frames: v.getVideoPlaybackQuality().totalVideoFrames});
  v.playbackRate = 2;
  v.play().catch(error => say({error: String(error)}));
};
</script>"""


class _Handler(SimpleHTTPRequestHandler):
    """Serves a folder, byte ranges included, and takes what the page says."""

    said: "Queue[Any]"

    def do_POST(self) -> None:
        self.said.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def do_GET(self) -> None:
        data = (Path(self.directory) / self.path.lstrip("/")).read_bytes() if "." in self.path else b""
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "bytes=0-"))
        assert wanted
        first, last = int(wanted[1]), int(wanted[2] or len(data) - 1)
        self.send_response(206 if "Range" in self.headers else 200)
        self.send_header("Content-Type", "text/html" if self.path.endswith("html") else "video/mp4")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.send_header("Content-Length", str(last + 1 - first))
        self.end_headers()
        self.wfile.write(data[first : last + 1])

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, "Queue[Any]"]]:
    (tmp_path / "page.html").write_text(PAGE)
    said: Queue[Any] = Queue()
    handler = type("Handler", (_Handler,), {"said": said})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/page.html", said
        server.shutdown()
        thread.join()


def _played(served: tuple[str, "Queue[Any]"], profile: Path) -> Any:
    assert BROWSER
    flags = (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-sync",
        "--disable-quic",
    )
    quiet = ("--disable-background-networking", "--disable-component-update", "--mute-audio")
    with subprocess.Popen(
        [
            BROWSER,
            *flags,
            *quiet,
            "--autoplay-policy=no-user-gesture-required",
            f"--user-data-dir={profile}",
            served[0],
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as browser:
        try:
            return served[1].get(timeout=TIMEOUT_SECONDS)
        finally:
            browser.terminate()


_CLOSED = {"g": "8", "bf": "2", "x264-params": "open-gop=0:scenecut=0"}
_UNEVEN = [sum((7, 10, 16)[step % 3] for step in range(number)) for number in range(48)]

#: How the source is written, and what the page is told of its size.
COPIES: dict[str, tuple[dict[str, Any], list[int]]] = {
    "even": ({"options": _CLOSED}, [160, 96]),
    "odd sides, so 4:4:4": ({"size": (161, 97), "pix_fmt": "yuv444p", "options": _CLOSED}, [161, 97]),
    "turned": ({"options": _CLOSED, "rotation": 90}, [96, 160]),
    "uneven in time": ({"options": _CLOSED, "times": _UNEVEN}, [160, 96]),
}


@pytest.mark.skipif(
    BROWSER is None and not os.environ.get("CI"), reason="there is no chromium on this machine"
)
@pytest.mark.parametrize(
    ("kind", "looked_at"),
    [*((kind, []) for kind in COPIES), *((kind, ALL) for kind in COPIES if "odd" not in kind)],
    ids=lambda each: each if isinstance(each, str) else "mixed" if each else "encoded",
)
def test_a_browser_plays_a_copy_to_its_end(
    tmp_path: Path, served: tuple[str, "Queue[Any]"], kind: str, looked_at: list[FrameRange]
) -> None:
    """A mixed copy is made of stretches that are the source's own and of stretches that were encoded anew."""
    how, size = COPIES[kind]
    source = write_clip(tmp_path / "in.mp4", **{"frames": 48, "size": (160, 96), "sounds": [Sound()], **how})
    done = render(source, hide(range(20, 22), (16, 8, 56, 40)), tmp_path / "out.mp4", looked_at=looked_at)
    assert bool(done.copied_frames) == bool(looked_at)
    said = _played(served, tmp_path / "profile")
    assert "error" not in said, said
    assert said["duration"] == pytest.approx(float(length_s(tmp_path / "out.mp4")), abs=0.1)
    assert said["duration"] > 3.5
    assert said["size"] == size
    assert all(said["seen"])
    assert said["frames"] >= 40, "a busy machine may drop some, a broken file stops"
