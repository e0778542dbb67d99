"""The filter on system calls, for each processor, whichever this machine has: against the kernel's own headers."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.confine import call_filter

_INCLUDE = Path("/usr/include")
#: ARM64 has the generic numbers, and every processor's package of headers has these.
_NUMBERS = {
    "x86_64": ("x86_64-linux-gnu/asm/unistd_64.h", "asm/unistd_64.h"),
    "aarch64": ("asm-generic/unistd.h",),
}
_ELF = {"x86_64": "EM_X86_64", "aarch64": "EM_AARCH64"}
_64_BIT_LITTLE_ENDIAN = 0xC0000000
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050001
#: What a taken-over decoder could reach somebody else by.
REFUSED = (
    *("socket", "connect", "execve", "execveat", "ptrace", "process_vm_readv", "process_vm_writev"),
    *("pidfd_getfd", "kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal"),
    *("io_uring_setup", "bpf", "perf_event_open", "userfaultfd", "mount", "unshare", "setns"),
    *("add_key", "request_key", "keyctl"),
)
NEEDED = (
    *("read", "pread64", "write", "openat", "close", "fstat", "mmap", "munmap", "mprotect", "brk", "futex"),
    *("clone", "exit", "exit_group", "recvmsg", "setitimer", "rt_sigreturn", "getrandom"),
)
of_each = pytest.mark.parametrize("machine", _NUMBERS)


def defined(header: Path) -> dict[str, int]:
    found = re.findall(r"^#define\s+(\w+)\s+(\d+)\b", header.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: int(number) for name, number in found}


def header(*names: str) -> Path:
    for name in names:
        if (_INCLUDE / name).is_file():
            return _INCLUDE / name
    missing = f"the kernel's headers are not installed ({names[-1]}): `apt-get install linux-libc-dev`"
    if os.environ.get("CI"):
        pytest.fail(missing, pytrace=False)
    pytest.skip(missing)


def numbers_of(machine: str) -> dict[str, int]:
    """System calls by name. A few have a second spelling where a kernel for 32 bits has another call."""
    return {
        name.removeprefix("__NR_").removeprefix("__NR3264_"): number
        for name, number in defined(header(*_NUMBERS[machine])).items()
        if name.startswith(("__NR_", "__NR3264_"))
    }


def verdict(machine: str, processor: int, number: int) -> int:
    """What the filter says of a call: a small machine for the four operations that it is made of."""
    data: Mapping[int, int] = {0: number, 4: processor}
    lines, at, held = call_filter(machine), 0, 0
    while True:
        operation, if_so, if_not, value = lines[at]
        at += 1
        match operation:
            case 0x20:
                held = data[value]
            case 0x15:
                at += if_so if held == value else if_not
            case 0x35:
                at += if_so if held >= value else if_not
            case 0x06:
                return value
            case _:
                raise AssertionError(f"no such operation: {operation:#x}")


def processor_of(machine: str) -> int:
    return _64_BIT_LITTLE_ENDIAN | defined(header("linux/elf-em.h"))[_ELF[machine]]


@of_each
def test_by_the_kernels_own_numbers_everything_that_reaches_somebody_else_is_refused(machine: str) -> None:
    numbers = numbers_of(machine)
    said = {name: verdict(machine, processor_of(machine), numbers[name]) for name in REFUSED}
    assert said == dict.fromkeys(REFUSED, _REFUSE)


@of_each
def test_by_the_kernels_own_numbers_nothing_else_is_refused(machine: str) -> None:
    numbers = numbers_of(machine)
    assert {*NEEDED} <= {*numbers}
    refused = {
        name for name, number in numbers.items() if verdict(machine, processor_of(machine), number) != _ALLOW
    }
    assert refused == {*REFUSED}


@of_each
@given(processor=st.integers(0, 2**32 - 1), number=st.integers(0, 2**32 - 1))
def test_a_call_of_another_processor_or_of_the_second_abi_is_refused(
    machine: str, processor: int, number: int
) -> None:
    own = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}[machine]
    if processor != own:
        assert verdict(machine, processor, number) == _REFUSE
    if number >= 0x40000000:
        assert verdict(machine, own, number) == _REFUSE
