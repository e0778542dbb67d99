"""A new store for each test, made by the program itself."""

from pathlib import Path

import pytest

from tests.e2e.program import Program


@pytest.fixture
def program(tmp_path: Path) -> Program:
    program = Program(tmp_path / "store")
    program.found_store()
    return program
