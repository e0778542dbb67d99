"""A person's identifiers: written one way, and found without being readable.

A blind index is HMAC-SHA256 under a key that is kept apart from the catalogue,
so the database alone identifies nobody and cannot be searched by guessing.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass

import phonenumbers

from retention.kernel.errors import InvalidInput

BLIND_BYTES = 16
#: What recorders write when there is no number. None of them is a number.
NOT_A_NUMBER = frozenset(
    {
        "",
        "anonymous",
        "unknown",
        "withheld",
        "private",
        "restricted",
        "unavailable",
        "noremoteparty",
        "nolocalparty",
        "非通知",
        "表示圏外",
    }
)


@dataclass(frozen=True, slots=True)
class Identifier:
    """One way in which a person can be found."""

    kind: str  #: "phone" or "customer"
    value: str  #: in its one written form


def phone(text: str, region: str) -> Identifier | None:
    """The telephone number `text` in E.164; None when the recorder says there was none.

    Short internal extensions are kept as digits.

    Args:
        text: As dialled or shown, with or without a country code.
        region: ISO 3166 country in which local numbers are meant, such as "JP".

    Raises:
        InvalidInput: It is neither a number nor a word for a missing one.
    """
    stripped = text.strip()
    if stripped.casefold() in NOT_A_NUMBER:
        return None
    try:
        number = phonenumbers.parse(stripped, region)
    except phonenumbers.NumberParseException as error:
        raise InvalidInput(
            f"{text!r} is not a telephone number", hint="Use +81312345678 or 03-1234-5678."
        ) from error
    if phonenumbers.is_possible_number(number):
        return Identifier("phone", phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return Identifier("phone", phonenumbers.normalize_digits_only(stripped))


def customer(text: str) -> Identifier | None:
    """A customer's id, without surrounding space; None when empty."""
    return Identifier("customer", text.strip()) if text.strip() else None


def blind_index(key: bytes, kind: str, value: str) -> bytes:
    """The keyed index of `value`, 16 bytes."""
    return hmac.digest(key, f"{kind}\0{value}".encode("utf-8", "surrogatepass"), "sha256")[:BLIND_BYTES]


def blind_all(key: bytes, identifiers: Iterable[Identifier]) -> frozenset[bytes]:
    """The keyed index of each identifier."""
    return frozenset(blind_index(key, found.kind, found.value) for found in identifiers)
