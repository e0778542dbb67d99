#!/usr/bin/env python3
"""Check a certificate of destruction, offline, without the service that issued it.

This one file is the whole verifier. It needs Python 3.11 or later and the
package `cryptography`, and nothing else:

    python verifier.py CERTIFICATE [--key HEX] [--recording ID]

A certificate is a text file: the first line is the signed statement, each
further line is one disposed recording (docs/formats/certificate.md). What is
checked: the statement's Ed25519 signature (RFC 8032); that the lines, in order,
have the Merkle root the statement names (RFC 6962, section 2.1), so that no
line was changed, removed, added or moved; and the counts. A proof file, made
for one recording, is checked by its audit path (RFC 6962, section 2.1.1).
Nothing unsigned is let through: every line has one written form, and there is
no field outside the statement, the leaves and the path.

Without --key the signature is checked against the key inside the certificate:
compare the fingerprint that is printed with the one the store publishes.

Exit status: 0 it holds, 1 it does not, 2 it could not be read.
"""

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "retention-certificate/1"
PROOF_FORMAT = "retention-certificate-proof/1"
PROOF_FIELDS = {"format", "certificate", "leaf", "path"}


class NotAuthentic(Exception):
    """The certificate does not hold; the message says where."""


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of one leaf (RFC 6962, section 2.1)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node (RFC 6962, section 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def merkle_root(leaf_hashes: Iterable[bytes]) -> tuple[bytes, int]:
    """The root over the leaves, and how many there are; keeps log2(n) hashes."""
    stack: list[tuple[int, bytes]] = []
    size = 0
    for found in leaf_hashes:
        level, node = 0, found
        while stack and stack[-1][0] == level:
            node = node_hash(stack.pop()[1], node)
            level += 1
        stack.append((level, node))
        size += 1
    if not stack:
        return hashlib.sha256(b"").digest(), 0
    node = stack.pop()[1]
    while stack:
        node = node_hash(stack.pop()[1], node)
    return node, size


def inclusion_path(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of leaf `index`, from the leaf upwards (RFC 6962, section 2.1.1)."""
    if len(leaf_hashes) <= 1:
        return []
    split = 1 << (len(leaf_hashes) - 1).bit_length() - 1
    left, right = leaf_hashes[:split], leaf_hashes[split:]
    if index < split:
        return [*inclusion_path(left, index), merkle_root(right)[0]]
    return [*inclusion_path(right, index - split), merkle_root(left)[0]]


def root_from_path(found: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that leaf hash `found` at `index` of `size` leads to (RFC 9162, section 2.1.3.2).

    Raises:
        NotAuthentic: The path has the wrong length.
    """
    node, last, rest = found, size - 1, list(path)
    while last:
        if index % 2 or index == last:
            if not rest:
                raise NotAuthentic("the audit path is too short")
            node = node_hash(rest.pop(0), node)
            while index % 2 == 0:
                index, last = index >> 1, last >> 1
        else:
            if not rest:
                raise NotAuthentic("the audit path is too short")
            node = node_hash(node, rest.pop(0))
        index, last = index >> 1, last >> 1
    if rest:
        raise NotAuthentic("the audit path is too long")
    return node


def statement_bytes(statement: Any) -> bytes:
    """The bytes that are signed: JSON with sorted keys and no spaces, in UTF-8."""
    return json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def read_line(line: bytes) -> Any:
    """The value of a whole line, which has one written form: nobody reads in it what a program does not.

    Raises:
        NotAuthentic: It is written in another way, or cut off.
        ValueError: It is no JSON.
    """
    found = json.loads(line)
    if statement_bytes(found) + b"\n" != line:
        raise NotAuthentic("a line is cut off, or not written as the format says")
    return found


def fingerprint(public_key: bytes) -> str:
    """How a store's key is published: the SHA-256 of its 32 bytes, in hex."""
    return hashlib.sha256(public_key).hexdigest()


def check_head(head: dict[str, Any], pinned: bytes | None) -> dict[str, Any]:
    """The statement of a certificate or proof, once its signature holds.

    Raises:
        NotAuthentic: It does not.
    """
    statement = head["statement"]
    key, signature = bytes.fromhex(head["public_key"]), base64.b64decode(head["signature"])
    written = {
        "statement": statement,
        "public_key": key.hex(),
        "signature": base64.b64encode(signature).decode(),
    }
    if head != written:
        raise NotAuthentic("its head is not written as the format says")
    if pinned is not None and key != pinned:
        raise NotAuthentic(f"it is signed by another key: {fingerprint(key)}")
    if statement.get("format") != FORMAT:
        raise NotAuthentic(f"its format is {statement.get('format')!r}, not {FORMAT!r}")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, statement_bytes(statement))
    except InvalidSignature:
        raise NotAuthentic("the statement's signature does not hold") from None
    return dict(statement)


def check_certificate(lines: Iterable[bytes], pinned: bytes | None = None) -> dict[str, Any]:
    """The statement of a certificate, once everything in it holds; reads one line at a time.

    Raises:
        NotAuthentic: Something does not hold; the message says what.
    """
    rest = iter(lines)
    statement = check_head(read_line(next(rest, b"")), pinned)
    size_bytes = 0

    def hashes() -> Iterable[bytes]:
        nonlocal size_bytes
        for number, line in enumerate(rest):
            found = read_line(line)
            if found["position"] != number:
                raise NotAuthentic(f"line {number + 2} is not in its place")
            size_bytes += found["size_bytes"]
            yield leaf_hash(line[:-1])

    root, count = merkle_root(hashes())
    if count != statement["recordings"]:
        raise NotAuthentic(f"it names {statement['recordings']} recordings, {count} are listed")
    if root.hex() != statement["root"]:
        raise NotAuthentic("a line was changed: the lines do not have the root that was signed")
    if size_bytes != statement["size_bytes"]:
        raise NotAuthentic(f"it names {statement['size_bytes']} bytes, the lines add up to {size_bytes}")
    return statement


def check_proof(proof: dict[str, Any], pinned: bytes | None = None) -> dict[str, Any]:
    """The leaf of a single recording's proof, once it holds.

    Raises:
        NotAuthentic: It does not.
    """
    statement = check_head(proof["certificate"], pinned)
    leaf = proof["leaf"]
    found = read_line(leaf.encode() + b"\n")
    path = [bytes.fromhex(node) for node in proof["path"]]
    if set(proof) != PROOF_FIELDS or [node.hex() for node in path] != proof["path"]:
        raise NotAuthentic("the proof is not written as the format says")
    if not 0 <= found["position"] < statement["recordings"]:
        raise NotAuthentic("the recording's position is outside the certificate")
    root = root_from_path(leaf_hash(leaf.encode()), found["position"], statement["recordings"], path)
    if root.hex() != statement["root"]:
        raise NotAuthentic("the recording is not in the certificate")
    return dict(found)


def _report(statement: dict[str, Any], key: str) -> None:
    print(f"The certificate holds: {statement['recordings']} recordings, {statement['size_bytes']} bytes.")
    print(f"  store {statement['store']}, run {statement['run']}, business date {statement['on']}")
    print(
        f"  keys destroyed at {statement['keys_destroyed_at']}, bytes proved absent by {statement['finished_at']}"
    )
    print(f"  last copy of the keys gone by {statement['keys_gone_by']}")
    print(f"  signed by the key with fingerprint {fingerprint(bytes.fromhex(key))}")


def main(argv: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Check a certificate of destruction offline.")
    parser.add_argument("file", type=Path, help="a certificate, or the proof of one recording")
    parser.add_argument("--key", help="the store's public key, in hex, as the store publishes it")
    parser.add_argument("--recording", default="", help="also say whether this recording is in it")
    given = parser.parse_args(argv)
    try:
        pinned = bytes.fromhex(given.key) if given.key else None
        with given.file.open("rb") as file:
            head = read_line(file.readline())
            if head.get("format") == PROOF_FORMAT:
                if file.read(1):
                    raise NotAuthentic("something follows the proof")  # noqa: TRY301 - one place says what was found
                return _report_proof(check_proof(head, pinned), given.recording)
            file.seek(0)
            _report(check_certificate(file, pinned), head["public_key"])
            if given.recording:
                return _look_up(given.file, given.recording)
            return 0
    except NotAuthentic as error:
        print(f"NOT AUTHENTIC: {error}", file=sys.stderr)
        return 1
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        print(f"cannot be read as a certificate: {error!r}", file=sys.stderr)
        return 2


def _report_proof(leaf: dict[str, Any], wanted: str) -> int:
    print(f"The proof holds: recording {leaf['recording']} was disposed of at {leaf['disposed_at']}.")
    if wanted in {"", leaf["recording"]}:
        return 0
    print(f"It is NOT about recording {wanted}.", file=sys.stderr)
    return 1


def _look_up(path: Path, recording: str) -> int:
    with path.open("rb") as file:
        next(file)
        for line in file:
            leaf = json.loads(line)
            if leaf["recording"] == recording:
                print(f"Recording {recording} is in it: {leaf['why']}, disposed of at {leaf['disposed_at']}.")
                return 0
    print(f"Recording {recording} is NOT in it.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
