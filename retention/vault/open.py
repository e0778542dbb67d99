"""Open what was sealed: check the key's commitment, the length and the last segment, then read.

Who may open, and for which purpose, was decided before the key got here.
"""

import hashlib
import hmac
from collections.abc import Iterator

from retention.kernel.errors import FixityMismatch, NotFound
from retention.vault.envelope import SealedReader, associated_data, commitment
from retention.vault.model import ObjectStore, Sealed, parse_name


def open_sealed(store: ObjectStore, key: bytes, sealed: Sealed) -> SealedReader:
    """A reader of one object, which releases only verified bytes.

    Args:
        store: Where the object is.
        key: The recording's data key.
        sealed: What was recorded when it was sealed.

    Raises:
        FixityMismatch: This is not the key it was sealed with, or the stored object is not the one sealed.
        NotFound: The store does not hold the object.
    """
    bound = associated_data(*parse_name(sealed.name))
    if not hmac.compare_digest(commitment(key, bound), sealed.commitment):
        raise FixityMismatch(f"the key is not the one {sealed.name} was sealed with")
    stored_bytes = store.size_of(sealed.name)
    if stored_bytes is None:
        raise NotFound(f"the vault holds no {sealed.name}")
    if stored_bytes != sealed.stored_bytes:
        raise FixityMismatch(
            f"{sealed.name} has {stored_bytes} bytes in the store; {sealed.stored_bytes} were sealed"
        )

    def read_at(start: int, length: int) -> bytes:
        return b"".join(store.read(sealed.name, start, length))

    try:
        return SealedReader(read_at, key, bound, stored_bytes)
    except FixityMismatch as error:
        raise FixityMismatch(f"{sealed.name}: {error.message}") from None


def read_all(store: ObjectStore, key: bytes, sealed: Sealed) -> Iterator[bytes]:
    """The whole content, in pieces; the last piece only when the digest of all is the recorded one.

    Raises:
        FixityMismatch: As `open_sealed`, or the content is not the content sealed.
        NotFound: The store does not hold the object.
    """
    digest = hashlib.sha256()
    held_back = b""
    for piece in open_sealed(store, key, sealed).chunks():
        if held_back:
            yield held_back
        digest.update(piece)
        held_back = piece
    if digest.digest() != sealed.sha256:
        raise FixityMismatch(f"the content of {sealed.name} is not the content that was sealed")
    if held_back:
        yield held_back
