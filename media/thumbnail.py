"""One small picture that shows what a recording is about.

Recordings begin black, grey or with a lens cap, so the picture comes from some
way in: the first of a few places whose picture has contrast, else the one that
has most. Pixels are turned upright and made square.
"""

from collections.abc import Iterator
from fractions import Fraction

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from media.facts import quarter_turns

MAX_WIDTH_PX = 480
MAX_HEIGHT_PX = 960
_JPEG_QUALITY = 80
_PLACES = (1 / 3, 1 / 10, 2 / 3)  #: of the duration, in the order they are tried
_PACKETS_PER_PLACE = 100  #: a picture comes within this many, or the place is given up
_CONTRAST = (
    16.0  #: standard deviation of brightness above which a picture shows something; noise on black has 3
)

Picture = NDArray[np.uint8]  #: (height, width, 3), BGR as OpenCV has it


def make_thumbnail(
    container: InputContainer, stream: VideoStream, duration_us: int, first: VideoFrame
) -> bytes | None:
    """A JPEG of a telling picture; None where not even `first` can be converted.

    The container's position is lost.
    """
    best, most = None, -1.0
    for frame in _candidates(container, stream, duration_us, first):
        try:
            picture = _upright(frame, stream.sample_aspect_ratio)
        except (av.FFmpegError, ValueError):  # a pixel format that cannot be converted
            continue
        contrast = float(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).std())
        if contrast > most:
            best, most = picture, contrast
        if contrast >= _CONTRAST:
            break
    return None if best is None else _jpeg(best)


def _candidates(
    container: InputContainer, stream: VideoStream, duration_us: int, first: VideoFrame
) -> Iterator[VideoFrame]:
    start_us = container.start_time or 0
    for place in _PLACES:
        try:
            container.seek(start_us + int(duration_us * place))
            yield from _next_frame(container, stream)
        except (av.FFmpegError, OSError, ValueError):  # no index, or damaged just here
            continue
    yield first


def _next_frame(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    for tried, packet in enumerate(container.demux(stream)):
        if tried == _PACKETS_PER_PLACE:
            return
        try:
            frames = packet.decode()
        except (av.FFmpegError, ValueError):
            continue
        if frames:
            yield frames[0]
            return


def _upright(frame: VideoFrame, aspect: Fraction | None) -> Picture:
    """The picture with square pixels, scaled down and turned as a player would."""
    wide = frame.width * float(aspect) if aspect and 0.25 <= aspect <= 4 else float(frame.width)
    turns = quarter_turns(frame) or 0
    limits = (MAX_HEIGHT_PX, MAX_WIDTH_PX) if turns % 2 else (MAX_WIDTH_PX, MAX_HEIGHT_PX)
    scale = min(1.0, limits[0] / wide, limits[1] / frame.height)
    size = max(1, round(wide * scale)), max(1, round(frame.height * scale))
    pixels = frame.reformat(
        width=size[0], height=size[1], format="bgr24", interpolation="AREA", threads=1
    ).to_ndarray()
    return np.ascontiguousarray(np.rot90(pixels, k=-turns))


def _jpeg(picture: Picture) -> bytes | None:
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return data.tobytes() if done else None
