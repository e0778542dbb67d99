"""Say what is in a package, and sign it. Pure.

The manifest lists every file with its size and SHA-256, and of each copy what
was hidden, why, and by what it was looked for. It names nobody: the requester
is in the letter, everybody else in nothing.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from retention.disclosure.archive import Part, text_part
from retention.disposal import verifier
from retention.kernel.canonical import canonical_json
from retention.vault.signing import Signer

#: What a copy's summary may tell a stranger. Whatever else a room adds to it stays inside.
TOLD = ("hidden", "kept", "muted_ms", "styles", "looked_with", "sound", "remains")


def redaction(summary: dict[str, Any], reason: str) -> dict[str, Any]:
    """What a manifest says of a copy."""
    return {**{name: summary[name] for name in TOLD if name in summary}, "why": reason}


def signed(signer: Signer, said: Mapping[str, Any], parts: Sequence[Part]) -> tuple[Part, Part]:
    """The manifest of these files, with what else it says, and its signature; they stand first in the archive."""
    listed = {"format": verifier.PACKAGE_FORMAT, "files": [part.listed for part in parts]}
    manifest = canonical_json({**said, **listed})
    manifest += b"\n"
    signature = {
        "public_key": signer.public_key.hex(),
        "signature": b64encode(signer.sign(manifest)).decode(),
    }
    return (
        text_part(verifier.MANIFEST, "application/json", manifest),
        text_part(verifier.SIGNATURE, "application/json", canonical_json(signature) + b"\n"),
    )
