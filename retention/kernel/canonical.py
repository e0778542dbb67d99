"""One way to turn values into bytes, so that digests and signatures agree.

JSON with sorted keys, no spaces, UTF-8, no floats that could be written in
two ways: callers pass strings, integers, booleans, None, lists and dicts.
"""

import hashlib
import json
from datetime import UTC, date, datetime
from typing import Any


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return isoformat(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"cannot be written canonically: {type(value).__name__}")


def isoformat(at: datetime) -> str:
    """`at` as UTC with microseconds and a Z: one instant, one text."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def canonical_json(value: Any) -> bytes:
    """The canonical bytes of `value`.

    A lone surrogate (of a file name that is not UTF-8, say) has no UTF-8; it is
    written as JSON's escape for it.

    Raises:
        TypeError: The value holds something that has no canonical form.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain
    ).encode("utf-8", "backslashreplace")


def digest_of(value: Any) -> str:
    """Hex SHA-256 of the canonical bytes of `value`."""
    return hashlib.sha256(canonical_json(value)).hexdigest()
