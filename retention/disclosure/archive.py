"""Write a package: a ZIP archive of stored files, of which there is one form (docs/formats/package.md).

The same files give the same bytes, and a verifier makes every header anew and
compares. So nothing is written that the content does not decide: no time, no
mode, no comment, no compression. That is why the headers are ours, and stand in
the verifier: a library's may differ from one version to the next.

Nothing is held in memory but a chunk, and nothing is written to a disk in the
clear: what a header says of a file is found by reading it once before.

Sizes are bytes.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from retention.disposal import verifier
from retention.kernel.errors import FixityMismatch


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a package."""

    name: str  #: in the archive: ASCII, folders divided by `/`
    media_type: str
    size_bytes: int
    sha256: bytes
    crc: int  #: CRC-32, as a ZIP archive wants it
    chunks: Callable[[], Iterable[bytes]]  #: its content, again each time
    about: dict[str, Any] = field(default_factory=dict)  #: what the manifest says of it besides

    @property
    def listed(self) -> dict[str, Any]:
        """Its entry in the manifest."""
        return {
            "name": self.name,
            "media_type": self.media_type,
            "size_bytes": self.size_bytes,
            "sha256": self.sha256.hex(),
            **self.about,
        }


def part_of(
    name: str,
    media_type: str,
    chunks: Callable[[], Iterable[bytes]],
    sha256: bytes | None = None,
    about: dict[str, Any] | None = None,
) -> Part:
    """Read a file once, for what its header says.

    Raises:
        FixityMismatch: It is not the content of digest `sha256`.
    """
    size_bytes, crc, found = 0, 0, hashlib.sha256()
    for chunk in chunks():
        size_bytes += len(chunk)
        crc = zlib.crc32(chunk, crc)
        found.update(chunk)
    if sha256 is not None and found.digest() != sha256:
        raise FixityMismatch(f"{name} is not the copy that was made and approved")
    return Part(name, media_type, size_bytes, found.digest(), crc, chunks, about or {})


def text_part(name: str, media_type: str, content: bytes) -> Part:
    """A file that is in memory already."""
    return part_of(name, media_type, lambda: (content,))


def archive(parts: Sequence[Part]) -> Iterator[bytes]:
    """The archive of these files, in this order, a chunk at a time.

    Raises:
        FixityMismatch: A file was another when it was read again.
    """
    for part in parts:
        yield verifier.local_header(part.name, part.size_bytes, part.crc)
        found = hashlib.sha256()
        for chunk in part.chunks():
            found.update(chunk)
            yield chunk
        if found.digest() != part.sha256:
            raise FixityMismatch(f"{part.name} was changed while the package was made")
    yield verifier.directory([(part.name, part.size_bytes, part.crc) for part in parts])
