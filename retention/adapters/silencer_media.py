"""The Silencer over the toolbox `media`: what can stay as it is stays, and the rest becomes lossless."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from media.sound.mute import Report, Request, mute_into
from media.sound.spans import Mute
from media.sound.wave import read_wave
from retention.adapters.media_errors import in_our_words
from retention.kernel.errors import UnsupportedCodec
from retention.redaction.model import RAW, Progress, Span, raw_format_of

#: By the container that inspection found: under which suffix the toolbox writes the same one.
SAME = {
    "wav": ".wav",
    "ogg": ".ogg",
    "mp3": ".mp3",
    "aac": ".aac",
    "flac": ".flac",
    "mp4": ".mp4",
    "matroska": ".mkv",
    "avi": ".avi",
    "caf": ".caf",
}
LOSSLESS = ".flac"


class MediaSilencer:
    """Has the toolbox silence: it decodes in a child process, and in this one it moves bare samples alone."""

    def silence(
        self,
        source: Path,
        new: Path,
        spans: Sequence[Span],
        facts: Mapping[str, Any],
        progress: Progress,
    ) -> Mapping[str, Any]:
        """See `Silencer`."""
        raw_format = raw_format_of(facts)
        request = Request(tuple(Mute.parse(str(span)) for span in spans), raw_format=raw_format or None)
        is_footage = any(each.get("type") == "video" for each in facts.get("streams", ()))
        suffix = _suffix(source, facts["container"], is_footage=is_footage)
        with in_our_words("the span could not be silenced"):
            return _how(_mute(source, new, suffix, request, progress, may_rewrite=not is_footage))


def _suffix(source: Path, container: str, *, is_footage: bool) -> str:
    if container in RAW:
        return ".raw" if RAW[container] else LOSSLESS
    if container == "wav":
        with source.open("rb") as file:
            return ".wav" if read_wave(file, source.stat().st_size) else LOSSLESS
    if container not in SAME and is_footage:
        raise UnsupportedCodec(f"footage in {container} cannot be written anew with its sound silenced")
    return SAME.get(container, LOSSLESS)


def _mute(
    source: Path, new: Path, suffix: str, request: Request, progress: Progress, *, may_rewrite: bool
) -> Report:
    try:
        return mute_into(source, new, suffix, request, progress)
    except ValueError:
        if suffix == LOSSLESS or not may_rewrite:
            raise
    # One side of a codec whose channels share packets, or a codec with memory: decoded, it loses nothing more.
    return mute_into(source, new, LOSSLESS, request, progress)


def _how(report: Report) -> dict[str, Any]:
    return {
        "tracks": [
            {
                "track": each.track,
                "container": each.container,
                "codec": each.codec,
                "method": each.method,
                "checked": each.checked,
                "notes": [one.text for one in each.survives],
            }
            for each in report.tracks
        ]
    }
