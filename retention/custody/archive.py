"""The file of a backup: members in a gzipped tar, sealed, signed, written and read as a stream.

    {"format":"retention-backup/1","made_at":…,"store":…}    what it is, in the clear
    …64 hex digits…                                           the commitment to the key
    sealed bytes                                              the vault's streaming envelope

Inside, the last member is `manifest.json`: it lists every other member in
order with its SHA-256, and is signed with the store's Ed25519 key. The key of
the envelope is a secret of the store; whoever has the file alone reads nothing
and changes nothing unnoticed. The first line is bound to the rest.

Holds one member in memory. Knows nothing of tables: see `tables.py`.
"""

import gzip
import hashlib
import hmac
import io
import json
import os
import tarfile
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from retention.kernel.canonical import canonical_json
from retention.kernel.errors import FixityMismatch, InvalidInput
from retention.vault.envelope import SealedReader, commitment, encrypt
from retention.vault.signing import Signer

FORMAT = "retention-backup/1"
MANIFEST = "manifest.json"
_LABEL = b"retention.backup.v1;"
_LONGEST_LINE = 4_096
_OTHER_KEYS = "Bring back this store's keys first: `retention keys restore FILE`."
#: Rows are hashes and ciphertext: more effort makes them no smaller.
_EFFORT = 1

_DRAIN_BYTES = 1 << 16

Member = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Head:
    """What a backup says of itself in the clear."""

    store: str
    made_at: str

    def line(self) -> bytes:
        """The first line, without its end."""
        return canonical_json({"format": FORMAT, "store": self.store, "made_at": self.made_at})


def write_archive(
    out: Callable[[bytes], object],
    key: bytes,
    signer: Signer,
    head: Head,
    members: Iterable[Member],
    manifest: Callable[[], dict[str, Any]],
) -> None:
    """Write a backup.

    Args:
        out: Takes the bytes, in order.
        key: The store's secret for backups, 32 bytes.
        signer: Signs the manifest.
        head: What to say in the clear.
        members: Name and content of each member.
        manifest: What to say in the manifest besides the members; asked for when they have all been written.
    """
    line = head.line()
    bound = _LABEL + line
    out(line + b"\n" + commitment(key, bound).hex().encode() + b"\n")
    for piece in encrypt(key, bound, _gzipped(_tar(_with_manifest(members, manifest, signer)))):
        out(piece)


def _with_manifest(
    members: Iterable[Member], manifest: Callable[[], dict[str, Any]], signer: Signer
) -> Iterator[Member]:
    written: list[list[str]] = []
    for name, content in members:
        written.append([name, hashlib.sha256(content).hexdigest()])
        yield name, content
    statement = canonical_json({"format": FORMAT, "members": written, **manifest()})
    signed = {"statement": statement.decode(), "signature": b64encode(signer.sign(statement)).decode()}
    yield MANIFEST, canonical_json(signed)


def _tar(members: Iterable[Member]) -> Iterator[bytes]:
    for name, content in members:
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(content), 0o600
        yield info.tobuf(tarfile.PAX_FORMAT)
        yield content
        yield bytes(-len(content) % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _gzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    gzip_container = 16 + zlib.MAX_WBITS
    deflate = zlib.compressobj(_EFFORT, wbits=gzip_container)
    for piece in pieces:
        yield deflate.compress(piece)
    yield deflate.flush()


def read_head(path: Path) -> Head:
    """What the backup in `path` says of itself.

    Raises:
        InvalidInput: It is not a backup, or not to be read.
    """
    try:
        with path.open("rb") as file:
            return _head_of(path, file)[0]
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}") from error


def _head_of(path: Path, file: BinaryIO) -> tuple[Head, bytes, bytes]:
    line, commit = file.readline(_LONGEST_LINE), file.readline(_LONGEST_LINE)
    try:
        said = json.loads(line)
        if said["format"] != FORMAT:
            raise InvalidInput(f"{path} has the format {said['format']!r}, not {FORMAT!r}")
        return Head(said["store"], said["made_at"]), line.rstrip(b"\n"), bytes.fromhex(commit.decode("ascii"))
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{path} is no backup of a store") from error


def verify_archive(path: Path, key: bytes, is_ours: Callable[[bytes, bytes], bool]) -> dict[str, Any]:
    """The manifest of a backup of which every byte was checked.

    Args:
        path: The file.
        key: The store's secret for backups.
        is_ours: Tells whether (message, signature) is the store's.

    Raises:
        InvalidInput: It is not a backup, or another store's.
        FixityMismatch: It was changed, cut, or is not signed by this store.
    """
    found: list[list[str]] = []
    signed: bytes | None = None
    for name, content in members_of(path, key):
        if signed is not None:
            raise FixityMismatch(f"{path} goes on after its manifest")
        if name == MANIFEST:
            signed = content
        else:
            found.append([name, hashlib.sha256(content).hexdigest()])
    if signed is None:
        raise FixityMismatch(f"{path} has no manifest")
    envelope = json.loads(signed)
    statement = str(envelope["statement"]).encode()
    if not is_ours(statement, b64decode(envelope["signature"])):
        raise FixityMismatch(f"{path} is not signed by this store")
    manifest: dict[str, Any] = json.loads(statement)
    if manifest["members"] != found:
        raise FixityMismatch(f"{path} does not hold what its manifest lists")
    return manifest


def members_of(path: Path, key: bytes) -> Iterator[Member]:
    """Each member in order, the manifest last; every byte authentic under the store's key.

    Raises:
        InvalidInput: It is not a backup, or another store's.
        FixityMismatch: It was changed or cut.
    """
    try:
        with path.open("rb") as file:
            yield from _members(path, file, key)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror or error}") from error


def _members(path: Path, file: BinaryIO, key: bytes) -> Iterator[Member]:
    head, line, committed = _head_of(path, file)
    bound = _LABEL + line
    if not hmac.compare_digest(commitment(key, bound), committed):
        raise InvalidInput(
            f"{path} names store {head.store}, and this store's keys do not open it", hint=_OTHER_KEYS
        )
    begin = file.tell()
    stored_bytes = os.fstat(file.fileno()).st_size - begin

    def read_at(start: int, length: int) -> bytes:
        return os.pread(file.fileno(), length, begin + start)

    chunks = SealedReader(read_at, key, bound, stored_bytes).chunks()
    try:
        with (
            gzip.open(io.BufferedReader(_Stream(chunks))) as plain,
            tarfile.open(fileobj=plain, mode="r|") as tar,
        ):
            for info in tar:
                content = tar.extractfile(info)
                yield info.name, content.read() if content else b""
            while plain.read(_DRAIN_BYTES):
                pass
    except (tarfile.TarError, zlib.error, EOFError, gzip.BadGzipFile) as error:
        raise FixityMismatch(
            f"{path} is sealed by this store, but its content cannot be read: {error}"
        ) from error


class _Stream(io.RawIOBase):
    """Chunks as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._chunks, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        taken = min(len(buffer), len(self._rest))
        buffer[:taken] = self._rest[:taken]
        self._rest = self._rest[taken:]
        return taken
