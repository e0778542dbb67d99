"""What every test starts from: no settings of the machine's, a time zone that is not UTC, no network of capabilities unsaid."""

import compileall
import gc
import os
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.builders.postgres import binaries

pytest_plugins = [
    "tests.fixtures.houses",
    "tests.fixtures.models",
    "tests.fixtures.s3",
    "tests.fixtures.shared_data",
    "tests.fixtures.statements",
]
ROOT = Path(__file__).parent.parent

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

# pytest keeps the tests that it rewrote, also where Python is told to keep nothing; else each worker rewrites them all.
sys.dont_write_bytecode = False


def pytest_configure(config: pytest.Config) -> None:
    """The program's own processes start as an installed program does: with byte code, which pip wrote."""
    if not hasattr(config, "workerinput"):
        for package in ("retention", "media", "policies"):
            compileall.compile_dir(ROOT / package, quiet=2)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: a fifth of the time, a test waits for a child, a clock or a disk."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow ones first, so that no worker is left alone with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    """What was imported and collected lives as long as the run: no collection has to walk it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


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
