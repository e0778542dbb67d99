"""One inspector for all, as its worker takes longer to start than the tests take to run."""

from collections.abc import Iterator

import pytest

from media.probe import Inspector


@pytest.fixture(scope="session")
def inspector() -> Iterator[Inspector]:
    with Inspector() as shared:
        yield shared
