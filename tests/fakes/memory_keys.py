"""A key service in memory, with the same contract as the real ones."""

import os
import threading
from collections.abc import Callable, Collection, Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from retention.kernel.errors import FixityMismatch, InvalidInput, KeyMissing
from retention.kernel.ids import new_key_id
from retention.vault.model import validate_secret_name


class MemoryKeys:
    """Keeps keys in a dict. `before(act)` may raise, to play a failing service."""

    def __init__(self) -> None:
        self.keys: dict[str, AESGCM] = {}
        self.spoilt: set[str] = set()  #: ids of keys that a test calls changed
        self.secrets: dict[str, bytes] = {}
        self.before: Callable[[str], None] = lambda _act: None
        self._lock = threading.Lock()

    def new_key(self) -> str:
        self.before("new_key")
        key_id = new_key_id()
        self.keys[key_id] = AESGCM(os.urandom(32))
        return key_id

    def wrap(self, key_id: str, secret: bytes, context: bytes) -> bytes:
        self.before("wrap")
        if len(secret) > 1024:
            raise InvalidInput("a secret to wrap is at most 1024 bytes")
        nonce = os.urandom(12)
        return nonce + self._cipher(key_id).encrypt(nonce, secret, context)

    def unwrap(self, key_id: str, wrapped: bytes, context: bytes) -> bytes:
        self.before("unwrap")
        try:
            return self._cipher(key_id).decrypt(wrapped[:12], wrapped[12:], context)
        except (InvalidTag, ValueError):
            raise FixityMismatch(f"not wrapped by the key {key_id} for this context") from None

    def wrap_many(self, key_id: str, items: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
        self._cipher(key_id)
        return [self.wrap(key_id, secret, context) for secret, context in items]

    def unwrap_many(self, key_id: str, items: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
        self._cipher(key_id)
        return [self.unwrap(key_id, wrapped, context) for wrapped, context in items]

    def destroy(self, key_ids: Collection[str]) -> None:
        self.before("destroy")
        for key_id in key_ids:
            self.keys.pop(key_id, None)

    def key_ids(self) -> frozenset[str]:
        return frozenset(self.keys)

    def unreadable(self) -> frozenset[str]:
        self.before("unreadable")
        return frozenset(self.spoilt & self.keys.keys())

    def rotate_root(self) -> None:
        self.before("rotate_root")

    def secret(self, name: str) -> bytes:
        with self._lock:
            return self.secrets.setdefault(validate_secret_name(name), os.urandom(32))

    def _cipher(self, key_id: str) -> AESGCM:
        if key_id in self.spoilt:
            raise FixityMismatch(f"the key {key_id} was changed")
        try:
            return self.keys[key_id]
        except KeyError:
            raise KeyMissing(f"there is no key {key_id}") from None
