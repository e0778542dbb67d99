"""Mute compressed sound by replacing the packets that carry it; every other packet is copied as it is.

Works on Opus, AAC-LC and MP3 where all channels fall silent together, and on
PCM and G.711 tracks of any container, in any way. Durations, timestamps and
the number of samples stay; tags do not get through.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
from av.packet import Packet

from media.errors import RedactionFailed, Unreadable
from media.sound import mp3
from media.sound.placed import MEMORIES, Placed, check_silence, is_affected, silent_stretches
from media.sound.report import Redacted, muted_of
from media.sound.samples import FORMS, Bytes, Painter, Style
from media.sound.spans import Plan, Spans
from media.sound.track import Track, open_track, total_of

CHECKED = (
    "the finished file was read again; its packets have the number, times and lengths of the source's; "
    "every span was decoded and lies below -80 dBFS"
)


def can_replace(track: Track, plan: Plan, style: Style) -> bool:
    """Whether the packets of a track can be replaced for this plan."""
    if track.codec in FORMS:
        return True
    return track.has_packets and plan.is_same_on_all and style is Style.SILENCE


def replaced(track: Track, plan: Plan, style: Style, silenced: list[Placed]) -> Iterator["Packet[Any]"]:
    """Every packet of a track, muted. Those that were silenced are added to `silenced`, without their data.

    Raises:
        Unreadable: A packet is damaged.
    """
    if track.codec in FORMS:
        yield from _painted(track, Painter(plan, FORMS[track.codec], style))
        return
    spans = plan.every
    marked = _marked(track, spans, silenced)
    if track.codec == "mp3":
        yield from _mp3(marked)
        return
    for packet, placed, is_muted in marked:
        yield _with_data(packet, track.silence(placed.data)) if is_muted else packet


def write_mp3(source: Path, plan: Plan, out: BinaryIO, progress: Callable[[int, int], None]) -> Spans:
    """Write a muted .mp3: its own first frame with the encoder's delay, then the frames. No tag gets through.

    Returns:
        What was silenced.
    """
    silenced: list[Placed] = []
    out.write(_info_frame(source))
    with open_track(source) as track:
        for packet in replaced(track, plan, Style.SILENCE, silenced):
            out.write(bytes(packet))
            progress(_position(packet, track), plan.total)
    return silent_stretches(silenced)


def write_container(
    source: Path, plan: Plan, out: Path, form: str, style: Style, progress: Callable[[int, int], None]
) -> Spans:
    """Write the muted track of a call into a container of FFmpeg's name `form`.

    Returns:
        What was silenced.
    """
    silenced: list[Placed] = []
    with open_track(source) as track, open_output(out, form) as container:
        stream = container.add_stream_from_template(track.stream)
        for packet in replaced(track, plan, style, silenced):
            progress(_position(packet, track), plan.total)
            packet.stream = stream
            container.mux(packet)
    return silent_stretches(silenced)


def open_output(out: Path, form: str) -> av.container.OutputContainer:
    """A new container that says nothing about who made it."""
    return av.open(out, "w", format=form, options={"fflags": "+bitexact"})


def measure(path: Path, index: int | None = None) -> tuple[Track, int]:
    """What the track is, closed again, and how many samples are heard."""
    with open_track(path, index) as track:
        return track, total_of(track.packets())


def check_packets(
    source: Path, result: Path, plan: Plan, indices: tuple[int | None, int | None], style: Style
) -> None:
    """Compare a result with its source, packet by packet, and decode every span.

    Args:
        source: Where it came from.
        result: What was written.
        plan: What has to be silent.
        indices: Of the track in either file.
        style: Silence or tone.

    Raises:
        RedactionFailed: The times differ, or a span is not silent.
    """
    with open_track(source, indices[0]) as before, open_track(result, indices[1]) as after:
        if after.codec in FORMS:
            _check_samples(after, plan, style)
            return
        codec = "mp3float" if after.codec == "mp3" else after.codec
        check_silence(_compared(before, after), plan.every, codec, after.config, after.rate)


def result_of(track: Track, plan: Plan, silent: Spans, container: str, style: Style) -> Redacted:
    """The report of packets that were replaced."""
    is_exact = track.codec in FORMS
    return Redacted(
        method="packets",
        container=container,
        codec=track.codec,
        rate=track.rate,
        channels=track.channels,
        total_samples=plan.total,
        style=style,
        fade_samples=plan.fade if is_exact else 0,
        muted=muted_of(plan, None if is_exact else (silent,) * track.channels),
        checked=CHECKED,
        track=track.stream.index,
    )


def _marked(
    track: Track, spans: Spans, silenced: list[Placed]
) -> Iterator[tuple["Packet[Any]", Placed, bool]]:
    memory = MEMORIES[track.codec]
    for packet, placed in track.packets():
        is_muted = is_affected(placed, spans, memory)
        if is_muted:
            silenced.append(placed._replace(data=b""))
        yield packet, placed, is_muted


def _mp3(marked: Iterator[tuple["Packet[Any]", Placed, bool]]) -> Iterator["Packet[Any]"]:
    """Frames reach back into frames before them, so their packets wait until the silenced ones have passed."""
    waiting: list[Packet[Any]] = []

    def frames() -> Iterator[tuple[bytes, bool]]:
        for packet, placed, is_muted in marked:
            waiting.append(packet)
            yield placed.data, is_muted

    try:
        for data in mp3.silence(frames()):
            packet = waiting.pop(0)
            yield _with_data(packet, data) if data != bytes(packet) else packet
    except ValueError as error:
        raise Unreadable(f"the MP3 track is damaged: {error}") from error


def _painted(track: Track, painter: Painter) -> Iterator["Packet[Any]"]:
    """Packets of PCM or G.711: samples are silenced where they lie."""
    for packet, placed in track.packets():
        if not painter.touches(placed.start, placed.end):
            yield packet
            continue
        raw = bytearray(placed.data)
        painter.paint(_block(raw, placed, track), placed.start)
        yield _with_data(packet, bytes(raw))


def _with_data(packet: "Packet[Any]", data: bytes) -> "Packet[Any]":
    """A packet of the same time with other bytes."""
    other = Packet(data)
    other.pts, other.dts, other.duration = packet.pts, packet.dts, packet.duration
    other.time_base, other.is_keyframe = packet.time_base, packet.is_keyframe
    for side in packet.iter_sidedata():
        other.set_sidedata(side)
    return other


def _compared(before: Track, after: Track) -> Iterator[Placed]:
    """The packets of the result, each compared with its source's. They count from the same zero."""
    theirs = before.packets()
    for _, ours in after.packets():
        _, their = next(theirs, (None, None))
        if (
            their is None
            or their.samples != ours.samples
            or abs(their.start - ours.start) > _tolerance(after)
        ):
            raise RedactionFailed(f"a packet at sample {ours.start} is not where it was in the source")
        yield ours
    if next(theirs, None) is not None:
        raise RedactionFailed("packets are missing at the end of the result")


