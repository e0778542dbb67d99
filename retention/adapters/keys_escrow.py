"""A copy of the keyring to keep apart: encrypted, and with a date on which it ends.

Losing the keyring loses every recording. A copy that is kept longer than the
promise breaks the promise. So each copy says when it was made, when it ends
and which keys it holds, and is refused afterwards; a certificate of
destruction can then state by when the last copy of a key was gone.

Two lines: the facts as canonical JSON, in the clear, and the keys in base64,
AES-256-GCM under a key that Argon2id makes of a passphrase, with the first
line as associated data. The end is kept by this program, not by the
cryptography: whoever holds a copy and its passphrase must also destroy it.
"""

import base64
import binascii
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidTag

from retention.adapters.keys_keyring import Keyring
from retention.adapters.keys_ring import Entry, Kind
from retention.adapters.keys_roots import (
    Argon2Cost,
    derive_from_passphrase,
    open_bytes,
    passphrase_head,
    seal_bytes,
)
from retention.kernel.canonical import canonical_json, isoformat
from retention.kernel.errors import InvalidInput, NotPermitted

_FORMAT = "retention-escrow-1"


@dataclass(frozen=True, slots=True)
class EscrowFacts:
    """What a copy says of itself in the clear; authenticated only when it is opened."""

    made_at: datetime
    expires_at: datetime
    key_ids: frozenset[str]


def export_escrow(
    keyring: Keyring, passphrase: str, at: datetime, expires_at: datetime, cost: Argon2Cost | None = None
) -> bytes:
    """A copy of all keys and secrets.

    Args:
        keyring: What to copy.
        passphrase: The recipient's; not the keyring's own.
        at: Now.
        expires_at: When the copy ends.
        cost: How dear one guess of the passphrase is.

    Raises:
        InvalidInput: It would end before it begins.
    """
    if expires_at <= at:
        raise InvalidInput(f"an escrow that ends at {isoformat(expires_at)} would have ended already")
    contents = keyring.contents()
    head = passphrase_head(cost or Argon2Cost())
    facts = canonical_json(
        {
            "format": _FORMAT,
            "made_at": at,
            "expires_at": expires_at,
            "key_ids": sorted(name for kind, name in contents if kind is Kind.KEY),
            "argon2": base64.b64encode(head).decode(),
        }
    )
    plain = canonical_json([[kind, name, secret.hex()] for (kind, name), secret in contents.items()])
    sealed = seal_bytes(derive_from_passphrase(passphrase, head), plain, facts)
    return facts + b"\n" + base64.b64encode(sealed) + b"\n"


def escrow_facts(escrow: bytes) -> EscrowFacts:
    """What a copy says of itself.

    Raises:
        InvalidInput: It is not an escrow.
    """
    return _read(escrow)[0]


def import_escrow(
    keyring: Keyring, escrow: bytes, passphrase: str, at: datetime, living: Collection[str]
) -> frozenset[str]:
    """Put keys and secrets of a copy into a keyring; the ids of the keys that were not there.

    Args:
        keyring: Where they go.
        escrow: The copy.
        passphrase: The recipient's.
        at: Now.
        living: The ids of the keys that may live. The copy may hold keys that were destroyed since it was made:
            the catalogue and the deletion journal know which, and those stay dead.

    Raises:
        NotPermitted: The copy has ended, or the passphrase does not open it.
        InvalidInput: It is not an escrow.
        FixityMismatch: The keyring holds another key of the same name.
    """
    facts, line, head, sealed = _read(escrow)
    try:
        plain = open_bytes(derive_from_passphrase(passphrase, head), sealed, line)
    except InvalidTag:
        raise NotPermitted("the passphrase does not open this escrow, or the escrow was changed") from None
    if at >= facts.expires_at:
        raise NotPermitted(
            f"this escrow ended at {isoformat(facts.expires_at)}", hint="Destroy it, and use a newer one."
        )
    contents: dict[Entry, bytes] = {
        (Kind(kind), name): bytes.fromhex(secret) for kind, name, secret in json.loads(plain)
    }
    wanted = {
        entry: secret for entry, secret in contents.items() if entry[0] is Kind.SECRET or entry[1] in living
    }
    return keyring.restore(wanted)


def _read(escrow: bytes) -> tuple[EscrowFacts, bytes, bytes, bytes]:
    try:
        line, body = escrow.rstrip(b"\n").split(b"\n")
        said = json.loads(line)
        if said["format"] != _FORMAT:
            raise InvalidInput(f"this escrow has the format {said['format']!r}, not {_FORMAT!r}")
        facts = EscrowFacts(
            datetime.fromisoformat(said["made_at"]),
            datetime.fromisoformat(said["expires_at"]),
            frozenset(said["key_ids"]),
        )
        head = base64.b64decode(said["argon2"], validate=True)
        return facts, line, head, base64.b64decode(body, validate=True)
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise InvalidInput("this is not an escrow of a keyring") from error
