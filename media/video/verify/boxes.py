"""Walk an MP4 box by box, and say everything in it that a plain recording would not hold.

Strict on purpose: a box is fine when it is on the list for its place, not when
nothing bad is known about it; a byte of `mdat` is fine when it belongs to a
sample. Rules: ISO/IEC 14496-12 (boxes, sample tables, edit lists) and 14496-15.

It reads with nothing but `struct` and numpy, so it shares no fault with the
muxer that wrote the file. It trusts no size before checking it.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from media.note import Note, note

MAX_MOOV_BYTES = 512 * 1024**2
_MOST_SAMPLES = 100_000_000  #: of equal size: a day of PCM has fewer packets
_HIDDEN_SOUND_S = Fraction(1, 10)  #: an encoder's run-in: 80 ms of Opus, or
_HIDDEN_SAMPLES = 2048  #: of AAC, which is longer at the rates of telephones

#: What each box may hold. A box that is missing here holds no boxes.
ALLOWED: dict[str, frozenset[str]] = {
    "": frozenset({"ftyp", "moov", "free", "mdat"}),
    "moov": frozenset({"mvhd", "trak", "udta"}),
    "trak": frozenset({"tkhd", "edts", "mdia"}),
    "edts": frozenset({"elst"}),
    "mdia": frozenset({"mdhd", "hdlr", "minf"}),
    "minf": frozenset({"vmhd", "smhd", "dinf", "stbl"}),
    "dinf": frozenset({"dref"}),
    "stbl": frozenset({"stsd", "stts", "ctts", "stss", "stsc", "stsz", "stco", "co64", "sgpd", "sbgp"}),
    "avc1": frozenset({"avcC", "colr", "pasp", "btrt", "fiel"}),
    "sound": frozenset({"esds", "btrt", "dOps", "dfLa", "dac3", "dec3", "alac", "chnl", "srat"}),
}
_CONTAINERS = frozenset({"moov", "trak", "edts", "mdia", "minf", "dinf", "stbl"})
_SOUND_ENTRIES = frozenset({"mp4a", "Opus", "fLaC", ".mp3", "ac-3", "ec-3", "alac"})
_HANDLERS = {"vide": b"VideoHandler\0", "soun": b"SoundHandler\0"}
_BRANDS = b"isom\0\0\2\0isomiso2avc1mp41"
_EMPTY_TAGS = bytes.fromhex(  # what FFmpeg writes where there are none: udta, meta, a handler, an empty list
    "00000035" "6d657461" "00000000" "00000021" "68646c72" "00000000" "00000000" "6d646972"
    "6170706c" "0000000000000000" "00" "00000008" "696c7374"
)  # fmt: skip
_REFERENCE = bytes.fromhex("00000000000000010000000c75726c2000000001")  # fmt: skip - this very file
_UNDETERMINED = 0x55C4  #: the language "und", packed


@dataclass(frozen=True, slots=True)
class Box:
    """One box: its type, and where its content lies."""

    kind: str
    start: int
    end: int


@dataclass(slots=True)
class TrackFacts:
    """What the tables of a track say."""

    handler: str = ""
    entry: str = ""
    timescale: int = 0
    avcc: bytes = b""
    edits: list[tuple[int, int]] = field(default_factory=list)  #: length in the movie's scale, and media time
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))  #: per run of durations
    deltas: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    offset_counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    offsets: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    sizes: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    chunks: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    runs: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 3), np.int64))  #: stsc


@dataclass(slots=True)
class Mp4:
    """A file that was walked, and what was wrong with it."""

    tracks: list[TrackFacts] = field(default_factory=list)
    movie_scale: int = 0
    media: list[tuple[int, int]] = field(default_factory=list)  #: content of each mdat: start, end
    faults: list[Note] = field(default_factory=list)

    def add(self, fault: Note) -> None:
        """Remember a fault once."""
        if fault not in self.faults:
            self.faults.append(fault)


def walk(path: Path) -> Mp4:
    """Walk the whole of `path`. A file that cannot be walked to its end has that as a fault."""
    found = Mp4()
    with path.open("rb") as file:
        size = file.seek(0, 2)
        try:
            for box in _top_level(file, size):
                _take_top_level(file, box, found)
        except (ValueError, struct.error, IndexError) as error:
            found.add(note("container_broken", why=str(error)))
    if not found.faults:
        try:
            for track in found.tracks:
                _check_edits(track, found)
        except ValueError:
            found.add(note("container_broken", why="a table of times does not fit the samples"))
        _check_media(found)
    return found


def sample_places(track: TrackFacts) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each sample begins, and its size in bytes, in decoding order.

    Raises:
        ValueError: The tables contradict each other.
    """
    per_chunk = np.zeros(len(track.chunks), np.int64)
    firsts = [*(track.runs[:, 0] - 1), len(track.chunks)]
    for (first, end), samples in zip(pairwise(firsts), track.runs[:, 1], strict=True):
        if not 0 <= first <= end <= len(track.chunks):
            raise ValueError("the chunk table does not fit the chunks")
        per_chunk[first:end] = samples
    if per_chunk.sum() != len(track.sizes):
        raise ValueError("the sample tables do not agree on how many samples there are")
    before = np.concatenate(([0], np.cumsum(track.sizes)))
    first_of_chunk = np.concatenate(([0], np.cumsum(per_chunk)))[:-1]
    starts = np.repeat(track.chunks - before[first_of_chunk], per_chunk) + before[:-1]
    return starts, track.sizes


