"""Look into one file and say what it holds. Runs in the worker; see `probe`.

A file is readable when something in it was really decoded: the first pictures
of footage, the first sound of a call, all of its sound where peaks are wanted.
What is cut off or damaged further on is a warning, not a refusal: half of a
recording may be all the evidence there is.

Nothing that a header claims is believed where it can be counted.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from media.container import Opened, open_recording
from media.decode import Heard, Track, decode_sound, decode_tracks
from media.duration import duration_heard, duration_of
from media.errors import Unreadable, UnsupportedCodec
from media.facts import claimed_start, container_name, describe_tracks, is_cover, side_tracks
from media.inspection import MAX_WARNINGS, Inspection, parse_start, printable
from media.peaks import MAX_CHANNELS

MAX_EDGE_PX = 16_384  #: no level of H.264 or H.265 reaches it; more is a broken header
MAX_SAMPLE_RATE = 768_000


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the caller wants to know; see `probe.Inspector.inspect`."""

    want_thumbnail: bool = False
    want_peaks: bool = False
    is_thorough: bool = False


def examine(file: Path | int, wishes: Wishes, raw_format: str | None) -> Inspection:
    """Inspect a file, by its path or by a descriptor.

    Raises:
        Unreadable: It cannot be used, with the reason.
        ValueError: The raw format is none that is known.
    """
    with open_recording(file, raw_format) as opened:
        main = _choose_main(opened.container)
        if isinstance(main, VideoStream):
            return _examine_video(opened, main, wishes)
        return _examine_audio(opened, main, wishes)


def _examine_video(opened: Opened, main: VideoStream, wishes: Wishes) -> Inspection:
    tracks: list[Track] = [main, *_decodable(opened.container.streams.audio)[:1]]
    picture, *sounds = decode_tracks(opened.container, tracks, is_thorough=wishes.is_thorough)
    if picture.encrypted or any(sound.encrypted for sound in sounds):
        raise Unreadable(_which_is_encrypted(picture, sounds))
    if picture.first is None:
        raise Unreadable(_why_no_frame("picture", picture))
    _check_size(picture.first)
    opened.warnings += _damage("picture", picture)
    if any(sound.first is None for sound in sounds):
        opened.warnings.append(
            "of the sound that goes with the picture, nothing could be decoded at its beginning"
        )
    duration_us = duration_of(opened, main)
    inspection = _describe(opened, main, duration_us, picture.first)
    if not wishes.want_thumbnail:
        return inspection
    from media.thumbnail import make_thumbnail  # noqa: PLC0415 - OpenCV: calls, and workers that start, go without

    return replace(inspection, thumbnail=make_thumbnail(opened.container, main, duration_us, picture.first))


def _examine_audio(opened: Opened, main: AudioStream, wishes: Wishes) -> Inspection:
    _check_sound(main)
    peaks = None
    if wishes.want_peaks or wishes.is_thorough:
        sound, peaks = decode_sound(opened.container, main)
    else:
        (sound,) = decode_tracks(opened.container, [main], is_thorough=False)
    if sound.encrypted:
        raise Unreadable("the sound is encrypted")
    if sound.first is None:
        raise Unreadable(_why_no_frame("sound", sound))
    opened.warnings += _damage("sound", sound)
    duration_us = duration_of(opened, main) if peaks is None else duration_heard(opened, sound)
    return replace(_describe(opened, main, duration_us, None), peaks=peaks if wishes.want_peaks else None)


def _describe(opened: Opened, main: Track, duration_us: int, picture: VideoFrame | None) -> Inspection:
    claim = claimed_start(opened.container)
    warnings = [*opened.warnings, *side_tracks(opened.container, main)]
    return Inspection(
        kind=main.type,
        container=container_name(opened.container),
        duration_us=duration_us,
        streams=describe_tracks(opened.container, main, picture),
        started_at_text=claim,
        started_at=parse_start(claim) if claim else None,
        warnings=tuple(printable(text) for text in warnings[:MAX_WARNINGS]),
    )


def _choose_main(container: InputContainer) -> Track:
    """The picture if there is one that moves, else the sound. Cover art is neither."""
    moving = [track for track in container.streams.video if not is_cover(track)]
    tracks: list[Track] = [*moving] or [*container.streams.audio]
    if not tracks:
        raise Unreadable("the file holds no sound and no picture")
    for track in _decodable(tracks):
        return track
    what = "picture" if moving else "sound"
    raise UnsupportedCodec(f"nothing here can decode the {what}")


def _decodable(tracks: Iterable[Track]) -> list[Track]:
    """Those that have a decoder, set to one thread: memory grows with threads, and workers run side by side."""
    found = [track for track in tracks if track.codec_context is not None]
    for track in found:
        track.codec_context.thread_count = 1
    return found


def _check_size(picture: VideoFrame) -> None:
    if max(picture.width, picture.height) > MAX_EDGE_PX:
        raise Unreadable(f"the picture claims to be {picture.width} x {picture.height} pixels")


def _check_sound(stream: AudioStream) -> None:
    rate, channels = stream.codec_context.sample_rate, stream.codec_context.channels
    if not 0 < rate <= MAX_SAMPLE_RATE:
        raise Unreadable(f"the sound claims {rate} samples a second")
    if not 0 < channels <= MAX_CHANNELS:
        raise Unreadable(f"the sound claims {channels} channels")


def _why_no_frame(what: str, heard: Heard) -> str:
    if heard.packets == 0:
        return f"there is a header, but no {what} after it; the file was probably cut off while being written"
    return f"nothing of the {what} can be decoded; the file is damaged"


def _which_is_encrypted(picture: Heard, sounds: list[Heard]) -> str:
    if not picture.encrypted:
        return "the sound is encrypted"
    return (
        "picture and sound are encrypted" if any(s.encrypted for s in sounds) else "the picture is encrypted"
    )


def _damage(what: str, heard: Heard) -> list[str]:
    found = []
    if heard.damaged:
        found.append(f"{heard.damaged} of the {heard.packets} packets of {what} that were tried are damaged")
    if heard.changes:
        found.append(
            f"the form of the {what} changes; {heard.changes} stretches are missing from the waveform"
        )
    return found
