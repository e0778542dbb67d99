"""The one pass over footage: decode every frame, search the looks, watch what moves.

The thread that calls decodes and keeps the net; the searchers search. Which
frames are looked at depends on the pictures alone, never on how fast anything
is, so two runs, and a run that goes on after being killed, see the same.

A picture that differs in no block from one that has been searched in every way
is not searched again: it holds what that one held.
"""

import time
from array import array
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path

from media.errors import Cancelled
from media.video.angles import SAMPLE_FRAMES, decide_angles
from media.video.detect.port import Grey
from media.video.frames import LumaFrame, open_footage
from media.video.masks import Box
from media.video.motion import (
    NET_WIDTH_PX,
    MotionNet,
    Moved,
    Steadiness,
    distinct,
    for_net,
    is_cut,
    is_same,
)
from media.video.search import Found, Searchers, Task, merged, pictures_for
from media.video.segments import Segments
from media.video.views import (
    LOOK_EVERY_FRAMES,
    MAIN_WIDTH_PX,
    OTHER_EVERY_FRAMES,
    Angles,
    Mount,
    View,
    angles_of,
    cycle_of,
    other_width,
    right_angles,
    views_of,
)
from media.video.watch import Progress, Watch

PERSON_EVERY_LOOKS = 2
_PROGRESS_SECONDS = 0.5


@dataclass(slots=True)
class Survey:
    """Everything seen in one pass.

    Attributes:
        found: What was found in each frame that was searched.
        same_as: For a frame that was not searched because nothing had changed, the searched frames it equals.
        moved: Boxes of what moved in each look, in stored pixels.
        blind: Looks at which nearly everything changed.
        cuts: Frames at which a new scene begins.
        seen: Runs of frames, first and last, each of which was searched or equals one that was.
        pts: Of each frame, in ticks; -1 where it has none.
    """

    width: int
    height: int
    time_base: Fraction
    angles: Angles
    found: dict[int, Found] = field(default_factory=dict)
    same_as: dict[int, tuple[int, ...]] = field(default_factory=dict)
    moved: dict[int, tuple[Box, ...]] = field(default_factory=dict)
    blind: list[int] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    seen: list[tuple[int, int]] = field(default_factory=list)
    pts: "array[int]" = field(default_factory=lambda: array("q"))
    steadiness: Steadiness = field(default_factory=Steadiness)

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.pts)

    def found_at(self, frame: int) -> Found:
        """What is in a frame that was looked at, searched or equal to searched ones."""
        if frame in self.found:
            return self.found[frame]
        equals = [self.found[other] for other in self.same_as[frame]]
        return Found(
            merged([one for found in equals for one in found.faces]),
            merged([one for found in equals for one in found.persons]),
            merged([one for found in equals for one in found.others]),
        )

    def add_seen(self, frame: int) -> None:
        """Note that a frame was searched or equals one that was."""
        if self.seen and self.seen[-1][1] == frame - 1:
            self.seen[-1] = self.seen[-1][0], frame
        else:
            self.seen.append((frame, frame))


@dataclass(frozen=True, slots=True)
class Keep:
    """Where what is found is kept until the work is done, and everything that could change it."""

    folder: Path | None = None
    identity: Mapping[str, object] = field(default_factory=dict)


def survey(path: Path, mount: Mount, searchers: Searchers, keep: Keep, watch: Watch) -> Survey:
    """Look at all of a file.

    Raises:
        Unreadable: It is damaged, or no footage.
        Cancelled: `watch` said so.
    """
    net = MotionNet()
    with open_footage(path) as footage:
        pictures = footage.sample(SAMPLE_FRAMES, MAIN_WIDTH_PX)
        turn_deg = footage.turn_deg
    net.warm(for_net(picture) for picture in pictures)
    angles = angles_of(mount, turn_deg) or decide_angles(searchers, distinct(pictures), turn_deg)
    segments = Segments(keep.folder, {**keep.identity, "angles": asdict(angles)})
    with open_footage(path) as footage:
        facts = footage.facts
        seen = Survey(facts.width, facts.height, facts.time_base, angles)
        work = _Pass(seen, net, searchers, segments)
        started = reported = time.monotonic()
        for frame in footage.luma_frames():
            if watch.is_cancelled():
                raise Cancelled(f"the search of {path.name} was cancelled at frame {frame.index}")
            work.take(frame)
            if (now := time.monotonic()) - reported > _PROGRESS_SECONDS:
                reported = now
                watch.on_progress(Progress(seen.frames, facts.frames, now - started))
        work.finish()
    watch.on_progress(Progress(seen.frames, seen.frames, time.monotonic() - started))
    return seen


