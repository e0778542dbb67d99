"""Archives for the tests of the amendment room."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.builders.archive import Archive
from tests.builders.schedules import Policy

NewArchive = Callable[[Policy], Archive]


@pytest.fixture
def new_archive(tmp_path: Path) -> Iterator[NewArchive]:
    """Makes archives on SQLite."""
    made: list[Archive] = []

    def new(policy: Policy) -> Archive:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Archive(folder, policy))
        return made[-1]

    yield new
    for archive in made:
        archive.close()
