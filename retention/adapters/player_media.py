"""The Player over the toolbox `media`: a child process that can do little decodes a recording to its end."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from media.errors import MediaToolError, ToolFailed
from media.errors import Unreadable as MediaUnreadable
from media.errors import UnsupportedCodec as MediaUnsupportedCodec
from media.probe import Inspector
from retention.kernel.errors import DependencyError, Unreadable, UnsupportedCodec
from retention.redaction.model import raw_format_of


class MediaPlayer:
    """Decodes with one of the toolbox's workers."""

    def __init__(self) -> None:
        self._inspector = Inspector(workers=1)

    def play(self, path: Path, facts: Mapping[str, Any], timeout_s: float) -> tuple[str, ...]:
        """See `Player`."""
        raw_format = raw_format_of(facts) or None
        try:
            found = self._inspector.inspect(
                path, timeout_seconds=timeout_s, is_thorough=True, raw_format=raw_format
            )
        except MediaUnsupportedCodec as error:
            raise UnsupportedCodec(error.reason) from error
        except MediaUnreadable as error:
            raise Unreadable(error.reason) from error
        except ToolFailed as error:
            raise DependencyError(
                f"recordings cannot be decoded on this machine: {error}", hint="`retention doctor` says more."
            ) from error
        except (MediaToolError, ValueError) as error:
            raise Unreadable(str(error)) from error
        return found.warnings

    def close(self) -> None:
        """See `Player`."""
        self._inspector.close()
