"""Encrypt what waits behind a link, so that neither the link nor the passphrase alone opens it.

A link holds 32 random bytes, which the outbox never has; it knows a link by
their hash. The key is made of these bytes and of the passphrase:

    stretched = Argon2id(passphrase, salt)                       RFC 9106
    key       = HKDF-SHA256(stretched, salt=token, info=label)   RFC 5869

and the content is sealed as everything in the vault is. A file is one line of
JSON and the sealed content (docs/formats/package.md). The line is bound to
the content: who changes the last day, say, leaves a file that opens for nobody.

Nothing here knows who it is for or what is inside. Sizes are bytes; instants
are aware UTC.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Final
from zoneinfo import ZoneInfo

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from retention.kernel.canonical import canonical_json
from retention.kernel.errors import InvalidInput, NotPermitted
from retention.outbox.passphrase import as_meant
from retention.vault.envelope import SealedReader, commitment, encrypt, stored_size
from retention.vault.model import DATA_KEY_BYTES

FORMAT: Final = "retention-link/1"
TOKEN_BYTES: Final = 32
SALT_BYTES: Final = 16
HEAD_BYTES: Final = 4096  #: a head is no longer
ID: Final = re.compile(r"[0-9a-f]{64}")
_LABEL: Final = b"retention.link.v1"


@dataclass(frozen=True, slots=True)
class Cost:
    """How dear one guess of a passphrase is: RFC 9106's second recommended choice."""

    passes: int = 3
    memory_kib: int = 64 * 1024
    lanes: int = 4

    def is_bearable(self) -> bool:
        """Whether a file may ask for this much: who writes into the outbox must not exhaust the machine."""
        numbers = (self.passes, self.memory_kib, self.lanes)
        return (
            all(type(each) is int for each in numbers)
            and 1 <= self.passes <= 10
            and 1 <= self.lanes <= 8
            and 8 * self.lanes <= self.memory_kib <= 256 * 1024  # the least is RFC 9106's
        )


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before the content, in the clear."""

    id: str  #: the hash of the link's token
    sender: str  #: the store that put it there
    language: str  #: in which the page greets
    zone: str  #: in which it tells the last hour
    expires_at: datetime
    size_bytes: int  #: of the content
    cost: Cost
    salt: bytes

    def bound(self) -> dict[str, Any]:
        """All that the content is bound to."""
        return {
            "format": FORMAT,
            "id": self.id,
            "sender": self.sender,
            "language": self.language,
            "zone": self.zone,
            "expires_at": self.expires_at,
            "size_bytes": self.size_bytes,
            "passes": self.cost.passes,
            "memory_kib": self.cost.memory_kib,
            "lanes": self.cost.lanes,
            "salt": self.salt.hex(),
        }


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file of the outbox, as far as it can be read without a passphrase."""

    head: Head
    commitment: bytes
    begins_at: int  #: where the sealed content begins, in bytes


def new_token() -> bytes:
    """What makes a link unguessable."""
    return os.urandom(TOKEN_BYTES)


def link_text(token: bytes) -> str:
    """The token as it stands in a link: 43 characters."""
    return base64.urlsafe_b64encode(token).rstrip(b"=").decode()


def token_of(text: str) -> bytes | None:
    """The token that a link holds; None where it holds none."""
    try:
        token = base64.b64decode(text.encode("ascii") + b"=", altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None
    # One token, one link: the last character has two bits to spare.
    return token if len(token) == TOKEN_BYTES and link_text(token) == text else None


def id_of(token: bytes) -> str:
    """Under which name the outbox knows a link."""
    return hashlib.sha256(_LABEL + b"\x00" + token).hexdigest()


def sealed_file(head: Head, token: bytes, passphrase: str, content: Iterable[bytes]) -> Iterator[bytes]:
    """The file that waits behind a link, a chunk at a time."""
    key, bound = _key(head, token, passphrase), canonical_json(head.bound())
    line = head.bound() | {"commitment": commitment(key, bound).hex()}
    yield canonical_json(line) + b"\n"
    yield from encrypt(key, bound, content)


def read_head(file: BinaryIO) -> Waiting:
    """What a file of the outbox says of itself.

    Raises:
        InvalidInput: It is none, or it was cut off.
    """
    file.seek(0)
    line = file.readline(HEAD_BYTES)
    try:
        said = json.loads(line)
        head = Head(
            id=said["id"],
            sender=said["sender"],
            language=said["language"],
            zone=ZoneInfo(said["zone"]).key,
            expires_at=datetime.fromisoformat(said["expires_at"]),
            size_bytes=said["size_bytes"],
            cost=Cost(said["passes"], said["memory_kib"], said["lanes"]),
            salt=bytes.fromhex(said["salt"]),
        )
        waiting = Waiting(head, bytes.fromhex(said["commitment"]), len(line))
        whole = canonical_json(head.bound() | {"commitment": said["commitment"]}) + b"\n" == line
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidInput("this is no file of an outbox") from error
    if not (whole and ID.fullmatch(head.id) and head.cost.is_bearable() and len(head.salt) == SALT_BYTES):
        raise InvalidInput("this is no file of an outbox, or it was changed")
    if file.seek(0, os.SEEK_END) != len(line) + stored_size(head.size_bytes):
        raise InvalidInput("this file of the outbox was cut off")
    return waiting


def open_content(file: BinaryIO, waiting: Waiting, token: bytes, passphrase: str) -> SealedReader:
    """A reader of the content, for who has the link and the passphrase.

    It takes a tenth of a second and 64 MiB, on purpose.

    Raises:
        NotPermitted: The passphrase is not the one.
        FixityMismatch: The content was changed.
    """
    bound = canonical_json(waiting.head.bound())
    key = _key(waiting.head, token, passphrase)
    if not hmac.compare_digest(commitment(key, bound), waiting.commitment):
        raise NotPermitted("the passphrase is not the one that belongs to this link")

    def read_at(start: int, length: int) -> bytes:
        return os.pread(file.fileno(), length, waiting.begins_at + start)

    return SealedReader(read_at, key, bound, stored_size(waiting.head.size_bytes))


def _key(head: Head, token: bytes, passphrase: str) -> bytes:
    cost = head.cost
    stretched = hash_secret_raw(
        as_meant(passphrase).encode(),
        head.salt,
        cost.passes,
        cost.memory_kib,
        cost.lanes,
        DATA_KEY_BYTES,
        Type.ID,
    )
    return HKDF(hashes.SHA256(), DATA_KEY_BYTES, token, _LABEL).derive(stretched)
