"""Unseal for tools that want a file: into one that no folder names, so it ends with the process, however that ends."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from retention.kernel.errors import FixityMismatch, ToolFailed
from retention.vault.envelope import SealedReader


@contextmanager
def unsealed_file(folder: Path, reader: SealedReader, sha256: bytes, name: str) -> Iterator[Path]:
    """The whole content as a file on the disk of `folder`; its path holds for this process and its children.

    Args:
        folder: Made if it is not there.
        reader: What the door opened.
        sha256: Of the content that was sealed.
        name: What it is, for messages.

    Raises:
        FixityMismatch: The content is not the one that was sealed.
        ToolFailed: The disk does not take it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryFile(dir=folder) as file:
        digest = hashlib.sha256()
        try:
            for chunk in reader.chunks():
                digest.update(chunk)
                file.write(chunk)
            file.flush()
        except OSError as error:
            raise ToolFailed(
                f"the original of {name} cannot be unpacked: {error.strerror}",
                hint=f"Its whole size is needed in {folder} while the work lasts, and that of a copy where one is made.",
            ) from error
        if digest.digest() != sha256:
            raise FixityMismatch(f"the content of {name} is not the content that was sealed")
        yield path_of(file)


def path_of(file: BinaryIO) -> Path:
    """A path to an open file that has no name."""
    return Path(f"/proc/{os.getpid()}/fd/{file.fileno()}")
