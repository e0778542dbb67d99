"""Erase every version of many objects in S3, and prove that none is left.

Versions are found by prefix and nothing cleverer: names of one shard and one
age have a prefix in common, so that a night's worth comes at many a page
instead of one listing for each name. Starting a listing between two keys
would save more, but stores differ in what they then leave out, and what is
left out would look like proof of absence.

DeleteObjects answers 200 with errors inside: those worth another try get one,
the others are reported by name. Where a thousand at a time is too much for
the store to answer in time, a hundred are tried.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import groupby, islice
from os.path import commonprefix
from typing import Any

from retention.adapters.s3_client import NO_ANSWER, RETRYABLE_IN_ANSWER, S3Settings, s3_trouble
from retention.kernel.errors import NotFound, StoreUnavailable
from retention.vault.model import ObjectName

_LISTINGS_AT_ONCE = 8

_NEIGHBOURS_SHARE = len("9V/01K7")
"""A shard and the first four characters of an id, which say 12 days: in most archives a page or two."""

_MANY = 1000
_FEWER = 100
_FIRST_WAIT_SECONDS = 0.2

Version = tuple[str, str]
"""A key and the id of one of its versions or delete markers."""

Refusal = tuple[str, str]
"""S3's code and message."""


class VersionEraser:
    """Erases in one bucket."""

    def __init__(
        self, settings: S3Settings, client: Any, impatient: Any, sleep: Callable[[float], None]
    ) -> None:
        self._settings = settings
        self._client = client
        # Deleting has its own retries: repeating a thousand that timed out would time out again.
        self._impatient = impatient
        self._at = {"Bucket": settings.bucket}
        self._sleep = sleep

    def erase(self, names: Sequence[ObjectName]) -> dict[ObjectName, str]:
        """Erase every version, delete marker and unfinished upload; the reasons of failures by name."""
        failures: dict[ObjectName, str] = {}
        versions = self.versions(names)
        while batch := list(islice(versions, _MANY)):
            failures |= self._delete(batch)
        wanted = {self._settings.prefix + name for name in names}
        for key, upload, _ in self._uploads():
            if key in wanted:
                self._abort(key, upload)
        return failures

    def remains(self, names: Sequence[ObjectName]) -> set[ObjectName]:
        """The names of which anything is left."""
        wanted = {self._settings.prefix + name for name in names}
        left = {key for key, _ in self.versions(names)}
        left |= {key for key, _, _ in self._uploads() if key in wanted}
        return {self._name(key) for key in left}

    def sweep(self, before: datetime) -> int:
        """Abort the uploads that began before; how many."""
        stale = [(key, upload) for key, upload, began_at in self._uploads() if began_at < before]
        for key, upload in stale:
            self._abort(key, upload)
        return len(stale)

    def versions(self, names: Iterable[ObjectName]) -> Iterator[Version]:
        """Every version and delete marker of these names."""
        keys = sorted({self._settings.prefix + name for name in names})
        length = len(self._settings.prefix) + _NEIGHBOURS_SHARE
        neighbours = [list(group) for _, group in groupby(keys, lambda key: key[:length])]
        with ThreadPoolExecutor(_LISTINGS_AT_ONCE, "s3-list") as pool:
            for found in pool.map(self._versions_of, neighbours):
                yield from found

    def _versions_of(self, keys: list[str]) -> list[Version]:
        wanted = set(keys)
        found: list[Version] = []
        shared = commonprefix(keys)  # noqa: RUF071 - an S3 prefix is made of characters, not of path parts
        for page in self._pages("list_object_versions", shared):
            entries = page.get("Versions", []) + page.get("DeleteMarkers", [])
            found += [(entry["Key"], entry["VersionId"]) for entry in entries if entry["Key"] in wanted]
        return found

    def _delete(self, versions: list[Version]) -> dict[ObjectName, str]:
        """Delete versions; after a first refusal more slowly, and fewer at a time."""
        final: dict[Version, Refusal] = {}
        waiting, at_once = versions, _MANY
        for attempt in range(self._settings.attempts):
            if attempt:
                self._sleep(random.uniform(0.5, 1) * _FIRST_WAIT_SECONDS * 2**attempt)  # noqa: S311 - jitter
            refused: dict[Version, Refusal] = {}
            for start in range(0, len(waiting), at_once):
                refused |= self._delete_batch(waiting[start : start + at_once])
            final |= refused
            for version in set(waiting) - refused.keys():
                final.pop(version, None)
            waiting = [version for version, (code, _) in refused.items() if code in RETRYABLE_IN_ANSWER]
            at_once = _FEWER
            if not waiting:
                break
        return {self._name(key): f"{code}: {message}" for (key, _), (code, message) in final.items()}

    def _delete_batch(self, versions: list[Version]) -> dict[Version, Refusal]:
        """Delete at once; what was refused, and why. No answer refuses all."""
        wanted = {"Objects": [{"Key": key, "VersionId": version} for key, version in versions], "Quiet": True}
        bypass = {"BypassGovernanceRetention": True} if self._settings.bypass_governance else {}
        try:
            with s3_trouble("cannot erase"):
                answer = self._impatient.delete_objects(**self._at, **bypass, Delete=wanted)
        except StoreUnavailable as error:
            return dict.fromkeys(versions, (NO_ANSWER, error.message))
        return {
            (error["Key"], error.get("VersionId", "")): (error.get("Code", ""), error.get("Message", ""))
            for error in answer.get("Errors", [])
        }

    def _uploads(self) -> Iterator[tuple[str, str, datetime]]:
        """Unfinished uploads: key, upload id, when it began."""
        for page in self._pages("list_multipart_uploads", self._settings.prefix):
            for upload in page.get("Uploads", []):
                yield upload["Key"], upload["UploadId"], upload["Initiated"]

    def _pages(self, operation: str, prefix: str) -> Iterator[dict[str, Any]]:
        pages = iter(self._client.get_paginator(operation).paginate(**self._at, Prefix=prefix))
        while True:
            with s3_trouble("cannot list what is in the bucket"):
                page = next(pages, None)
            if page is None:
                return
            yield page

    def _abort(self, key: str, upload: str) -> None:
        try:
            with s3_trouble(f"cannot abort the upload of {key}"):
                self._client.abort_multipart_upload(**self._at, Key=key, UploadId=upload)
        except NotFound:
            return

    def _name(self, key: str) -> ObjectName:
        return ObjectName(key.removeprefix(self._settings.prefix))
