"""The S3 store when the server throttles, fails inside a 200, loses answers or breaks off."""

import re
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from urllib.parse import unquote

import boto3
import pytest
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from moto import mock_aws
from moto.core.models import botocore_stubber

from retention.adapters.s3_client import S3Settings
from retention.adapters.store_s3 import S3Store
from retention.kernel.clock import SystemClock
from retention.kernel.errors import (
    NotPermitted,
    ObjectExists,
    RetentionError,
    StoreUnavailable,
)
from retention.kernel.ids import new_id
from retention.vault.model import ObjectName, object_name

CLOCK = SystemClock()
BUCKET = "vault-bucket"
SETTINGS = S3Settings(
    BUCKET, "vault/", region="us-east-1", part_bytes=5 << 20, attempts=3, bypass_governance=True
)
LONG = bytes(11 << 20)


def a_name() -> ObjectName:
    return object_name(new_id(CLOCK.now()), "original")


@pytest.fixture
def raw(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Moto's S3 with a versioned bucket, seen by a plain client."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
        yield client


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def store(raw: Any, waits: list[float]) -> S3Store:  # noqa: ARG001 - the server must be there first
    return S3Store(SETTINGS, CLOCK, waits.append)


Answer: TypeAlias = Any  # AWSResponse | Exception | None, but botocore is untyped


class Trouble:
    """Answers requests in moto's place: what `script` gives for the n-th of an operation, None to let it pass."""

    def __init__(self, client: Any, operation: str, script: Callable[[int, AWSRequest], Answer]) -> None:
        self.requests: list[AWSRequest] = []
        self._script = script
        client.meta.events.unregister("before-send", botocore_stubber)
        client.meta.events.register("before-send", self._pass_on, unique_id="moto, after any trouble")
        client.meta.events.register_first(f"before-send.s3.{operation}", self._before_send)

    def _before_send(self, request: AWSRequest, **_: object) -> AWSResponse | None:
        self.requests.append(request)
        answer = self._script(len(self.requests), request)
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            request.headers["answered"] = "already"
        return answer

    @staticmethod
    def _pass_on(event_name: str, request: AWSRequest, **named: object) -> Any:
        return None if "answered" in request.headers else botocore_stubber(event_name, request, **named)


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self._content


def answer(status: int, code: str, url: str = "https://s3") -> AWSResponse:
    body = f"<Error><Code>{code}</Code><Message>as the test wants it</Message></Error>"
    return AWSResponse(url, status, {"content-type": "application/xml"}, _Body(body.encode()))


def errors_inside_200(keys: list[tuple[str, str]], code: str) -> AWSResponse:
    inside = "".join(
        f"<Error><Key>{key}</Key><VersionId>{version}</VersionId><Code>{code}</Code><Message>m</Message></Error>"
        for key, version in keys
    )
    body = f'<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{inside}</DeleteResult>'
    return AWSResponse("https://s3", 200, {"content-type": "application/xml"}, _Body(body.encode()))


def keys_in(request: AWSRequest) -> list[tuple[str, str]]:
    text = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
    return re.findall(r"<Key>(.*?)</Key><VersionId>(.*?)</VersionId>", text)


def test_a_throttled_put_is_tried_again(store: S3Store) -> None:
    Trouble(store._client, "PutObject", lambda n, _: answer(503, "SlowDown") if n < 3 else None)
    name = a_name()
    assert store.put_new(name, [b"content"]) == 7
    assert b"".join(store.read(name)) == b"content"


@pytest.mark.parametrize("code", ["InternalError", "ServiceUnavailable", "SlowDown"])
def test_a_server_that_goes_on_failing_is_unavailable_and_kept_nothing(store: S3Store, code: str) -> None:
    trouble = Trouble(store._client, "PutObject", lambda _n, _r: answer(503, code))
    name = a_name()
    with pytest.raises(StoreUnavailable):
        store.put_new(name, [b"content"])
    assert len(trouble.requests) == SETTINGS.attempts
    assert store.remains([name]) == set()


@pytest.mark.parametrize(
    "code", ["AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"]
)
def test_a_refusal_is_not_tried_again(store: S3Store, code: str) -> None:
    trouble = Trouble(store._client, "PutObject", lambda _n, _r: answer(403, code))
    with pytest.raises(NotPermitted, match=code):
        store.put_new(a_name(), [b"content"])
    assert len(trouble.requests) == 1


@pytest.mark.parametrize(
    "failure",
    [
        ReadTimeoutError(endpoint_url="https://s3"),
        ConnectTimeoutError(endpoint_url="https://s3"),
        EndpointConnectionError(endpoint_url="https://s3"),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_a_server_out_of_reach_is_unavailable(store: S3Store, failure: Exception) -> None:
    for operation in ("PutObject", "HeadObject", "ListObjectsV2", "ListObjectVersions"):
        Trouble(store._client, operation, lambda _n, _r: failure)
    name = a_name()
    for act in (
        lambda: store.put_new(name, [b"content"]),
        lambda: store.size_of(name),
        lambda: list(store.list_names()),
        lambda: store.remains([name]),
        lambda: store.erase_many([name]),
    ):
        with pytest.raises(StoreUnavailable):
            act()


def losing_the_answer(store: S3Store, operation: str) -> None:
    """The request is carried out; what comes back is lost, once."""
    lost: list[bool] = []

    def lose(response: Any, **_: object) -> Any:
        if not lost and response is not None:
            lost.append(True)
            return 0.0
        return None

    store._client.meta.events.register_first(f"needs-retry.s3.{operation}", lose)


@pytest.mark.parametrize(
    ("operation", "content"), [("PutObject", b"content"), ("CompleteMultipartUpload", LONG)]
)
def test_a_put_whose_answer_was_lost_is_recognised_as_ours(
    store: S3Store, operation: str, content: bytes
) -> None:
    """The repeated request finds the name taken, by its own first try."""
    losing_the_answer(store, operation)
    name = a_name()
    assert store.put_new(name, [content]) == len(content)
    assert store.size_of(name) == len(content)


def test_a_name_taken_by_somebody_else_is_not_taken_for_ours(store: S3Store) -> None:
    name = a_name()
    store.put_new(name, [b"theirs"])
    losing_the_answer(store, "PutObject")
    with pytest.raises(ObjectExists):
        store.put_new(name, [b"ours"])
    assert b"".join(store.read(name)) == b"theirs"


def test_a_part_that_fails_leaves_no_upload_behind(store: S3Store, raw: Any) -> None:
    Trouble(store._client, "UploadPart", lambda n, _: answer(500, "InternalError") if n > 1 else None)
    name = a_name()
    with pytest.raises(StoreUnavailable):
        store.put_new(name, [LONG])
    assert "Uploads" not in raw.list_multipart_uploads(Bucket=BUCKET)
    assert store.remains([name]) == set()


def test_a_server_that_kept_something_else_is_found_out(store: S3Store) -> None:
    def lie(parsed: dict[str, Any], **_: object) -> None:
        parsed["ChecksumSHA256"] = "c29tZXRoaW5nIGVsc2U="

    store._client.meta.events.register("after-call.s3.PutObject", lie)
    name = a_name()
    with pytest.raises(StoreUnavailable, match="something else"):
        store.put_new(name, [b"content"])
    assert store.remains([name]) == set()


def test_a_part_of_which_a_server_kept_something_else_is_found_out(store: S3Store) -> None:
    def lie(parsed: dict[str, Any], **_: object) -> None:
        parsed["ChecksumSHA256"] = "c29tZXRoaW5nIGVsc2U="

    store._client.meta.events.register("after-call.s3.UploadPart", lie)
    name = a_name()
    with pytest.raises(StoreUnavailable, match="something else than part 1"):
        store.put_new(name, [LONG])
    assert store.remains([name]) == set()


def test_an_upload_that_cannot_even_be_aborted_tells_of_the_first_trouble_and_is_swept_later(
    store: S3Store, raw: Any
) -> None:
    Trouble(store._client, "UploadPart", lambda _n, _r: answer(500, "InternalError"))
    Trouble(store._client, "AbortMultipartUpload", lambda _n, _r: answer(503, "SlowDown"))
    with pytest.raises(StoreUnavailable, match="cannot store part"):
        store.put_new(a_name(), [LONG])
    assert len(raw.list_multipart_uploads(Bucket=BUCKET)["Uploads"]) == 1
    S3Store(SETTINGS, CLOCK).sweep(CLOCK.now() + timedelta(days=1))
    assert "Uploads" not in raw.list_multipart_uploads(Bucket=BUCKET)


def test_a_bucket_in_which_no_store_was_made_is_unavailable_never_empty(store: S3Store) -> None:
    with pytest.raises(StoreUnavailable, match="no store in") as caught:
        store.store_id()
    assert "retention init" in caught.value.hint


@pytest.mark.parametrize(
    ("code", "is_there", "is_told"),
    [
        ("NoSuchKey", False, False),
        ("InternalError", False, False),
        ("InternalError", True, True),
    ],
)
def test_a_hold_on_what_is_there_is_set_or_told_and_one_on_what_is_gone_is_neither(
    store: S3Store, code: str, is_there: bool, is_told: bool
) -> None:
    name = a_name()
    if is_there:
        store.put_new(name, [b"content"])
    status = 404 if code == "NoSuchKey" else 500
    Trouble(store._client, "PutObjectLegalHold", lambda _n, _r: answer(status, code))
    with pytest.raises(StoreUnavailable) if is_told else nullcontext():
        store.protect([name], True)


def test_a_server_that_tells_no_checksum_is_checked_by_size(store: S3Store) -> None:
    def forget(parsed: dict[str, Any], **_: object) -> None:
        parsed.pop("ChecksumSHA256", None)

    store._client.meta.events.register("after-call.s3.PutObject", forget)
    store._client.meta.events.register("after-call.s3.CompleteMultipartUpload", forget)
    for content in (b"content", LONG):
        assert store.put_new(a_name(), [content]) == len(content)


def test_a_stream_that_breaks_is_taken_up_where_it_broke(
    store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, content = a_name(), bytes(range(256)) * 20_000
    store.put_new(name, [content])
    real = store._client.get_object
    broken: list[str] = []

    def breaking(**arguments: Any) -> Any:
        found = real(**arguments)
        if len(broken) < 2:
            pieces = found["Body"].iter_chunks

            def break_off(size: int) -> Iterator[bytes]:
                yield next(pieces(size))
                broken.append(arguments["Range"])
                raise ReadTimeoutError(endpoint_url="https://s3")

            monkeypatch.setattr(found["Body"], "iter_chunks", break_off)
        return found

    monkeypatch.setattr(store._client, "get_object", breaking)
    assert b"".join(store.read(name)) == content
    assert broken == ["bytes=0-", f"bytes={1 << 20}-{len(content) - 1}"]


def test_a_server_that_ignores_ranges_is_found_out(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    name = a_name()
    store.put_new(name, [b"0123456789"])
    real = store._client.get_object
    monkeypatch.setattr(store._client, "get_object", lambda Range, **named: real(**named))  # noqa: ARG005, N803 - S3's word
    with pytest.raises(StoreUnavailable, match="another range"):
        list(store.read(name, 2, 3))


def test_versions_and_delete_markers_go_too(store: S3Store, raw: Any) -> None:
    """Whoever overwrote or deleted the key behind our back."""
    name = a_name()
    store.put_new(name, [b"first"])
    raw.put_object(Bucket=BUCKET, Key=f"vault/{name}", Body=b"second")
    raw.delete_object(Bucket=BUCKET, Key=f"vault/{name}")
    assert store.size_of(name) is None
    assert store.remains([name]) == {name}
    assert store.erase_many([name]) == {}
    assert store.remains([name]) == set()
    versions = raw.list_object_versions(Bucket=BUCKET, Prefix=f"vault/{name}")
    assert "Versions" not in versions
    assert "DeleteMarkers" not in versions


def test_an_unfinished_upload_counts_and_goes_with_its_name(store: S3Store, raw: Any) -> None:
    name, other = a_name(), a_name()
    for each in (name, other):
        upload = raw.create_multipart_upload(Bucket=BUCKET, Key=f"vault/{each}")["UploadId"]
        raw.upload_part(
            Bucket=BUCKET, Key=f"vault/{each}", UploadId=upload, PartNumber=1, Body=bytes(5 << 20)
        )
    assert store.remains([name, other]) == {name, other}
    assert store.erase_many([name]) == {}
    assert store.remains([name, other]) == {other}
    assert store.sweep(datetime.now(UTC) + timedelta(days=400)) == 1  # noqa: TID251 - moto's own clock
    assert store.remains([other]) == set()


def test_errors_inside_a_200_are_tried_again(store: S3Store, raw: Any, waits: list[float]) -> None:
    names = [a_name() for _ in range(5)]
    for name in names:
        store.put_new(name, [b"content"])

    def all_but_the_first(number: int, request: AWSRequest) -> Answer:
        if number > 1:
            return None
        first, *others = keys_in(request)
        for key, version in others:
            raw.delete_object(Bucket=BUCKET, Key=key, VersionId=version)
        return errors_inside_200([first], "InternalError")

    trouble = Trouble(store._eraser._impatient, "DeleteObjects", all_but_the_first)
    assert store.erase_many(names) == {}
    assert store.remains(names) == set()
    assert [len(keys_in(request)) for request in trouble.requests] == [5, 1]
    assert len(waits) == 1


def test_what_is_refused_inside_a_200_is_told_by_name_and_not_tried_again(
    store: S3Store, waits: list[float]
) -> None:
    held, free = a_name(), a_name()
    for name in (held, free):
        store.put_new(name, [b"content"])

    def refuse(_n: int, request: AWSRequest) -> AWSResponse:
        return errors_inside_200(
            [pair for pair in keys_in(request) if held in unquote(pair[0])], "AccessDenied"
        )

    trouble = Trouble(store._eraser._impatient, "DeleteObjects", refuse)
    assert store.erase_many([held, free]) == {held: "AccessDenied: m"}
    assert len(trouble.requests) == 1
    assert waits == []


def test_a_delete_that_goes_on_failing_is_told_after_growing_waits(
    store: S3Store, waits: list[float]
) -> None:
    name = a_name()
    store.put_new(name, [b"content"])
    Trouble(
        store._eraser._impatient,
        "DeleteObjects",
        lambda _n, request: errors_inside_200(keys_in(request), "SlowDown"),
    )
    failures = store.erase_many([name])
    assert failures == {name: "SlowDown: m"}
    assert len(waits) == SETTINGS.attempts - 1
    assert waits == sorted(waits)
    assert store.remains([name]) == {name}


def test_many_that_time_out_are_deleted_fewer_at_a_time(
    store: S3Store, raw: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retention.adapters.s3_erase._MANY", 100)
    monkeypatch.setattr("retention.adapters.s3_erase._FEWER", 10)
    names = sorted(a_name() for _ in range(25))
    for name in names:
        raw.put_object(Bucket=BUCKET, Key=f"vault/{name}", Body=b"x")
    trouble = Trouble(
        store._eraser._impatient,
        "DeleteObjects",
        lambda n, _: ReadTimeoutError(endpoint_url="https://s3") if n == 1 else None,
    )
    assert store.erase_many(names) == {}
    assert [len(keys_in(request)) for request in trouble.requests] == [25, 10, 10, 5]
    assert store.remains(names) == set()


def test_a_bucket_without_lock_takes_a_hold_without_a_word(raw: Any) -> None:
    raw.create_bucket(Bucket="plain-bucket")
    store = S3Store(S3Settings("plain-bucket", region="us-east-1"), CLOCK)
    name = a_name()
    store.put_new(name, [b"content"])
    store.protect([name], True)
    assert store.erase_many([name]) == {}
    assert store.remains([name]) == set()


def test_a_listing_of_versions_that_does_not_move_on_is_no_proof_of_absence(store: S3Store) -> None:
    def stuck(parsed: dict[str, Any], **_: object) -> None:
        parsed |= {"IsTruncated": True, "NextKeyMarker": "vault/0", "NextVersionIdMarker": "x"}

    store._client.meta.events.register("after-call.s3.ListObjectVersions", stuck)
    with pytest.raises(StoreUnavailable, match="twice"):
        store.remains([a_name()])


def test_neighbours_are_found_with_one_listing_and_told_apart(store: S3Store) -> None:
    ids = [f"{new_id(CLOCK.now())[:-3]}{number}7Z" for number in range(6)]
    names = [object_name(each, role) for each in ids for role in ("original", "peaks")]
    for name in names:
        store.put_new(name, [b"content"])
    trouble = Trouble(store._client, "ListObjectVersions", lambda _n, _r: None)
    assert store.remains(names[::2]) == set(names[::2])
    assert len(trouble.requests) == 1
    assert store.erase_many(names[::2]) == {}
    assert store.remains(names) == set(names[1::2])


@pytest.mark.parametrize(
    ("code", "expected"), [("NoSuchBucket", StoreUnavailable), ("AccessDenied", NotPermitted)]
)
def test_an_error_while_listing_is_not_an_empty_vault(
    store: S3Store, code: str, expected: type[RetentionError]
) -> None:
    Trouble(store._client, "ListObjectsV2", lambda _n, _r: answer(404, code))
    with pytest.raises(expected):
        list(store.list_names())


def test_missing_credentials_are_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    store = S3Store(S3Settings(BUCKET, endpoint_url="http://127.0.0.1:9", region="us-east-1"), CLOCK)
    with pytest.raises(NotPermitted, match="redentials"):
        store.size_of(a_name())


def test_an_object_of_more_parts_than_s3_takes_is_refused_with_a_remedy(
    store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retention.adapters.store_s3._MAX_PARTS", 2)
    name = a_name()
    with pytest.raises(RetentionError) as caught:
        store.put_new(name, [LONG])
    assert "part_bytes" in caught.value.hint
    assert store.remains([name]) == set()
