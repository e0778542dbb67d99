"""The embedded key service: a keyring in a file of its own.

The keyring lives apart from the catalogue and its backups, since a key that
was copied with them could not be destroyed. Each entry is encrypted under the
keyring's root, the root under what protects it (`keys_roots`), and what is
destroyed is overwritten where it lay (`keys_file`).

Rules:
- Before every use of a key the file is looked at, so that a key destroyed by
  another process is never used from memory.
- Making a key appends one line; destroying any number rewrites the file once.
- Keys are in the memory of a process that uses them, and Python cannot wipe
  it: what holds live keys must not be swapped or dumped.
"""

import os
import secrets
import threading
from collections.abc import Collection, Iterable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from retention.adapters.keys_file import SecretFile, Snapshot
from retention.adapters.keys_ring import Entry, Kind, Ring, entry_line, parse_ring
from retention.adapters.keys_roots import NONCE_BYTES, ROOT_BYTES, RootProtector
from retention.kernel.errors import (
    FixityMismatch,
    InvalidInput,
    KeyMissing,
    KeyServiceUnavailable,
    RetentionError,
)
from retention.kernel.ids import new_key_id
from retention.vault.model import validate_secret_name

_KEY_BYTES = 32
_MAX_SECRET_BYTES = 1024
_WRAP_VERSION = b"\x01"


