"""Open a stranger's file: by its content alone, and never anything else.

Rules: only a regular file of this machine is opened, and FFmpeg gets its bytes,
not its name, so no extension can steer it; a file that asks for another one
(playlists, references, side files) is refused; only the containers named here
are tried, so that a text file cannot become a filter graph or a web address.

Raw telephone formats have no header to be recognised by: see `raw_format`.
"""

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import av
from av.container import InputContainer

from media.errors import Unreadable
from media.files import descriptor_of
from media.inspection import printable
from media.raw_format import (
    HEADER_BYTES,
    RAW_FORMAT_HELP,
    RAW_FORMATS,
    has_certain_header,
    parse_raw_format,
)

#: Containers of recorders, telephone systems and cameras. FFmpeg knows some 350 more.
CONTAINERS = (
    *("mov", "matroska", "avi", "asf", "flv", "mpeg", "mpegts", "ivf", "dhav"),
    *("mpegvideo", "m4v", "h264", "hevc", "mjpeg", "mpjpeg"),
    *("wav", "w64", "aiff", "au", "caf", "voc", "nist", "sox"),
    *("ogg", "flac", "mp3", "aac", "ac3", "amr", "amrnb", "amrwb", "gsm"),
)
_STILL_PICTURES = re.compile(r"\w+_pipe|image2|gif|apng|webp|ico")
_PLAYLISTS = frozenset({"hls", "concat", "dash", "sdp", "rtsp", "imf", "applehttp"})
_PCM_PACKET_BYTES = "65536"  #: the demuxer's own choice is 1 KiB: sixty times the work for an hour of sound
_WAVE_PROBE_BYTES = "65536"  #: else 5 MB of every 16-bit WAV are searched for hidden DTS: 100 ms a call
_MAX_TRACKS = 64
_MAX_COMPLAINTS = 3


@dataclass(slots=True)
class Opened:
    """A container that is open, and what was odd about it."""

    path: Path | int
    raw_format: str | None
    container: InputContainer
    size_bytes: int
    warnings: list[str]


@contextmanager
def open_recording(path: Path | int, raw_format: str | None = None) -> Iterator[Opened]:
    """Open `path` for demuxing, or the file behind a descriptor, which stays open. FFmpeg sees its bytes alone.

    A hint at a raw format counts unless the file begins with a header that no sound could form by chance.

    Raises:
        Unreadable: Not a file, empty, or no container that is accepted here.
        ValueError: The hint is none that is known.
    """
    hint = parse_raw_format(raw_format) if raw_format else None
    with _open_regular(path) as number:
        size_bytes = os.fstat(number).st_size
        if size_bytes == 0:
            raise Unreadable("the file is empty")
        start = os.pread(number, HEADER_BYTES, 0)
        warnings = _cut_off_riff(start, size_bytes)
        if hint and has_certain_header(start):
            hint = None
            warnings.append(f"the file has a header of its own; the hint {raw_format!r} was not used")
        container, complaints = _open_container(number, hint, start)
        with container:
            warnings += complaints
            if len(container.streams) > _MAX_TRACKS:
                raise Unreadable(f"the file claims {len(container.streams)} tracks")
            yield Opened(path, raw_format, container, size_bytes, warnings)


@contextmanager
def _open_regular(path: Path | int) -> Iterator[int]:
    number = os.dup(path) if isinstance(path, int) else descriptor_of(path)
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise Unreadable("this is not a regular file")
        yield number
    finally:
        os.close(number)


def _is_wave(start: bytes) -> bool:
    return start[:4] in {b"RIFF", b"RF64"} and start[8:12] == b"WAVE"


def _cut_off_riff(start: bytes, size_bytes: int) -> list[str]:
    """A warning where a WAV or AVI promises more than there is. Streamed ones promise nothing, or everything."""
    promised = int.from_bytes(start[4:8], "little")
    is_promise = start[:4] == b"RIFF" and promised not in {0, 0xFFFFFFFF}
    if is_promise and promised + 8 > size_bytes + 1:  # some writers forget a last pad byte
        return [f"the file was cut off: {size_bytes} of {promised + 8} bytes are there"]
    return []


