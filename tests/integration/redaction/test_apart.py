"""No stranger's media is decoded in the process that holds keys: it does not even load what could."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders.sound import encode, footage, loud
from tests.integration.redaction.apart_driver import DECODERS, LIBRARIES

ROOT = Path(__file__).parent.parent.parent.parent


@pytest.fixture
def photo() -> str:
    """A photo of a face, where comparing faces is installed."""
    if importlib.util.find_spec("dlib") is None:
        return ""
    from skimage import data  # noqa: PLC0415 - comes with the same extra of the tests

    return str(Path(data.__file__).parent / "astronaut.png")


@pytest.mark.usefixtures("models")
def test_whoever_searches_copies_silences_and_tries_recordings_loads_no_decoder(
    tmp_path: Path, photo: str
) -> None:
    call = encode(tmp_path / "call.wav", loud(2), "pcm_s16le")
    clip = footage(tmp_path / "clip.mp4", loud(2, 48_000), "aac", "libx264", rate=48_000)
    folder = tmp_path / "work"
    folder.mkdir()
    argv = [sys.executable, "-m", "tests.integration.redaction.apart_driver"]
    done = subprocess.run(
        [*argv, str(call), str(clip), photo, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"modules": [], "libraries": [], "left": []}


def test_a_process_that_does_load_one_is_found_out() -> None:
    code = f"""
import sys
import av, cv2
maps = open("/proc/self/maps").read()
assert [name for name in {DECODERS} if name in sys.modules] == ["av", "cv2"]
assert [name for name in {LIBRARIES} if name in maps] == ["libav", "libsw", "cv2"]
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
