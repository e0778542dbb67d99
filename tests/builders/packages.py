"""A package without a store: a letter, two recordings, signed with a seed that is in no store."""

import io
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from retention.disclosure.archive import archive, part_of, text_part
from retention.disclosure.manifest import redaction, signed
from retention.vault.signing import Signer
from tests.builders.disclosure import SUMMARY

SEED = bytes(range(32))
MADE_AT = datetime(2026, 11, 2, 3, 4, 5, 678901, UTC)


class Seed:
    """A key service with one secret."""

    def __init__(self, seed: bytes = SEED) -> None:
        self._seed = seed

    def secret(self, _name: str) -> bytes:
        return self._seed


def signer(seed: bytes = SEED) -> Signer:
    """Whoever holds the seed signs."""
    return Signer(Seed(seed))  # type: ignore[arg-type]  # of the key service it needs no more than this


PUBLIC_KEY = Ed25519PrivateKey.from_private_bytes(SEED).public_key().public_bytes_raw()
CONTENTS: Mapping[str, bytes] = {
    "README.txt": b"read me\r\n",
    "letter.pdf": b"%PDF-1.7 a letter",
    "recordings/2026-03-02_095900_call.wav": b"RIFF, more or less" * 40,
    "recordings/2026-03-02_095900_call_2.mp4": b"",
}


def package(contents: Mapping[str, bytes] = CONTENTS, seed: bytes = SEED) -> bytes:
    """An archive of these files."""
    about = {"kind": "call", "redaction": redaction(SUMMARY, "to protect others")}
    parts = [
        part_of(name, "application/octet-stream", lambda content=content: (content,), None, about)  # type: ignore[misc]
        if name.startswith("recordings")
        else text_part(name, "text/plain", content)
        for name, content in contents.items()
    ]
    said = {
        "store": "01JQZ0000000000000000000ST",
        "receipt": "2026-0001",
        "kind": "disclosure",
        "outcome": "full",
        "packaged_at": MADE_AT,
    }
    leading = signed(signer(seed), said, parts)
    return b"".join(archive([*leading, *parts]))


def unzipped(content: bytes, folder: Path) -> Path:
    """The folder that an unzip makes of an archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as found:
        found.extractall(folder)
    return folder
