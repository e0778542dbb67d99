"""What every test starts from: no settings of the machine's, a time zone that is not UTC, no network of capabilities unsaid."""

import os
import time

import pytest
from hypothesis import HealthCheck, settings

from tests.builders.postgres import binaries

pytest_plugins = [
    "tests.fixtures.houses",
    "tests.fixtures.models",
    "tests.fixtures.s3",
    "tests.fixtures.shared_data",
]

#: Half an hour off the whole hours, with daylight saving: what leans on the machine's own zone shows.
ZONE = "America/St_Johns"

for variable in [name for name in os.environ if name.startswith("RETENTION_")]:
    if variable != "RETENTION_SHARED_DATA":
        del os.environ[variable]
os.environ["TZ"] = ZONE
time.tzset()

settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.register_profile(
    "long", parent=settings.get_profile("default"), max_examples=2_000, stateful_step_count=100
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_report_header() -> list[str]:
    """Which capabilities this run has."""
    found = binaries()
    return [
        f"time zone: {ZONE}, hypothesis profile: {os.environ.get('HYPOTHESIS_PROFILE', 'default')}",
        f"PostgreSQL: {found or 'missing'}",
    ]


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that sets a variable of ours does not set it for the next."""
    for variable in [name for name in os.environ if name.startswith("RETENTION_")]:
        if variable != "RETENTION_SHARED_DATA":
            monkeypatch.delenv(variable)
