"""Read footage once, frame by frame, as brightness.

Frames are numbered from 0 in presentation order, as the decoder gives them; a
frame's time is its pts in ticks of the stream's time base. Nothing is guessed
about a damaged stretch: whatever would be skipped could hold a face, so damage
is an error that names the frame.

One frame is held at a time. A luma plane is a view of the decoder's memory and
is valid until the next frame is asked for.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from media.container import Opened, open_recording
from media.damage import damaged_frame, in_words
from media.decode import DAMAGE
from media.errors import Unreadable
from media.video.detect.port import Grey
from media.video.detect.scaling import scaled
from media.video.scan import main_picture, packets_to_end

#: Formats whose first plane is eight bits of brightness a pixel.
_LUMA_FIRST = {
    *(f"yuv{depth}{sampling}p" for depth in ("", "j") for sampling in (410, 411, 420, 422, 440, 444)),
    "nv12",
    "nv21",
    "gray",
}

_NO_PICTURE = "there is no picture in it that can be decoded; is it the right file?"
_SAMPLE_FRAMES = 400  #: decoded at most to sample footage that has few places to seek to


@dataclass(frozen=True, slots=True)
class FootageFacts:
    """What is known before the first frame."""

    width: int
    height: int
    time_base: Fraction
    rate_fps: Fraction | None  #: average, as the container says
    frames: int | None  #: as the container says, or from its duration; a hint for progress only


@dataclass(frozen=True, slots=True)
class LumaFrame:
    """One picture."""

    index: int
    pts: int | None
    luma: Grey


class Footage:
    """An open file and its first track of pictures.

    Attributes:
        turn_deg: What a player turns the pictures by, clockwise; known once `sample` has seen some.
    """

    def __init__(self, opened: Opened, stream: VideoStream) -> None:
        self._opened = opened
        self.container = opened.container
        self.stream = stream
        self.turn_deg = 0
        self.facts = _facts(self.container, stream)

    def luma_frames(self) -> Iterator[LumaFrame]:
        """Every frame once.

        Raises:
            Unreadable: A frame cannot be decoded, is damaged, or has another size than the first.
        """
        for index, frame in enumerate(self.frames()):
            yield LumaFrame(index, frame.pts, luma_of(frame))

    def frames(self) -> Iterator[VideoFrame]:
        """As `luma_frames`, as the decoder gives them."""
        index = 0
        first = last = None
        try:
            for packet in packets_to_end(self._opened, self.stream):
                for frame in packet.decode():
                    self._check(frame, index)
                    first, last = frame.pts if first is None else first, frame.pts
                    yield frame
                    index += 1
        except MemoryError:
            raise
        except DAMAGE as error:
            raise Unreadable(damaged_frame(index, in_words(error), self._after(first, last))) from error
        if index == 0:
            raise Unreadable(_NO_PICTURE)

    def sample(self, count: int, width_px: int) -> list[Grey]:
        """Up to `count` different pictures, in order, spread over the file, scaled to `width_px`.

        Reached by seeking to where a frame can be decoded alone; where there are few such places, from the
        beginning of the file. The position is lost.
        """
        found: dict[int | None, Grey] = {}
        duration = self.container.duration or 0
        for step in range(count if duration > 0 else 0):
            try:
                self.container.seek((self.container.start_time or 0) + duration * step // count)
                frame = next(self.container.decode(self.stream))
            except (StopIteration, *DAMAGE):  # no index, or damaged here: the pass over all frames will tell
                continue
            found[frame.pts] = self._small(frame, width_px)
        return list(found.values()) if len(found) > count // 2 else self._sample_start(count, width_px)

    def _sample_start(self, count: int, width_px: int) -> list[Grey]:
        found = []
        reach = min(self.facts.frames or _SAMPLE_FRAMES, _SAMPLE_FRAMES)
        try:
            self.container.seek(self.container.start_time or 0)
            for index, frame in enumerate(self.container.decode(self.stream)):
                if index * count // reach != (index - 1) * count // reach:
                    found.append(self._small(frame, width_px))
                if index == reach:
                    break
        except DAMAGE:
            return found
        return found

    def _after(self, first: int | None, last: int | None) -> float | None:
        """When the frame after `last` would be shown, in seconds after `first`, both in ticks."""
        rate = self.facts.rate_fps
        if first is None or last is None or rate is None:
            return None
        return float((last - first) * self.facts.time_base + 1 / rate)

    def _small(self, frame: VideoFrame, width_px: int) -> Grey:
        self.turn_deg = -frame.rotation % 360
        return scaled(luma_of(frame), width_px).copy()

    def _check(self, frame: VideoFrame, index: int) -> None:
        if frame.is_corrupt:
            raise Unreadable(damaged_frame(index, "it refers to pictures that are missing"))
        if (frame.width, frame.height) != (self.facts.width, self.facts.height):
            raise Unreadable(
                f"the picture changes from {self.facts.width} x {self.facts.height}"
                f" to {frame.width} x {frame.height} at frame {index}; cut the recording there, and redact each part"
            )


@contextmanager
def open_footage(path: Path, threads: int = 0) -> Iterator[Footage]:
    """Open the first track of pictures of a local file.

    Args:
        path: The file.
        threads: For decoding; 0 leaves it to the decoder.

    Raises:
        Unreadable: It is no footage.
    """
    with open_recording(path) as opened:
        track = main_picture(opened)
        track.thread_type = "AUTO"
        track.thread_count = threads
        yield Footage(opened, track)


def luma_of(frame: VideoFrame) -> Grey:
    """The brightness of a frame, (height, width); without a copy where the format allows."""
    if frame.format.name not in _LUMA_FIRST:
        return np.asarray(frame.reformat(format="gray", threads=1).to_ndarray(), np.uint8)
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    luma: Grey = rows[: frame.height, : frame.width]
    return luma


def _facts(container: InputContainer, stream: VideoStream) -> FootageFacts:
    if not (stream.width and stream.height and stream.time_base):
        raise Unreadable(_NO_PICTURE)
    rate = stream.average_rate or None
    frames = stream.frames or None
    if frames is None and rate and container.duration:
        frames = round(container.duration * rate / 1_000_000)
    return FootageFacts(stream.width, stream.height, stream.time_base, rate, frames)
