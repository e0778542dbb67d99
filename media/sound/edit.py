"""Mute by decoding, editing and writing anew: for codecs whose packets lean on each other, and for single sides.

Calls become WAV or FLAC, whose samples are exactly what the source decodes to,
outside spans and fades. Sound tracks of footage are encoded for their
container; as an encoder smears what is loud into what is silent, they are
muted a little more widely.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.container import OutputContainer
from av.packet import Packet

from media.errors import NotReleased, Unreadable
from media.note import Note
from media.sound.decoded import Decoding, to_form, to_levels
from media.sound.placed import SILENT_LEVEL
from media.sound.report import Redacted, muted_of
from media.sound.samples import FORMS, Bytes, Form, Levels, Painter, Style, tone
from media.sound.spans import UNKNOWN_TOTAL, Mute, Plan, Spans, make_plan, merge, touched
from media.sound.track import Track, open_track
from media.sound.wave import WaveFormat, wave_header

Progress = Callable[[int, int], None]

_BATCH = 16_384  #: samples a channel; codecs give 160 to 1024 at a time
_MAX_RIFF_BYTES = 0xFFFF_FF00


@dataclass(frozen=True, slots=True)
class Target:
    """What a result is written as."""

    container: str  #: FFmpeg's name
    codec: str
    frame_format: str  #: FFmpeg's name of the packed samples that the encoder is given
    form: str  #: how the samples are edited: the same, as PCM
    rate: int | None = None  #: None: the source's
    smear_s: Fraction = Fraction(0)  #: how far the encoder may smear; 0 where it is exact
    options: tuple[tuple[str, str], ...] = ()


WAV = Target("wav", "pcm_s16le", "s16", "pcm_s16le")
FLAC = Target("flac", "flac", "s16", "pcm_s16le")
#: The channels of AAC are kept apart, so that one does not sound in the other.
_AAC = Target("mp4", "aac", "flt", "pcm_f32le", None, Fraction(1, 5), (("aac_ms", "0"), ("aac_is", "0")))
FOOTAGE = {
    "mp4": _AAC,
    "mov": _AAC,
    "matroska": replace(FLAC, container="matroska"),
    "webm": Target("webm", "libopus", "flt", "pcm_f32le", 48_000, Fraction(1, 10)),
    "avi": replace(WAV, container="avi"),
}
CHECKED = (
    "the finished file was decoded from end to end: it is as long as its source, and every span is silent"
)


def write_call(
    source: Path,
    raw_format: str | None,
    mutes: Sequence[Mute],
    out: Path,
    container: str,
    style: Style,
    progress: Progress,
) -> tuple[Plan, Target, Redacted]:
    """Decode a call and write it, muted, as `container`, which is "wav" or "flac".

    Returns:
        What was painted and how it was written, both for `check_decoded`, and the report.

    Raises:
        Unreadable: The source cannot be decoded.
        ValueError: The mutes lie outside the recording, or there is more than a WAV can hold.
    """
    with open_track(source, raw_format=raw_format) as track:
        target = exact(FLAC if container == "flac" else WAV, track)
        plan = make_plan(mutes, track.rate, track.channels, UNKNOWN_TOTAL)
        decoding = Decoding(track)
        painted = _painted(decoding, Painter(plan, FORMS[target.form], style), FORMS[target.form], progress)
        if target.container == "wav":
            with out.open("wb") as file:
                write_samples(file, painted, track, FORMS[target.form])
        else:
            with av.open(out, "w", format="flac", options={"fflags": "+bitexact"}) as written:
                stream = add_stream(written, track, target)
                for packet in _encoded(stream, painted, track, target):
                    written.mux(packet)
        cut = make_plan(mutes, track.rate, track.channels, decoding.total)
        done = result_of(track, cut, target, style, decoding.notes())
        return replace(plan, total=decoding.total), target, done


def add_stream(container: OutputContainer, track: Track, target: Target) -> AudioStream:
    """A stream of `container` for what `encode` gives."""
    stream = container.add_stream(target.codec, rate=target.rate or track.rate, options=dict(target.options))
    assert isinstance(stream, AudioStream)
    stream.codec_context.flags |= Flags.bitexact  # else AAC's encoder writes its name into the first packet
    stream.layout = layout_of(track.channels)
    if target.codec == "flac":
        stream.format = target.frame_format
    return stream


def encode(
    decoding: Decoding, plan: Plan, stream: AudioStream, target: Target, progress: Progress
) -> Iterator["Packet[Any]"]:
    """The packets of a track of footage, decoded, silenced as `widened` says, and encoded for `stream`."""
    form = FORMS[target.form]
    painted = _painted(decoding, Painter(widened(plan, target), form), form, progress)
    yield from _encoded(stream, painted, decoding.track, target)


def widened(plan: Plan, target: Target) -> Plan:
    """A plan that covers what the target's encoder may smear into the spans."""
    more = -int(-target.smear_s * plan.rate // 1)
    channels = tuple(
        merge((spans + np.array([-more, more])).clip(0, plan.total)) if more else spans
        for spans in plan.channels
    )
    return replace(plan, channels=channels)


def check_decoded(result: Path, index: int | None, plan: Plan, target: Target, style: Style) -> None:
    """Decode a result from end to end, and look at every span of every channel.

    Args:
        result: The finished file.
        index: Of its track; None for its only one.
        plan: What was asked for, in the source's samples.
        target: What was written.
        style: Silence or tone.

    Raises:
        NotReleased: Something is heard, or the length differs from the source's.
    """
    with open_track(result, index) as track:
        decoding = Decoding(track)
        scale = Fraction(track.rate, plan.rate)
        spans = [_scaled(one, scale) for one in plan.channels]
        for block in decoding.blocks():
            levels = to_levels(block.samples)
            for channel, wanted in enumerate(spans):
                _check_block(levels[channel], block.start, wanted, style, track.rate)
        short = plan.total * scale - decoding.total
        if short > 0 or (target.smear_s == 0 and short):
            raise NotReleased(
                f"the result has {decoding.total} samples where {plan.total * scale} were to be"
            )


def result_of(track: Track, plan: Plan, target: Target, style: Style, notes: list[Note]) -> Redacted:
    """The report of a track that was written anew."""
    return Redacted(
        method="edit",
        container=target.container,
        codec=target.codec,
        rate=target.rate or track.rate,
        channels=track.channels,
        total_samples=plan.total,
        style=style,
        fade_samples=plan.fade,
        muted=muted_of(plan, widened(plan, target).channels),
        checked=CHECKED,
        survives=tuple(notes),
        track=track.stream.index,
    )


def exact(target: Target, track: Track) -> Target:
    """The target, as wide as the source: 24 and 32 bits, and floats of PCM, keep theirs."""
    is_wide = track.stream.codec_context.format.bytes > 2 and track.is_lossless
    if not is_wide:
        return target
    if target.container == "flac":
        return replace(target, frame_format="s32", form="pcm_s32le")
    form = "pcm_f32le" if track.codec.startswith("pcm_f") else "pcm_s32le"
    return replace(target, codec=form, form=form)


def _painted(
    decoding: Decoding, painter: Painter, form: Form, progress: Progress
) -> Iterator[tuple[int, Bytes]]:
    """The decoded samples as a file holds them, muted, a batch at a time."""
    about = int((decoding.track.opened.container.duration or 0) * decoding.track.rate / 1_000_000)
    for start, batch in _batches(decoding, form):
        painter.paint(batch, start)
        yield start, batch
        progress(start + len(batch), max(about, start + len(batch)))


def _batches(decoding: Decoding, form: Form) -> Iterator[tuple[int, Bytes]]:
    waiting: list[Bytes] = []
    start = count = 0
    for block in decoding.blocks():
        waiting.append(to_form(block.samples, form))
        count += len(waiting[-1])
        if count >= _BATCH:
            yield start, np.concatenate(waiting)
            start, waiting, count = start + count, [], 0
    if waiting:
        yield start, np.concatenate(waiting)


def write_samples(file: BinaryIO, painted: Iterator[tuple[int, Bytes]], track: Track, form: Form) -> None:
    """Write a WAV of samples, which come in order, each batch with the position of its first.

    Raises:
        Unreadable: There is more than a WAV can hold.
    """
    found = WaveFormat(form, track.channels, track.rate, 8 * form.width, None)
    file.write(wave_header(found, 0))
    total = 0
    for start, batch in painted:
        total = start + len(batch)
        if total * found.frame_bytes > _MAX_RIFF_BYTES:
            raise Unreadable("the sound takes more than 4 GiB as a WAV; name the result .flac")
        file.write(batch.tobytes())
    file.write(b"\0" * (total * found.frame_bytes % 2))
    file.seek(0)
    file.write(wave_header(found, total))


def _encoded(
    stream: AudioStream, painted: Iterator[tuple[int, Bytes]], track: Track, target: Target
) -> Iterator["Packet[Any]"]:
    kind = {"s16": np.int16, "s32": np.int32, "flt": np.float32}[target.frame_format]
    first = round(track.zero_s * track.rate)
    for start, batch in painted:
        flat = np.ascontiguousarray(batch).reshape(1, -1).view(kind)
        frame = AudioFrame.from_ndarray(flat, format=target.frame_format, layout=layout_of(track.channels))
        frame.sample_rate = track.rate
        frame.pts, frame.time_base = first + start, Fraction(1, track.rate)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _check_block(levels: Levels, start: int, spans: Spans, style: Style, rate: int) -> None:
    end = start + len(levels)
    for span in touched(spans, start, end).tolist():
        low, high = max(span[0], start), min(span[1], end)
        heard = levels[low - start : high - start]
        if style is Style.TONE:
            heard = heard - tone(np.arange(low, high), (span[0], span[1]), rate)
        if np.abs(heard).max() > SILENT_LEVEL:
            raise NotReleased(f"the result is not silent between samples {low} and {high}")


def _scaled(spans: Spans, scale: Fraction) -> Spans:
    """Spans at another rate, inwards: a sample that is only partly asked for may be heard."""
    low = -(-spans[:, 0] * scale.numerator // scale.denominator)
    return np.stack([low, spans[:, 1] * scale.numerator // scale.denominator], axis=1)


def layout_of(channels: int) -> str:
    """FFmpeg's name of a layout of so many channels."""
    return {1: "mono", 2: "stereo"}.get(channels, f"{channels}c")
