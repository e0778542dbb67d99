"""The picture's track in the output: which packet is decoded when, and how long each picture lasts.

Packets come from several encoders, and some from the source. Each of them knows
when its picture is shown; when it is decoded is decided here, for all of them
alike: the n-th packet is decoded when the (n - depth)-th picture is shown, where
depth is how far any of them is out of order. So times never run backwards where
one stretch ends and the next begins.

All times are ticks of the track's time base.
"""

import heapq
from collections import deque
from collections.abc import Callable
from typing import Any

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from media.errors import ToolFailed


class PictureTrack:
    """Puts packets in order and hands them on.

    Args:
        stream: The track.
        depth: Packets by which decoding runs ahead of showing.
        first_pts: When the first picture is shown.
        step: Ticks between two pictures, about; used before the first one only.
        mux: Takes finished packets.
    """

    def __init__(
        self,
        stream: VideoStream,
        *,
        depth: int,
        first_pts: int,
        step: int,
        mux: Callable[["Packet[Any]"], None],
    ) -> None:
        self._stream, self._mux = stream, mux
        self._early = deque(first_pts - (depth - n) * max(1, step) for n in range(depth))
        self._shown: list[int] = []
        self._durations: dict[int, int] = {}
        self._last_shown: int | None = None
        self._waiting: deque[Packet[Any]] = deque()
        self.packets = 0
        self.size_bytes = 0

    def show(self, pts: int) -> None:
        """The next picture, in the order of showing, is shown at `pts`; so the one before it lasts until then."""
        if self._last_shown is not None:
            self._durations[self._last_shown] = pts - self._last_shown
        self._last_shown = pts
        self._drain()

    def end(self, last_duration: int) -> None:
        """No picture follows; the last one lasts so long."""
        if self._last_shown is not None:
            self._durations[self._last_shown] = last_duration
        self._drain()
        if self._waiting:
            raise ToolFailed("packets were left over that belong to no picture")

    def add(self, packet: "Packet[Any]") -> None:
        """The next packet, in decoding order. Its presentation time is set."""
        assert packet.pts is not None
        heapq.heappush(self._shown, packet.pts)
        packet.dts = self._early.popleft() if self._early else heapq.heappop(self._shown)
        if packet.dts > packet.pts:
            raise ToolFailed("a picture would have to be shown before it is decoded")
        packet.stream = self._stream
        self._waiting.append(packet)
        self.packets += 1
        self.size_bytes += packet.size
        self._drain()

    def _drain(self) -> None:
        while self._waiting and self._waiting[0].pts in self._durations:
            packet = self._waiting.popleft()
            assert packet.pts is not None
            packet.duration = self._durations.pop(packet.pts)
            self._mux(packet)


def write_packet(out: OutputContainer, packet: "Packet[Any]") -> None:
    """Put a finished packet into a container.

    Raises:
        OSError: The disk does not take it.
    """
    try:
        out.mux_one(packet)
    except av.FFmpegError as error:
        raise OSError(error.errno, error.strerror or "the output cannot be written") from error
