"""A connection to one S3 bucket, and what its errors mean to the vault.

Retries of what is worth retrying are botocore's ("standard" mode, with its
own back-off); what comes out of here is final for this call.
"""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError

from retention.kernel.errors import (
    InvalidInput,
    NotFound,
    NotPermitted,
    ObjectExists,
    RetentionError,
    StoreUnavailable,
)

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class S3Settings:
    """One bucket, and how to behave towards it. Credentials come from boto3's own chain."""

    bucket: str
    prefix: str = ""  #: before every key; ends in a slash if given
    endpoint_url: str | None = None  #: for stores other than AWS
    region: str | None = None
    addressing_style: str = "auto"  #: `path` for most stores other than AWS
    part_bytes: int = 8 * _MIB  #: of a multipart upload; S3 takes 5 MiB to 5 GiB, and 10,000 parts
    uploads_at_once: int = 3  #: parts under way; memory held is this plus two, times `part_bytes`
    timeout_seconds: float = 60.0  #: without an answer
    attempts: int = 5  #: of a request that is worth retrying
    governance_days: int | None = None  #: Object Lock in governance mode for so many days from storing
    bypass_governance: bool = False  #: whether erasing may pass over governance, given the permission


S3_ERRORS = (ClientError, BotoCoreError, HTTPClientError)
"""All that botocore raises when a request fails."""


def connect(settings: S3Settings) -> tuple[Any, Any]:
    """A boto3 client that repeats what is worth repeating, and one that does not. Both may be shared among threads."""
    session = boto3.Session(region_name=settings.region)

    def client(attempts: int) -> Any:
        config = Config(
            connect_timeout=10,
            read_timeout=settings.timeout_seconds,
            max_pool_connections=32,
            retries={"mode": "standard", "total_max_attempts": attempts},
            s3={"addressing_style": settings.addressing_style},
        )
        return session.client("s3", endpoint_url=settings.endpoint_url, config=config)

    return client(settings.attempts), client(1)


def sha256_base64(content: bytes) -> str:
    """A SHA-256 as S3 writes it."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


_MEANINGS: dict[str, tuple[type[RetentionError], str, str | None]] = {
    **dict.fromkeys(
        ("NoSuchKey", "404", "NotFound", "NoSuchVersion", "NoSuchUpload"),
        (NotFound, "there is no such object", None),
    ),
    **dict.fromkeys(("PreconditionFailed", "412"), (ObjectExists, "the name is taken", None)),
    **dict.fromkeys(
        (
            "AccessDenied",
            "403",
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "ExpiredToken",
            "InvalidToken",
        ),
        (NotPermitted, "S3 refused", "Look at the credentials and at the bucket's policy."),
    ),
    **dict.fromkeys(("InvalidRange", "416"), (InvalidInput, "the object has no such range", None)),
    "NoSuchBucket": (StoreUnavailable, "there is no such bucket", "Look at the settings of the store."),
}
"""What S3's codes mean; all others, that the store is unavailable."""

NO_ANSWER = "NoAnswer"
"""Our own word, in the place of a code, for a request that got none."""

RETRYABLE_IN_ANSWER = {
    NO_ANSWER,
    "InternalError",
    "SlowDown",
    "ServiceUnavailable",
    "RequestTimeout",
    "OperationAborted",
    "Throttling",
    "ThrottlingException",
    "ReconciliationInProgress",
}
"""Codes of single keys inside an answer of 200 that are worth another try. Others are final."""


def error_code(error: ClientError) -> str:
    """S3's word for what went wrong."""
    return str(error.response.get("Error", {}).get("Code", ""))


def meaning(error: Exception, doing: str) -> RetentionError:
    """What an error of botocore means to the vault."""
    if isinstance(error, ClientError):
        code = error_code(error)
        kind, what, hint = _MEANINGS.get(code, (StoreUnavailable, "S3 failed", None))
        return kind(f"{doing}: {what} ({code})", hint=hint)
    if isinstance(error, NoCredentialsError):
        return NotPermitted(f"{doing}: {error}", hint="Give credentials where boto3 looks for them.")
    return StoreUnavailable(f"{doing}: {error}")


@contextmanager
def s3_trouble(doing: str) -> Iterator[None]:
    """Errors of botocore become the vault's. Never wrapped around a caller's code."""
    try:
        yield
    except S3_ERRORS as error:
        raise meaning(error, doing) from error