# -- walking ------------------------------------------------------------------


def _top_level(file: BinaryIO, size: int) -> Iterator[Box]:
    at = 0
    while at < size:
        file.seek(at)
        box = _box(file.read(16), at, size)
        yield box
        at = box.end


def _box(head: bytes, at: int, limit: int) -> Box:
    length, kind = struct.unpack(">I4s", head[:8])
    skip = 8
    if length == 1:
        (length,) = struct.unpack(">Q", head[8:16])
        skip = 16
    if length < skip or at + length > limit:
        raise ValueError(f"box {kind!r} at byte {at} has an impossible size")
    return Box(kind.decode("latin-1"), at + skip, at + length)


def _take_top_level(file: BinaryIO, box: Box, found: Mp4) -> None:
    if box.kind not in ALLOWED[""]:
        found.add(note("box_strange", box=box.kind))
        return
    if box.kind == "mdat":
        found.media.append((box.start, box.end))
        return
    if box.end - box.start > MAX_MOOV_BYTES:
        raise ValueError(f"box {box.kind!r} is too large")
    file.seek(box.start)
    data = file.read(box.end - box.start)
    if box.kind == "free" and data.strip(b"\0"):
        found.add(note("unused_space"))
    elif box.kind == "ftyp" and data != _BRANDS:
        found.add(note("brands"))
    elif box.kind == "moov":
        _walk_inner(data, "moov", found, None)


def _walk_inner(data: bytes, parent: str, found: Mp4, track: TrackFacts | None) -> None:
    at = 0
    while at < len(data):
        box = _box(data[at : at + 16], at, len(data))
        at = box.end
        if box.kind not in ALLOWED[parent]:
            found.add(note("box_strange_inside", box=box.kind, parent=parent))
            continue
        content = data[box.start : box.end]
        if box.kind == "trak":
            track = TrackFacts()
            found.tracks.append(track)
        if box.kind in _CONTAINERS:
            _walk_inner(content, box.kind, found, track)
        elif box.kind in _READERS:
            _READERS[box.kind](content, found, track or TrackFacts())


# -- single boxes ---------------------------------------------------------------


def _read_mvhd(data: bytes, found: Mp4, _: TrackFacts) -> None:
    found.movie_scale = _scale(data, found)


def _read_mdhd(data: bytes, found: Mp4, track: TrackFacts) -> None:
    track.timescale = _scale(data, found)
    if int.from_bytes(data[-4:-2], "big") != _UNDETERMINED:
        found.add(note("language_named"))


def _scale(data: bytes, found: Mp4) -> int:
    wide = data[0] == 1
    times, rest = (data[4:20], data[20:24]) if wide else (data[4:12], data[12:16])
    if times.strip(b"\0"):
        found.add(note("time_of_making"))
    return int.from_bytes(rest, "big")


def _read_tkhd(data: bytes, found: Mp4, _: TrackFacts) -> None:
    if data[4 : 20 if data[0] == 1 else 12].strip(b"\0"):
        found.add(note("time_of_making"))


def _read_hdlr(data: bytes, found: Mp4, track: TrackFacts) -> None:
    track.handler = data[8:12].decode("latin-1")
    if data[12:] not in {bytes(12) + name for kind, name in _HANDLERS.items() if kind == track.handler}:
        found.add(note("track_named", handler=track.handler))


def _read_udta(data: bytes, found: Mp4, _: TrackFacts) -> None:
    if data != _EMPTY_TAGS:
        found.add(note("tags"))


def _read_dref(data: bytes, found: Mp4, _: TrackFacts) -> None:
    if data != _REFERENCE:
        found.add(note("other_file"))


def _read_elst(data: bytes, _: Mp4, track: TrackFacts) -> None:
    form = struct.Struct(">Qqi" if data[0] == 1 else ">Iii")
    track.edits = [(length, start) for length, start, _ in form.iter_unpack(data[8:])]


def _read_stsd(data: bytes, found: Mp4, track: TrackFacts) -> None:
    if int.from_bytes(data[4:8], "big") != 1:
        found.add(note("many_forms"))
    box = _box(data[8:24], 8, len(data))
    track.entry = box.kind
    if box.kind == "avc1":
        if data[box.start + 42 : box.start + 74].strip(b"\0"):
            found.add(note("encoder_named"))
        _walk_entry(data[box.start + 78 : box.end], "avc1", found, track)
    elif box.kind in _SOUND_ENTRIES:
        _walk_entry(data[box.start + 28 : box.end], "sound", found, track)
    else:
        found.add(note("form_strange", box=box.kind))


