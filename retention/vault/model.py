"""Names of sealed objects, the facts recorded about them, and the two ports of the vault.

Pure: no input, no output. The vault does not know what a recording is kept
for; it holds bytes under names and keys under ids, and callers hand in both.

Rules:
- A name carries no personal data: a shard, a recording's id and a role.
- A name is checked on the way in and on the way out.
- Each docstring line of a port is an obligation, and `tests/contracts`
  checks it on every adapter.

Sizes are bytes. Instants are aware UTC.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NewType, Protocol, TypeAlias

from retention.kernel.errors import InvalidInput
from retention.kernel.ids import ID_PATTERN, is_id

ObjectName = NewType("ObjectName", str)

Chunk: TypeAlias = bytes | bytearray | memoryview
"""Bytes in passing. A chunk is good only until the next one is asked for: its buffer may be reused."""

DATA_KEY_BYTES = 32

_ROLE = re.compile(r"[a-z]+(?:-[a-z0-9]+)*")
_ROLE_LENGTH = 32
_NAME = re.compile(
    rf"(?P<shard>[0-9A-Z]{{2}})/(?P<id>{ID_PATTERN.pattern})(?:\.(?P<version>[1-9][0-9]{{0,8}}))?\.(?P<role>[a-z0-9-]+)"
)
_SECRET_NAME = re.compile(r"[a-z]+(?:-[a-z0-9]+)*")


def object_name(recording_id: str, role: str, version: int = 1) -> ObjectName:
    """The name under which the bytes of one role of a recording are stored.

    The shard is the end of the id, which is random, so a million objects
    spread evenly over 1,024 folders; inside a folder they lie in order of age.

    Args:
        recording_id: A recording's id (`retention.kernel.ids.new_id`).
        role: What the object is to its recording: `original`, `thumbnail`, `peaks`, `redacted`.
        version: 1 as it came in; higher once part of its content was destroyed. A name never stands for
            other bytes.

    Raises:
        InvalidInput: The id, the role or the version has the wrong form.
    """
    if not is_id(recording_id):
        raise InvalidInput(f"not a recording id: {recording_id!r}")
    if len(role) > _ROLE_LENGTH or not _ROLE.fullmatch(role):
        raise InvalidInput(f"not a role: {role!r}; a role is lower-case words joined by hyphens")
    if version < 1:
        raise InvalidInput(f"not a version: {version}; versions count from 1")
    later = f".{version}" if version > 1 else ""
    return ObjectName(f"{recording_id[-2:]}/{recording_id}{later}.{role}")


def parse_name(text: str) -> tuple[str, str, int]:
    """The recording id, the role and the version in an object's name.

    Raises:
        InvalidInput: The text is not a name that `object_name` makes.
    """
    found = _NAME.fullmatch(text)
    if found is None or object_name(found["id"], found["role"], int(found["version"] or 1)) != text:
        raise InvalidInput(f"not the name of a sealed object: {text!r}")
    return found["id"], found["role"], int(found["version"] or 1)


def validate_name(text: str) -> ObjectName:
    """The text as a name.

    Raises:
        InvalidInput: The text is not a name that `object_name` makes.
    """
    parse_name(text)
    return ObjectName(text)


def is_object_name(text: str) -> bool:
    """Whether the text is a name that `object_name` makes."""
    try:
        parse_name(text)
    except InvalidInput:
        return False
    return True


def validate_secret_name(text: str) -> str:
    """The text as the name of a long-lived secret.

    Raises:
        InvalidInput: The text is not lower-case words joined by hyphens, at most 32 characters.
    """
    if len(text) > _ROLE_LENGTH or not _SECRET_NAME.fullmatch(text):
        raise InvalidInput(f"not the name of a secret: {text!r}")
    return text


@dataclass(frozen=True, slots=True)
class Sealed:
    """What the catalogue records about one sealed object, and what opening it needs besides the key."""

    name: ObjectName
    role: str
    size_bytes: int  #: of the plain content
    stored_bytes: int  #: of the sealed object
    sha256: bytes  #: of the plain content, 32 bytes
    commitment: bytes  #: ties the object to one key, 32 bytes; see `envelope.commitment`


class ObjectStore(Protocol):
    """Where sealed bytes live.

    Every method may raise StoreUnavailable, and nothing else that is worth retrying.
    A store whose medium is absent (an unmounted disk, a missing bucket) is unavailable, never empty.
    Every method raises InvalidInput for a name that `object_name` could not have made.
    """

    def store_id(self) -> str:
        """A random id that this store keeps for ever and no other store has."""

    def put_new(self, name: ObjectName, chunks: Iterable[Chunk], *, durable: bool = True) -> int:
        """Store once and return the size in bytes.

        ObjectExists if the name is taken, even by a racing put: exactly one wins.
        All or nothing: if the chunks or the store fail, the name is absent and the error comes through.
        Each chunk is consumed before the next is asked for.
        Durable on return; with `durable=False` only once `sync` has returned for the name.
        """

    def sync(self, names: Sequence[ObjectName]) -> None:
        """Make the objects put under these names durable, all at once and cheaply."""

    def read(
        self, name: ObjectName, start_bytes: int = 0, length_bytes: int | None = None
    ) -> Iterator[bytes]:
        """The stored bytes from `start_bytes`, to the end or `length_bytes` of them.

        NotFound if absent, before the first chunk.
        InvalidInput if the range is negative or does not lie inside the object.
        Never a short read without an error.
        """

    def size_of(self, name: ObjectName) -> int | None:
        """The stored size in bytes; None if absent."""

    def erase_many(self, names: Sequence[ObjectName]) -> dict[ObjectName, str]:
        """Erase every version and delete marker; return the reasons of failures by name.

        An empty answer means that all are gone, durably.
        A failure of one name does not keep the others.
        A protected object is not erased and is among the failures.
        Safe to repeat; an absent name is no failure.
        """

    def remains(self, names: Sequence[ObjectName]) -> set[ObjectName]:
        """The names of which any version or delete marker is still there: the proof of absence."""

    def list_names(self, prefix: str = "") -> Iterator[tuple[ObjectName, int, datetime]]:
        """Name, size in bytes and instant of storing of each object, in ascending order of names.

        Streams: holds a page, not the whole.
        What is not an object of ours (a stranger's file, an unfinished put) is not listed.
        """

    def strangers(self, before: datetime) -> Iterator[tuple[str, int, datetime]]:
        """Name, size in bytes and instant of storing of what lies in the store and is no object of ours.

        The names are the store's own. What a put left unfinished is among them if it is older than `before`.
        """

    def erase_strangers(self, names: Sequence[str]) -> dict[str, str]:
        """Erase what `strangers` lists under these names, durably; return the reasons of failures by name.

        InvalidInput for the name of an object of ours or of the store's id, before anything is erased.
        Safe to repeat; an absent name is no failure.
        """

    def protect(self, names: Sequence[ObjectName], held: bool) -> None:
        """Mirror a hold as the store's own lock, or take the lock away.

        What is absent is passed over: `check` finds what is lost, and a hold is placed or lifted all the same.
        Safe to repeat.
        A second line of defence: a store that has no lock does nothing.
        """

    def sweep(self, before: datetime) -> int:
        """Remove what puts left unfinished before that instant; how many. Never touches an object."""


class KeyService(Protocol):
    """Where keys live: cohort and hold keys, which may be destroyed, and named secrets, which stay.

    Every method may raise KeyServiceUnavailable, and nothing else that is worth retrying.
    Safe to use from many threads and, where the medium is shared, from many processes.
    A key never leaves the service; only what it wrapped does.
    """

    def new_key(self) -> str:
        """Make a random key and return its id; durable before it returns."""

    def wrap(self, key_id: str, secret: bytes, context: bytes) -> bytes:
        """Encrypt a secret of at most 1,024 bytes under a key, bound to the context. KeyMissing if there is none."""

    def unwrap(self, key_id: str, wrapped: bytes, context: bytes) -> bytes:
        """The secret again.

        KeyMissing if the key is not there.
        FixityMismatch if it was not wrapped by this key for this context, or was changed.
        """

    def wrap_many(self, key_id: str, items: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
        """`wrap` for many pairs of secret and context, in order, as one cheap act."""

    def unwrap_many(self, key_id: str, items: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
        """`unwrap` for many pairs of wrapped secret and context, in order, as one cheap act."""

    def destroy(self, key_ids: Collection[str]) -> None:
        """Destroy keys, durably, as one act however many they are.

        On return no process can use them, and nothing of them is left in the service.
        Safe to repeat; an absent id is no failure.
        """

    def key_ids(self) -> frozenset[str]:
        """The ids of all keys that are there; secrets are not among them."""

    def unreadable(self) -> frozenset[str]:
        """The ids among `key_ids` of keys that nobody can use: what is kept of them was changed.

        Every key is tried anew, and none is changed by it.
        """

    def rotate_root(self) -> None:
        """Protect all keys and secrets by a new root; what was wrapped before still unwraps."""

    def secret(self, name: str) -> bytes:
        """The 32 random bytes of that name, made on first use; the same for ever, in every process."""
