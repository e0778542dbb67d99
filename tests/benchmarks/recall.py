"""What the masks cover of what people labelled, clip by clip.

Faces: labelled faces of which nine tenths are covered, with masks over faces
alone, as the footage is and as a camera would have taken it that hangs turned
or tilted. Second look: what the other detector finds in the source, and how
much of it the first masks and those of the finished copy cover by half. Persons: boxes of the MOT challenge half covered,
with whole persons asked for. Heads: the top of the same boxes, with faces and
with heads asked for. Controls: footage of cars, in which every face is
a mistake. Shares of the picture are means over all frames.

Nothing here is timed. The clips are the shared footage
(RETENTION_SHARED_DATA); --quick takes footage as it hangs alone, --tiny a
second of made footage, which measures nothing.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from media.review.decide import hide_all
from media.review.document import Reason, ReviewDocument, Verdict
from media.review.masks import to_mask_plan
from media.synthesise.footage import Appearance, Person, make_footage
from media.video.detect.centerface import CenterFace
from media.video.extent import Extent
from media.video.frames import open_footage
from media.video.masks import Box, MaskPlan
from media.video.propose import Means, Wish, propose
from media.video.redact import Order, finish, other_detector
from media.video.verify.second_look import HIDDEN_SHARE, covered_share
from tests.benchmarks.measure import ROOT, console, parser, show
from tests.builders.footage import excerpt
from tests.builders.truth import (
    COVERED,
    HIDDEN,
    Label,
    Turn,
    corners_of,
    covered,
    faces_of,
    heads_of,
    kinds_of,
    persons_of,
    turn,
)

SHARED = Path(os.environ.get("RETENTION_SHARED_DATA", ROOT.parent / "shared" / "data"))
FACES = ("classroom", "face-demographics-walking", "TUD-Campus", "chaplin")
LONG = "one-by-one-person-detection"  #: as it hangs alone, as searching its 1394 frames takes long
WALKERS = ("TUD-Campus.mp4", "vtest.avi")
CARS = ("car-detection.mp4", "traffic_camera.mp4")
ANGLES = (90, 180, 270, 45)
_PERSON_FRAMES = 200  #: of each clip of walkers; searching for whole persons is slow
_CAR_FRAMES = 120
_LOOK_EVERY_FRAMES = 3
_LOOK_THRESHOLD = 0.25  #: of the second look


@dataclass(frozen=True, slots=True)
class Clip:
    """Footage and what is labelled in it."""

    name: str
    path: Path
    labels: Sequence[Label]


def main(arguments: list[str]) -> None:
    """Measure and print."""
    given = parser("recall", __doc__).parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="recall-") as folder:
        work = Path(folder)
        if given.tiny:
            clip = _made(work)
            _show_faces([(clip, "as it is", clip.path, clip.labels)])
            return
        clips = [_shared(name) for name in FACES]
        long = () if given.quick else _hung([_shared(LONG)], (), work)
        _show_faces(chain(_hung(clips, () if given.quick else ANGLES, work), long))
        _show_second_look(clips, work)
        _show_persons(work, 75 if given.quick else _PERSON_FRAMES)
        _show_heads(work, 75 if given.quick else _PERSON_FRAMES)
        _show_cars(work)


def _shared(name: str) -> Clip:
    return Clip(name, SHARED / "video" / f"{name}.mp4", faces_of(SHARED, name))


def _made(work: Path) -> Clip:
    truth = make_footage(
        work / "made.mp4",
        camera="LOBBY",
        started_at=datetime(2026, 3, 20, 5, 5, tzinfo=UTC),
        duration_s=1.5,
        people=[Person(0, "towards", pace_m_s=4)],
        scene="corridor",
    )
    labels = [
        Label(one.frame, corners_of(_head(one)), "hard") for one in truth if one.has_face and one.width >= 20
    ]
    return Clip("made", work / "made.mp4", labels)


def _head(one: Appearance) -> Box:
    return Box(one.x, one.y, one.x + one.width, one.y + one.height)


Hung = tuple[Clip, str, Path, Sequence[Label]]


def _hung(clips: Sequence[Clip], angles: Sequence[int], work: Path) -> Iterator[Hung]:
    """Each clip as it is, and turned."""
    for clip in clips:
        yield clip, "as it is", clip.path, clip.labels
        for angle in angles:
            path = work / f"{clip.name}-{angle}.mp4"
            how: Turn = turn(clip.path, path, angle)
            yield clip, f"turned {angle}°", path, [how.label(label) for label in clip.labels]
            path.unlink()


def _show_faces(hung: Iterable[Hung]) -> None:
    rows = []
    for clip, how, path, labels in hung:
        console.print(f"[dim]{clip.name} {how} …[/dim]")
        document = propose(path)
        faces, everything = _plans(document)
        counts = {kind: _count(faces, document, labels, kind, HIDDEN) for kind in kinds_of(labels)}
        found = [counts.get(kind, "-") for kind in ("clear", "profile_or_tilted", "hard")]
        rows.append([clip.name, how, *found, _share(faces, document), _share(everything, document)])
    show(
        "Labelled faces covered",
        "A face counts where nine tenths of its label lie under masks over faces; the search finds out how the camera hangs.",
        ["clip", "camera", ">clear", ">profile or tilted", ">hard", ">picture hidden", ">with what moves"],
        rows,
    )


def _show_second_look(clips: Sequence[Clip], work: Path) -> None:
    rows = []
    for clip in clips:
        console.print(f"[dim]{clip.name}, second look …[/dim]")
        document = propose(clip.path)
        first = to_mask_plan(hide_all(document))
        done = finish(clip.path, document, work / "copy.mp4", Order(hides_all=True))
        last = to_mask_plan(done.document)
        hits = list(_hits(clip.path))
        rows.append([
            clip.name,
            str(len(hits)),
            *(str(sum(_is_hidden(plan, frame, box) for frame, box in hits)) for plan in (first, last)),
            str(done.rounds),
            _share(last, document),
        ])  # fmt: skip
    show(
        "Faces that CenterFace finds in the source, covered by half",
        f"CenterFace at {_LOOK_THRESHOLD}, in every third frame; everything is hidden. Nothing is released while it finds a face in the copy.",
        ["clip", ">found", ">by the first masks", ">in the released copy", ">copies made", ">picture hidden"],
        rows,
    )


def _show_persons(work: Path, frames: int) -> None:
    rows = []
    for name in WALKERS:
        path = excerpt(SHARED / "video" / name, work / f"part-{name}", frames)
        document = propose(path, Wish(extent=Extent.PERSON))
        labels = [one for one in persons_of(SHARED, Path(name).stem) if one.frame < document.source.frames]
        named, everything = _plans(document)
        shares = [_share(plan, document) for plan in (named, everything)]
        counts = [
            _count(plan, document, labels, "person", COVERED, whole=False) for plan in (named, everything)
        ]
        rows.append([name, str(document.source.frames), *counts, *shares])
    show(
        "Labelled persons half covered, whole persons asked for",
        "Boxes of the MOT challenge taller than 40 pixels.",
        ["clip", ">frames", ">by detectors", ">with what moves", ">picture hidden", ">with what moves"],
        rows,
    )


def _show_heads(work: Path, frames: int) -> None:
    rows = []
    for name in WALKERS:
        path = excerpt(SHARED / "video" / name, work / f"heads-{name}", frames)
        for extent in (Extent.FACE, Extent.HEAD):
            document = propose(path, Wish(extent=extent), Means(other=other_detector))
            labels = [one for one in heads_of(SHARED, Path(name).stem) if one.frame < document.source.frames]
            named, everything = _plans(document)
            counts = [
                _count(plan, document, labels, "head", share, whole=False)
                for plan in (named, everything)
                for share in (COVERED, HIDDEN)
            ]
            rows.append([name, extent, *counts, _share(named, document)])
    show(
        "Heads of labelled persons, half and nine tenths covered",
        "The square of a seventh of a person's height in the middle of the top of their box (taller than 40 pixels).",
        ["clip", "asked for", ">half", ">nine tenths", ">with what moves", ">nine tenths", ">picture hidden"],
        rows,
    )


def _show_cars(work: Path) -> None:
    rows = []
    for name in CARS:
        document = propose(excerpt(SHARED / "video" / name, work / f"part-{name}", _CAR_FRAMES))
        tracks = [track for track in document.tracks if track.reason is not Reason.MOVING]
        faces, everything = _plans(document)
        rows.append([name, str(len(tracks)), _share(faces, document), _share(everything, document)])
    show(
        "Cars, and nobody's face",
        f"The first {_CAR_FRAMES} frames.",
        ["clip", ">tracks of faces", ">picture hidden", ">with what moves"],
        rows,
    )


def _plans(document: ReviewDocument) -> tuple[MaskPlan, MaskPlan]:
    """What detectors named, and everything."""
    return to_mask_plan(hide_all(document, moving=Verdict.KEEP)), to_mask_plan(hide_all(document))


def _count(
    plan: MaskPlan,
    document: ReviewDocument,
    labels: Sequence[Label],
    kind: str,
    least: float,
    *,
    whole: bool = True,
) -> str:
    size = document.source.width, document.source.height
    shares = [covered(plan.at(one.frame), one.corners, *size) for one in labels if one.kind == kind]
    count = sum(share >= least for share in shares)
    return f"{count}/{len(shares)}" if whole else f"{count}/{len(shares)} ({count / len(shares):.1%})"


def _share(plan: MaskPlan, document: ReviewDocument) -> str:
    width, height = document.source.width, document.source.height
    picture = corners_of(Box(0, 0, width, height))
    total = sum(covered(masks, picture, width, height) for masks in plan.frames.values())
    return f"{total / document.source.frames:.1%}"


def _hits(path: Path) -> Iterator[tuple[int, Box]]:
    detector = CenterFace(_LOOK_THRESHOLD)
    with open_footage(path) as footage:
        for frame in footage.luma_frames():
            if frame.index % _LOOK_EVERY_FRAMES == 0:
                height, width = frame.luma.shape
                for one in detector.find(frame.luma):
                    inside = one.box.within(width, height)
                    if inside is not None:
                        yield frame.index, inside


def _is_hidden(plan: MaskPlan, frame: int, box: Box) -> bool:
    return covered_share(box, [mask.box for mask in plan.at(frame)]) >= HIDDEN_SHARE
