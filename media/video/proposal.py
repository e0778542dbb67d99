"""Say what in a video a person should decide about: tracks, each with its reason.

    proposal(path, wish, …) -> ReviewDocument

The pass over the footage (`survey`) brings sightings; here they become tracks.
Faces are tracks of their own; heads or whole persons where asked. Before a camera that
stands still, whatever moved and is explained by no face or person becomes a
track too, "moving, undecided": the net is closed at the bottom. Where the net
was blind, because nearly everything changed at once, the document has a gap.

Nothing is decided here. The same file and wish give the same document, however
often the work was stopped in between.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

from media.models import digest_of
from media.review.decide import positions_of
from media.review.document import (
    Gap,
    Looker,
    OtherSearch,
    Reason,
    ReviewDocument,
    Search,
    Sight,
    Source,
    Track,
)
from media.video.detect.port import Detection
from media.video.extent import HEAD_MARGIN, Extent, body_of_face, head_of_face, head_of_person
from media.video.glimpses import glimpsed
from media.video.masks import Box
from media.video.propose import Means, Wish
from media.video.search import Found, Searchers
from media.video.survey import Keep, Survey, survey
from media.video.thumbnails import Wanted, cut_out
from media.video.tracks import BODY_MARGIN, FACE_MARGIN, Margin, Sighting, Trail, cover, link
from media.video.verify.second_look import is_hidden
from media.video.views import LOOK_EVERY_FRAMES, OTHER_EVERY_FRAMES, other_width, right_angles
from media.video.watch import Watch

_SURE_FACE = 0.7  #: confidence of a sighting that makes a face by itself; cars and leaves stay under 0.65
_TWICE_FACE = 0.6  #: of the surest of at least two
_TOGETHER = 1.2  #: of all, summed above `_DOUBT`: weak, but there all the time
_DOUBT = 0.3
_LARGE = 0.25  #: of the picture's height
_MIN_MOVING_LOOKS = 3
_MIN_MOVING_PX = 12.0  #: of stored pixels, on the longer side: no face in it could be recognised below
_MOSTLY, _NEARLY = 0.5, 0.9  #: of a face or of a blob
_BLIND_MARGIN_FRAMES = LOOK_EVERY_FRAMES - 1


def proposal(
    path: Path,
    wish: Wish = Wish(),  # noqa: B008 - frozen
    means: Means = Means(),  # noqa: B008 - frozen
    watch: Watch = Watch(),  # noqa: B008 - frozen
) -> ReviewDocument:
    """Search a file and propose tracks, all undecided, in this process.

    Raises:
        Unreadable: It is damaged or no footage.
        ModelMissing: A detector's weights have not been fetched.
        Cancelled: `watch` said so; with `means.work`, the next call goes on from there.
    """
    sha256 = digest_of(path)
    with_persons = wish.extent is not Extent.FACE
    person = means.person if with_persons else None
    with Searchers(means.face, person, means.workers, means.other) as searchers:
        lookers = [asdict(facts) for facts in searchers.facts()]
        keep = Keep(means.work, {"sha256": sha256, "persons": with_persons, "lookers": lookers})
        seen = survey(path, wish.mount, searchers, keep, watch)
    tracks = tuple(_with_numbers(_tracks(seen, wish)))
    pictures = cut_out(path, [wanted for _, wanted in tracks], seen.pts)
    is_fixed, why = seen.steadiness.verdict
    return ReviewDocument(
        source=Source(
            sha256=sha256,
            width=seen.width,
            height=seen.height,
            frames=seen.frames,
            time_base=f"{seen.time_base.numerator}/{seen.time_base.denominator}",
        ),
        search=Search(
            detectors=tuple(Looker.model_validate(looker) for looker in lookers),
            angles_deg=seen.angles.always,
            angles_why=seen.angles.why,
            is_camera_fixed=is_fixed,
            camera_why=why,
            look_every_frames=LOOK_EVERY_FRAMES,
            seen=tuple(seen.seen),
            other=_other_search(seen, lookers[-1]) if means.other else None,
        ),
        cuts=tuple(seen.cuts),
        tracks=tuple(
            track.model_copy(update={"thumbnail": picture})
            for (track, _), picture in zip(tracks, pictures, strict=True)
        ),
        gaps=tuple(_gaps(seen)) if is_fixed else (),
    )


def _other_search(seen: Survey, looker: Mapping[str, object]) -> OtherSearch:
    """What the other detector saw at the frames at which it will look at a copy."""
    sights: list[Sight] = []
    for frame in (*range(0, seen.frames - 1, OTHER_EVERY_FRAMES), seen.frames - 1):
        hits = tuple(
            (one.box.left, one.box.top, one.box.right, one.box.bottom, one.confidence)
            for one in seen.found_at(frame).others
        )
        if not hits:
            continue
        if sights and sights[-1].hits == hits and frame - sights[-1].last <= OTHER_EVERY_FRAMES:
            sights[-1] = Sight(first=sights[-1].first, last=frame, hits=hits)
        else:
            sights.append(Sight(first=frame, last=frame, hits=hits))
    return OtherSearch(
        detector=Looker.model_validate(looker),
        every_frames=OTHER_EVERY_FRAMES,
        width_px=other_width(seen.width),
        angles_deg=right_angles(seen.angles.always),
        sights=tuple(sights),
    )


def _tracks(seen: Survey, wish: Wish) -> Iterator[tuple[Reason, Trail, dict[int, Box]]]:
    looks = {frame: seen.found_at(frame) for frame in (*seen.found, *seen.same_as)}
    shape = _SHAPES[wish.extent]
    masks: dict[int, list[Box]] = {}
    faces = [_shaped(trail, shape.of_face) for trail in _faces(looks, seen)]
    heads = [cover(trail, shape.margin, seen.frames, seen.cuts) for trail in faces]
    people = _link(((frame, found.persons) for frame, found in looks.items()), seen)
    figures = [_shaped(trail, shape.of_person) for trail in people]
    if wish.extent is Extent.HEAD:
        figures = [trail for trail in figures if not any(_is_head_of(head, trail) for head in heads)]
    for trail in (*faces, *figures):
        covered = cover(trail, shape.margin, seen.frames, seen.cuts)
        for frame, box in covered.items():
            masks.setdefault(frame, []).append(box)
        yield shape.reason, trail, covered
    # These explain no movement: what one weak hit hides is too little to let go of the whole that moved.
    for trail, covered in _overlooked(looks, seen, masks, shape):
        yield shape.reason, trail, covered
    if seen.steadiness.verdict[0]:
        explains = _explains_body if wish.extent is Extent.PERSON else _explains_face
        for trail in _unexplained(seen, masks, explains):
            yield Reason.MOVING, trail, cover(trail, BODY_MARGIN, seen.frames, seen.cuts)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a sighting of a face, or of a person, becomes."""

    reason: Reason
    margin: Margin
    of_face: Callable[[Box], Box]
    of_person: Callable[[Box], Box]


