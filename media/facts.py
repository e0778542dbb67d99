"""Describe a container and its tracks in its own words, cleaned for print."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from media.inspection import StreamFacts, printable

_MAX_RATE_FPS = 1000
_START_TAGS = ("creation_time", "com.apple.quicktime.creationdate", "date")
_FAMILIES = {"mov,mp4,m4a,3gp,3g2,mj2": "mp4", "matroska,webm": "matroska"}


def container_name(container: InputContainer) -> str:
    """A short name of the container's family, such as "mp4", "wav" or "matroska"."""
    return _FAMILIES.get(container.format.name, container.format.name)


def claimed_start(container: InputContainer) -> str | None:
    """When the container says the recording began, in its own words."""
    tags: list[Mapping[str, str]] = [container.metadata, *(stream.metadata for stream in container.streams)]
    for key in _START_TAGS:
        for tag in tags:
            if claim := printable(tag.get(key, "")):
                return claim
    return None


def is_cover(stream: Stream) -> bool:
    """Whether a picture track is a still one that decorates the recording."""
    return bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))


def codec_name(stream: Stream) -> str:
    """FFmpeg's name of the codec; "unknown" where it has no decoder."""
    if stream.type not in {"audio", "video", "subtitle"} or stream.codec_context is None:
        return "unknown"
    return printable(stream.codec_context.name)


def describe_tracks(
    container: InputContainer, shown: Stream, picture: VideoFrame | None
) -> tuple[StreamFacts, ...]:
    """Facts of every track; size and rotation of `shown` are those of its first decoded `picture`."""
    return tuple(_facts(stream, picture if stream is shown else None) for stream in container.streams)


def quarter_turns(frame: VideoFrame) -> int | None:
    """Clockwise quarter turns that set the picture upright; None for an angle in between."""
    turns, rest = divmod(-frame.rotation, 90)
    return None if rest else turns % 4


def side_tracks(container: InputContainer, main: Stream) -> list[str]:
    """A warning about tracks that an ordinary player never shows, if there are any."""
    others = Counter(
        "still picture" if stream.type == "video" and is_cover(stream) else stream.type
        for stream in container.streams
        if stream.index != main.index
    )
    others["audio"] -= main.type == "video"  # the sound of footage is no surprise
    listed = [f"{count} {kind}" for kind, count in sorted(others.items()) if count > 0]
    return [f"side tracks that a player does not show: {', '.join(listed)}"] if listed else []


def _facts(stream: Stream, picture: VideoFrame | None) -> StreamFacts:
    plain = StreamFacts(stream.index, stream.type, codec_name(stream), is_cover=is_cover(stream))
    if plain.codec == "unknown":
        return plain
    if isinstance(stream, AudioStream):
        context = stream.codec_context
        return replace(plain, sample_rate=context.sample_rate, channels=context.channels)
    if isinstance(stream, VideoStream):
        turns = quarter_turns(picture) if picture else None
        return replace(
            plain,
            width=picture.width if picture else stream.codec_context.width,
            height=picture.height if picture else stream.codec_context.height,
            rotation=None if turns is None else 90 * turns,
            rate_fps=_rate(stream.average_rate),
        )
    return plain


def _rate(rate: Fraction | None) -> Fraction | None:
    return rate if rate is not None and 0 < rate <= _MAX_RATE_FPS else None
