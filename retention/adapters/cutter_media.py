"""The Cutter over the toolbox `media`.

Uncompressed sound is cut in this process, which parses no more than a header of
it. Everything else is decoded, by child processes that never see a key.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

from media.excerpt import model as media
from media.excerpt.cut import cut_into
from retention.adapters.media_errors import in_our_words
from retention.kernel.errors import ToolFailed
from retention.provision.model import Excerpt, Form, Piece, Progress
from retention.redaction.model import raw_format_of
from retention.vault.unseal import path_of

READ_BYTES = 1 << 20
MICROSECONDS = 1_000_000
_FORMS = {
    Form.RAW: media.Form.SAMPLES,
    Form.SAMPLES: media.Form.SAMPLES,
    Form.DECODED: media.Form.WAV,
    Form.MP4: media.Form.MP4,
}


class MediaCutter:
    """Cuts between two files that have no name in any folder."""

    def __init__(self, folder: Path) -> None:
        """The recording, and the part, lie in `folder` while it is cut."""
        self._folder = folder

    def cut(
        self, chunks: Iterable[bytes], facts: Mapping[str, Any], part: Excerpt, progress: Progress
    ) -> Piece:
        """See `Cutter`."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with ExitStack() as stack:
            piece = stack.enter_context(tempfile.TemporaryFile(dir=self._folder))
            with tempfile.TemporaryFile(dir=self._folder) as whole:
                _unpack(chunks, whole)
                with in_our_words("the part could not be cut"):
                    done = cut_into(
                        path_of(whole),
                        path_of(piece),
                        _span(part),
                        _FORMS[part.form],
                        raw_format=raw_format_of(facts) or None,
                        on_progress=progress,
                    )
            return Piece(_read(piece, stack.pop_all()), done.as_json())


def _span(part: Excerpt) -> media.Span:
    return media.Span(Fraction(part.from_us, MICROSECONDS), Fraction(part.until_us, MICROSECONDS))


def _unpack(chunks: Iterable[bytes], whole: BinaryIO) -> None:
    for chunk in chunks:
        try:
            whole.write(chunk)
        except OSError as error:
            raise ToolFailed(f"the recording cannot be unpacked: {error.strerror}") from error
    whole.flush()


def _read(piece: BinaryIO, opened: ExitStack) -> Iterator[bytes]:
    with opened:
        piece.seek(0)
        while block := piece.read(READ_BYTES):
            yield block
