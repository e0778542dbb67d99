"""How often to look, how large, and turned by how much. Pure.

Every `LOOK_EVERY_FRAMES`th frame is a look; every fifth would leak many times as
much. A look searches the picture 640 wide, and 160 wide for faces that fill it.
Further views take turns, as what they find is rarer and a track carries it over
the frames between: heads tilted by 30° to either side, and the picture at twice
its width, to 1280, for small faces. Where nobody knows which way
heads lie, every look takes one more angle.

Small faces gain from enlarging even where the picture has no more to show: of
the five faces of 15 to 22 pixels in a labelled frame 640 wide, libfacedetection
sees one well at 640 and four at 1280.

`CYCLE_LOOKS` looks run through all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

LOOK_EVERY_FRAMES = 3
OTHER_EVERY_FRAMES = 6  #: the other detector of faces; the same frames as the look at the finished copy
CYCLE_LOOKS = 6  #: with 25 frames a second, three quarters of a second
MAIN_WIDTH_PX = 640
LARGE_FACE_WIDTH_PX = 160  #: finds faces from a sixth of the picture's width up, at 1/16 of the cost
FINE_WIDTH_PX = 1280
TILT_WIDTH_PX = 480
TILT_DEG = 30  #: libfacedetection knows faces to 15-20° off, so a circle takes twelve steps
ALL_ANGLES = tuple(range(0, 360, TILT_DEG))
RIGHT_ANGLES = (0, 90, 180, 270)


class Mount(StrEnum):
    """How the camera hangs: what turn, clockwise, sets its displayed picture upright."""

    UNKNOWN = "unknown"  #: find out
    UPRIGHT = "upright"
    QUARTER = "90"
    UPSIDE_DOWN = "180"
    THREE_QUARTERS = "270"
    ANY = "any"  #: ceiling and body cameras: heads lie every way


#: As whoever hung the camera says it; nothing where nobody knows.
_SAID = {"": Mount.UNKNOWN, "ceiling": Mount.ANY}
MOUNT_WORDS = ("upright", "90", "180", "270", "ceiling")


def mount_of(word: str) -> Mount:
    """The mount that is called so.

    Raises:
        ValueError: None is.
    """
    if word and word not in MOUNT_WORDS:
        raise ValueError(f"{word!r} is no way in which a camera hangs; say one of {', '.join(MOUNT_WORDS)}")
    return _SAID.get(word) or Mount(word)


@dataclass(frozen=True, slots=True, order=True)
class View:
    """One way to look at a picture."""

    width_px: int  #: what the picture is scaled to before it is turned
    angle_deg: int  #: clockwise: what sets the heads upright


@dataclass(frozen=True, slots=True)
class Angles:
    """Which way the heads are expected to stand."""

    always: tuple[int, ...]  #: searched in every look
    in_turn: tuple[int, ...]  #: one after the other, one in every `turn_looks` looks
    why: str
    turn_looks: int = 1


def angles_of(mount: Mount, turn_deg: int) -> Angles | None:
    """The angles of a known mount; None where it has to be found out.

    Args:
        mount: As the camera's source says.
        turn_deg: What a player turns the stored picture by, clockwise.
    """
    if mount is Mount.UNKNOWN:
        return None
    if mount is Mount.ANY:
        rest = tuple(angle for angle in ALL_ANGLES if angle not in RIGHT_ANGLES)
        return Angles(RIGHT_ANGLES, rest, "asked for: any angle")
    degrees = 0 if mount is Mount.UPRIGHT else int(mount.value)
    return around(((degrees + turn_deg) % 360,), f"asked for: {mount.value}")


def around(always: Sequence[int], why: str) -> Angles:
    """These angles in every look, and their tilted neighbours in turn."""
    tilted = {(angle + side) % 360 for angle in always for side in (-TILT_DEG, TILT_DEG)}
    return Angles(tuple(always), tuple(sorted(tilted - set(always))), why, CYCLE_LOOKS)


def right_angles(angles: Sequence[int]) -> tuple[int, ...]:
    """The nearest multiples of 90, each once."""
    return tuple(sorted({round(angle / 90) * 90 % 360 for angle in angles}))


def views_of(look: int, angles: Angles, width: int) -> tuple[View, ...]:
    """The views of one look.

    Args:
        look: Number of the look, or of the search of an unchanged picture.
        angles: Which way heads stand.
        width: Of the stored picture.
    """
    fine = min(2 * width, FINE_WIDTH_PX)
    main = fine if look % CYCLE_LOOKS == 0 and fine > MAIN_WIDTH_PX else MAIN_WIDTH_PX
    views = [View(size, angle) for angle in angles.always for size in (main, LARGE_FACE_WIDTH_PX)]
    turn, rest = divmod(look, angles.turn_looks)
    if (
        angles.in_turn and rest == angles.turn_looks // 2
    ):  # not together with the fine view: work is spread evenly
        views.append(View(TILT_WIDTH_PX, angles.in_turn[turn % len(angles.in_turn)]))
    return tuple(views)


def other_width(width: int) -> int:
    """The width at which the other detector searches a picture that is stored so wide."""
    return min(width, FINE_WIDTH_PX)


def cycle_of(angles: Angles) -> int:
    """How many looks it takes until an unchanged picture has been searched in every way."""
    return max(CYCLE_LOOKS, len(angles.in_turn) * angles.turn_looks)
