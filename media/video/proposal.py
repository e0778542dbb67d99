"""Say what in a video a person should decide about: tracks, each with its reason.

    proposal(path, wish, …) -> ReviewDocument

The pass over the footage (`survey`) brings sightings; here they become tracks.
Faces are tracks of their own; whole persons where asked. Before a camera that
stands still, whatever moved and is explained by no face or person becomes a
track too, "moving, undecided": the net is closed at the bottom. Where the net
was blind, because nearly everything changed at once, the document has a gap.

Nothing is decided here. The same file and wish give the same document, however
often the work was stopped in between.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from media.models import digest_of
from media.review.decide import positions_of
from media.review.document import Gap, Looker, Reason, ReviewDocument, Search, Source, Track
from media.video.detect.port import Detection
from media.video.glimpses import glimpsed
from media.video.masks import Box
from media.video.propose import Means, Wish
from media.video.search import Found, Searchers
from media.video.survey import Keep, Survey, survey
from media.video.thumbnails import Wanted, cut_out
from media.video.tracks import BODY_MARGIN, FACE_MARGIN, Sighting, Trail, cover, link
from media.video.verify.second_look import is_hidden
from media.video.views import LOOK_EVERY_FRAMES
from media.video.watch import Watch

_SURE_FACE = 0.7  #: confidence of a sighting that makes a face by itself; cars and leaves stay under 0.65
_TWICE_FACE = 0.6  #: of the surest of at least two
_TOGETHER = 1.2  #: of all, summed above `_DOUBT`: weak, but there all the time
_DOUBT = 0.3
_LARGE = 0.25  #: of the picture's height
_MIN_MOVING_LOOKS = 3
_MIN_MOVING_PX = 12.0  #: of stored pixels, on the longer side: no face in it could be recognised below
_MOSTLY, _NEARLY = 0.5, 0.9  #: of a face or of a blob
_BODY_FACES_WIDE, _BODY_FACES_HIGH = 3.2, 7.5  #: a person's size in heights of the face, arms included
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
    person = means.person if wish.persons else None
    with Searchers(means.face, person, means.workers, means.other) as searchers:
        lookers = [asdict(facts) for facts in searchers.facts()]
        keep = Keep(means.work, {"sha256": sha256, "persons": wish.persons, "lookers": lookers})
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
        ),
        cuts=tuple(seen.cuts),
        tracks=tuple(
            track.model_copy(update={"thumbnail": picture})
            for (track, _), picture in zip(tracks, pictures, strict=True)
        ),
        gaps=tuple(_gaps(seen)) if is_fixed else (),
    )


def _tracks(seen: Survey, wish: Wish) -> Iterator[tuple[Reason, Trail, dict[int, Box]]]:
    looks = {frame: seen.found_at(frame) for frame in (*seen.found, *seen.same_as)}
    faces = _link(((frame, found.faces) for frame, found in looks.items()), seen)
    named = [(Reason.FACE, FACE_MARGIN, trail) for trail in faces if _is_face(trail, seen.height)]
    if wish.persons:
        people = _link(((frame, found.persons) for frame, found in looks.items()), seen)
        named = [(Reason.PERSON, BODY_MARGIN, _with_body(trail)) for _, _, trail in named]
        named += [(Reason.PERSON, BODY_MARGIN, trail) for trail in people]
    masks: dict[int, list[Box]] = {}
    for reason, margin, trail in named:
        covered = cover(trail, margin, seen.frames, seen.cuts)
        for frame, box in covered.items():
            masks.setdefault(frame, []).append(box)
        yield reason, trail, covered
    # These explain no movement: what one weak hit hides is too little to let go of the whole that moved.
    for trail, covered in _overlooked(looks, seen, masks, wish):
        yield Reason.PERSON if wish.persons else Reason.FACE, trail, covered
    if seen.steadiness.verdict[0]:
        for trail in _unexplained(seen, masks, _explains_body if wish.persons else _explains_face):
            yield Reason.MOVING, trail, cover(trail, BODY_MARGIN, seen.frames, seen.cuts)


def _overlooked(
    looks: Mapping[int, Found], seen: Survey, masks: Mapping[int, Sequence[Box]], wish: Wish
) -> list[tuple[Trail, dict[int, Box]]]:
    """Those whom the other detector alone saw."""
    sightings = (
        Sighting(frame, _body_of(one.box) if wish.persons else one.box, one.confidence)
        for frame, found in looks.items()
        for one in found.others
        if not is_hidden(one.box, masks.get(frame, ()))
    )
    margin = BODY_MARGIN if wish.persons else FACE_MARGIN
    return list(glimpsed(sightings, margin, seen.frames, seen.cuts))


def _link(looks: Iterable[tuple[int, Sequence[Detection]]], seen: Survey) -> list[Trail]:
    sightings = (Sighting(frame, one.box, one.confidence) for frame, found in looks for one in found)
    return link(sightings, seen.cuts)


def _with_body(trail: Trail) -> Trail:
    """A face's trail as the trail of the whole person, who may stand, sit or stride."""
    return Trail(tuple(Sighting(one.frame, _body_of(one.box), one.confidence) for one in trail.sightings))


def _body_of(face: Box) -> Box:
    middle = (face.left + face.right) / 2
    across = face.height * _BODY_FACES_WIDE / 2
    return Box(
        middle - across,
        face.top - face.height / 2,
        middle + across,
        face.top + face.height * _BODY_FACES_HIGH,
    )


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
