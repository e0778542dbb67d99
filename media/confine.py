"""Give up, for good, what work on a stranger's file does not need, as far as this kernel lets a process do so.

Three things, none of which needs a privilege, and each of which an older kernel
may lack; `confine` says which hold:

    no new privileges    nothing that is started gains any (prctl(2))
    Landlock             files: what is named, to read or to write, and the program itself; memory and
                         descriptors of other processes: none; signals and TCP: none, where the kernel
                         knows how (landlock(7))
    seccomp              no socket, no program, no look into another process, no io_uring (seccomp(2))

What holds is kept by threads that are started later and cannot be undone. There
is no effect on other systems than Linux, and none of seccomp on other
processors than x86-64 and ARM64.

It does not bound memory, time or processor: `media.child` does.
"""

import ctypes
import os
import platform
import struct
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

_PR_GET_SECCOMP, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 21, 22, 38
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  #: on every processor
_RULE_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_REMOVE_DIR, _REMOVE_FILE, _MAKE_DIR, _MAKE_REG, _TRUNCATE = 16, 32, 128, 256, 1 << 14
_OF_A_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_TO_READ = _READ_FILE | _READ_DIR
_TO_WRITE = _TO_READ | _WRITE_FILE | _TRUNCATE | _MAKE_REG | _MAKE_DIR | _REMOVE_FILE | _REMOVE_DIR
#: By the first version of Landlock that knows it: how many rights to files there are, those of TCP, and scopes.
_FILE_RIGHTS = ((5, 16), (3, 15), (2, 14), (1, 13))
_TCP_SINCE, _TCP = 4, 0b11
_SCOPES_SINCE, _SCOPES = 6, 0b11

#: What a program reads to be one: the loader, the processor's and the machine's description, chance.
_MACHINE = (
    *("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime"),
    *("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system", "/sys/fs/cgroup"),
    *("/dev/urandom", "/dev/random"),
)
_NOWHERE = "/dev/null"

#: By processor, as the kernel calls it (linux/audit.h).
_PROCESSORS = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
#: What is refused: its number on x86-64, and on ARM64.
_REFUSED = {
    "socket": (41, 198), "connect": (42, 203), "execve": (59, 221), "execveat": (322, 281),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438), "kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "pidfd_send_signal": (424, 424),
    "io_uring_setup": (425, 425), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "mount": (165, 40), "unshare": (272, 97), "setns": (308, 268),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
}  # fmt: skip
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050001  #: the second: EPERM
_SECOND_ABI = 0x40000000  #: of x86-64 ("x32"): the same calls under other numbers
_MODE_FILTER = 2


def confine(reads: Iterable[Path], writes: Iterable[Path]) -> tuple[str, ...]:
    """Keep this process to some files, and from everything else.

    Args:
        reads: Files, and folders with all that is in them. What is not there is passed over.
        writes: The same, to read and write, and to make and remove files in.

    Returns:
        What holds from now on: of "no new privileges", "landlock", "seccomp".
    """
    if sys.platform != "linux":
        return ()
    libc = ctypes.CDLL(None, use_errno=True)
    if not _prctl(libc, _PR_SET_NO_NEW_PRIVS, 1):
        return ()
    has_landlock = _landlock(libc, [*_program(), *reads], [Path(_NOWHERE), *writes])
    found = {"no new privileges": True, "landlock": has_landlock, "seccomp": _seccomp(libc)}
    return tuple(name for name, holds in found.items() if holds)


def at_hand() -> tuple[str, ...]:
    """Which of "landlock" and "seccomp" `confine` will find; nothing is given up."""
    if sys.platform != "linux":
        return ()
    libc = ctypes.CDLL(None, use_errno=True)
    found = {
        "landlock": _landlock_version(libc) >= 1,
        "seccomp": platform.machine() in _PROCESSORS and libc.prctl(_PR_GET_SECCOMP, 0, 0, 0, 0) >= 0,
    }
    return tuple(name for name, is_here in found.items() if is_here)


def _program() -> list[Path]:
    """Where this program and its libraries lie; the current folder is not, unless they lie in it."""
    packages = [path for path in sys.path if Path(path).name in {"site-packages", "dist-packages"}]
    own = [str(Path(__file__).parent.parent), sys.prefix, sys.base_prefix, sysconfig.get_path("stdlib")]
    return [Path(path) for path in (*own, *packages, *_MACHINE)]


def _landlock_version(libc: ctypes.CDLL) -> int:
    return int(libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), 1))


def _landlock(libc: ctypes.CDLL, reads: Iterable[Path], writes: Iterable[Path]) -> bool:
    version = _landlock_version(libc)
    if version < 1:
        return False
    handled = (1 << next(rights for since, rights in _FILE_RIGHTS if version >= since)) - 1
    words = [
        handled,
        *([_TCP] if version >= _TCP_SINCE else []),
        *([_SCOPES] if version >= _SCOPES_SINCE else []),
    ]
    attributes = struct.pack(f"={len(words)}Q", *words)
    ruleset = libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    if ruleset < 0:
        return False
    try:
        for paths, rights in ((reads, _TO_READ), (writes, _TO_WRITE)):
            for path in paths:
                _allow(libc, ruleset, path, rights & handled)
        return bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, rights: int) -> None:
    try:
        number = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # whoever needs it will say so
        return
    try:
        mine = rights if path.is_dir() else rights & _OF_A_FILE
        rule = struct.pack("=Qi", mine, number)
        libc.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0)
    finally:
        os.close(number)


def _seccomp(libc: ctypes.CDLL) -> bool:
    if platform.machine() not in _PROCESSORS or sys.maxsize < 2**32:
        return False
    lines = call_filter(platform.machine())
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in lines))
    program = struct.pack("@HP", len(lines), ctypes.addressof(code))
    return _prctl(libc, _PR_SET_SECCOMP, _MODE_FILTER, ctypes.c_char_p(program))


def call_filter(machine: str) -> list[tuple[int, int, int, int]]:
    """The filter on system calls for a processor: lines of classic BPF (operation, steps if so, if not, value)."""
    place = list(_PROCESSORS).index(machine)
    refused = [numbers[place] for numbers in _REFUSED.values()]
    refuse = len(refused)  # steps from the first comparison to the last line
    return [
        (_LOAD, 0, 0, 4),
        (_IF_EQUAL, 0, refuse + 3, _PROCESSORS[machine]),
        (_LOAD, 0, 0, 0),
        (_IF_AT_LEAST, refuse + 1, 0, _SECOND_ABI),
        *((_IF_EQUAL, refuse - number, 0, call) for number, call in enumerate(refused)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]


def _prctl(libc: ctypes.CDLL, what: int, value: int, more: ctypes.c_char_p | None = None) -> bool:
    arguments = (ctypes.c_ulong(value), more or ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0))
    return bool(libc.prctl(what, *arguments) == 0)
