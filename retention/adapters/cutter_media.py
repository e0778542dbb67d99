"""The Cutter over the toolbox `media`: uncompressed sound, to the sample; whatever else is refused."""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from media import errors as media_errors
from media.sound.excerpt import cut
from retention.kernel.errors import InvalidInput, NotReleased, Unreadable, UnsupportedCodec
from retention.redaction.model import raw_format_of

READ_BYTES = 1 << 20
MICROSECONDS = 1_000_000


class MediaCutter:
    """Cuts between two files that have no name in any folder."""

    def __init__(self, folder: Path) -> None:
        """The recording, and the part, lie in `folder` while it is cut."""
        self._folder = folder

    def cut(
        self, chunks: Iterable[bytes], facts: Mapping[str, Any], from_us: int, until_us: int
    ) -> Iterator[bytes]:
        """See `Cutter`."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        start_s, end_s = (Fraction(each, MICROSECONDS) for each in (from_us, until_us))
        with (
            tempfile.TemporaryFile(dir=self._folder) as whole,
            tempfile.TemporaryFile(dir=self._folder) as part,
        ):
            whole.writelines(chunks)
            whole.flush()
            try:
                cut(whole, part, start_s, end_s, raw_format_of(facts) or None)
            except media_errors.UnsupportedCodec as error:
                raise UnsupportedCodec(error.reason) from error
            except media_errors.Unreadable as error:
                raise Unreadable(error.reason) from error
            except media_errors.NotReleased as error:
                raise NotReleased(str(error)) from error
            except ValueError as error:
                raise InvalidInput(str(error)) from error
            part.seek(0, os.SEEK_SET)
            while block := part.read(READ_BYTES):
                yield block
