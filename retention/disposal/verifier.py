#!/usr/bin/env python3
"""Check a certificate of destruction, or a package that was handed over, offline and without the service that made it.

This one file is the whole verifier. It needs Python 3.11 or later and the
package `cryptography`, and nothing else:

    python verifier.py FILE [--key HEX] [--recording ID]

A certificate is a text file: the first line is the signed statement, each
further line is one disposed recording (docs/formats/certificate.md). What is
checked: the statement's Ed25519 signature (RFC 8032); that the lines, in order,
have the Merkle root the statement names (RFC 6962, section 2.1), so that no
line was changed, removed, added or moved; and the counts. A proof file, made
for one recording, is checked by its audit path (RFC 6962, section 2.1.1).
Nothing unsigned is let through: every line has one written form, and there is
no field outside the statement, the leaves and the path.

A package is a ZIP archive, or the folder that an unzip made of it
(docs/formats/package.md). What is checked: the manifest's signature; that every
file it names is there, of that size and SHA-256, and no other; and of an
archive that it is, to the last byte, the one archive of these files: each
header is made anew and compared, so that nothing hides between the entries,
under a second name, before the first or after the last.

Without --key the signature is checked against the key that comes along:
compare the fingerprint that is printed with the one the store publishes.

Exit status: 0 it holds, 1 it does not, 2 it could not be read.
"""

import argparse
import base64
import hashlib
import json
import re
import struct
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "retention-certificate/1"
PROOF_FORMAT = "retention-certificate-proof/1"
PROOF_FIELDS = {"format", "certificate", "leaf", "path"}

PACKAGE_FORMAT = "retention-package/1"
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
MANIFEST_BYTES = 16 << 20  #: a manifest is no larger
READ_BYTES = 1 << 20
#: Nothing that a file system could take for another place, or for another name.
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*")
LONG = 0xFFFFFFFF  #: from here on a ZIP archive writes a number in 64 bits


class NotAuthentic(Exception):
    """The certificate or package does not hold; the message says where."""


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


def check_manifest(manifest: bytes, signature: bytes, pinned: bytes | None) -> tuple[dict[str, Any], bytes]:
    """What a package's manifest says, and the key it is signed by, once the signature and its form hold.

    Raises:
        NotAuthentic: They do not.
        ValueError: It is no JSON.
    """
    written = read_line(signature)
    key, signed = bytes.fromhex(written["public_key"]), base64.b64decode(written["signature"])
    if written != {"public_key": key.hex(), "signature": base64.b64encode(signed).decode()}:
        raise NotAuthentic("the signature is not written as the format says")
    if pinned is not None and key != pinned:
        raise NotAuthentic(f"it is signed by another key: {fingerprint(key)}")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signed, manifest)
    except InvalidSignature:
        raise NotAuthentic("the manifest's signature does not hold") from None
    found = read_line(manifest)
    if found.get("format") != PACKAGE_FORMAT:
        raise NotAuthentic(f"its format is {found.get('format')!r}, not {PACKAGE_FORMAT!r}")
    names = [each["name"] for each in found["files"]]
    taken = {MANIFEST, SIGNATURE, *(name.lower() for name in names)}
    if len(taken) != len(names) + 2 or not all(map(FILE_NAME.fullmatch, names)):
        raise NotAuthentic("the manifest names a file that no package may hold, or one twice")
    return dict(found), key


def check_package(path: Path, pinned: bytes | None = None) -> tuple[dict[str, Any], bytes]:
    """The manifest of a package, archive or folder, and the key it is signed by, once everything in it holds.

    Raises:
        NotAuthentic: Something does not hold; the message says what.
    """
    if path.is_dir():
        return _check_folder(path, pinned)
    with path.open("rb") as file:
        return _check_archive(file, pinned)


def _check_folder(folder: Path, pinned: bytes | None) -> tuple[dict[str, Any], bytes]:
    there = {each.relative_to(folder).as_posix(): each for each in folder.rglob("*")}
    plain = {name for name, each in there.items() if each.is_file() and not each.is_symlink()}
    for name in (MANIFEST, SIGNATURE):
        if name not in plain:
            raise NotAuthentic(f"{name} is missing")
    if there[MANIFEST].stat().st_size > MANIFEST_BYTES:
        raise NotAuthentic("the manifest is too long")
    found, key = check_manifest(there[MANIFEST].read_bytes(), there[SIGNATURE].read_bytes(), pinned)
    names = {each["name"] for each in found["files"]} | {MANIFEST, SIGNATURE}
    folders = {each.as_posix() for name in names for each in Path(name).parents} - {"."}
    if missing := sorted(names - plain):
        raise NotAuthentic(f"{missing[0]} is missing")
    if strange := sorted(there.keys() - names - folders):
        raise NotAuthentic(f"{strange[0]} does not belong to the package")
    for each in found["files"]:
        with there[each["name"]].open("rb") as file:
            _check_content(file, each)
            if file.read(1):
                raise NotAuthentic(f"{each['name']} is longer than the manifest says")
    return found, key


def _check_content(file: BinaryIO, listed: dict[str, Any]) -> int:
    """Read as many bytes as the manifest lists, and compare their digest; their CRC-32."""
    sha256, crc = hashlib.sha256(), 0
    for chunk in _exactly(file, listed["size_bytes"]):
        sha256.update(chunk)
        crc = zlib.crc32(chunk, crc)
    if sha256.hexdigest() != listed["sha256"]:
        raise NotAuthentic(f"{listed['name']} is not the file that the manifest lists")
    return crc


