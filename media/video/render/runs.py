"""Read a recording in runs: stretches that are decoded, and stretches whose packets pass as they are."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from media.container import Opened
from media.damage import damaged_frame, decoding
from media.errors import Unreadable
from media.video.render.look import Look, look_of
from media.video.scan import packets_to_end, set_strict


@dataclass(frozen=True, slots=True)
class Run:
    """Packets from `first` to before `end`, in decoding order. It starts where decoding can start."""

    first: int
    end: int
    is_copied: bool


@dataclass(slots=True)
class Decoded:
    """A picture of the source, its number, and how it looked before anything was done to it."""

    number: int
    frame: VideoFrame
    look: Look


@dataclass(slots=True)
class Copied:
    """A packet that passes as it is."""

    packet: "Packet[Any]"


@dataclass(slots=True)
class RunEnds:
    """Everything of a run has been handed out."""

    run: Run


def read_runs(
    opened: Opened, stream: VideoStream, runs: Sequence[Run]
) -> Iterator[Decoded | Copied | RunEnds]:
    """Decode or pass on every packet, strictly: the first damage ends the work.

    Raises:
        Unreadable: Something is damaged; the reason names the frame and what to do.
    """
    set_strict(stream)
    packets = (packet for packet in packets_to_end(opened, stream) if packet.size)
    number = 0
    for run in runs:
        part = islice(packets, min(run.end - run.first, sys.maxsize))
        if run.is_copied:
            for packet in part:
                number += 1
                yield Copied(packet)
        else:
            for frame in _decode(stream, part, number):
                yield Decoded(number, frame, look_of(frame))
                number += 1
            stream.codec_context.flush_buffers()
        yield RunEnds(run)


def _decode(stream: VideoStream, packets: Iterator["Packet[Any]"], number: int) -> Iterator[VideoFrame]:
    at = number
    with decoding(lambda why: damaged_frame(at, why)):
        for packet in packets:
            for frame in packet.decode():
                yield _sound(frame, at)
                at += 1
        for frame in stream.decode(None):
            yield _sound(frame, at)
            at += 1


def _sound(frame: VideoFrame, number: int) -> VideoFrame:
    if frame.is_corrupt:
        raise Unreadable(damaged_frame(number, "it refers to pictures that are missing"))
    return frame