def _as_it_is(box: Box) -> Box:
    return box


_SHAPES = {
    Extent.FACE: _Shape(Reason.FACE, FACE_MARGIN, _as_it_is, _as_it_is),
    Extent.HEAD: _Shape(Reason.HEAD, HEAD_MARGIN, head_of_face, head_of_person),
    Extent.PERSON: _Shape(Reason.PERSON, BODY_MARGIN, body_of_face, _as_it_is),
}


def _faces(looks: Mapping[int, Found], seen: Survey) -> list[Trail]:
    trails = _link(((frame, found.faces) for frame, found in looks.items()), seen)
    return [trail for trail in trails if _is_face(trail, seen.height)]


def _is_head_of(head: Mapping[int, Box], figure: Trail) -> bool:
    """Whether one face's head was seen wherever the figure was; of two people, each keeps a track of their own."""
    return all(one.frame in head and _explains_face(head[one.frame], one.box) for one in figure.sightings)


def _shaped(trail: Trail, shape: Callable[[Box], Box]) -> Trail:
    return Trail(tuple(replace(one, box=shape(one.box)) for one in trail.sightings))


def _overlooked(
    looks: Mapping[int, Found], seen: Survey, masks: Mapping[int, Sequence[Box]], shape: _Shape
) -> list[tuple[Trail, dict[int, Box]]]:
    """Those whom the other detector alone saw."""
    sightings = (
        Sighting(frame, shape.of_face(one.box), one.confidence)
        for frame, found in looks.items()
        for one in found.others
        if not is_hidden(one.box, masks.get(frame, ()))
    )
    return list(glimpsed(sightings, shape.margin, seen.frames, seen.cuts))