class Keyring:
    """Keys in a file. Opening one clears away what a crash left; `create` makes a new one."""

    def __init__(self, path: Path, protector: RootProtector) -> None:
        """Open the keyring.

        Raises:
            KeyServiceUnavailable: There is no keyring, or it cannot be read.
            NotPermitted, KeyMissing, FixityMismatch: The protector is not the one that protects it.
        """
        self._file = SecretFile(path)
        self._protector = protector
        self._threads = threading.RLock()
        self._snapshot: Snapshot | None = None
        self._ring = Ring("", "", b"")
        self._root = b""
        self._ciphers: dict[str, AESGCM] = {}
        if self._file.stat() is None:
            raise self._absent()
        with self._threads, self._file.exclusive():
            self._refresh()
            protector.retire(self._ring.root_blob, self._ring.keyring_id)

    @classmethod
    def create(cls, path: Path, protector: RootProtector) -> "Keyring":
        """The keyring at this path, made if there is none. Safe to repeat."""
        file = SecretFile(path)
        with file.exclusive():
            if file.stat() is None:
                keyring_id = secrets.token_hex(8)
                blob = protector.protect(os.urandom(ROOT_BYTES), keyring_id)
                file.replace(Ring(keyring_id, protector.kind, blob).lines())
        return cls(path, protector)

    def new_key(self) -> str:
        """See `KeyService`."""
        key_id = new_key_id()
        with self._threads, self._file.exclusive():
            self._refresh()
            self._add((Kind.KEY, key_id), os.urandom(_KEY_BYTES))
        return key_id

    def wrap(self, key_id: str, secret: bytes, context: bytes) -> bytes:
        """See `KeyService`."""
        return self.wrap_many(key_id, [(secret, context)])[0]

    def unwrap(self, key_id: str, wrapped: bytes, context: bytes) -> bytes:
        """See `KeyService`."""
        return self.unwrap_many(key_id, [(wrapped, context)])[0]

    def wrap_many(self, key_id: str, items: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
        """See `KeyService`. More than 100,000 a second (AMD EPYC, 2026)."""
        cipher = self._cipher(key_id)
        head = key_id.encode() + b"\x00"
        return [_wrap(cipher, secret, head + context) for secret, context in items]

    def unwrap_many(self, key_id: str, items: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
        """See `KeyService`."""
        cipher = self._cipher(key_id)
        head = key_id.encode() + b"\x00"
        try:
            return [_unwrap(cipher, wrapped, head + context) for wrapped, context in items]
        except InvalidTag:
            raise FixityMismatch(
                f"what the key {key_id} wrapped was changed, or is not for this context"
            ) from None

    def destroy(self, key_ids: Collection[str]) -> None:
        """See `KeyService`."""
        with self._threads, self._file.exclusive():
            self._refresh()
            doomed = set(key_ids) & self._ring.key_ids()
            if doomed:
                self._file.replace(self._ring.without(doomed).lines())
                self._refresh()

    def key_ids(self) -> frozenset[str]:
        """See `KeyService`."""
        with self._threads:
            self._refresh()
            return self._ring.key_ids()

    def unreadable(self) -> frozenset[str]:
        """See `KeyService`. Reads the file anew: a byte that was flipped in place is no change that one notices."""
        with self._threads:
            self._load()
            return frozenset(
                key_id
                for key_id in self._ring.key_ids()
                if not self._ring.opens(self._root, (Kind.KEY, key_id))
            )

    def rotate_root(self, protector: RootProtector | None = None) -> None:
        """See `KeyService`. Another protector takes over if one is given."""
        with self._threads, self._file.exclusive():
            self._refresh()
            taking_over = protector or self._protector
            ring, root = self._ring, os.urandom(ROOT_BYTES)
            blob = taking_over.protect(root, ring.keyring_id)
            rotated = Ring(ring.keyring_id, taking_over.kind, blob)
            for entry in ring.entries:
                rotated.entries[entry] = rotated.seal_entry(root, entry, ring.open_entry(self._root, entry))
            self._file.replace(rotated.lines())
            self._protector = taking_over
            self._refresh()
            taking_over.retire(blob, ring.keyring_id)

    def secret(self, name: str) -> bytes:
        """See `KeyService`."""
        entry = (Kind.SECRET, validate_secret_name(name))
        with self._threads:
            self._refresh()
            if entry not in self._ring.entries:
                with self._file.exclusive():
                    self._refresh()
                    if entry not in self._ring.entries:
                        self._add(entry, os.urandom(_KEY_BYTES))
            return self._ring.open_entry(self._root, entry)

    def contents(self) -> dict[Entry, bytes]:
        """Every key and secret in the clear: for an escrow, and for nothing else."""
        with self._threads:
            self._refresh()
            return {entry: self._ring.open_entry(self._root, entry) for entry in self._ring.entries}

    def restore(self, contents: dict[Entry, bytes]) -> frozenset[str]:
        """Add what an escrow held, as one act; the ids of the keys that were not there, or could not be read.

        Raises:
            FixityMismatch: A key or secret of that name is there, and is another.
        """
        with self._threads, self._file.exclusive():
            self._refresh()
            ring = self._ring.without(set())
            added: list[Entry] = []
            for entry, secret in contents.items():
                if entry not in ring.entries or not ring.opens(self._root, entry):
                    ring.entries[entry] = ring.seal_entry(self._root, entry, secret)
                    added.append(entry)
                elif ring.open_entry(self._root, entry) != secret:
                    raise FixityMismatch(f"the keyring holds another {entry[0]} {entry[1]} than the escrow")
            if added:
                self._file.replace(ring.lines())
                self._refresh()
            return frozenset(name for kind, name in added if kind is Kind.KEY)

    def _add(self, entry: Entry, secret: bytes) -> None:
        self._file.append(entry_line(entry, self._ring.seal_entry(self._root, entry, secret)))
        self._refresh()

    def _cipher(self, key_id: str) -> AESGCM:
        with self._threads:
            self._refresh()
            cipher = self._ciphers.get(key_id)
            if cipher is None:
                entry = (Kind.KEY, key_id)
                if entry not in self._ring.entries:
                    raise KeyMissing(f"the keyring holds no key {key_id}")
                cipher = self._ciphers[key_id] = AESGCM(self._ring.open_entry(self._root, entry))
            return cipher

    def _refresh(self) -> None:
        """Know what the file says now. Costs one look at it when nothing changed."""
        found = self._file.stat()
        if found is None:
            raise self._absent()
        if self._snapshot is None or not self._snapshot.is_same_file(found):
            self._load()
        elif not self._snapshot.is_current(found):
            self._ring.add(self._snapshot.new_lines())

    def _load(self) -> None:
        """Read the file anew, forgetting all keys; again, if it was rewritten meanwhile."""
        self._snapshot, self._ciphers = None, {}
        while True:
            snapshot = self._file.open()
            lines = snapshot.new_lines()
            failure = None
            try:
                ring = parse_ring(lines)
                root = self._reveal(ring)
            except RetentionError as error:
                failure = error
            found = self._file.stat()
            if found is None or not snapshot.is_same_file(found):
                continue
            if failure:
                raise failure
            self._snapshot, self._ring, self._root = snapshot, ring, root
            return

    def _reveal(self, ring: Ring) -> bytes:
        if self._root and ring.root_blob == self._ring.root_blob:
            return self._root
        if ring.root_kind != self._protector.kind:
            raise InvalidInput(
                f"the keyring is protected by a root of kind {ring.root_kind}, not {self._protector.kind}",
                hint="Change the setting that says what protects the keyring.",
            )
        return self._protector.reveal(ring.root_blob, ring.keyring_id)

    def _absent(self) -> KeyServiceUnavailable:
        return KeyServiceUnavailable(
            f"there is no keyring {self._file.path}",
            hint="Is its disk mounted? If it is lost, import an escrow into a new keyring.",
        )


def _wrap(cipher: AESGCM, secret: bytes, context: bytes) -> bytes:
    if len(secret) > _MAX_SECRET_BYTES:
        raise InvalidInput(f"a secret to wrap is at most {_MAX_SECRET_BYTES} bytes, not {len(secret)}")
    nonce = os.urandom(NONCE_BYTES)
    return _WRAP_VERSION + nonce + cipher.encrypt(nonce, secret, context)


def _unwrap(cipher: AESGCM, wrapped: bytes, context: bytes) -> bytes:
    if wrapped[:1] != _WRAP_VERSION or len(wrapped) < 1 + NONCE_BYTES:
        raise InvalidTag
    return cipher.decrypt(wrapped[1 : 1 + NONCE_BYTES], wrapped[1 + NONCE_BYTES :], context)
