"""The net under the detectors: what moves before a camera that does not.

Three questions, answered on a picture `NET_WIDTH_PX` wide:

- *Is this picture the same as that one?* Then what was found there is here too,
  and nobody has to look again.
- *What moved?* A background is learned (Zivkovic's mixture model, OpenCV's MOG2)
  and whatever stands out from it is a blob.
- *Does the camera stand still?* Only then do blobs mean anything. It is
  measured, as nobody remembers to say.

Boxes are in pixels of the small picture. Nothing here knows about files or time.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np

from media.video.detect.port import Grey
from media.video.detect.scaling import scaled
from media.video.masks import Box

NET_WIDTH_PX = 320
_CUT_WIDTH_PX = 64
_BLOCK_PX = 4  #: of the small picture; a 16-pixel face in 1280 pixels fills one
_SAME_LEVELS = 8.0  #: mean difference of a block; an empty room's compressed noise stays under 5
_CUT_LEVELS = 24.0  #: mean difference of the whole picture; people crossing a lobby stay under 12
_HISTORY_LOOKS = 300
_VARIANCE = 24.0  #: squared standard deviations from the background; OpenCV's default is 16
_MIN_AREA_PX = 24  #: of moving pixels; a person 30 pixels high in a picture 768 wide has about 40
_WHOLE_SHARE = 0.6  #: of the picture: more than this is a light, a jolt or a cut, and the net is blind
_JOIN = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 9))  #: joins head, trunk and legs
_PATCH_PX = 16  #: of the small picture, for comparing places
_TEXTURE = 64.0  #: variance within a patch above which it shows something that could move
_FEW_PATCHES = 8
_STAYED = 0.8  #: correlation of a patch with itself some looks later
_STEADY_SHARE = 0.5  #: of the patches with texture, in the best quarter of the comparisons
_LOOKS_PER_COMPARISON = 8


@dataclass(frozen=True, slots=True)
class Moved:
    """What the net saw in one look."""

    boxes: tuple[Box, ...] = ()
    is_blind: bool = False  #: nearly everything changed, so nothing can be told apart


class MotionNet:
    """Blobs that stand out from a learned background."""

    def __init__(self) -> None:
        self._model = cv2.createBackgroundSubtractorMOG2(_HISTORY_LOOKS, _VARIANCE, detectShadows=False)

    def warm(self, pictures: Iterable[Grey]) -> None:
        """Learn the background from pictures spread over the footage, so that who stands there at the start shows."""
        for picture in pictures:
            self._model.apply(picture)

    def look(self, picture: Grey) -> Moved:
        """What moves in the next picture that is looked at."""
        moving = cv2.medianBlur(self._model.apply(picture), 3)
        moving_px = cv2.countNonZero(moving)
        if moving_px > _WHOLE_SHARE * picture.size:
            return Moved(is_blind=True)
        if moving_px < _MIN_AREA_PX:
            return Moved()
        joined = cv2.dilate(moving, _JOIN)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
        areas = np.bincount(labels[moving > 0], minlength=count)
        boxes = [
            Box(float(left), float(top), float(left + width), float(top + height))
            for label, (left, top, width, height, _) in enumerate(stats.tolist())
            if label > 0 and areas[label] >= _MIN_AREA_PX
        ]
        return Moved(tuple(boxes))


def for_net(picture: Grey) -> Grey:
    """A picture of its own, `NET_WIDTH_PX` wide.

    It is halved, a tenth of the work of averaging to any width, as long as it stays wide enough; what is left
    is less than a half and is interpolated.
    """
    small = picture
    while small.shape[1] >= 2 * NET_WIDTH_PX and small.shape[0] > 1:
        small = scaled(small, small.shape[1] // 2)
    height = max(1, round(picture.shape[0] * NET_WIDTH_PX / picture.shape[1]))
    small = np.asarray(cv2.resize(small, (NET_WIDTH_PX, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    return small.copy() if np.shares_memory(small, picture) else small


def distinct(pictures: Iterable[Grey]) -> list[Grey]:
    """Those that show something else than every one before, in order."""
    kept: list[tuple[Grey, Grey]] = []
    for picture in pictures:
        small = for_net(picture)
        if not any(is_same(small, other) for other, _ in kept):
            kept.append((small, picture))
    return [picture for _, picture in kept]


def is_same(picture: Grey, other: Grey) -> bool:
    """Whether no block of the picture differs by more than noise does."""
    height, width = picture.shape
    blocks = max(1, width // _BLOCK_PX), max(1, height // _BLOCK_PX)
    difference = cv2.resize(cv2.absdiff(picture, other), blocks, interpolation=cv2.INTER_AREA)
    return float(difference.max()) <= _SAME_LEVELS


def is_cut(picture: Grey, before: Grey) -> bool:
    """Whether the scene changed between two consecutive pictures."""
    now, then = scaled(picture, _CUT_WIDTH_PX), scaled(before, _CUT_WIDTH_PX)
    return cv2.norm(now, then, cv2.NORM_L1) / now.size > _CUT_LEVELS


@dataclass(slots=True)
class Steadiness:
    """Evidence on whether the camera stands still.

    A camera stands still when, looking again some way on, much of what has texture is still in its place. A
    crowd or a lorry may cover most of the picture at times, so the best quarter of the comparisons speaks; a
    camera that moves has no good quarter.
    """

    _shares: list[float] = field(default_factory=list)
    _looks: int = 0
    _anchor: Grey | None = None

    def look(self, picture: Grey) -> None:
        """Take in the next picture that is looked at."""
        if self._looks % _LOOKS_PER_COMPARISON == 0:
            share = None if self._anchor is None else _share_in_place(self._anchor, picture)
            if share is not None:
                self._shares.append(share)
            self._anchor = picture.copy()
        self._looks += 1

    @property
    def verdict(self) -> tuple[bool, str]:
        """Whether the camera stands still, and what that rests on."""
        if not self._shares:
            return True, "too short or too plain to measure; taken as fixed, so that what moves is reported"
        best = float(np.percentile(self._shares, 75))
        return best >= _STEADY_SHARE, (
            f"{best:.0%} of what has texture stays in place in the best quarter of {len(self._shares)} comparisons"
        )


def _share_in_place(picture: Grey, later: Grey) -> float | None:
    """The share of textured patches that look the same at the same place; None where there are too few."""
    size = max(1, picture.shape[1] // _PATCH_PX), max(1, picture.shape[0] // _PATCH_PX)
    first, second = picture.astype(np.float32), later.astype(np.float32)
    mean_1, mean_2, square_1, square_2, product = (
        cv2.resize(values, size, interpolation=cv2.INTER_AREA)
        for values in (first, second, first * first, second * second, first * second)
    )
    variance_1, variance_2 = square_1 - mean_1 * mean_1, square_2 - mean_2 * mean_2
    is_textured = variance_1 > _TEXTURE
    if np.count_nonzero(is_textured) < _FEW_PATCHES:
        return None
    spread = np.sqrt(np.maximum(variance_1, 1.0) * np.maximum(variance_2, 1.0))
    stayed = (product - mean_1 * mean_2) / spread > _STAYED
    return float(np.mean(stayed[is_textured]))