def _link(looks: Iterable[tuple[int, Sequence[Detection]]], seen: Survey) -> list[Trail]:
    sightings = (Sighting(frame, one.box, one.confidence) for frame, found in looks for one in found)
    return link(sightings, seen.cuts)


def _is_face(trail: Trail, picture_px: int) -> bool:
    """Whether a trail is worth a person's look: seen surely once, or weakly often.

    A large face is seen surely most of the time. What is large and mostly doubtful is a lawn or a wall, turned
    until it looked like a face, and its mask would hide half the picture.
    """
    confidences = [one.confidence for one in trail.sightings]
    large = median(one.box.height for one in trail.sightings) > _LARGE * picture_px
    if large and median(confidences) < _TWICE_FACE:
        return False
    together = sum(max(0.0, one - _DOUBT) for one in confidences)
    enough = _SURE_FACE if len(trail.sightings) == 1 else _TWICE_FACE
    return trail.best.confidence >= enough or together >= _TOGETHER


def _unexplained(
    seen: Survey, masks: Mapping[int, Sequence[Box]], explains: Callable[[Box, Box], bool]
) -> Iterator[Trail]:
    """Trails of what moved and holds no face or person that is already a track."""
    sightings = [
        Sighting(frame, box, 0.0)
        for frame, boxes in seen.moved.items()
        for box in boxes
        if max(box.width, box.height) >= _MIN_MOVING_PX
        and not any(explains(mask, box) for mask in masks.get(frame, ()))
    ]
    for trail in link(sightings, seen.cuts):
        if len(trail.sightings) >= _MIN_MOVING_LOOKS:
            yield trail


def _explains_face(mask: Box, blob: Box) -> bool:
    """The face of whoever moved is hidden, or what moved is part of it."""
    return mask.overlap(blob) >= _MOSTLY * min(mask.area, blob.area)


def _explains_body(mask: Box, blob: Box) -> bool:
    """Nearly all that moved is hidden."""
    return mask.overlap(blob) >= _NEARLY * blob.area


def _with_numbers(
    found: Iterator[tuple[Reason, Trail, dict[int, Box]]],
) -> Iterator[tuple[Track, Wanted]]:
    for number, (reason, trail, covered) in enumerate(found, start=1):
        best = trail.best
        track = Track(
            id=number,
            reason=reason,
            positions=positions_of(covered),
            confidence=min(1.0, best.confidence),
        )
        yield track, Wanted(best.frame, best.box)


def _gaps(seen: Survey) -> Iterator[Gap]:
    """Runs of looks at which nearly everything changed."""
    runs: list[list[int]] = []
    for frame in seen.blind:
        first, last = max(0, frame - _BLIND_MARGIN_FRAMES), min(frame + _BLIND_MARGIN_FRAMES, seen.frames - 1)
        if runs and first <= runs[-1][1] + 1:
            runs[-1][1] = last
        else:
            runs.append([first, last])
    for number, (first, last) in enumerate(runs, start=1):
        yield Gap(
            id=number,
            first=first,
            last=last,
            reason="nearly the whole picture changed, so what moved in it could not be told apart",
        )