def _exactly(file: BinaryIO, size_bytes: int) -> Iterator[bytes]:
    while size_bytes:
        chunk = file.read(min(size_bytes, READ_BYTES))
        if not chunk:
            raise NotAuthentic("it is cut off")
        size_bytes -= len(chunk)
        yield chunk


def _check_archive(file: BinaryIO, pinned: bytes | None) -> tuple[dict[str, Any], bytes]:
    entries: list[tuple[str, int, int]] = []
    manifest, signature = _leading(file, MANIFEST, entries), _leading(file, SIGNATURE, entries)
    found, key = check_manifest(manifest, signature, pinned)
    for each in found["files"]:
        header = b"".join(_exactly(file, len(local_header(each["name"], each["size_bytes"], 0))))
        crc = _check_content(file, each)
        if header != local_header(each["name"], each["size_bytes"], crc):
            raise NotAuthentic(f"the entry of {each['name']} is not written as the format says")
        entries.append((each["name"], each["size_bytes"], crc))
    if file.read(MANIFEST_BYTES) != directory(entries) or file.read(1):
        raise NotAuthentic("the archive's directory is not that of its entries, or something follows it")
    return found, key


def _leading(file: BinaryIO, name: str, entries: list[tuple[str, int, int]]) -> bytes:
    """The content of one of the two entries that stand first, whose size nothing says but their header."""
    header = file.read(len(local_header(name, 0, 0)))
    size_bytes = int.from_bytes(header[22:26], "little")
    if size_bytes > MANIFEST_BYTES:
        raise NotAuthentic(f"{name} is too long, or this is no package")
    content = b"".join(_exactly(file, size_bytes))
    crc = zlib.crc32(content)
    if header != local_header(name, size_bytes, crc):
        raise NotAuthentic(f"the entry of {name} is not written as the format says")
    entries.append((name, size_bytes, crc))
    return content


def local_header(name: str, size_bytes: int, crc: int) -> bytes:
    """What stands before a stored file in the one form of our archives (PKWARE's APPNOTE 6.3.10, 4.3.7)."""
    long = struct.pack("<HHQQ", 1, 16, size_bytes, size_bytes) if size_bytes >= LONG else b""
    return struct.pack("<I", 0x04034B50) + _common(name, size_bytes, crc, long) + name.encode("ascii") + long


def directory(entries: Sequence[tuple[str, int, int]]) -> bytes:
    """What stands after the last file: the directory of (name, size, CRC-32) and its end (APPNOTE 4.3.12 to 4.3.16)."""
    listed, at = b"", 0
    for name, size_bytes, crc in entries:
        numbers = [size_bytes] * 2 * (size_bytes >= LONG) + [at] * (at >= LONG)
        long = struct.pack(f"<HH{len(numbers)}Q", 1, 8 * len(numbers), *numbers) if numbers else b""
        listed += struct.pack("<IH", 0x02014B50, 45 if long else 20) + _common(name, size_bytes, crc, long)
        listed += struct.pack("<HHHII", 0, 0, 0, 0, min(at, LONG)) + name.encode("ascii") + long
        at += len(local_header(name, size_bytes, crc)) + size_bytes
    count, size = len(entries), len(listed)
    if at >= LONG:
        fields = (0x06064B50, 44, 45, 45, 0, 0, count, count, size, at, 0x07064B50, 0, at + size, 1)
        listed += struct.pack("<IQHHIIQQQQIIQI", *fields)
    return listed + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, size, min(at, LONG), 0)


def _common(name: str, size_bytes: int, crc: int, long: bytes) -> bytes:
    """The fields that both headers have: stored, no flags, 1 January 1980."""
    size = min(size_bytes, LONG)
    return struct.pack(
        "<HHHHHIIIHH", 45 if long else 20, 0, 0, 0, 0x21, crc, size, size, len(name), len(long)
    )


def _report_package(found: dict[str, Any], key: bytes) -> int:
    print(f"The package holds: {len(found['files'])} files, and nothing else.")
    print(f"  answer to request {found['receipt']}, made at {found['packaged_at']}")
    for each in found["files"]:
        print(f"  {each['sha256']}  {each['name']}")
    for each in found.get("erased", ()):
        print(f"  {each['sha256']}  erased at {each['disposed_at']}, recording {each['recording']}")
    print(f"  signed by the key with fingerprint {fingerprint(key)}")
    return 0


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
    parser = argparse.ArgumentParser(
        description="Check a certificate of destruction, or a package that was handed over, offline."
    )
    parser.add_argument(
        "file", type=Path, help="a certificate, the proof of one recording, or a package: archive or folder"
    )
    parser.add_argument("--key", help="the store's public key, in hex, as the store publishes it")
    parser.add_argument("--recording", default="", help="also say whether this recording is in it")
    given = parser.parse_args(argv)
    try:
        pinned = bytes.fromhex(given.key) if given.key else None
        if _is_package(given.file):
            return _report_package(*check_package(given.file, pinned))
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
        print(f"cannot be read as a certificate or a package: {error!r}", file=sys.stderr)
        return 2


def _is_package(path: Path) -> bool:
    if path.is_dir():
        return True
    with path.open("rb") as file:
        return file.read(2) == b"PK"


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
