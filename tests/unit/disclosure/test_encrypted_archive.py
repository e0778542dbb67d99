"""An archive for the post is read back before anybody is told that it is made."""

import io

import pytest

from retention.adapters.archive_aes import encrypt_archive
from retention.kernel.errors import FixityMismatch
from tests.builders.packages import package


class WornOut(io.BytesIO):
    """A medium that gives one byte back otherwise than it was written."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self._at = at

    def read(self, size: int | None = -1, /) -> bytes:
        begin = self.tell()
        content = bytearray(super().read(size))
        if begin <= self._at < begin + len(content):
            content[self._at - begin] ^= 1
        return bytes(content)


def test_a_medium_that_gives_back_something_else_makes_no_archive() -> None:
    sound = io.BytesIO()
    encrypt_archive(io.BytesIO(package()), sound, "a passphrase")
    content = sound.getvalue()
    for at in (content.index(b"README.txt"), len(content) // 2):
        with pytest.raises(FixityMismatch, match="read back"):
            encrypt_archive(io.BytesIO(package()), WornOut(at), "a passphrase")
