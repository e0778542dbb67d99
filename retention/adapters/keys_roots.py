"""What protects a keyring's root: a key file, a passphrase, or a key in AWS KMS.

A keyring encrypts its entries under a random root of its own, and keeps that
root only as a blob that one of these protectors made.
"""

import os
import secrets
import stat
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from retention.adapters.keys_file import SecretFile
from retention.kernel.errors import (
    FixityMismatch,
    InvalidInput,
    KeyMissing,
    KeyServiceUnavailable,
    NotPermitted,
)

ROOT_BYTES = 32
NONCE_BYTES = 12


class RootProtector(Protocol):
    """Turns a keyring's root into a blob that says nothing without it, and back."""

    kind: str
    """A word that stands before the blob in the keyring."""

    def protect(self, root: bytes, keyring_id: str) -> bytes:
        """The root as a blob, bound to the keyring."""

    def reveal(self, blob: bytes, keyring_id: str) -> bytes:
        """The root again; NotPermitted, KeyMissing or FixityMismatch if this protector is not the one."""

    def retire(self, blob: bytes, keyring_id: str) -> None:
        """Destroy what only older blobs of this keyring need. The keyring with this blob is durable. Repeatable."""


def seal_bytes(key: bytes, content: bytes, context: bytes) -> bytes:
    """AES-256-GCM under a random nonce, which stands in front."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, context)


def open_bytes(key: bytes, sealed: bytes, context: bytes) -> bytes:
    """What `seal_bytes` sealed.

    Raises:
        InvalidTag: Another key, another context, or changed bytes.
    """
    if len(sealed) < NONCE_BYTES:
        raise InvalidTag
    return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)


class FileRoot:
    """A file of 32-byte keys that only its owner may read, beside the keyring or on another disk.

    A line is `KEYRING KEY-NAME HEX`. Rotation adds a key, and takes the old
    one out when the keyring no longer needs it: a stolen older copy of the
    keyring is then closed for good.
    """

    kind = "file"

    def __init__(self, path: Path) -> None:
        self._file = SecretFile(path)

    def protect(self, root: bytes, keyring_id: str) -> bytes:
        """See `RootProtector`."""
        self._file.recover()
        name, key = secrets.token_hex(8), os.urandom(ROOT_BYTES)
        line = f"{keyring_id} {name} {key.hex()}"
        if self._file.stat() is None:
            self._file.replace([line])
        else:
            self._lines()
            self._file.append(line)
        return name.encode() + seal_bytes(key, root, keyring_id.encode())

    def reveal(self, blob: bytes, keyring_id: str) -> bytes:
        """See `RootProtector`."""
        name = blob[:16].decode("ascii", "replace")
        for line in self._lines():
            if line[:2] == [keyring_id, name]:
                try:
                    return open_bytes(bytes.fromhex(line[2]), blob[16:], keyring_id.encode())
                except InvalidTag:
                    raise FixityMismatch(
                        f"the root key {name} does not open the keyring {keyring_id}"
                    ) from None
        raise KeyMissing(
            f"{self._file.path} does not hold the root key {name} of the keyring {keyring_id}",
            hint="Give the root key file that belongs to this keyring, or import an escrow into a new one.",
        )

    def retire(self, blob: bytes, keyring_id: str) -> None:
        """See `RootProtector`."""
        self._file.recover()
        name = blob[:16].decode("ascii")
        lines = self._lines()
        kept = [line for line in lines if line[0] != keyring_id or line[1] == name]
        if len(kept) < len(lines):
            self._file.replace([" ".join(line) for line in kept])

    def _lines(self) -> list[list[str]]:
        found = self._file.stat()
        if found is None:
            raise KeyMissing(
                f"there is no root key file {self._file.path}",
                hint="Give the root key file that belongs to this keyring, or import an escrow into a new one.",
            )
        if stat.S_IMODE(found.st_mode) & 0o077:
            raise NotPermitted(
                f"others may read the root key file {self._file.path}", hint=f"chmod 600 {self._file.path}"
            )
        return [line.split() for line in self._file.open().new_lines()]


@dataclass(frozen=True, slots=True)
class Argon2Cost:
    """How dear one guess of a passphrase is: RFC 9106's second recommended choice."""

    passes: int = 3
    memory_kib: int = 64 * 1024
    lanes: int = 4


_COST = struct.Struct(">III16s")


