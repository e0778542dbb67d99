"""A file is there whole or not at all, and what a killed process left is gone at the next try."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from media.files import draft_of, settle, write_whole

LEAVE = """
import sys, time
from pathlib import Path
from media.files import draft_of
with draft_of(Path(sys.argv[1]), ".wav") as draft:
    draft.write_bytes(b"half")
    print("ready", flush=True)
    time.sleep(600)
"""


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_draft_gets_its_name_when_it_is_settled(tmp_path: Path) -> None:
    target = tmp_path / "copy.wav"
    with draft_of(target, ".wav") as draft:
        assert draft.suffix == ".wav"
        assert draft.stat().st_mode & 0o777 == 0o600
        draft.write_bytes(b"whole")
        assert not target.exists()
        settle(draft, target)
    assert left(tmp_path) == ["copy.wav"]
    assert target.read_bytes() == b"whole"


def test_nothing_is_left_of_a_draft_that_was_given_up(tmp_path: Path) -> None:
    with draft_of(tmp_path / "copy") as draft:
        draft.write_bytes(b"half")
    assert left(tmp_path) == []


def test_what_a_killed_process_left_is_gone_at_the_next_try_and_what_a_living_one_writes_is_not(
    tmp_path: Path,
) -> None:
    target = tmp_path / "a[1]*.wav"
    command = [sys.executable, "-c", LEAVE, str(target)]
    writers = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ}) for _ in range(2)
    ]
    try:
        for writer in writers:
            assert writer.stdout
            assert writer.stdout.readline() == "ready\n"
        assert len(left(tmp_path)) == 2
        writers[0].send_signal(signal.SIGKILL)
        writers[0].wait()
        write_whole(target, b"whole")
        assert len(left(tmp_path)) == 2
        assert target.read_bytes() == b"whole"
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()
    write_whole(target, b"again")
    assert left(tmp_path) == [target.name]


def test_another_targets_draft_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".other.wav.01234567.part").write_bytes(b"half")
    write_whole(tmp_path / "copy.wav", b"whole")
    assert left(tmp_path) == [".other.wav.01234567.part", "copy.wav"]


def test_a_file_stays_as_it_was_when_it_cannot_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_whole(tmp_path / "copy", b"whole")
    assert left(tmp_path) == ["copy"]
