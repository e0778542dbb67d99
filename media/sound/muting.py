"""Mute a recording, in the process that calls: the child's side of `mute`, for all but bare samples.

The way is chosen by what the source is and what is asked: packets replaced, or
decoded and written anew (see `report.METHODS`). What is written is read again
and found silent. Samples that lie in the open are `splice`'s.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import av

from media.damage import in_words
from media.errors import NotReleased, Unreadable
from media.sound import edit, packets
from media.sound.footage import write_footage
from media.sound.ogg import OpusStream, read_opus, read_packets, silence_pages
from media.sound.placed import Placed, check_silence, silent_stretches
from media.sound.report import Redacted, Request, muted_of
from media.sound.samples import Style
from media.sound.silent import OPUS_RATE
from media.sound.spans import UNKNOWN_TOTAL, Mute, Plan, make_plan
from media.sound.track import open_track, sound_tracks

Progress = Callable[[int, int], None]

_ANEW = (".wav", ".flac")
_OPUS = (".ogg", ".opus", ".oga")
#: By suffix of the result: FFmpeg's muxer of a call whose packets are replaced.
_CALLS = {".m4a": "ipod", ".mp4": "mp4", ".aac": "adts", ".mka": "matroska", ".webm": "webm", ".caf": "caf"}
#: By suffix of the result: FFmpeg's muxer of footage.
_FOOTAGE = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm", ".avi": "avi"}
_SOUND_OF = {"ipod": {"aac"}, "mp4": {"aac", "mp3", "opus"}, "adts": {"aac"}, "webm": {"opus"}}


def write_muted(
    source: Path, out: Path, suffix: str, request: Request, progress: Progress
) -> tuple[Redacted, ...]:
    """See `mute.mute_into`."""
    with _words_for_ffmpeg():
        return _write(source, out, suffix.lower(), request, progress)


def write_tracks(
    source: Path, out: Path, suffix: str, mutes: Mapping[int, Sequence[Mute]], progress: Progress
) -> tuple[Redacted, ...]:
    """See `mute.mute_tracks`."""
    container = _container(_FOOTAGE, suffix.lower())
    with _words_for_ffmpeg():
        return write_footage(source, mutes, out, container, progress)


def _write(
    source: Path, out: Path, suffix: str, request: Request, progress: Progress
) -> tuple[Redacted, ...]:
    if suffix in _OPUS:
        with source.open("rb") as file:
            if opus := read_opus(file):
                return (_replace_pages(file, opus, out, request, progress),)
    if request.raw_format is None:
        is_footage, indices = sound_tracks(source)
        if not indices:
            raise Unreadable("the file holds no sound")
        if is_footage:
            return _write_footage(source, indices, out, suffix, request, progress)
    if suffix in _ANEW:
        return (_write_decoded(source, out, suffix, request, progress),)
    return (_replace_packets(source, out, suffix, request, progress),)


def _replace_pages(
    file: BinaryIO, stream: OpusStream, out: Path, request: Request, progress: Progress
) -> Redacted:
    plan = make_plan(request.mutes, OPUS_RATE, stream.channels, stream.total)
    if not plan.is_same_on_all or request.style is not Style.SILENCE:
        raise ValueError(_one_side("Opus"))
    silenced: list[Placed] = []
    with out.open("w+b") as written:
        size_bytes = os.fstat(file.fileno()).st_size
        for page, muted in silence_pages(file, stream, plan.every):
            written.write(page)
            silenced += muted
            progress(file.tell(), size_bytes)
        _check_pages(written, stream, plan)
    return Redacted(
        method="packets",
        container="ogg",
        codec="opus",
        rate=OPUS_RATE,
        channels=stream.channels,
        total_samples=stream.total,
        style=request.style,
        fade_samples=0,
        muted=muted_of(plan, (silent_stretches(silenced).clip(0, stream.total),) * stream.channels),
        checked=packets.CHECKED,
    )


def _check_pages(written: BinaryIO, stream: OpusStream, plan: Plan) -> None:
    found = read_opus(written)
    if found != stream:
        raise NotReleased("the written Ogg stream is not as long as its source")
    near = read_packets(written, found, plan.every, OPUS_RATE // 2)
    check_silence(near, plan.every, "opus", found.head, OPUS_RATE)


def _replace_packets(source: Path, out: Path, suffix: str, request: Request, progress: Progress) -> Redacted:
    with open_track(source) as track:
        plan = make_plan(request.mutes, track.rate, track.channels, UNKNOWN_TOTAL)
    if not packets.can_replace(track, plan, request.style):
        raise ValueError(_one_side(track.codec) if track.has_packets else _anew(track.codec))
    if suffix == ".mp3" and track.codec == "mp3":
        form = "mp3"
        with out.open("wb") as written:
            wrote = packets.write_mp3(source, plan, written, progress)
    else:
        form = _container(_CALLS, suffix)
        if track.codec not in _SOUND_OF.get(form, {track.codec}):
            raise ValueError(_anew(track.codec))
        wrote = packets.write_container(source, plan, out, form, request.style, progress)
    plan = make_plan(request.mutes, track.rate, track.channels, wrote.total.samples)
    packets.check_packets(out, None, plan, wrote, request.style)
    return packets.result_of(track, plan, wrote, form, request.style)


def _write_decoded(source: Path, out: Path, suffix: str, request: Request, progress: Progress) -> Redacted:
    plan, target, done = edit.write_call(
        source, request.raw_format, request.mutes, out, suffix.removeprefix("."), request.style, progress
    )
    edit.check_decoded(out, None, plan, target, request.style)
    return done


def _write_footage(
    source: Path, indices: tuple[int, ...], out: Path, suffix: str, request: Request, progress: Progress
) -> tuple[Redacted, ...]:
    if request.style is not Style.SILENCE:
        raise ValueError("the sound of footage is silenced; a tone is for calls")
    mutes = dict.fromkeys(indices, request.mutes)
    return write_footage(source, mutes, out, _container(_FOOTAGE, suffix), progress)


def _container(known: Mapping[str, str], suffix: str) -> str:
    if suffix not in known:
        raise ValueError(
            f"a result named {suffix or 'without a suffix'} is not written here: name it {', '.join(known)}"
        )
    return known[suffix]


def _one_side(codec: str) -> str:
    return (
        f"in {codec}, the channels share their packets: one side alone, or a tone, can only be written anew, "
        "without further loss; name the result .flac or .wav"
    )


def _anew(codec: str) -> str:
    return f"{codec} cannot be muted packet by packet here; name the result .flac or .wav"


@contextmanager
def _words_for_ffmpeg() -> Iterator[None]:
    """FFmpeg's refusals become ours; a full disk and missing memory stay what they are."""
    try:
        yield
    except av.FFmpegError as error:
        if isinstance(error, MemoryError | OSError):
            raise
        raise NotReleased(
            f"this sound cannot be written into a file of that kind: {in_words(error)}; "
            "give the copy another ending, such as .wav or .mkv"
        ) from error