def derive_from_passphrase(passphrase: str, head: bytes) -> bytes:
    """The 32-byte key that Argon2id makes of a passphrase, with the cost and salt in `head`.

    Raises:
        InvalidInput: The head is not one that `passphrase_head` makes.
    """
    if len(head) != _COST.size:
        raise InvalidInput("the costs of the passphrase are cut short")
    passes, memory_kib, lanes, salt = _COST.unpack(head)
    return hash_secret_raw(passphrase.encode(), salt, passes, memory_kib, lanes, ROOT_BYTES, Type.ID)


def passphrase_head(cost: Argon2Cost) -> bytes:
    """A cost and a fresh salt, as `derive_from_passphrase` wants them."""
    return _COST.pack(cost.passes, cost.memory_kib, cost.lanes, os.urandom(16))


PASSPHRASE_HEAD_BYTES = _COST.size


class PassphraseRoot:
    """A passphrase, stretched by Argon2id. Asked for once in a process, when the keyring opens."""

    kind = "passphrase"

    def __init__(self, ask: Callable[[], str], cost: Argon2Cost | None = None) -> None:
        self._ask = ask
        self._cost = cost or Argon2Cost()

    def protect(self, root: bytes, keyring_id: str) -> bytes:
        """See `RootProtector`."""
        head = passphrase_head(self._cost)
        return head + seal_bytes(derive_from_passphrase(self._ask(), head), root, keyring_id.encode())

    def reveal(self, blob: bytes, keyring_id: str) -> bytes:
        """See `RootProtector`."""
        head, sealed = blob[:PASSPHRASE_HEAD_BYTES], blob[PASSPHRASE_HEAD_BYTES:]
        try:
            return open_bytes(derive_from_passphrase(self._ask(), head), sealed, keyring_id.encode())
        except InvalidTag:
            raise NotPermitted("the passphrase does not open the keyring") from None

    def retire(self, blob: bytes, keyring_id: str) -> None:
        """See `RootProtector`. Nothing is kept outside the keyring."""


@dataclass(frozen=True, slots=True)
class KmsSettings:
    """Where the key that protects the root is. Credentials come from boto3's own chain."""

    key_id: str  #: id, ARN or alias of a symmetric KMS key
    region: str | None = None
    endpoint_url: str | None = None


class KmsRoot:
    """A key in AWS KMS that never leaves it. Asked once in a process, when the keyring opens."""

    kind = "kms"

    def __init__(self, settings: KmsSettings) -> None:
        import boto3  # noqa: PLC0415 - it takes a fifth of a second, and most keyrings do without

        self._key_id = settings.key_id
        session = boto3.Session(region_name=settings.region)
        self._client: Any = session.client("kms", endpoint_url=settings.endpoint_url)

    def protect(self, root: bytes, keyring_id: str) -> bytes:
        """See `RootProtector`."""
        with _kms_trouble(self._key_id):
            answer = self._client.encrypt(
                KeyId=self._key_id, Plaintext=root, EncryptionContext=_kms_context(keyring_id)
            )
        return bytes(answer["CiphertextBlob"])

    def reveal(self, blob: bytes, keyring_id: str) -> bytes:
        """See `RootProtector`."""
        with _kms_trouble(self._key_id):
            answer = self._client.decrypt(
                KeyId=self._key_id, CiphertextBlob=blob, EncryptionContext=_kms_context(keyring_id)
            )
        return bytes(answer["Plaintext"])

    def retire(self, blob: bytes, keyring_id: str) -> None:
        """See `RootProtector`. KMS keeps the versions of its keys itself."""


def _kms_context(keyring_id: str) -> dict[str, str]:
    return {"retention:keyring": keyring_id}


_KMS_REFUSALS = {"AccessDeniedException", "UnrecognizedClientException", "InvalidClientTokenId"}
_KMS_MISMATCHES = {"InvalidCiphertextException", "IncorrectKeyException"}


@contextmanager
def _kms_trouble(key_id: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _KMS_REFUSALS:
            raise NotPermitted(f"KMS does not let us use the key {key_id}: {code}") from error
        if code in _KMS_MISMATCHES:
            raise FixityMismatch(f"the KMS key {key_id} does not open this keyring") from error
        raise KeyServiceUnavailable(f"KMS could not use the key {key_id}: {code}") from error
    except BotoCoreError as error:
        raise KeyServiceUnavailable(f"KMS did not answer for the key {key_id}: {error}") from error
