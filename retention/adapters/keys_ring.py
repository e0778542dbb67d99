"""The text of a keyring: what its lines say, and how an entry is encrypted under the root.

    retention-keyring 1 ID
    root KIND BLOB
    key KEY-ID SEALED
    secret NAME SEALED

BLOB and SEALED are base64. An entry is AES-256-GCM under the root, with the
keyring's id, the kind and the name as associated data, so that no entry can
stand for another. Pure, but for the random nonces.
"""

import base64
import binascii
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.exceptions import InvalidTag

from retention.adapters.keys_roots import open_bytes, seal_bytes
from retention.kernel.errors import FixityMismatch

_TITLE = "retention-keyring"
_VERSION = "1"


class Kind(StrEnum):
    """What an entry is."""

    KEY = "key"  #: wraps data keys; may be destroyed
    SECRET = "secret"  # noqa: S105 - the word, not one


Entry = tuple[Kind, str]


@dataclass
class Ring:
    """What a keyring's lines say. Lines are only ever added to it; a change makes another."""

    keyring_id: str
    root_kind: str
    root_blob: bytes
    entries: dict[Entry, str] = field(default_factory=dict)  #: the base64 as it stands in the file

    def add(self, lines: list[str]) -> None:
        """Take in lines of entries.

        Raises:
            FixityMismatch: A line is not an entry.
        """
        for line in lines:
            try:
                kind, name, sealed = line.split(" ")
                self.entries[Kind(kind), name] = sealed
            except ValueError:
                raise FixityMismatch(f"the keyring {self.keyring_id} holds a line that is no entry") from None

    def seal_entry(self, root: bytes, entry: Entry, secret: bytes) -> str:
        """The base64 of an entry."""
        return base64.b64encode(seal_bytes(root, secret, self._context(entry))).decode()

    def open_entry(self, root: bytes, entry: Entry) -> bytes:
        """The secret in an entry that is there.

        Raises:
            FixityMismatch: The entry was changed.
        """
        try:
            return open_bytes(
                root, base64.b64decode(self.entries[entry], validate=True), self._context(entry)
            )
        except (InvalidTag, binascii.Error):
            raise FixityMismatch(f"the {entry[0]} {entry[1]} in the keyring was changed") from None

    def opens(self, root: bytes, entry: Entry) -> bool:
        """Whether an entry that is there is as it was written."""
        try:
            self.open_entry(root, entry)
        except FixityMismatch:
            return False
        return True

    def lines(self) -> list[str]:
        """The lines of the file."""
        blob = base64.b64encode(self.root_blob).decode()
        head = [f"{_TITLE} {_VERSION} {self.keyring_id}", f"root {self.root_kind} {blob}"]
        return head + [entry_line(entry, sealed) for entry, sealed in self.entries.items()]

    def without(self, key_ids: set[str]) -> "Ring":
        """The same ring without some keys."""
        doomed = {(Kind.KEY, key_id) for key_id in key_ids}
        kept = {entry: sealed for entry, sealed in self.entries.items() if entry not in doomed}
        return Ring(self.keyring_id, self.root_kind, self.root_blob, kept)

    def key_ids(self) -> frozenset[str]:
        """The ids of the keys."""
        return frozenset(name for kind, name in self.entries if kind is Kind.KEY)

    def _context(self, entry: Entry) -> bytes:
        return f"{_TITLE}.v{_VERSION};{self.keyring_id};{entry[0]};{entry[1]}".encode()


def entry_line(entry: Entry, sealed: str) -> str:
    """The line of one entry."""
    return f"{entry[0]} {entry[1]} {sealed}"


def parse_ring(lines: list[str]) -> Ring:
    """The ring that these lines say.

    Raises:
        FixityMismatch: They are not a keyring's, or one of a format unknown here.
    """
    try:
        title, version, keyring_id = lines[0].split(" ")
        word, root_kind, blob = lines[1].split(" ")
        root_blob = base64.b64decode(blob, validate=True)
    except (IndexError, ValueError):
        raise FixityMismatch("this is not a keyring, or its first lines were changed") from None
    if (title, version, word) != (_TITLE, _VERSION, "root"):
        raise FixityMismatch(f"this is not a keyring of version {_VERSION}")
    ring = Ring(keyring_id, root_kind, root_blob)
    ring.add(lines[2:])
    return ring
