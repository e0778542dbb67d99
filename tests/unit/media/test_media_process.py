"""Running tools: always within the time, with bounded memory, and never far from here."""

import os
import sys
import time
from pathlib import Path

import ffmpeg
import pytest

from media.errors import ToolFailed, ToolTimedOut
from media.process import STDERR_TAIL_BYTES, Progress, local_url, python_module, run, run_ffmpeg
from tests.golden.material import write_pictures, write_sound

PYTHON = sys.executable


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"


def test_a_graph_composed_by_ffmpeg_python_runs_and_tells_how_far_it_is(tmp_path: Path) -> None:
    source = write_pictures(tmp_path / "in.mp4", frames=24)
    target = tmp_path / "out.mp4"
    graph = ffmpeg.input(local_url(source)).filter("hflip").output(local_url(target), vcodec="mpeg4")
    seen: list[Progress] = []
    run_ffmpeg(graph.overwrite_output().compile()[1:], timeout_seconds=30, on_progress=seen.append)
    assert target.stat().st_size > 500
    assert seen[-1].is_last
    assert seen[-1].frames == 24
    assert seen[-1].written_us == pytest.approx(2_000_000, abs=100_000)


def test_a_path_that_looks_like_an_option_or_an_address_is_only_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("-y.wav", "http:host.wav", "a b'c%d.wav"):
        source = write_sound(tmp_path / "plain.wav", seconds=0.1).rename(name)
        target = Path(f"{name}.flac")
        run_ffmpeg(["-i", local_url(source), "-f", "flac", local_url(target)], timeout_seconds=30)
        assert target.exists()


@pytest.mark.parametrize("name", ["http://127.0.0.1/a.mp4", "a.mp4", "-", "concat:a|b", "/etc/passwd"])
def test_an_input_that_is_neither_local_nor_ours_is_refused_before_anything_starts(name: str) -> None:
    with pytest.raises(ValueError, match="not a local input"):
        run_ffmpeg(["-i", name, "-f", "null", "pipe:1"], timeout_seconds=5)


def test_ffmpeg_reads_no_other_protocol_even_when_a_file_asks_for_it(tmp_path: Path) -> None:
    playlist = tmp_path / "list.m3u8"
    playlist.write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"
    )
    with pytest.raises(ToolFailed, match="whitelist"):
        run_ffmpeg(["-f", "hls", "-i", local_url(playlist), "-f", "null", "pipe:1"], timeout_seconds=20)


def test_the_error_of_a_failed_tool_ends_with_its_own_words(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"nothing")
    with pytest.raises(ToolFailed, match=r"(?s)ended with code \d+: .*Invalid data"):
        run_ffmpeg(["-i", local_url(broken), "-f", "null", "pipe:1"], timeout_seconds=20)


def test_a_tool_that_hangs_is_stopped_with_its_children(tmp_path: Path) -> None:
    note = tmp_path / "child"
    code = (
        "import subprocess,sys,time;"
        f"p=subprocess.Popen([sys.executable,'-c','import time;time.sleep(60)']);open({str(note)!r},'w').write(str(p.pid));"
        "time.sleep(60)"
    )
    began = time.monotonic()
    with pytest.raises(ToolTimedOut, match=r"within 1\.5 seconds"):
        run([PYTHON, "-c", code], timeout_seconds=1.5)
    assert time.monotonic() - began < 10
    deadline = time.monotonic() + 5
    while _is_alive(int(note.read_text())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_alive(int(note.read_text()))


def test_a_tool_that_does_not_read_its_input_cannot_hold_us_up() -> None:
    feed = (b"x" * 65536 for _ in range(1000))
    with pytest.raises(ToolTimedOut):
        run([PYTHON, "-c", "import time;time.sleep(60)"], timeout_seconds=1, feed=feed)


def test_a_tool_that_stops_reading_early_and_succeeds_is_a_success() -> None:
    run([PYTHON, "-c", "pass"], timeout_seconds=20, feed=(b"x" * 65536 for _ in range(1000)))


def test_of_endless_complaints_only_the_end_is_kept() -> None:
    code = "import sys\nfor n in range(20000): print('complaint', n, file=sys.stderr)\nsys.exit(3)"
    with pytest.raises(ToolFailed, match=r"complaint 19999$") as caught:
        run([PYTHON, "-c", code], timeout_seconds=20)
    assert len(str(caught.value)) < STDERR_TAIL_BYTES + 100


def test_a_tool_cannot_have_more_memory_than_it_was_given() -> None:
    code = "import time;time.sleep(.3);x=bytearray(1<<30)"
    with pytest.raises(ToolFailed, match="MemoryError"):
        run([PYTHON, "-c", code], timeout_seconds=20, memory_bytes=512 * 1024**2)


def test_a_feed_that_breaks_leaves_no_process_behind(tmp_path: Path) -> None:
    note = tmp_path / "pid"

    def feed() -> object:
        while not note.exists() or not note.read_text():
            time.sleep(0.02)
        yield b"x"
        raise RuntimeError("the feed broke")

    code = f"import os,time;open({str(note)!r},'w').write(str(os.getpid()));time.sleep(60)"
    with pytest.raises(RuntimeError, match="the feed broke"):
        run([PYTHON, "-c", code], timeout_seconds=20, feed=feed())  # type: ignore[arg-type]
    assert not _is_alive(int(note.read_text()))


def test_a_tool_that_is_not_there_is_a_failure_that_names_it() -> None:
    with pytest.raises(ToolFailed, match="no-such-tool could not be started"):
        run(["/nowhere/no-such-tool"], timeout_seconds=5)


def test_a_tool_killed_by_a_signal_says_which() -> None:
    with pytest.raises(ToolFailed, match="killed by SIGABRT"):
        run([PYTHON, "-c", "import os;os.abort()"], timeout_seconds=10)


def test_a_child_of_ours_inherits_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_PASSPHRASE", "a secret")
    _, environment = python_module("media.inspect_worker")
    assert "a secret" not in environment.values()
