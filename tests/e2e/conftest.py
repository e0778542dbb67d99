"""A new store for each test, made by the program itself."""

import signal
from pathlib import Path

import pytest

from tests.e2e.program import Program

# Whatever runs in a shell's background ignores Ctrl-C, and so would every program that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    program = Program(tmp_path / "store")
    program.found_store()
    return program
