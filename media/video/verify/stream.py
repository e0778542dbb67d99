"""Look into the picture's packets of a finished MP4: slices, and nothing that tells something beside them."""

from collections.abc import Iterator
from pathlib import Path

from media.note import Note, note
from media.video.nal import PICTURE, PPS, SPS, kind, parse_avcc, units
from media.video.verify.boxes import Mp4, TrackFacts, sample_places

_PARAMETER_SETS = frozenset({SPS, PPS})


def odd_units(output: Path, container: Mp4) -> Iterator[Note]:
    """Anything in the picture's packets or headers that is no slice and no parameter set."""
    pictures = [track for track in container.tracks if track.handler == "vide"]
    if len(pictures) != 1:
        yield note("picture_tracks", count=len(pictures))
        return
    try:
        headers = parse_avcc(pictures[0].avcc)
        if {kind(unit) for unit in headers.sets} != _PARAMETER_SETS:
            yield note("picture_header")
        yield from _odd_samples(output, pictures[0], headers.length_bytes)
    except ValueError as error:
        yield note("picture_packets_broken", why=str(error))


def _odd_samples(output: Path, track: TrackFacts, length_bytes: int) -> Iterator[Note]:
    with output.open("rb") as file:
        for number, (start, size) in enumerate(zip(*sample_places(track), strict=True)):
            file.seek(int(start))
            strangers = {kind(unit) for unit in units(file.read(int(size)), length_bytes)} - PICTURE
            if strangers:
                yield note("picture_packet_strange", packet=number, unit=min(strangers))
                return
