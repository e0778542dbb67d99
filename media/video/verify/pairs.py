"""Decode the pictures of a source and of its copy again, side by side, strictly, part by part."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any, Self

from av.video.frame import VideoFrame

from media.container import open_recording
from media.damage import damaged_frame, decoding
from media.errors import Unreadable
from media.video.scan import main_picture, packets_to_end, set_strict
from media.video.verify.same import Part

Pair = tuple[VideoFrame | None, VideoFrame | None]


class Pairs:
    """Both files, open; a context manager."""

    def __init__(self, source: Path, output: Path) -> None:
        self._stack = ExitStack()
        self._paths = source, output

    def __enter__(self) -> Self:
        before, after = (self._stack.enter_context(open_recording(path)) for path in self._paths)
        self._old, self._new = _Pictures(before, damaged_frame), _Pictures(after, _broken_frame)
        stream = self._old.stream
        self.size = stream.width, stream.height  #: of the source, in pixels
        self.claimed = stream.frames  #: as the source's container says; 0 where it does not
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def of(self, part: Part) -> Iterator[Pair]:
        """The frames of a part, in the order of showing; parts are asked for in their order.

        None stands for a frame that only the other file has.

        Raises:
            Unreadable: A frame cannot be decoded.
        """
        return zip_longest(self._old.of(part), self._new.of(part))


class _Pictures:
    """Those of one file; `told` says of a number and a reason that a frame cannot be decoded."""

    def __init__(self, opened: Any, told: Callable[[int, str], str]) -> None:
        self.stream = main_picture(opened)
        set_strict(self.stream)
        self._told = told
        self._packets = (packet for packet in packets_to_end(opened, self.stream) if packet.size)
        self._at = 0

    def of(self, part: Part) -> Iterator[VideoFrame]:
        number = part.first
        with decoding(lambda why: self._told(number, why)):
            for frame in self._decode(part):
                yield frame
                number += 1

    def _decode(self, part: Part) -> Iterator[VideoFrame]:
        for _ in islice(self._packets, part.first - self._at):
            pass
        for packet in islice(self._packets, part.end - part.first):
            yield from packet.decode()
        for frame in self.stream.decode(None):
            frame.time_base = self.stream.time_base  # what is drained does not say
            yield frame
        self.stream.codec_context.flush_buffers()
        self._at = part.end


def shown_at_s(frame: VideoFrame) -> Fraction:
    """When a frame is shown, by its file's clock.

    Raises:
        Unreadable: It does not say.
    """
    pts = frame.pts if frame.pts is not None else frame.dts
    if pts is None or frame.time_base is None:
        raise Unreadable("a frame does not say when it is shown")
    return pts * frame.time_base


def _broken_frame(number: int, why: str) -> str:
    return f"frame {number} of the finished copy cannot be decoded ({why}); render it again, to another disk"
