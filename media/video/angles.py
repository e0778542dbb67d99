"""Find out which way up a camera hangs, by a cheap look at some frames in all angles.

Every face that is found counts for the angle in which it is seen best. A few
frames in the four right angles settle most footage; where they do not, more
frames are searched in twelve angles, and then between those in which there were
faces. Where still too little is found, nothing is decided, and the search goes
through all angles in turn.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from media.video.detect.port import Detection, Grey
from media.video.search import Found, Searchers, Task, merged, pictures_for
from media.video.views import ALL_ANGLES, MAIN_WIDTH_PX, RIGHT_ANGLES, TILT_DEG, Angles, View, around

SAMPLE_FRAMES = 24  #: to take from the footage; evenly spaced ones of them are looked at
_FEW, _MORE = 4, 10
_SURE = 0.6  #: confidence from which a hit counts
_ENOUGH = 1.0  #: sum of what is above `_SURE`/2: three clear faces
_ENOUGH_TILTED = 2.0  #: in one angle; in twelve, lawns and leaves make up to half of it
_HALF_STEP_DEG = TILT_DEG // 2  #: a detector loses most faces that are as much off
_SHARE = 0.2  #: of the best angle's evidence that makes another angle count too


def decide_angles(searchers: Searchers, sample: Sequence[Grey], turn_deg: int) -> Angles:
    """Which way heads stand in the footage that `sample` was taken from.

    Args:
        searchers: Who looks.
        sample: Pictures spread over the footage.
        turn_deg: What a player turns the picture by; the first guess where nothing is found.
    """
    evidence: Counter[int] = Counter()
    for count, angles in ((_FEW, RIGHT_ANGLES), (_MORE, ALL_ANGLES)):
        pictures = sample[:: max(1, len(sample) // count)]
        evidence = _evidence(searchers, pictures, angles)
        if evidence.total() >= _ENOUGH * 100:
            break
    if any(angle not in RIGHT_ANGLES for angle in evidence):
        between = {
            (angle + side) % 360 for angle in evidence for side in (-_HALF_STEP_DEG, 0, _HALF_STEP_DEG)
        }
        evidence = _evidence(searchers, pictures, sorted(between))
    best = max(evidence.values(), default=0)
    chosen = sorted(angle for angle, amount in evidence.items() if amount >= _SHARE * best)
    counted = ", ".join(f"{angle}°: {amount / 100:.1f}" for angle, amount in sorted(evidence.items()))
    is_tilted = bool(set(chosen) - set(RIGHT_ANGLES))
    if not chosen or (is_tilted and best < _ENOUGH_TILTED * 100):
        rest = tuple(angle for angle in ALL_ANGLES if angle != turn_deg)
        why = f"too little in any angle ({counted})" if chosen else "nothing was found in any angle"
        return Angles((turn_deg,), rest, f"{why}, so all are searched in turn")
    return around(chosen, f"faces in a sample, by angle: {counted}")


def _evidence(searchers: Searchers, pictures: Iterable[Grey], angles: Sequence[int]) -> "Counter[int]":
    """Hundredths of confidence above half of `_SURE`, by the angle in which each face is seen best."""
    tasks = [
        Task(number, pictures_for(picture, [view]), [view], None, picture.shape[1])
        for number, picture in enumerate(pictures)
        for view in [View(MAIN_WIDTH_PX, angle) for angle in angles]
    ]
    evidence: Counter[int] = Counter()
    by_picture: dict[int, list[tuple[int, Found]]] = {}
    for task, found in zip(tasks, searchers.search_now(tasks), strict=True):
        by_picture.setdefault(task.frame, []).append((task.views[0].angle_deg, found))
    for looks in by_picture.values():
        angle_of = {id(one): angle for angle, found in looks for one in found.faces}
        faces: list[Detection] = [one for _, found in looks for one in found.faces]
        for one in merged(faces):
            if one.confidence >= _SURE:
                evidence[angle_of[id(one)]] += round(100 * (one.confidence - _SURE / 2))
    return evidence
