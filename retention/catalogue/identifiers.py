"""What recordings are found by: a person's identifiers and the recorder's own id, written one way each, and not readable.

A blind index is HMAC-SHA256 under a key that is kept apart from the catalogue,
so the database alone identifies nobody and cannot be searched by guessing.
"""

import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import phonenumbers

from retention.kernel.errors import InvalidInput
from retention.kernel.people import folded

BLIND_BYTES = 16
#: What recorders write when there is no number, or no name. None of them is one.
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
    """One way in which a person, or one recording, can be found."""

    kind: str  #: one of KINDS
    value: str  #: in its one written form

    @property
    def is_personal(self) -> bool:
        """Whether it says who somebody is. The recorder's own id says only which recording is meant."""
        return self.kind != "native"


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


def call_agent(text: str) -> Identifier | None:
    """What a call centre knows one of its agents by; None when empty, or a word for nobody.

    An id, a login or a name: case, width and space do not count, as a person
    copies it from a screen. Two agents of one name are one identifier.
    """
    value = folded(text)
    return Identifier("call-agent", value) if value not in NOT_A_NUMBER else None


def native(text: str) -> Identifier | None:
    """What a recorder calls a recording; None when empty.

    Case, width and space do not count, as a person copies it from a screen or a
    letter. Two recorders may call different recordings alike.
    """
    value = folded(text)
    return Identifier("native", value) if value else None


#: How each kind is read, given the country in which local numbers are meant; the rarest kind first.
KINDS: Mapping[str, Callable[[str, str], Identifier | None]] = MappingProxyType(
    {
        "native": lambda text, _: native(text),
        "customer": lambda text, _: customer(text),
        "phone": phone,
        "call-agent": lambda text, _: call_agent(text),
    }
)


def sought(kind: str, text: str, region: str) -> Identifier:
    """What somebody searches for.

    Raises:
        InvalidInput: It is no number, or stands for nobody: everything without one would be meant.
    """
    found = KINDS[kind](text, region)
    if found is None:
        raise InvalidInput(
            f"{text!r} identifies nobody",
            hint="Withheld numbers cannot be searched: use the source and the time.",
        )
    return found


def blind_index(key: bytes, kind: str, value: str) -> bytes:
    """The keyed index of `value`, 16 bytes."""
    return hmac.digest(key, f"{kind}\0{value}".encode("utf-8", "surrogatepass"), "sha256")[:BLIND_BYTES]


def blind_all(key: bytes, identifiers: Iterable[Identifier]) -> frozenset[bytes]:
    """The keyed index of each identifier."""
    return frozenset(blind_index(key, found.kind, found.value) for found in identifiers)
