"""What a person does to a review document. Every function returns a new document. Pure.

Nothing here removes a track: one that is not to be hidden is kept visible, by
somebody, and says so.
"""

from collections.abc import Collection, Sequence

from media.review.document import Decision, Gap, Position, Reason, ReviewDocument, Track, Verdict
from media.review.masks import box_at, box_of, boxes_of
from media.video.masks import Box, Style

DETECTED = frozenset({Reason.FACE, Reason.HEAD, Reason.PERSON})  #: what a detector named


def decide(
    document: ReviewDocument, tracks: Collection[int], verdict: Verdict, *, by: str = "", note: str = ""
) -> ReviewDocument:
    """Hide these tracks, or keep them visible.

    Raises:
        KeyError: There is no such track.
    """
    missing = set(tracks) - {track.id for track in document.tracks}
    if missing:
        raise KeyError(f"there is no track {min(missing)}")
    decision, wanted = Decision(verdict=verdict, by=by, note=note), set(tracks)
    changed = tuple(
        track.model_copy(update={"decision": decision}) if track.id in wanted else track
        for track in document.tracks
    )
    return document.model_copy(update={"tracks": changed})


def decide_gaps(
    document: ReviewDocument, gaps: Collection[int], verdict: Verdict, *, by: str = "", note: str = ""
) -> ReviewDocument:
    """Paint whole frames of these gaps, or say that a person looked and nothing is to be hidden.

    Raises:
        KeyError: There is no such gap.
    """
    missing = set(gaps) - {gap.id for gap in document.gaps}
    if missing:
        raise KeyError(f"there is no gap {min(missing)}")
    decision = Decision(verdict=verdict, by=by, note=note)
    changed = tuple(
        gap.model_copy(update={"decision": decision}) if gap.id in gaps else gap for gap in document.gaps
    )
    return document.model_copy(update={"gaps": changed})


def hide_all(
    document: ReviewDocument, *, moving: Verdict = Verdict.HIDE, by: str = "", note: str = "hide all"
) -> ReviewDocument:
    """Decide everything that is undecided, so that everyone is hidden.

    Args:
        document: What was found.
        moving: About tracks of which nobody knows what they are, and about gaps. Hidden, unless whoever asks
            takes it on themselves that only faces and people that a detector names are to be hidden (keep), or
            wants to decide about each (undecided).
        by: Who asks.
        note: Why.
    """
    undecided = [track for track in document.tracks if track.decision.verdict is Verdict.UNDECIDED]
    named = [track.id for track in undecided if track.reason in DETECTED | {Reason.DRAWN}]
    unnamed = [track.id for track in undecided if track.id not in named]
    gaps = [gap.id for gap in document.gaps if gap.decision.verdict is Verdict.UNDECIDED]
    document = decide(document, named, Verdict.HIDE, by=by, note=note)
    if moving is Verdict.UNDECIDED:
        return document
    document = decide(document, unnamed, moving, by=by, note=note)
    return decide_gaps(document, gaps, moving, by=by, note=note)


def split(document: ReviewDocument, number: int, frame: int) -> ReviewDocument:
    """Cut a track in two, the second beginning at `frame`; both are undecided again.

    Raises:
        KeyError: There is no such track.
        ValueError: The track does not go on across that frame.
    """
    track = document.track(number)
    if not track.first < frame <= track.last:
        raise ValueError(
            f"track {number} lies in frames {track.first} to {track.last}; {frame} does not cut it"
        )
    before = [place for place in track.positions if place.frame < frame - 1]
    after = [place for place in track.positions if place.frame > frame]
    first = (*before, _position(frame - 1, box_at(track, frame - 1)))
    second = (_position(frame, box_at(track, frame)), *after)
    fresh = {"decision": Decision()}
    document = _with(document, track.model_copy(update={"positions": first, **fresh}))
    new = track.model_copy(update={"id": _next_id(document.tracks), "positions": second, **fresh})
    return document.model_copy(update={"tracks": (*document.tracks, new)})