class _Nameless:
    """A file without a name: FFmpeg guesses from the extension of whatever has one.

    Its place in the file is its own: a descriptor's belongs to all who share it.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._at = 0

    def read(self, size: int) -> bytes:
        """The next bytes; fewer at the end."""
        found = os.pread(self._number, size, self._at)
        self._at += len(found)
        return found

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at}.get(whence)
        if base is None:
            base = os.fstat(self._number).st_size
        if base + offset < 0:
            raise OSError(errno.EINVAL, "before the beginning")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        """Where it is."""
        return self._at


def _open_container(
    number: int, hint: tuple[str, dict[str, str]] | None, start: bytes
) -> tuple[InputContainer, list[str]]:
    """The open container, and what FFmpeg complained about while it read the header."""
    demuxer, options = hint or (None, {})
    if _is_wave(start):
        options = {"probesize": _WAVE_PROBE_BYTES}
    with _audible(), av.logging.Capture() as complaints:
        try:
            container = av.open(
                _Nameless(number),
                mode="r",
                format=demuxer,
                options={"max_size": _PCM_PACKET_BYTES, **options},
                container_options={
                    "format_whitelist": ",".join((*CONTAINERS, *RAW_FORMATS)),
                    "protocol_whitelist": "file",
                },
                metadata_errors="replace",
                io_open=_refuse_other_files,
            )
        except MemoryError:
            raise
        except (av.FFmpegError, OSError, ValueError) as error:
            raise Unreadable(_why_not(error, complaints)) from error
    said = dict.fromkeys(printable(text) for _, name, text in complaints if name)
    return container, [f"FFmpeg noticed: {text}" for text in list(said)[:_MAX_COMPLAINTS]]


@contextmanager
def _audible() -> Iterator[None]:
    """Let FFmpeg say what is wrong with a header, in a process in which it is silent otherwise."""
    level = av.logging.get_level()
    if level is not None:
        yield
        return
    av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)  # else one file's complaints are counted into the next one's
    try:
        yield
    finally:
        av.logging.set_level(level)


def _refuse_other_files(url: str, *_: Any) -> NoReturn:
    raise PermissionError(f"a recording may not open other files: {printable(url)}")


def _why_not(error: Exception, complaints: list[tuple[int, str, str]]) -> str:
    """A reason a person understands, from what FFmpeg said while opening."""
    said = {printable(text): name for _, name, text in complaints}
    for text, name in said.items():
        if text.startswith("Format not on whitelist"):
            return _not_accepted(name)
        if text == "moov atom not found":
            return "the recording has no index (moov); it was probably cut off while being written"
        if "no 'data' tag" in text:
            return "the WAV header is not followed by any sound"
    if isinstance(error, av.EOFError):
        return "the file ends within its header"
    last = [(text, name) for text, name in said.items() if name]
    if last:
        text, name = last[0]
        return f"the header is damaged ({name.partition(',')[0]}: {text})"
    return f"this is no recording in a format that is known here; a headerless one needs a raw format, {RAW_FORMAT_HELP}"


def _not_accepted(demuxer: str) -> str:
    if _STILL_PICTURES.fullmatch(demuxer):
        return f"this is a still picture ({demuxer.removesuffix('_pipe')}), not a recording"
    if demuxer in _PLAYLISTS:
        return f"this is a playlist ({demuxer}), which points to other files instead of holding a recording"
    return f"this is not a recording (its content looks like {demuxer})"


def hush() -> None:
    """Leave what FFmpeg says unheard, without asking Python.

    At any level, also the highest, PyAV takes an error to Python: a decoder's thread that waits for that
    while its decoder is closed waits for ever.
    """
    av.logging.set_level(None)
