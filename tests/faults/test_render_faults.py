"""A renderer that is killed, starved or fed with damage leaves nothing under the final name."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from media import child, process
from media.errors import ToolFailed, Unreadable
from media.video.release import release
from media.video.render.render import render
from media.video.verify.boxes import walk
from tests.golden.clips import hide, write_clip

BOX = (16.0, 8.0, 56.0, 40.0)
PLAN = hide(range(12), BOX)
ROOT = Path(__file__).parent.parent.parent


def _noise(number: int, width: int, height: int) -> object:
    import numpy as np  # noqa: PLC0415 - only here

    return np.random.default_rng(number).integers(0, 255, (height, width, 3), np.uint8)


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Long enough to be interrupted: some seconds of work."""
    return write_clip(
        tmp_path_factory.mktemp("long") / "in.mp4",
        frames=300,
        size=(480, 270),
        options={"preset": "ultrafast"},
    )


def _children() -> list[int]:
    """Process numbers of our own workers."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            parent = int(entry.joinpath("stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent == os.getpid() and b"render.worker" in entry.joinpath("cmdline").read_bytes():
                found.append(int(entry.name))
    return found


def _when_running(act: Callable[[int], None]) -> Callable[[int, int], None]:
    """A progress callback that acts once, on the worker, after some frames."""
    done = threading.Event()

    def progress(frames: int, _total: int) -> None:
        if frames > 10 and not done.is_set():
            done.set()
            act(_children()[0])

    return progress


def test_a_killed_worker_is_an_error_that_names_the_frame_and_leaves_nothing(
    tmp_path: Path, long_clip: Path
) -> None:
    def kill(pid: int) -> None:
        os.kill(pid, signal.SIGKILL)

    with pytest.raises(ToolFailed, match=r"died at frame \d+.*SIGKILL.*try again"):
        render(long_clip, PLAN, tmp_path / "out.mp4", on_progress=_when_running(kill))
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_stands_still_is_stopped(
    tmp_path: Path, long_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media.video.render.render.STALL_SECONDS", 3.0)

    def stop(pid: int) -> None:
        os.kill(pid, signal.SIGSTOP)

    with pytest.raises(ToolFailed, match="no progress for 3 seconds"):
        render(long_clip, PLAN, tmp_path / "out.mp4", on_progress=_when_running(stop))
    assert list(tmp_path.iterdir()) == []
    assert _children() == []


def test_when_the_parent_is_killed_the_worker_dies_and_nothing_has_the_final_name(
    tmp_path: Path, long_clip: Path
) -> None:
    script = (
        "import sys; from pathlib import Path; from media.video.masks import MaskPlan;"
        "from media.video.render.render import render;"
        "render(Path(sys.argv[1]), MaskPlan({}), Path(sys.argv[2]), on_progress=lambda d, t: print(d, flush=True))"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(long_clip), str(tmp_path / "out.mp4")],
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert parent.stdout is not None
    assert parent.stdout.readline()
    workers = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while any(
        Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes() for pid in workers
    ):
        assert time.monotonic() < deadline, "the worker outlived its parent"
        time.sleep(0.05)
    assert workers
    assert not (tmp_path / "out.mp4").exists()


def test_a_full_disk_is_said_in_words_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel's own limit on a file's size answers as a full disk does: in the middle of a write."""
    source = write_clip(tmp_path / "in.mp4", frames=24, size=(320, 240), draw=_noise)  # type: ignore[arg-type]
    folder = tmp_path / "out"
    folder.mkdir()
    limits = process._limit_memory

    def limit(pid: int, memory_bytes: int | None) -> None:
        limits(pid, memory_bytes)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (200_000, 200_000))

    monkeypatch.setattr(process, "_limit_memory", limit)
    with pytest.raises(ToolFailed, match="no room left for the output; free some disk space"):
        render(source, PLAN, folder / "out.mp4")
    assert list(folder.iterdir()) == []


def test_a_folder_that_does_not_exist_is_an_error_before_any_work(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", frames=4)
    with pytest.raises(ToolFailed, match=r"out.mp4 cannot be written to .*missing: .*; see to the folder"):
        render(source, PLAN, tmp_path / "missing" / "out.mp4")


def test_a_worker_without_enough_memory_says_so(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", frames=12, size=(1280, 720))
    with pytest.raises(ToolFailed):
        render(source, PLAN, tmp_path / "out.mp4", memory_bytes=400 * 1024**2)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_a_worker_that_says_nothing_sensible_is_an_error() -> None:
    with pytest.raises(ToolFailed):
        child.ask_child("media.tools", {}, reads=[], stall_seconds=20)


# -- strange files ------------------------------------------------------------------


#: A part of the reason; every other file of the folder is rendered.
REFUSED = {
    "azure_missing_wav_header.wav": "needs a raw format",
    "corkami_jpgmp3_polyglot.mp3": "no moving picture",
    "decord_corrupted.mp4": "frame 28 cannot be decoded whole",
    "made_json_named.mp4": "no recording in a format",
    "made_stsz_count_huge.mp4": "the header is damaged",
    "made_truncated_moov_missing.mp4": "no index",
    "made_wav_datasize_ffffffff.wav": "no moving picture",
    "made_wav_named.mp4": "no moving picture",
    "made_zero_length.mp4": "the file is empty",
    "moz_amr_nb_1f.3gp": "no moving picture",
    "moz_chunk_out_of_range.mp4": "the header is damaged",
    "moz_invalid_userdata.mp4": "no picture after it",
    "moz_short-cenc_encrypted.mp4": "encrypted",
    "ps_evil.wav": "not followed by any sound",
    "ps_null.wav": "no moving picture",
    "small_FlashVideo.flv": "within its header",
    "small_Mpeg4.mp4": "no moving picture",
    "small_wav.wav": "no moving picture",
}


@pytest.mark.shared_data
@pytest.mark.slow
def test_every_odd_file_is_refused_in_words_or_released_clean(shared_data: Path, tmp_path: Path) -> None:
    for source in sorted((shared_data / "odd").iterdir()):
        out = tmp_path / "out.mp4"
        plan = hide(range(1), (4.0, 4.0, 40.0, 40.0))
        if reason := REFUSED.get(source.name):
            with pytest.raises(Unreadable, match=reason):
                render(source, plan, out)
            assert list(tmp_path.iterdir()) == [], source.name
            continue
        done = release(source, plan, out, second_look=None)
        assert done.verified.is_clean, source.name
        assert done.verified.frames == done.rendered.frames > 0
        out.unlink()


@pytest.mark.shared_data
def test_a_file_full_of_side_tracks_leaks_none_of_them(shared_data: Path, tmp_path: Path) -> None:
    """Two pictures, subtitles, data, cover art, chapters and tags go in; one track comes out."""
    source = shared_data / "odd" / "made_leaks_side_tracks.mp4"
    release(source, PLAN, tmp_path / "out.mp4", second_look=None)
    found = walk(tmp_path / "out.mp4")
    assert [track.handler for track in found.tracks] == ["vide"]
    whole = source.read_bytes()
    out = tmp_path.joinpath("out.mp4").read_bytes()
    words = {whole[at : at + 12] for at in range(len(whole) - 12) if whole[at : at + 12].isalpha()}
    assert not [word for word in words - {b"VideoHandler"} if word in out]
