"""The Inspector over the toolbox `media`: files are looked into by child processes that can do little."""

from pathlib import Path

from media.confine import at_hand
from media.inspection import Inspection, StreamFacts
from media.probe import Inspector
from media.raw_format import parse_raw_format
from media.tools import find_ffmpeg
from retention.adapters.media_errors import looking_into_a_file
from retention.ingest.model import Seen
from retention.kernel.errors import InvalidInput
from retention.schedule.model import Kind


class MediaInspector:
    """Looks into files with the toolbox's workers."""

    def __init__(self, timeout_s: float, workers: int = 2) -> None:
        self._timeout_s = timeout_s
        self._inspector = Inspector(workers=workers)
        self._inspector.get_ready()  # it takes as long to start as a store to open, which comes next

    def inspect(self, path: Path, raw_format: str) -> Seen:
        """What the file holds, going by its content and never by its name.

        Raises:
            Unreadable: It holds no recording that can be decoded.
            DependencyError: This machine cannot look into files at all.
        """
        with looking_into_a_file("files cannot be looked into"):
            found = self._inspector.inspect(
                path,
                timeout_seconds=self._timeout_s,
                want_thumbnail=True,
                want_peaks=True,
                raw_format=raw_format or None,
            )
        return _seen(found)

    def close(self) -> None:
        """Stop the workers."""
        self._inspector.close()


def versions() -> dict[str, str]:
    """The tools in use and their versions."""
    import av  # noqa: PLC0415 - the parent never decodes, so it need not load the decoders
    import cv2  # noqa: PLC0415 - as above

    ffmpeg = find_ffmpeg()
    return {
        "ffmpeg": f"{ffmpeg.version} ({ffmpeg.path})",
        "PyAV": av.__version__,
        "OpenCV": cv2.__version__,
        "decoders": f"in child processes, confined by {' and '.join(at_hand()) or 'nothing but limits'}",
    }


def check_raw_format(text: str) -> None:
    """Refuse a raw format that nobody knows.

    Raises:
        InvalidInput: The message says which are known.
    """
    try:
        parse_raw_format(text)
    except ValueError as error:
        raise InvalidInput(str(error)) from error


def _seen(found: Inspection) -> Seen:
    made = {"thumbnail": found.thumbnail, "peaks": found.peaks}
    return Seen(
        kind=Kind.FOOTAGE if found.kind == "video" else Kind.CALL,
        container=found.container,
        duration_us=found.duration_us,
        facts={
            "container": found.container,
            "duration_us": found.duration_us,
            "streams": [_stream(stream) for stream in found.streams],
            "warnings": list(found.warnings),
        },
        started_at=found.started_at,
        started_at_text=found.started_at_text or "",
        derivatives={role: content for role, content in made.items() if content},
    )


def _stream(stream: StreamFacts) -> dict[str, str | int | bool | None]:
    found: dict[str, str | int | bool | None] = {
        "index": stream.index,
        "type": stream.type,
        "codec": stream.codec,
        "width": stream.width,
        "height": stream.height,
        "rotation": stream.rotation,
        "rate_fps": str(stream.rate_fps) if stream.rate_fps else None,
        "sample_rate": stream.sample_rate,
        "channels": stream.channels,
    }
    return {name: value for name, value in found.items() if value is not None}
