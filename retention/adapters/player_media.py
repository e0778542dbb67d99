"""The Player over the toolbox `media`: a child process that can do little decodes a recording to its end."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from media.probe import Inspector
from retention.adapters.media_errors import looking_into_a_file
from retention.redaction.model import raw_format_of


class MediaPlayer:
    """Decodes with one of the toolbox's workers."""

    def __init__(self) -> None:
        self._inspector = Inspector(workers=1)

    def play(self, path: Path, facts: Mapping[str, Any], timeout_s: float) -> tuple[str, ...]:
        """See `Player`."""
        raw_format = raw_format_of(facts) or None
        with looking_into_a_file("recordings cannot be decoded"):
            found = self._inspector.inspect(
                path, timeout_seconds=timeout_s, is_thorough=True, raw_format=raw_format
            )
        return found.warnings

    def close(self) -> None:
        """See `Player`."""
        self._inspector.close()