class _Pass:
    """What is remembered from frame to frame."""

    def __init__(self, seen: Survey, net: MotionNet, searchers: Searchers, segments: Segments) -> None:
        self._survey, self._net = seen, net
        self._searchers, self._segments = searchers, segments
        self._before: Grey | None = None
        self._is_before_known = False  # it is the same as the one that was searched
        self._searched: Grey | None = None  # the picture that the searches of the cycle are of
        self._cycle: list[int] = []  # frames in which that picture has been searched
        self._looks = 0
        self._last: LumaFrame | None = None

    def take(self, frame: LumaFrame) -> None:
        """Look at the next frame."""
        seen = self._survey
        seen.pts.append(-1 if frame.pts is None else frame.pts)
        self._last = frame
        picture = for_net(frame.luma)
        is_known = self._searched is not None and is_same(picture, self._searched)
        # Two pictures that are the same as a third differ by less than a cut does.
        is_alike = is_known and self._is_before_known
        is_new_scene = self._before is not None and not is_alike and is_cut(picture, self._before)
        if is_new_scene:
            seen.cuts.append(frame.index)
        self._before, self._is_before_known = picture, is_known
        if is_new_scene or frame.index % LOOK_EVERY_FRAMES == 0:
            self._note_motion(frame.index, self._net.look(picture))
            seen.steadiness.look(picture)
            self._look(frame, picture, is_known=is_known)
            seen.add_seen(frame.index)
        elif is_known:
            seen.add_seen(frame.index)

    def finish(self) -> None:
        """Wait for the searches that are under way; whoever comes in at the very end is in none of them."""
        if self._last is not None and self._searchers.has_other:
            self._search_last(self._last)
        self._note(self._searchers.rest())
        self._segments.finish()

    def _look(self, frame: LumaFrame, picture: Grey, *, is_known: bool) -> None:
        if not is_known:
            self._searched, self._cycle, self._is_before_known = picture, [], True
        elif len(self._cycle) >= cycle_of(self._survey.angles):
            self._survey.same_as[frame.index] = tuple(self._cycle)
            return
        self._cycle.append(frame.index)
        self._search(frame)
        self._looks += 1

    def _search(self, frame: LumaFrame, *, is_last: bool = False) -> None:
        others = self._other_views() if is_last or frame.index % OTHER_EVERY_FRAMES == 0 else ()
        kept = self._segments.find(frame.index)
        if kept is not None:
            self._survey.found[frame.index] = kept
            return
        width = self._survey.width
        views = views_of(self._looks, self._survey.angles, width)
        person_width = MAIN_WIDTH_PX if self._looks % PERSON_EVERY_LOOKS == 0 else None
        further = () if person_width is None else (person_width,)
        pictures = pictures_for(frame.luma, (*views, *others), further)
        self._note(self._searchers.submit(Task(frame.index, pictures, views, person_width, width, others)))

    def _search_last(self, frame: LumaFrame) -> None:
        if frame.index % OTHER_EVERY_FRAMES and frame.index not in self._survey.same_as:
            self._search(frame, is_last=True)

    def _other_views(self) -> tuple[View, ...]:
        if not self._searchers.has_other:
            return ()
        width = other_width(self._survey.width)
        return tuple(View(width, angle) for angle in right_angles(self._survey.angles.always))

    def _note(self, answers: list[tuple[int, Found]]) -> None:
        for frame, found in answers:
            self._survey.found[frame] = found
            self._segments.add(frame, found)

    def _note_motion(self, frame: int, moved: Moved) -> None:
        scale = self._survey.width / NET_WIDTH_PX
        if moved.is_blind:
            self._survey.blind.append(frame)
        self._survey.moved[frame] = tuple(
            Box(box.left * scale, box.top * scale, box.right * scale, box.bottom * scale)
            for box in moved.boxes
        )
