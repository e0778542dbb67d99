"""Personal particulars of a recording, encrypted under its own data key.

They live in the catalogue and die with the recording: when its last reason
goes, so does the key to them. AES-256-GCM under a key derived from the data
key by HKDF-SHA256; the recording's id is bound as associated data.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from retention.kernel.errors import FixityMismatch

NONCE_BYTES = 12
INFO = b"retention.note.v1"


def _cipher(data_key: bytes) -> AESGCM:
    return AESGCM(HKDF(hashes.SHA256(), 32, None, INFO).derive(data_key))


def seal_note(data_key: bytes, recording_id: str, note: bytes) -> bytes:
    """`note`, encrypted for one recording."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _cipher(data_key).encrypt(nonce, note, recording_id.encode())


def open_note(data_key: bytes, recording_id: str, sealed: bytes) -> bytes:
    """The note again.

    Raises:
        FixityMismatch: It was changed, or belongs to another recording.
    """
    try:
        return _cipher(data_key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], recording_id.encode())
    except InvalidTag:
        raise FixityMismatch(f"the particulars of {recording_id} are not what was recorded") from None
