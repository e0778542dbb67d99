"""Check that one stored object is still the object that was sealed.

Three levels with three prices: `presence` and `size` ask the store one
question; `digest` reads, decrypts and hashes every byte, and needs the key.
Repairs nothing.
"""

from dataclasses import dataclass
from enum import StrEnum

from retention.kernel.errors import FixityMismatch, InvalidInput, NotFound
from retention.vault.model import ObjectName, ObjectStore, Sealed
from retention.vault.open import read_all


class Level(StrEnum):
    """How closely to look."""

    PRESENCE = "presence"  #: the object is there
    SIZE = "size"  #: and has the size that was stored
    DIGEST = "digest"  #: and opens to the content that was sealed


class Problem(StrEnum):
    """What is wrong with an object."""

    ABSENT = "absent"  #: the store does not hold it
    WRONG_SIZE = "wrong-size"  #: it was cut, added to or exchanged
    CHANGED = "changed"  #: it does not open to what was sealed


@dataclass(frozen=True, slots=True)
class Finding:
    """One object that is not what it should be."""

    name: ObjectName
    problem: Problem
    detail: str  #: a sentence for a person


def check(store: ObjectStore, sealed: Sealed, level: Level, key: bytes | None = None) -> Finding | None:
    """What is wrong with one object; None if nothing is, as far as the level looks.

    Args:
        store: Where the object is.
        sealed: What was recorded when it was sealed.
        level: How closely to look.
        key: The recording's data key; `Level.DIGEST` needs it.

    Raises:
        InvalidInput: The level is `digest` and there is no key.
        StoreUnavailable: The store did not answer, so nothing was found out.
    """
    if level is Level.DIGEST:
        return _check_digest(store, sealed, key)
    stored_bytes = store.size_of(sealed.name)
    if stored_bytes is None:
        return Finding(sealed.name, Problem.ABSENT, f"the vault holds no {sealed.name}")
    if level is Level.SIZE and stored_bytes != sealed.stored_bytes:
        detail = f"{sealed.name} has {stored_bytes} bytes in the store; {sealed.stored_bytes} were sealed"
        return Finding(sealed.name, Problem.WRONG_SIZE, detail)
    return None


def _check_digest(store: ObjectStore, sealed: Sealed, key: bytes | None) -> Finding | None:
    if key is None:
        raise InvalidInput(f"checking the digest of {sealed.name} needs its data key")
    by_size = check(store, sealed, Level.SIZE)
    if by_size is not None:
        return by_size
    try:
        for _ in read_all(store, key, sealed):
            pass
    except NotFound as error:
        return Finding(sealed.name, Problem.ABSENT, error.message)
    except FixityMismatch as error:
        return Finding(sealed.name, Problem.CHANGED, error.message)
    return None
