"""Footage as a recorder with DRM exports it (CENC, ISO/IEC 23001-7): its picture, its sound, or both encrypted.

FFmpeg's muxer encrypts every track or none. Counter mode keeps each sample's
size, so a track of the encrypted file becomes a clear one in its place: the
clear samples are put back, and the boxes that tell of encryption are voided.
"""

from pathlib import Path

import av
import numpy as np

_RATE = 16_000
_FRAMES = 20
_SECRET = {
    "encryption_scheme": "cenc-aes-ctr",
    "encryption_key": "00112233445566778899aabbccddeeff",
    "encryption_kid": "0f0e0d0c0b0a09080706050403020100",
}
_CLEAR = {b"encv": b"avc1", b"enca": b"mp4a"} | dict.fromkeys((b"sinf", b"senc", b"saio", b"saiz"), b"free")
_HANDLER = {"video": b"vide", "audio": b"soun"}


def write_encrypted(path: Path, *kinds: str) -> Path:
    """Two seconds of MP4 whose tracks of these kinds ("video", "audio") are encrypted, and no others."""
    clear = _write_clear(path.with_name(f"clear-{path.name}"))
    _remux(clear, path)
    data = bytearray(path.read_bytes())
    for kind in _HANDLER.keys() - {*kinds}:
        for (at, hidden), (_, sample) in zip(_samples(path, kind), _samples(clear, kind), strict=True):
            assert len(hidden) == len(sample)
            data[at : at + len(sample)] = sample
        start, end = _track(data, _HANDLER[kind])
        box = bytes(data[start:end])
        for told, void in _CLEAR.items():
            box = box.replace(told, void)
        data[start:end] = box
    path.write_bytes(data)
    clear.unlink()
    return path


def _write_clear(path: Path) -> Path:
    chance = np.random.default_rng(4)
    with av.open(path, "w", format="mp4") as out:
        picture, sound = out.add_stream("libx264", rate=10), out.add_stream("aac", rate=_RATE)
        picture.width, picture.height, picture.pix_fmt = 160, 120, "yuv420p"
        for number in range(_FRAMES):
            frame = av.VideoFrame.from_ndarray(chance.integers(0, 255, (120, 160, 3), np.uint8), "rgb24")
            frame.pts = number
            out.mux(picture.encode(frame))
            noise = av.AudioFrame.from_ndarray(
                chance.integers(-3000, 3000, (1, _RATE // 10), np.int16), "s16", "mono"
            )
            noise.sample_rate, noise.pts = _RATE, number * _RATE // 10
            out.mux(sound.encode(noise))
        for stream in (picture, sound):
            out.mux(stream.encode(None))
    return path


def _remux(source: Path, target: Path) -> None:
    with av.open(source) as before, av.open(target, "w", format="mp4", options=_SECRET) as after:
        copies = {stream.index: after.add_stream_from_template(stream) for stream in before.streams}
        for packet in before.demux():
            if packet.size:
                packet.stream = copies[packet.stream.index]
                after.mux(packet)


def _samples(path: Path, kind: str) -> list[tuple[int, bytes]]:
    """Where each sample of a track lies, and its bytes in the file."""
    data = path.read_bytes()
    with av.open(path) as container:
        (stream,) = [each for each in container.streams if each.type == kind]
        places = [(packet.pos, packet.size) for packet in container.demux(stream) if packet.size]
    return [(at, data[at : at + size]) for at, size in places if at is not None]


def _track(data: bytearray, handler: bytes) -> tuple[int, int]:
    """Where a track's box begins and ends."""
    here = data.index(handler, data.index(b"moov"))
    start = data.rindex(b"trak", 0, here) - 4
    return start, start + int.from_bytes(data[start : start + 4], "big")
