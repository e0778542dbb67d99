"""An object store in an S3 bucket, versioned or not, locked or not.

Uploads are conditional (`If-None-Match: *`) and carry our own SHA-256, which
the server must find equal; long ones go in parts, with constant memory.
Erasing goes by version: every version and delete marker of a name, whatever
wrote them. A bucket's lifecycle rules are the operator's second line; nothing
here depends on them.
"""

import base64
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from retention.adapters.s3_client import (
    S3_ERRORS,
    S3Settings,
    connect,
    error_code,
    meaning,
    s3_trouble,
    sha256_base64,
)
from retention.adapters.s3_erase import VersionEraser
from retention.kernel.clock import Clock
from retention.kernel.errors import (
    InvalidInput,
    NotFound,
    ObjectExists,
    StoreUnavailable,
)
from retention.vault.model import Chunk, ObjectName, is_object_name, validate_name

_READ_BYTES = 1 << 20
_MAX_PARTS = 10_000
_AT_ONCE = 8
"""Small requests under way at a time."""

_TOKEN = "put"  # noqa: S105 - a metadata key: the random word of the put that made an object
_MARKER = "store-id"
_NO_LOCK = "ObjectLockConfigurationNotFoundError"


class S3Store:
    """Sealed objects in a bucket. Construction touches nothing; `create` marks the bucket as a store."""

    def __init__(
        self, settings: S3Settings, clock: Clock, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._client, impatient = connect(settings)
        self._at = {"Bucket": settings.bucket}
        self._eraser = VersionEraser(settings, self._client, impatient, sleep)
        self._has_lock: bool | None = None

    @classmethod
    def create(cls, settings: S3Settings, clock: Clock) -> "S3Store":
        """The store in this bucket and prefix, marked as one if it is not. Safe to repeat."""
        store = cls(settings, clock)
        content = secrets.token_hex(16).encode()
        try:
            with s3_trouble(f"cannot make a store in {settings.bucket}"):
                store._client.put_object(
                    **store._at, Key=settings.prefix + _MARKER, Body=content, IfNoneMatch="*"
                )
        except ObjectExists:
            pass
        return store

    def store_id(self) -> str:
        """See `ObjectStore`."""
        try:
            with s3_trouble(f"cannot read the store's id in {self._settings.bucket}"):
                answer = self._client.get_object(**self._at, Key=self._settings.prefix + _MARKER)
                return str(answer["Body"].read().decode("ascii"))
        except NotFound as error:
            raise StoreUnavailable(
                f"no store in {self._settings.bucket}/{self._settings.prefix}",
                hint="Look at the settings. A new store is made with `retention init`.",
            ) from error

    def put_new(self, name: ObjectName, chunks: Iterable[Chunk], *, durable: bool = True) -> int:  # noqa: ARG002 - S3 is durable when it answers
        """See `ObjectStore`."""
        validate_name(name)
        token = secrets.token_hex(16)
        parts = _in_parts(chunks, self._settings.part_bytes)
        first = next(parts, b"")
        second = next(parts, None)
        try:
            if second is None:
                self._put_whole(name, first, token)
                return len(first)
            return self._put_in_parts(name, [first, second], parts, token)
        except (ObjectExists, StoreUnavailable):
            # A retried or unanswered request may have succeeded the first time: then the object is ours.
            size_bytes = self._size_if_ours(name, token)
            if size_bytes is None:
                raise
            return size_bytes

    def _put_whole(self, name: ObjectName, content: bytes, token: str) -> None:
        checksum = sha256_base64(content)
        with s3_trouble(f"cannot store {name}"):
            answer = self._client.put_object(
                **self._at,
                **self._new_object(token),
                Key=self._key(name),
                Body=content,
                ChecksumAlgorithm="SHA256",
                ChecksumSHA256=checksum,
                IfNoneMatch="*",
            )
        self._verify(name, answer, checksum, len(content))

    def _put_in_parts(
        self, name: ObjectName, waiting: list[bytes], parts: Iterator[bytes], token: str
    ) -> int:
        at = {**self._at, "Key": self._key(name)}
        with s3_trouble(f"cannot store {name}"):
            upload = self._client.create_multipart_upload(
                **at, **self._new_object(token), ChecksumAlgorithm="SHA256"
            )["UploadId"]
        try:
            sent, size_bytes = self._send_parts(name, upload, waiting, parts)
            with s3_trouble(f"cannot store {name}"):
                answer = self._client.complete_multipart_upload(
                    **at, UploadId=upload, MultipartUpload={"Parts": sent}, IfNoneMatch="*"
                )
        except BaseException:
            self._abort(at["Key"], upload)
            raise
        self._verify(name, answer, _composite(sent), size_bytes)
        return size_bytes

    def _send_parts(
        self, name: ObjectName, upload: str, waiting: list[bytes], parts: Iterator[bytes]
    ) -> tuple[list[dict[str, Any]], int]:
        sent: list[dict[str, Any]] = []
        size_bytes = 0
        under_way: deque[Future[dict[str, Any]]] = deque()
        with ThreadPoolExecutor(self._settings.uploads_at_once, "s3-part") as pool:
            for number, part in enumerate(_chain(waiting, parts), start=1):
                size_bytes += len(part)
                under_way.append(pool.submit(self._send_part, name, upload, number, part))
                if len(under_way) == self._settings.uploads_at_once:
                    sent.append(under_way.popleft().result())
            sent += [future.result() for future in under_way]
        return sent, size_bytes

    def _send_part(self, name: ObjectName, upload: str, number: int, part: bytes) -> dict[str, Any]:
        if number > _MAX_PARTS:
            raise InvalidInput(
                f"{name} is longer than {_MAX_PARTS} parts", hint="Raise part_bytes in the settings."
            )
        checksum = sha256_base64(part)
        with s3_trouble(f"cannot store part {number} of {name}"):
            answer = self._client.upload_part(
                **self._at,
                Key=self._key(name),
                UploadId=upload,
                PartNumber=number,
                Body=part,
                ChecksumAlgorithm="SHA256",
                ChecksumSHA256=checksum,
            )
        if answer.get("ChecksumSHA256", checksum) != checksum:
            raise StoreUnavailable(f"S3 kept something else than part {number} of {name}")
        return {"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": checksum}

    def _new_object(self, token: str) -> dict[str, Any]:
        facts: dict[str, Any] = {"Metadata": {_TOKEN: token}, "ContentType": "application/octet-stream"}
        if self._settings.governance_days is not None:
            facts["ObjectLockMode"] = "GOVERNANCE"
            facts["ObjectLockRetainUntilDate"] = self._clock.now() + timedelta(
                days=self._settings.governance_days
            )
        return facts

    def _verify(self, name: ObjectName, answer: dict[str, Any], checksum: str, size_bytes: int) -> None:
        """The server computed our checksum too; where it knows none, it has our size."""
        told = answer.get("ChecksumSHA256")
        if told == checksum or (told is None and self.size_of(name) == size_bytes):
            return
        self.erase_many([name])
        raise StoreUnavailable(f"S3 kept something else than the {size_bytes} bytes of {name}")

    def _size_if_ours(self, name: ObjectName, token: str) -> int | None:
        try:
            with s3_trouble(f"cannot look at {name}"):
                found = self._client.head_object(**self._at, Key=self._key(name))
        except (NotFound, StoreUnavailable):
            return None
        return int(found["ContentLength"]) if found.get("Metadata", {}).get(_TOKEN) == token else None

    def _abort(self, key: str, upload: str) -> None:
        try:
            self._client.abort_multipart_upload(**self._at, Key=key, UploadId=upload)
        except S3_ERRORS:
            # The error that brought us here is the one to tell; `sweep` aborts the upload in a day.
            return

    def sync(self, names: Sequence[ObjectName]) -> None:
        """See `ObjectStore`. S3 is durable when it answers."""
        for name in names:
            validate_name(name)

    def read(
        self, name: ObjectName, start_bytes: int = 0, length_bytes: int | None = None
    ) -> Iterator[bytes]:
        """See `ObjectStore`. A stream that breaks is taken up where it broke."""
        validate_name(name)
        if start_bytes < 0 or (length_bytes is not None and length_bytes < 0):
            raise InvalidInput(f"not a range of {name}: {length_bytes} bytes from {start_bytes}")
        position = start_bytes
        end = None if length_bytes is None else start_bytes + length_bytes
        broken = StoreUnavailable(f"{name} broke off while it was read")
        for _ in range(self._settings.attempts):
            try:
                answer = self._get(name, position, end)
                if answer is None:
                    return
                end = position + int(answer["ContentLength"])
                for piece in _pieces(name, answer):
                    position += len(piece)
                    yield piece
            except StoreUnavailable as error:
                broken = error
            if position == end:
                return
        raise broken

    def _get(self, name: ObjectName, start: int, end: int | None) -> dict[str, Any] | None:
        """The answer that holds exactly this range; None if the range is empty, which S3 cannot say."""
        if end is None or end > start:
            last = "" if end is None else end - 1
            try:
                with s3_trouble(f"cannot read {name}"):
                    answer: dict[str, Any] = self._client.get_object(
                        **self._at, Key=self._key(name), Range=f"bytes={start}-{last}"
                    )
            except InvalidInput:
                pass
            else:
                if end is None or answer["ContentLength"] == end - start:
                    return answer
        size_bytes = self.size_of(name)
        if size_bytes is None:
            raise NotFound(f"the vault holds no {name}")
        if (start if end is None else end) > size_bytes:
            raise InvalidInput(f"not a range of the {size_bytes} bytes of {name}: {start} to {end}")
        if start not in (end, size_bytes):
            raise StoreUnavailable(f"S3 gave another range of {name} than {start} to {end}")
        return None

    def size_of(self, name: ObjectName) -> int | None:
        """See `ObjectStore`."""
        validate_name(name)
        try:
            with s3_trouble(f"cannot look at {name}"):
                return int(self._client.head_object(**self._at, Key=self._key(name))["ContentLength"])
        except NotFound:
            self._require_bucket()
            return None

    def _require_bucket(self) -> None:
        """A missing bucket answers a look at an object just as a missing object does."""
        try:
            with s3_trouble("cannot look at the bucket"):
                self._client.head_bucket(**self._at)
        except NotFound as error:
            raise StoreUnavailable(f"there is no bucket {self._settings.bucket}") from error

    def erase_many(self, names: Sequence[ObjectName]) -> dict[ObjectName, str]:
        """See `ObjectStore`."""
        return self._eraser.erase([validate_name(name) for name in names])

    def remains(self, names: Sequence[ObjectName]) -> set[ObjectName]:
        """See `ObjectStore`. An unfinished upload counts."""
        return self._eraser.remains([validate_name(name) for name in names])

    def list_names(self, prefix: str = "") -> Iterator[tuple[ObjectName, int, datetime]]:
        """See `ObjectStore`. Holds one page."""
        for name, size_bytes, stored_at in self._listed(prefix):
            if is_object_name(name):
                yield ObjectName(name), size_bytes, stored_at

    def _listed(self, prefix: str) -> Iterator[tuple[str, int, datetime]]:
        pages = iter(
            self._client.get_paginator("list_objects_v2").paginate(
                **self._at, Prefix=self._settings.prefix + prefix
            )
        )
        while True:
            with s3_trouble("cannot list the vault"):
                page = next(pages, None)
            if page is None:
                return
            for entry in page.get("Contents", []):
                yield entry["Key"].removeprefix(self._settings.prefix), entry["Size"], entry["LastModified"]

    def strangers(self, before: datetime) -> Iterator[tuple[str, int, datetime]]:  # noqa: ARG002 - uploads lie apart
        """See `ObjectStore`. An unfinished upload is no object; `sweep` aborts it."""
        for name, size_bytes, stored_at in self._listed(""):
            if name != _MARKER and not is_object_name(name):
                yield name, size_bytes, stored_at

    def erase_strangers(self, names: Sequence[str]) -> dict[str, str]:
        """See `ObjectStore`."""
        for name in names:
            if not name or name == _MARKER or is_object_name(name):
                raise InvalidInput(f"not the name of something strange in the store: {name!r}")
        failures = self._eraser.erase([ObjectName(name) for name in names])
        return {str(name): reason for name, reason in failures.items()}

    def protect(self, names: Sequence[ObjectName], held: bool) -> None:
        """See `ObjectStore`. A legal hold of Object Lock; nothing where the bucket has none."""
        for name in names:
            validate_name(name)
        if not self._bucket_has_lock():
            return
        status = {"Status": "ON" if held else "OFF"}
        with ThreadPoolExecutor(_AT_ONCE, "s3-hold") as pool:
            for done in [pool.submit(self._set_hold, name, status) for name in names]:
                done.result()

    def _set_hold(self, name: ObjectName, status: dict[str, str]) -> None:
        try:
            with s3_trouble(f"cannot protect {name}"):
                self._client.put_object_legal_hold(**self._at, Key=self._key(name), LegalHold=status)
        except NotFound:
            return
        except StoreUnavailable:
            # SeaweedFS 4.48 answers InternalError where AWS answers NoSuchKey.
            if self.size_of(name) is not None:
                raise

    def _bucket_has_lock(self) -> bool:
        if self._has_lock is None:
            try:
                found = self._client.get_object_lock_configuration(**self._at)["ObjectLockConfiguration"]
                self._has_lock = found.get("ObjectLockEnabled") == "Enabled"
            except S3_ERRORS as error:
                if not isinstance(error, ClientError) or error_code(error) != _NO_LOCK:
                    raise meaning(error, "cannot look at the bucket's lock") from error
                self._has_lock = False
        return self._has_lock

    def is_versioned(self) -> bool:
        """Whether the bucket keeps what is overwritten or deleted without naming a version."""
        with s3_trouble("cannot look at the bucket's versioning"):
            return bool(self._client.get_bucket_versioning(**self._at).get("Status") == "Enabled")

    def cover(self, name: ObjectName) -> None:
        """Delete as a careless tool would, without naming a version: `retention doctor` then looks what is left."""
        with s3_trouble(f"cannot delete {name}"):
            self._client.delete_object(**self._at, Key=self._key(validate_name(name)))

    def sweep(self, before: datetime) -> int:
        """See `ObjectStore`."""
        return self._eraser.sweep(before)

    def _key(self, name: ObjectName) -> str:
        return self._settings.prefix + name


def _chain(first: list[bytes], rest: Iterator[bytes]) -> Iterator[bytes]:
    """The first parts, each let go of when it is on its way, then the rest."""
    while first:
        yield first.pop(0)
    yield from rest


def _in_parts(chunks: Iterable[Chunk], part_bytes: int) -> Iterator[bytes]:
    """Pour chunks into parts of one size; the last may be shorter."""
    part = bytearray()
    for chunk in chunks:
        rest = memoryview(chunk)
        while rest:
            taken = rest[: part_bytes - len(part)]
            part += taken
            rest = rest[len(taken) :]
            if len(part) == part_bytes:
                yield bytes(part)
                part.clear()
    if part:
        yield bytes(part)


def _pieces(name: ObjectName, answer: dict[str, Any]) -> Iterator[bytes]:
    pieces = answer["Body"].iter_chunks(_READ_BYTES)
    while True:
        with s3_trouble(f"cannot read {name}"):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece


def _composite(sent: list[dict[str, Any]]) -> str:
    """S3's checksum of a multipart object: that of its parts' digests, and their number."""
    digests = b"".join(base64.b64decode(part["ChecksumSHA256"]) for part in sent)
    return f"{sha256_base64(digests)}-{len(sent)}"
