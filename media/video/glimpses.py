"""Tracks of those whom a detector sees that looks only now and then.

Seen in one look and not in the one before, somebody may have been there ever
since that one, so a mask holds its place for `HOLD_FRAMES` to both ends, or to the next
cut.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from media.video.masks import Box
from media.video.tracks import Margin, Sighting, Trail, cover, link, scene_of

HOLD_FRAMES = 24  #: twice as far apart as its looks


def glimpsed(
    sightings: Iterable[Sighting], margin: Margin, frames: int, cuts: Sequence[int]
) -> Iterator[tuple[Trail, dict[int, Box]]]:
    """Trails, each with what it covers. Arguments are those of `media.video.tracks`."""
    for trail in link(sightings, cuts):
        yield trail, _held(cover(trail, margin, frames, cuts), *scene_of(trail.first, frames, cuts))


def _held(covered: Mapping[int, Box], start: int, end: int) -> dict[int, Box]:
    first, last = min(covered), max(covered)
    before = range(max(start, first - HOLD_FRAMES), first)
    after = range(last + 1, min(end, last + HOLD_FRAMES) + 1)
    return {
        **dict.fromkeys(before, covered[first]),
        **dict(sorted(covered.items())),
        **dict.fromkeys(after, covered[last]),
    }
