"""Passphrases that a person reads out and another types in.

Lower-case letters and digits without those that look alike, in groups. What is
typed is taken as it was meant: in capitals, in full-width characters, with other
dashes or none.
"""

import secrets
import unicodedata
from typing import Final

ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
GROUP: Final = 4
LINK_GROUPS: Final = 3
"""59 bits: five tries at the page, or Argon2id for each guess of whoever has the link and the outbox both."""
ARCHIVE_GROUPS: Final = 5
"""99 bits: a thief of the archive may guess for ever, and its key derivation is a cheap one."""


def new_passphrase(groups: int) -> str:
    """A passphrase of so many groups, such as `k7mq-2xwd-p9fs`."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(groups))


def as_meant(typed: str) -> str:
    """What somebody typed, without what does not matter."""
    plain = unicodedata.normalize("NFKC", typed).casefold()
    return "".join(each for each in plain if each.isalnum())
