"""Mute compressed sound by replacing the packets that carry it; every other packet is copied as it is.

Works on Opus, AAC-LC and MP3 where all channels fall silent together, and on
PCM and G.711 tracks of any container, in any way. Durations, timestamps and
the number of samples stay; tags do not get through.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
from av.packet import Packet

from media.errors import NotReleased, Unreadable
from media.sound import mp3
from media.sound.placed import MEMORIES, Placed, check_silence, is_affected, silent_stretches
from media.sound.report import Redacted, muted_of
from media.sound.samples import FORMS, Bytes, Painter, Style
from media.sound.spans import Plan, SpanIndex
from media.sound.track import Total, Track, open_track

Progress = Callable[[int, int], None]
_Marked = tuple["Packet[Any]", Placed, bool]  #: and whether it is to be silenced

_PACKETS_A_REPORT = 256
CHECKED = (
    "the finished file was read again; its packets have the number, times and lengths of the source's; "
    "every span was decoded and lies below -80 dBFS"
)


def can_replace(track: Track, plan: Plan, style: Style) -> bool:
    """Whether the packets of a track can be replaced for this plan."""
    if track.codec in FORMS:
        return True
    return track.has_packets and plan.is_same_on_all and style is Style.SILENCE


@dataclass(slots=True)
class Written:
    """What was written: where every packet lay, and which were silenced. Without their data."""

    places: list[tuple[int, int]] = field(default_factory=list)  #: start and samples
    silenced: list[Placed] = field(default_factory=list)
    total: Total = field(default_factory=Total)  #: of the source, once its last packet has passed


def replaced(
    track: Track, plan: Plan, style: Style, written: Written, progress: Progress
) -> Iterator["Packet[Any]"]:
    """Every packet of a track, muted, and noted in `written`.

    Raises:
        Unreadable: A packet is damaged.
    """
    if track.codec in FORMS:
        yield from _painted(track, Painter(plan, FORMS[track.codec], style), written, progress, plan.total)
        return
    marked = _marked(track, plan, written, progress)
    if track.codec == "mp3":
        yield from _mp3_packets(marked)
        return
    for packet, placed, is_muted in marked:
        yield _with_data(packet, track.silence(placed.data)) if is_muted else packet


def write_mp3(source: Path, plan: Plan, out: BinaryIO, progress: Progress) -> Written:
    """Write a muted .mp3: its own first frame with the encoder's delay, then the frames. No tag gets through."""
    written = Written()
    out.write(_info_frame(source))
    with open_track(source) as track:
        out.writelines(_mp3(_marked(track, plan, written, _of_about(track, progress))))
    return written


def write_container(
    source: Path, plan: Plan, out: Path, form: str, style: Style, progress: Progress
) -> Written:
    """Write the muted track of a call into a container of FFmpeg's name `form`."""
    written = Written()
    with open_track(source) as track, open_output(out, form) as container:
        stream = container.add_stream_from_template(track.stream)
        for packet in replaced(track, plan, style, written, _of_about(track, progress)):
            packet.stream = stream
            container.mux(packet)
    return written


def open_output(out: Path, form: str) -> av.container.OutputContainer:
    """A new container that says nothing about who made it."""
    return av.open(out, "w", format=form, options={"fflags": "+bitexact"})


def _of_about(track: Track, progress: Progress) -> Progress:
    """Progress of a track whose length nobody has counted yet."""
    about = int((track.opened.container.duration or 0) * track.rate / 1_000_000)
    return lambda done, _: progress(done, max(done, about))


def check_packets(result: Path, index: int | None, plan: Plan, written: Written, style: Style) -> None:
    """Compare a result with what its source was, packet by packet, and decode every span.

    Args:
        result: The finished file.
        index: Of the track in it.
        plan: What has to be silent.
        written: Where the source's packets lay.
        style: Silence or tone.

    Raises:
        NotReleased: The times differ, or a span is not silent.
    """
    with open_track(result, index) as track:
        if track.codec in FORMS:
            _check_samples(track, plan, style)
            return
        codec = "mp3float" if track.codec == "mp3" else track.codec
        check_silence(_compared(track, written), plan.every, codec, track.config, track.rate)


def result_of(track: Track, plan: Plan, written: Written, container: str, style: Style) -> Redacted:
    """The report of packets that were replaced."""
    is_exact = track.codec in FORMS
    silent = silent_stretches(written.silenced).clip(0, plan.total)
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


def _marked(track: Track, plan: Plan, written: Written, progress: Progress) -> Iterator[_Marked]:
    memory, spans = MEMORIES[track.codec], SpanIndex(plan.every)
    for packet, placed in track.packets():
        written.total.add(packet, placed)
        is_muted = is_affected(placed, spans, memory)
        if is_muted:
            written.silenced.append(placed._replace(data=b""))
        written.places.append((placed.start, placed.samples))
        if not len(written.places) % _PACKETS_A_REPORT:
            progress(min(max(placed.start, 0), plan.total), plan.total)
        yield packet, placed, is_muted
    progress(written.total.samples, written.total.samples)


def _mp3_packets(marked: Iterable[_Marked]) -> Iterator["Packet[Any]"]:
    waiting: deque[tuple[Packet[Any], bytes]] = deque()

    def passing() -> Iterator[_Marked]:
        for each in marked:
            waiting.append((each[0], each[1].data))
            yield each

    for data in _mp3(passing()):
        packet, was = waiting.popleft()
        yield packet if data is was else _with_data(packet, data)


def _mp3(marked: Iterable[_Marked]) -> Iterator[bytes]:
    """The frames, muted: they reach back into frames before them, so they come later than their packets."""
    try:
        yield from mp3.silence((placed.data, is_muted) for _, placed, is_muted in marked)
    except ValueError as error:
        raise Unreadable(f"the MP3 track is damaged: {error}") from error


def _painted(
    track: Track, painter: Painter, written: Written, progress: Progress, total: int
) -> Iterator["Packet[Any]"]:
    """Packets of PCM or G.711: samples are silenced where they lie."""
    for packet, placed in track.packets():
        written.total.add(packet, placed)
        progress(min(max(placed.start, 0), total), total)
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


def _compared(track: Track, written: Written) -> Iterator[Placed]:
    """The packets of a result, each compared with its source's. They count from the same zero."""
    number = 0
    rounding = int(Fraction(2, 1000) * track.rate)  # of another container's clock
    for _, ours in track.packets():
        start, samples = written.places[number] if number < len(written.places) else (0, -1)
        if samples != ours.samples or abs(start - ours.start) > rounding:
            raise NotReleased(f"a packet at sample {ours.start} is not where it was in the source")
        number += 1
        yield ours
    if number < len(written.places):
        raise NotReleased("packets are missing at the end of the result")


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
                raise NotReleased(f"the result is not silent in the packet at {packet.pts}")
    if total != plan.total:
        raise NotReleased(f"the result has {total} samples where the source has {plan.total}")


def _block(raw: bytearray, placed: Placed, track: Track) -> Bytes:
    """The samples of a packet of PCM or G.711, to be edited in place."""
    width = FORMS[track.codec].width
    whole = memoryview(raw)[: placed.samples * track.channels * width]
    return np.frombuffer(whole, np.uint8).reshape(placed.samples, track.channels, width)


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
