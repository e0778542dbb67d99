"""Identifiers: sortable by time, hard to guess, without meaning.

ULIDs (26 characters of Crockford's base 32): 48 bits of milliseconds, then
80 bits that are random, or one more than the id before of the same millisecond.
An id is a name, never a secret: whoever knows one may still do nothing with it.
"""

import re
import secrets
from datetime import datetime

from ulid import ULID

ID_PATTERN = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


def new_id(at: datetime) -> str:
    """A new identifier whose order follows `at`."""
    return str(ULID.from_datetime(at))


def new_key_id() -> str:
    """A new key's name: 64 random bits in hex."""
    return secrets.token_hex(8)


def is_id(text: str) -> bool:
    """Whether `text` has the form of an identifier."""
    return ID_PATTERN.fullmatch(text) is not None
