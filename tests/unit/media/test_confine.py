"""What a child that works on a stranger's file can still do, and what it cannot; as far as this kernel goes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from media.confine import at_hand
from tests.builders.kernel import needs

_TRY = """
import ctypes, json, os, platform, socket, subprocess, sys, threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from media.confine import confine

folder, parent = Path(sys.argv[1]), int(sys.argv[2])
assert threading.active_count() == 1
holds = confine([folder / "given", folder / "gone"], [folder / "work"])
tries = {
    "read what it is given": lambda: (folder / "given").read_bytes(),
    "write what it is given": lambda: (folder / "given").write_bytes(b"other"),
    "read what lies beside it": lambda: (folder / "beside").read_bytes(),
    "list the folder": lambda: os.listdir(folder),
    "make a file beside it": lambda: (folder / "new").touch(),
    "write in its work folder": lambda: (folder / "work" / "part").write_bytes(b"1"),
    "rename in its work folder": lambda: (folder / "work" / "part").rename(folder / "work" / "whole"),
    "read a password file": lambda: Path("/etc/passwd").read_bytes(),
    "look into its parent's memory": lambda: open(f"/proc/{parent}/mem", "rb"),
    "list its parent's files": lambda: os.listdir(f"/proc/{parent}/fd"),
    "signal its parent": lambda: os.kill(parent, 0),
    "signal a thread of its parent": lambda: signal_thread(parent),
    "open a socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    "open a local socket": lambda: socket.socket(socket.AF_UNIX),
    "start a program": lambda: subprocess.run([sys.executable, "-c", "0"], check=True),
    "import a library": lambda: __import__("av"),
    "read in a thread what it is given": lambda: in_a_thread((folder / "given").read_bytes),
    "read in a thread what lies beside it": lambda: in_a_thread((folder / "beside").read_bytes),
}
def signal_thread(pid):
    if ctypes.CDLL(None, use_errno=True).syscall({"x86_64": 234}.get(platform.machine(), 131), pid, pid, 0):
        raise OSError(ctypes.get_errno(), "no")

def in_a_thread(attempt):
    with ThreadPoolExecutor(1) as pool:
        pool.submit(attempt).result()

allowed = []
for name, attempt in tries.items():
    try:
        attempt()
    except PermissionError:
        continue
    allowed.append(name)
print(json.dumps({"holds": holds, "allowed": allowed}))
"""

_OWN = {
    "read what it is given",
    "read in a thread what it is given",
    "write in its work folder",
    "rename in its work folder",
    "import a library",
}
_FILES = {
    "write what it is given",
    "read what lies beside it",
    "read in a thread what lies beside it",
    "list the folder",
    "make a file beside it",
    "read a password file",
    "look into its parent's memory",
    "list its parent's files",
}
_CALLS = {
    "signal its parent",
    "signal a thread of its parent",
    "open a socket",
    "open a local socket",
    "start a program",
}


@pytest.fixture
def confined(tmp_path: Path) -> dict[str, list[str]]:
    """What a process that confined itself tells of what it could do."""
    for name in ("given", "beside"):
        (tmp_path / name).write_bytes(b"content")
    (tmp_path / "work").mkdir()
    argv = [sys.executable, "-c", _TRY, str(tmp_path), str(os.getpid())]
    done = subprocess.run(argv, check=True, capture_output=True, timeout=60)
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_what_will_hold_can_be_asked_before(confined: dict[str, list[str]]) -> None:
    assert ["no new privileges", *at_hand()] == confined["holds"]


def test_whatever_the_kernel_has_a_job_can_do_its_work(confined: dict[str, list[str]]) -> None:
    assert set(confined["allowed"]) >= _OWN


def test_with_landlock_no_other_file_and_no_other_process_is_in_reach(confined: dict[str, list[str]]) -> None:
    needs("landlock")
    assert not _FILES & set(confined["allowed"])


def test_with_seccomp_nothing_is_sent_started_or_signalled(confined: dict[str, list[str]]) -> None:
    needs("seccomp")
    assert not _CALLS & set(confined["allowed"])
