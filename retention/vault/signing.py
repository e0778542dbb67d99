"""The store's signature: Ed25519 (RFC 8032), its seed kept in the key service."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from retention.vault.model import KeyService

SEED_NAME = "signing-seed"


class Signer:
    """Signs roots and certificates for one store."""

    def __init__(self, keys: KeyService) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(keys.secret(SEED_NAME))

    @property
    def public_key(self) -> bytes:
        """32 bytes that others check our signatures with."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return self._key.sign(message)

    def is_ours(self, message: bytes, signature: bytes) -> bool:
        """Whether this store signed `message`."""
        try:
            self._key.public_key().verify(signature, message)
        except InvalidSignature:
            return False
        return True
