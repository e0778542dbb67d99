"""What every test may ask for."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real footage and calls with ground truth; tests that use it carry the marker `shared_data`.

    It lies beside a developer's checkout, or where RETENTION_SHARED_DATA says. It is not part of the
    repository, so elsewhere these tests are skipped; in CI, where it must be, they fail.
    """
    folder = Path(os.environ.get("RETENTION_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if (folder / "odd").is_dir():
        return folder
    reason = f"the shared footage and calls are not at {folder}; set RETENTION_SHARED_DATA"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
