"""What the tests of custody start from."""

import pytest

from tests.builders.house import House


@pytest.fixture
def busy(house: House) -> House:
    """A store with a line and a camera."""
    house.add_source()
    house.add_camera()
    return house


@pytest.fixture
def busy_sqlite(sqlite_house: House) -> House:
    """The same, on SQLite alone."""
    sqlite_house.add_source()
    sqlite_house.add_camera()
    return sqlite_house
