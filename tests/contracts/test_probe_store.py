"""`doctor` tries out the user's own store and tells what it found."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from retention.adapters.probe_store import Finding, prove
from retention.adapters.s3_client import S3Settings
from retention.adapters.store_folder import FolderStore
from retention.adapters.store_s3 import S3Store
from retention.kernel.clock import SystemClock
from retention.kernel.errors import InvalidInput, StoreUnavailable
from retention.vault.model import Chunk, ObjectName
from tests.fakes.memory_store import MemoryStore
from tests.fixtures.s3 import S3Bucket

CLOCK = SystemClock()


def troubles(findings: list[Finding]) -> dict[str, str]:
    return {finding.what: finding.detail for finding in findings if not finding.ok}


def test_a_folder_passes_and_nothing_is_left_in_it(tmp_path: Path) -> None:
    store = FolderStore.create(tmp_path)
    assert troubles(prove(store, CLOCK.now())) == {}
    assert list(store.list_names()) == []


@pytest.mark.s3
def test_a_versioned_bucket_with_lock_passes_and_nothing_is_left_in_it(s3_bucket: S3Bucket) -> None:
    settings = S3Settings(s3_bucket.name, "", s3_bucket.endpoint_url, s3_bucket.region, "path")
    findings = prove(S3Store.create(settings, CLOCK), CLOCK.now())
    assert troubles(findings) == {}
    assert len(findings) == 10
    left = s3_bucket.client.list_object_versions(Bucket=s3_bucket.name)["Versions"]
    assert [version["Key"] for version in left] == ["store-id"]


@pytest.mark.s3
def test_a_plain_bucket_is_told_to_have_no_lock_and_no_versions(s3_bucket: S3Bucket) -> None:
    plain = f"{s3_bucket.name}-plain"
    s3_bucket.client.create_bucket(Bucket=plain)
    store = S3Store.create(S3Settings(plain, "", s3_bucket.endpoint_url, s3_bucket.region, "path"), CLOCK)
    told = troubles(prove(store, CLOCK.now()))
    assert set(told) == {
        "a hold of the store's own stands in the way of erasing",
        "the bucket keeps versions",
    }
    assert "holds are kept by the catalogue" in told["a hold of the store's own stands in the way of erasing"]


class Overwriting(MemoryStore):
    def put_new(self, name: ObjectName, chunks: Iterable[Chunk], *, durable: bool = True) -> int:
        self.objects.pop(name, None)
        return super().put_new(name, chunks, durable=durable)


class Hoarding(MemoryStore):
    def erase_many(self, names: Sequence[ObjectName]) -> dict[ObjectName, str]:  # noqa: ARG002 - it erases nothing
        return {}


class Seekless(MemoryStore):
    def read(self, name: ObjectName, *_: Any) -> Any:
        return super().read(name)


class Boundless(MemoryStore):
    def read(self, name: ObjectName, start_bytes: int = 0, length_bytes: int | None = None) -> Any:
        try:
            yield from super().read(name, start_bytes, length_bytes)
        except InvalidInput:
            yield b""


class Remembering(MemoryStore):
    """A cache before it, which nobody tells what was erased."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[ObjectName, bytes] = {}

    def put_new(self, name: ObjectName, chunks: Iterable[Chunk], *, durable: bool = True) -> int:
        size_bytes = super().put_new(name, chunks, durable=durable)
        self.seen[name] = self.objects[name]
        return size_bytes

    def read(self, name: ObjectName, start_bytes: int = 0, length_bytes: int | None = None) -> Any:
        if name in self.objects:
            return super().read(name, start_bytes, length_bytes)
        return iter([self.seen[name]])


@pytest.mark.parametrize(
    ("store", "told"),
    [
        (Overwriting(), "conditional writes do not work"),
        (Hoarding(), "disposal cannot be proved"),
        (Seekless(), "players cannot seek"),
        (Boundless(), "a range outside the object was not refused"),
        (Remembering(), "an erased object can still be read"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_store_that_breaks_its_word_is_found_out(store: MemoryStore, told: str) -> None:
    assert any(told in detail for detail in troubles(prove(store, CLOCK.now())).values())


def test_a_store_out_of_reach_fails_every_trial_with_its_reason() -> None:
    store = MemoryStore()

    def fail(_act: str, _name: str) -> None:
        raise StoreUnavailable("the disk is away")

    store.before = fail
    findings = prove(store, CLOCK.now())
    assert not any(finding.ok for finding in findings)
    assert all("the disk is away" in finding.detail for finding in findings)