def _check_samples(track: Track, plan: Plan, style: Style) -> None:
    """Samples that were replaced where they lie are compared with what had to replace them."""
    painter = Painter(plan, FORMS[track.codec], style)
    total = 0
    for packet, placed in track.packets():
        total = max(total, placed.end)
        if painter.touches(placed.start, placed.end):
            block = _block(bytearray(placed.data), placed, track)
            expected = block.copy()
            painter.fill(expected, placed.start)
            if not np.array_equal(block, expected):
                raise RedactionFailed(f"the result is not silent in the packet at {packet.pts}")
    if total != plan.total:
        raise RedactionFailed(f"the result has {total} samples where the source has {plan.total}")


def _block(raw: bytearray, placed: Placed, track: Track) -> Bytes:
    """The samples of a packet of PCM or G.711, to be edited in place."""
    width = FORMS[track.codec].width
    whole = memoryview(raw)[: placed.samples * track.channels * width]
    return np.frombuffer(whole, np.uint8).reshape(placed.samples, track.channels, width)


def _tolerance(track: Track) -> int:
    """Samples by which another container may round a time."""
    return int(Fraction(2, 1000) * track.rate)


def _position(packet: "Packet[Any]", track: Track) -> int:
    time_s = (packet.pts or 0) * (packet.time_base or Fraction(0)) - track.zero_s
    return max(0, int(time_s * track.rate))


def _info_frame(source: Path) -> bytes:
    """The frame in front of the sound that tells players how long an encoder's delay is, if there is one."""
    with open_track(source) as track:
        packet, _ = next(track.packets())
        first_at = packet.pos or 0
    with source.open("rb") as file:
        start = file.read(first_at)
    for magic in (b"Xing", b"Info"):
        at = start.rfind(magic)
        frame_at = start.rfind(b"\xff", max(0, at - 40), at) if at >= 0 else -1
        if frame_at >= 0 and mp3.is_plain(start[frame_at:]):
            return start[frame_at:]
    return b""