def _walk_entry(data: bytes, place: str, found: Mp4, track: TrackFacts) -> None:
    at = 0
    while at < len(data):
        box = _box(data[at : at + 16], at, len(data))
        at = box.end
        if box.kind not in ALLOWED[place]:
            found.add(note("box_strange_in_form", box=box.kind))
        elif box.kind == "avcC":
            track.avcc = data[box.start : box.end]


def _read_stsz(data: bytes, _: Mp4, track: TrackFacts) -> None:
    same, count = struct.unpack(">II", data[4:12])
    if same and (count > _MOST_SAMPLES or len(data) != 12):
        raise ValueError("the table of sample sizes is impossible")
    track.sizes = np.full(count, same, np.int64) if same else _table(data[4:], 1)[:, 0]


def _read_stts(data: bytes, _: Mp4, track: TrackFacts) -> None:
    table = _table(data, 2)
    track.counts, track.deltas = table[:, 0], table[:, 1]


def _read_ctts(data: bytes, _: Mp4, track: TrackFacts) -> None:
    table = _table(data, 2)
    track.offset_counts = table[:, 0]
    track.offsets = table[:, 1].astype(np.uint32).view(np.int32).astype(np.int64)


def _read_stsc(data: bytes, _: Mp4, track: TrackFacts) -> None:
    track.runs = _table(data, 3)


def _read_stco(data: bytes, _: Mp4, track: TrackFacts) -> None:
    track.chunks = _table(data, 1)[:, 0]


def _read_co64(data: bytes, _: Mp4, track: TrackFacts) -> None:
    track.chunks = np.frombuffer(data[8:], ">i8").astype(np.int64)


def _table(data: bytes, columns: int) -> NDArray[np.int64]:
    """A table of 32-bit numbers, after its version, its flags and the number of its rows."""
    if len(data) - 8 != int.from_bytes(data[4:8], "big") * columns * 4:
        raise ValueError("a table is cut off, or hides something behind its end")
    return np.frombuffer(data[8:], ">u4").astype(np.int64).reshape(-1, columns)


_READERS = {
    "mvhd": _read_mvhd, "mdhd": _read_mdhd, "tkhd": _read_tkhd, "hdlr": _read_hdlr, "udta": _read_udta,
    "dref": _read_dref, "elst": _read_elst, "stsd": _read_stsd, "stsz": _read_stsz, "stts": _read_stts,
    "ctts": _read_ctts, "stsc": _read_stsc, "stco": _read_stco, "co64": _read_co64,
}  # fmt: skip


# -- what the tables say together -------------------------------------------------


def _check_edits(track: TrackFacts, found: Mp4) -> None:
    """An edit list may delay a track and skip an encoder's run-in; it may hide no picture."""
    media = [(length, start) for length, start in track.edits if start >= 0]
    if len(media) > 1 or (track.edits and not media):
        found.add(note("edits_in_pieces"))
        return
    if not media or not track.timescale or not found.movie_scale:
        return
    length, start = media[0]
    decoded = np.concatenate(([0], np.cumsum(np.repeat(track.deltas, track.counts))))
    shown = decoded[:-1] + (np.repeat(track.offsets, track.offset_counts) if len(track.offsets) else 0)
    hidden = max(_HIDDEN_SOUND_S, Fraction(_HIDDEN_SAMPLES, track.timescale))
    slack = Fraction(0) if track.handler == "vide" else hidden
    skipped = Fraction(start - int(shown.min()), track.timescale)
    # A movie's clock ticks a thousand times a second: the last picture may begin within its last tick.
    left = Fraction(int(shown.max()) - start, track.timescale) - Fraction(length, found.movie_scale)
    if skipped > slack or left >= slack + Fraction(1, found.movie_scale):
        found.add(note("edits_hide"))


def _check_media(found: Mp4) -> None:
    """Every byte of mdat belongs to exactly one sample."""
    try:
        places = [sample_places(track) for track in found.tracks]
    except ValueError as error:
        found.add(note("container_broken", why=str(error)))
        return
    starts = np.concatenate([start for start, _ in places]) if places else np.zeros(0, np.int64)
    sizes = np.concatenate([size for _, size in places]) if places else np.zeros(0, np.int64)
    order = np.argsort(starts, kind="stable")
    starts, ends = starts[order], (starts + sizes)[order]
    used = sum(end - start for start, end in found.media)
    is_tight = bool((starts[1:] == ends[:-1]).all()) if len(found.media) == 1 else False
    if not len(starts) or not is_tight or (int(starts[0]), int(ends[-1])) != found.media[0]:
        found.add(note("media_unclaimed", size_bytes=used))
