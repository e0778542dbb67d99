"""What only S3 has: versions, delete markers, Object Lock; on a real server."""

from dataclasses import replace
from datetime import timedelta

import pytest

from retention.adapters.s3_client import S3Settings
from retention.adapters.store_s3 import S3Store
from retention.kernel.clock import SystemClock
from retention.kernel.ids import new_id
from retention.vault.model import ObjectName, object_name
from tests.fixtures.s3 import S3Bucket

pytestmark = pytest.mark.s3

CLOCK = SystemClock()
LONG = bytes(11 << 20)


def a_name() -> ObjectName:
    return object_name(new_id(CLOCK.now()), "original")


@pytest.fixture
def settings(s3_bucket: S3Bucket) -> S3Settings:
    return S3Settings(
        s3_bucket.name, "vault/", s3_bucket.endpoint_url, s3_bucket.region, "path", part_bytes=5 << 20
    )


def test_everything_that_others_made_of_a_name_goes(settings: S3Settings, s3_bucket: S3Bucket) -> None:
    store, name, kept = S3Store.create(settings, CLOCK), a_name(), a_name()
    at = {"Bucket": s3_bucket.name, "Key": f"vault/{name}"}
    for each in (name, kept):
        store.put_new(each, [b"first"])
    s3_bucket.client.put_object(**at, Body=b"second")
    s3_bucket.client.delete_object(**at)
    s3_bucket.client.create_multipart_upload(**at)
    assert store.size_of(name) is None
    assert store.remains([name, kept]) == {name, kept}
    assert store.erase_many([name]) == {}
    assert store.remains([name, kept]) == {kept}
    left = s3_bucket.client.list_object_versions(Bucket=s3_bucket.name, Prefix=f"vault/{name}")
    assert "Versions" not in left
    assert "DeleteMarkers" not in left


def test_a_governed_object_goes_only_where_passing_over_governance_is_allowed(
    settings: S3Settings, s3_bucket: S3Bucket
) -> None:
    strict = S3Store.create(replace(settings, governance_days=30), CLOCK)
    names = [a_name(), a_name()]
    strict.put_new(names[0], [b"short"])
    strict.put_new(names[1], [LONG])
    for name in names:
        found = s3_bucket.client.head_object(Bucket=s3_bucket.name, Key=f"vault/{name}")
        assert found["ObjectLockMode"] == "GOVERNANCE"
        assert found["ObjectLockRetainUntilDate"] > CLOCK.now() + timedelta(days=29)
    assert set(strict.erase_many(names)) == set(names)
    assert strict.remains(names) == set(names)
    allowed = S3Store(replace(settings, bypass_governance=True), CLOCK)
    assert allowed.erase_many(names) == {}
    assert allowed.remains(names) == set()


def test_a_hold_stands_above_passing_over_governance(settings: S3Settings) -> None:
    store = S3Store.create(replace(settings, governance_days=30, bypass_governance=True), CLOCK)
    name = a_name()
    store.put_new(name, [b"content"])
    store.protect([name], True)
    assert set(store.erase_many([name])) == {name}
    store.protect([name], False)
    assert store.erase_many([name]) == {}


def test_two_stores_in_one_bucket_do_not_see_each_other(settings: S3Settings) -> None:
    one, other = S3Store.create(settings, CLOCK), S3Store.create(replace(settings, prefix="other/"), CLOCK)
    name = a_name()
    one.put_new(name, [b"content"])
    assert one.store_id() == S3Store.create(settings, CLOCK).store_id() != other.store_id()
    assert list(other.list_names()) == []
    assert other.remains([name]) == set()
    assert other.erase_many([name]) == {}
    assert one.size_of(name) == 7


def test_listings_longer_than_a_page_are_whole(settings: S3Settings, s3_bucket: S3Bucket) -> None:
    store = S3Store.create(settings, CLOCK)
    ids = [f"{new_id(CLOCK.now())[:-3]}{number}7Z" for number in range(5)]
    names = sorted(object_name(each, role) for each in ids for role in ("original", "peaks"))
    for name in names:
        store.put_new(name, [b"first"])
        s3_bucket.client.put_object(Bucket=s3_bucket.name, Key=f"vault/{name}", Body=b"second")

    def two_a_page(params: dict[str, object], **_: object) -> None:
        params["MaxKeys"] = 2

    for operation in ("ListObjectsV2", "ListObjectVersions"):
        store._client.meta.events.register(f"before-parameter-build.s3.{operation}", two_a_page)
    assert [name for name, _, _ in store.list_names()] == names
    assert len(list(store._eraser.versions(names))) == 2 * len(names)
    assert store.erase_many(names[1:]) == {}
    assert store.remains(names) == {names[0]}
