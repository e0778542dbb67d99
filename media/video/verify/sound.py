"""Say whether the sound of a finished copy is the sound that should be in it."""

from collections.abc import Iterator
from fractions import Fraction
from hashlib import sha256
from pathlib import Path

from media.container import open_recording
from media.note import Note, note

_MAX_DRIFT_S = Fraction(1, 5)  #: of a converted track: an encoder adds a run-in and rounds to whole packets


def compare_sound(wanted: Path | None, output: Path) -> tuple[str, list[Note]]:
    """What became of the sound ("identical", "converted", "none"), and what is wrong with it."""
    have = list(_tracks(output))
    want = list(_tracks(wanted)) if wanted else []
    if len(have) != len(want):
        return "wrong", [note("sound_tracks", have=len(have), want=len(want))]
    if not want:
        return "none", []
    faults: list[Note] = []
    words = set()
    for number, (before, after) in enumerate(zip(want, have, strict=True)):
        if before[0] == after[0]:
            words.add("identical")
            continue
        words.add("converted")
        if before[1] == after[1]:
            faults.append(note("sound_packets", track=number))
        elif abs(before[2] - after[2]) > _MAX_DRIFT_S:
            faults.append(note("sound_length", track=number, is_s=float(after[2]), was_s=float(before[2])))
    return " and ".join(sorted(words)), faults


def _tracks(path: Path) -> Iterator[tuple[str, str, Fraction]]:
    """Digest of the packets that are heard, codec and length in seconds, of every track."""
    with open_recording(path) as opened:
        streams = opened.container.streams.audio
        digests = {stream.index: sha256() for stream in streams}
        ends = dict.fromkeys(digests, Fraction(0))
        starts: dict[int, Fraction] = {}
        for packet in opened.container.demux(streams) if streams else ():
            if not packet.size or packet.is_discard:
                continue
            at = Fraction(packet.pts if packet.pts is not None else packet.dts or 0) * packet.time_base
            starts.setdefault(packet.stream.index, at)
            digests[packet.stream.index].update(bytes(packet))
            ends[packet.stream.index] = at + (packet.duration or 0) * packet.time_base
        for stream in streams:
            name = stream.codec_context.name.removesuffix("float")
            yield (
                digests[stream.index].hexdigest(),
                name,
                ends[stream.index] - starts.get(stream.index, Fraction(0)),
            )
