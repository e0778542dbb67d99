"""Read every packet of the picture once, without decoding: times, sizes, entry points.

The scan tells how many frames there are, how many bytes each stretch may take,
and where a stretch can begin. It holds 25 bytes a frame.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from media.container import Opened, open_recording
from media.damage import damaged_packet, encrypted, in_words
from media.errors import Unreadable, UnsupportedCodec
from media.facts import is_cover

Ints = NDArray[np.int64]

_LOOSE_DECODERS = frozenset({"mjpeg"})  #: to them a wrong marker between two good pictures is an error


@dataclass(frozen=True, slots=True)
class Scan:
    """The packets of the picture, in the order of the file (which is decoding order).

    Attributes:
        pts: Presentation times in ticks of `time_base`; the decoding time where there is none.
        sizes: Bytes.
        keys: Whether decoding can start here.
        is_timed: Whether every packet has a presentation time of its own, all different.
        hidden: Packets that an edit list hides: they are decoded, as others refer to them, and not shown.
        last_duration: Ticks of the packet that is shown last; 0 where the file does not say.
    """

    time_base: Fraction
    pts: Ints
    sizes: Ints
    keys: NDArray[np.bool_]
    is_timed: bool
    hidden: int
    last_duration: int

    def in_order(self) -> Ints:
        """Packet numbers in presentation order."""
        return np.argsort(self.pts, kind="stable")

    def closed_starts(self) -> list[int]:
        """Packets at which decoding can start, everything before is shown before, and everything after after."""
        later = np.minimum.accumulate(self.pts[::-1])[::-1]  # the earliest from here on
        earlier = np.maximum.accumulate(self.pts)
        keys = np.flatnonzero(self.keys)
        return [int(n) for n in keys if later[n] == self.pts[n] and (n == 0 or earlier[n - 1] < self.pts[n])]


def main_picture(opened: Opened) -> VideoStream:
    """The picture that moves.

    Raises:
        Unreadable: There is none; `UnsupportedCodec` where nothing here can decode it.
    """
    moving = [stream for stream in opened.container.streams.video if not is_cover(stream)]
    if not moving:
        raise Unreadable("the file holds no moving picture")
    for stream in moving:
        if stream.codec_context is not None:
            return stream
    raise UnsupportedCodec("nothing here can decode the picture")


def set_strict(stream: VideoStream) -> None:
    """Let a damaged picture be an error instead of a guess; use both cores."""
    if stream.codec_context.name not in _LOOSE_DECODERS:
        stream.codec_context.options = {"err_detect": "explode"}
    stream.thread_type = "AUTO"


def packets_to_end(opened: Opened, stream: VideoStream) -> Iterator["Packet[VideoStream]"]:
    """Packets that are shown, and at the end the empty one that flushes the decoder.

    Raises:
        Unreadable: The container breaks off, or a packet is encrypted or damaged; the reason says which.
    """
    number = 0
    try:
        for packet in opened.container.demux(stream):
            if packet.size and packet.has_sidedata("encryption_info"):
                raise Unreadable(encrypted("picture"))
            if packet.is_corrupt:
                raise Unreadable(damaged_packet(number, "it is marked as damaged"))
            yield packet
            number += 1
    except av.FFmpegError as error:
        raise Unreadable(damaged_packet(number, in_words(error))) from error


def scan(path: Path) -> Scan:
    """Scan the picture of `path`.

    Raises:
        Unreadable: It has none, or breaks off.
    """
    pts, sizes, keys = array("q"), array("q"), array("b")
    untimed = hidden = 0
    last = (0, 0)
    with open_recording(path) as opened:
        stream = main_picture(opened)
        for packet in packets_to_end(opened, stream):
            hidden += bool(packet.size and packet.is_discard)
            if not packet.size or packet.is_discard:
                continue
            untimed += packet.pts is None
            at = packet.pts if packet.pts is not None else packet.dts if packet.dts is not None else len(pts)
            pts.append(at)
            sizes.append(packet.size)
            keys.append(packet.is_keyframe)
            last = max(last, (at, packet.duration or 0))
        if not pts:
            raise Unreadable("there is a header, but no picture after it; the file was probably cut off")
        if stream.time_base is None:
            raise Unreadable("the file does not say in what unit it counts time")
        times = np.array(pts, np.int64)
        return Scan(
            time_base=stream.time_base,
            pts=times,
            sizes=np.array(sizes, np.int64),
            keys=np.array(keys, np.bool_),
            hidden=hidden,
            is_timed=not untimed and len(np.unique(times)) == len(times),
            last_duration=last[1],
        )