def merge(document: ReviewDocument, numbers: Sequence[int]) -> ReviewDocument:
    """Make several tracks one, under the first's id, undecided again.

    Where they overlap, the mask holds them all; between them, it moves from one to the next.

    Raises:
        KeyError: There is no such track.
        ValueError: Fewer than two were named.
    """
    if len(set(numbers)) < 2:
        raise ValueError("name at least two tracks to merge")
    parts = [document.track(number) for number in dict.fromkeys(numbers)]
    boxes: dict[int, Box] = {}
    for part in parts:
        for frame, box in boxes_of(part.positions):
            boxes[frame] = _around(boxes[frame], box) if frame in boxes else box
    best = max(parts, key=lambda part: part.confidence)
    merged = parts[0].model_copy(
        update={
            "positions": positions_of(boxes),
            "reason": best.reason,
            "confidence": best.confidence,
            "thumbnail": best.thumbnail,
            "decision": Decision(),
        }
    )
    others = {part.id for part in parts[1:]}
    kept = tuple(track for track in document.tracks if track.id not in others)
    return _with(document.model_copy(update={"tracks": kept}), merged)


def draw(
    document: ReviewDocument,
    positions: Sequence[Position],
    *,
    style: Style = Style.FILL,
    by: str = "",
    note: str = "",
) -> ReviewDocument:
    """Add a mask that a person drew; it is hidden at once.

    Raises:
        ValueError: The positions are not in order, or lie after the last frame.
    """
    track = Track(
        id=_next_id(document.tracks),
        reason=Reason.DRAWN,
        positions=tuple(positions),
        style=style,
        decision=Decision(verdict=Verdict.HIDE, by=by, note=note),
    )
    return _checked(document.model_copy(update={"tracks": (*document.tracks, track)}))


def carry(document: ReviewDocument, number: int, frame: int) -> ReviewDocument:
    """Let a track go on to `frame`, before its first or after its last, standing still. Its decision stays.

    Raises:
        KeyError: There is no such track.
        ValueError: The track is already there, or the footage is not.
    """
    track = document.track(number)
    if track.first <= frame <= track.last:
        raise ValueError(f"track {number} already lies in frames {track.first} to {track.last}")
    if frame < track.first:
        places = (_position(frame, box_of(track.positions[0])), *track.positions)
    else:
        places = (*track.positions, _position(frame, box_of(track.positions[-1])))
    return _checked(_with(document, track.model_copy(update={"positions": places})))


def positions_of(boxes: dict[int, Box]) -> tuple[Position, ...]:
    """The fewest positions between which every box lies, to half a pixel on every edge."""
    frames = sorted(boxes)
    kept = [frames[0]]
    start = 0
    for place in range(1, len(frames)):
        if place + 1 == len(frames) or not _is_even(boxes, frames[start : place + 2]):
            kept.append(frames[place])
            start = place
    return tuple(_position(frame, boxes[frame]) for frame in dict.fromkeys(kept))


_EVEN_PX = 0.5
_EVEN_FRAMES = 50  #: positions are at most so far apart, which also bounds the work of finding them


def _is_even(boxes: dict[int, Box], frames: Sequence[int]) -> bool:
    first, last = frames[0], frames[-1]
    if last - first > _EVEN_FRAMES:
        return False
    begin, end = _edges(boxes[first]), _edges(boxes[last])
    for frame in frames[1:-1]:
        share = (frame - first) / (last - first)
        edges = _edges(boxes[frame])
        if any(
            abs(a + share * (b - a) - edge) > _EVEN_PX for a, b, edge in zip(begin, end, edges, strict=True)
        ):
            return False
    return True


def _edges(box: Box) -> tuple[float, float, float, float]:
    return box.left, box.top, box.right, box.bottom


def _around(one: Box, other: Box) -> Box:
    return Box(
        min(one.left, other.left),
        min(one.top, other.top),
        max(one.right, other.right),
        max(one.bottom, other.bottom),
    )


def _position(frame: int, box: Box) -> Position:
    left, top, right, bottom = (round(edge, 2) for edge in _edges(box))
    return Position(frame=frame, left=left, top=top, right=right, bottom=bottom)


def _next_id(parts: Sequence[Track] | Sequence[Gap]) -> int:
    return max((part.id for part in parts), default=0) + 1


def _with(document: ReviewDocument, changed: Track) -> ReviewDocument:
    tracks = tuple(changed if track.id == changed.id else track for track in document.tracks)
    return document.model_copy(update={"tracks": tracks})


def _checked(document: ReviewDocument) -> ReviewDocument:
    """Validated again, as a copy is not."""
    return ReviewDocument.model_validate(document.model_dump())
