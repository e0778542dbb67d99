"""Footage of which a test knows every pixel."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from media.video.detect.port import Grey

ROOM = (360, 640)  #: height and width


def room(seed: int = 0) -> Grey:
    """A dim wall with texture."""
    coarse = np.random.default_rng(seed).integers(40, 120, (18, 32), np.uint8)
    return np.asarray(cv2.resize(coarse, ROOM[::-1], interpolation=cv2.INTER_NEAREST), np.uint8)


def with_spot(picture: Grey, left: int, top: int, size: int = 24, level: int = 255) -> Grey:
    """The picture with a square painted into it."""
    painted = picture.copy()
    painted[max(0, top) : max(0, top + size), max(0, left) : max(0, left + size)] = level
    return painted


def write_footage(path: Path, pictures: Iterable[Grey], rate: int = 25, *, lossless: bool = True) -> Path:
    """Write pictures without any loss (FFV1), or as a camera would (H.264)."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1" if lossless else "libx264", rate=rate)
        stream.pix_fmt = "gray" if lossless else "yuv420p"
        for index, picture in enumerate(pictures):
            if index == 0:
                stream.width, stream.height = picture.shape[1], picture.shape[0]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="gray")
            frame.pts, frame.time_base = index, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def excerpt(source: Path, target: Path, frames: int) -> Path:
    """The first packets of a file's pictures, copied."""
    with av.open(str(source)) as container, av.open(str(target), "w") as out:
        track = container.streams.video[0]
        copy = out.add_stream_from_template(track)
        for packet in container.demux(track):
            if packet.size == 0 or frames == 0:
                break
            packet.stream = copy
            out.mux(packet)
            frames -= 1
    return target


def wandering(count: int, starts: Sequence[tuple[int, int]], step: tuple[int, int]) -> list[Grey]:
    """A room through which bright spots walk, each at its own place."""
    wall = room()
    pictures = []
    for index in range(count):
        picture = wall
        for left, top in starts:
            picture = with_spot(picture, left + step[0] * index, top + step[1] * index)
        pictures.append(picture)
    return pictures
