"""Where cameras look: a garage that was photographed, and a corridor that is computed.

The garage is the Middlebury motorcycle picture that scikit-image carries with
its measured depth, so people can walk behind the motorcycle. The corridor is
ray-cast once from textures of the same package, so people can come closer.

Lengths are metres, pictures are `WIDTH_PX` x `HEIGHT_PX`, BGR, float32.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

from media.synthesise.figure import photo

WIDTH_PX, HEIGHT_PX = 640, 360
Picture = NDArray[np.float32]
Metres = NDArray[np.float64]
Way = Literal["right", "left", "towards", "away"]


@dataclass(frozen=True, slots=True)
class Stand:
    """Where somebody is in the picture."""

    x_px: float  #: middle of the feet
    y_px: float  #: where the feet touch the floor
    height_px: float
    is_behind: bool  #: behind the scene's foreground


@dataclass(frozen=True, slots=True)
class Scene:
    """A place that a camera watches, and how people walk through it."""

    ways: tuple[Way, ...]
    background: Picture
    foreground: Picture | None  #: (height, width, 1), 0 to 1: what hides people who walk behind it
    stand: Callable[[Way, float], Stand | None]  #: after walking so many metres; None when out of the picture


@cache
def garage() -> Scene:
    """The photographed garage, with the motorcycle as its foreground."""
    picture = photo("motorcycle_left.png")[_GARAGE_ROWS]
    with np.load(Path(skimage.data.__file__).parent / "motorcycle_disp.npz") as data:
        disparity = data["arr_0"][_GARAGE_ROWS]
    size = WIDTH_PX, HEIGHT_PX
    scaled = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    cover = cv2.resize(_motorcycle(disparity), size, interpolation=cv2.INTER_AREA)
    return Scene(("right", "left"), as_picture(scaled), as_picture(cover)[..., None], _cross_garage)


@cache
def corridor() -> Scene:
    """The computed corridor."""
    return Scene(("towards", "away"), _cast_corridor(), None, _walk_corridor)


def as_picture(values: NDArray[Any]) -> Picture:
    """What OpenCV returns, whose type is too wide, as float32."""
    return np.asarray(values, np.float32)


SCENES: dict[str, Callable[[], Scene]] = {"garage": garage, "corridor": corridor}

_GARAGE_ROWS = slice(0, 417)  #: of 500: 16 to 9
_WALKED_DISPARITY = 34.0  #: about 3 m from the camera
_GARAGE_PX_PER_M = 187.0
_GARAGE_MARGIN_PX = 90.0


def _cross_garage(way: Way, walked_m: float) -> Stand | None:
    """A straight line across the picture, a little uphill as the floor is seen."""
    x = _GARAGE_PX_PER_M * walked_m - _GARAGE_MARGIN_PX
    if x > WIDTH_PX + _GARAGE_MARGIN_PX:
        return None
    x = x if way == "right" else WIDTH_PX - x
    return Stand(x, 338 - 0.012 * x, 318, is_behind=True)


def _motorcycle(disparity: NDArray[np.float32]) -> Picture:
    """What stands on the floor, nearer than people walk."""
    known = np.where(np.isfinite(disparity), disparity, 0)
    floor = np.median(known[:, 20:90], axis=1)
    nearer_than = np.maximum(floor + 2.5, _WALKED_DISPARITY)
    mask = (known > nearer_than[:, None]).astype(np.uint8)
    whole = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    return as_picture(cv2.GaussianBlur(whole.astype(np.float32), (0, 0), 0.8))


_FOCAL_PX = 440.0
_CAMERA_M = 2.35  #: above the floor
_PITCH = 0.20  #: radians downwards
_HALF_WIDTH_M, _CEILING_M, _LENGTH_M = 1.25, 2.6, 15.0
_FAR_M, _NEAR_M = 13.5, 1.0  #: from the door to right below the camera
_PERSON_M = 1.68


def _walk_corridor(way: Way, walked_m: float) -> Stand | None:
    """A slightly slanted line along the corridor, to right below the camera or from there."""
    if walked_m > _FAR_M - _NEAR_M:
        return None
    z = _FAR_M - walked_m if way == "towards" else _NEAR_M + walked_m
    x = 0.35 - 0.05 * z if way == "towards" else -0.4 + 0.02 * z
    feet, crown = _project(x, 0.0, z), _project(x, _PERSON_M, z)
    return Stand(feet[0], feet[1], feet[1] - crown[1], is_behind=False)


def _project(x: float, y: float, z: float) -> tuple[float, float]:
    """Picture coordinates of a point: x to the right, y above the floor, z along the corridor."""
    down = _CAMERA_M - y
    depth = z * np.cos(_PITCH) + down * np.sin(_PITCH)
    below = down * np.cos(_PITCH) - z * np.sin(_PITCH)
    return WIDTH_PX / 2 + _FOCAL_PX * x / depth, HEIGHT_PX / 2 + _FOCAL_PX * below / depth


def _cast_corridor() -> Picture:
    """Cast one ray per pixel of a picture of twice the size, and shrink it."""
    rows, columns = np.mgrid[0 : 2 * HEIGHT_PX, 0 : 2 * WIDTH_PX]
    right = (columns / 2 - WIDTH_PX / 2) / _FOCAL_PX
    below = (rows / 2 - HEIGHT_PX / 2) / _FOCAL_PX
    down = below * np.cos(_PITCH) + np.sin(_PITCH)
    ahead = np.cos(_PITCH) - below * np.sin(_PITCH)
    with np.errstate(divide="ignore"):
        reach = np.stack(
            [
                np.where(down > 0, _CAMERA_M / down, np.inf),
                np.where(down < 0, (_CAMERA_M - _CEILING_M) / down, np.inf),
                _HALF_WIDTH_M / np.abs(right),
                _LENGTH_M / ahead,
            ]
        )
    surface, distance = reach.argmin(axis=0), reach.min(axis=0)
    x, y, z = right * distance, _CAMERA_M - down * distance, ahead * distance
    seen = np.empty((*surface.shape, 3))
    for number, paint in enumerate((_floor, _ceiling, _wall, _end_wall)):
        here = surface == number
        seen[here] = paint(x[here], y[here], z[here])
    lamps = 0.62 + 0.38 * np.cos(2 * np.pi * (z - 1.5) / 4) ** 2
    lit = seen * (lamps * (1.05 - 0.022 * distance))[..., None]
    return as_picture(cv2.resize(lit, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA))


def _texture(name: str, u: Metres, v: Metres, size_m: float) -> Metres:
    """Brightness around 1 of a repeated texture, at metres `u`, `v`."""
    grey = photo(name)[..., 0].astype(np.float64)
    grey /= grey.mean()
    rows = (v / size_m % 1 * grey.shape[0]).astype(int)
    columns = (u / size_m % 1 * grey.shape[1]).astype(int)
    return np.asarray(grey[rows, columns])


def _tinted(brightness: Metres, colour: tuple[int, int, int]) -> Metres:
    return np.asarray(brightness[..., None] * np.array(colour, np.float64))


def _floor(x: Metres, _: Metres, z: Metres) -> Metres:
    joints = (x % 0.6 < 0.012) | (z % 0.6 < 0.02)
    speckle = 0.86 + 0.14 * _texture("gravel.png", x, z, 1.4)
    shine = 1 + 0.25 * np.cos(2 * np.pi * (z - 1.5) / 4) ** 2 * np.exp(-((x / 0.6) ** 2))
    return _tinted(np.where(joints, 0.72, 1.0) * speckle * shine, (126, 134, 138))


def _ceiling(x: Metres, _: Metres, z: Metres) -> Metres:
    lamp = (np.abs(x) < 0.3) & (np.abs((z - 1.5 + 2) % 4 - 2) < 0.6)
    grid = (x % 0.6 < 0.015) | (z % 0.6 < 0.02)
    return _tinted(np.where(lamp, 1.6, np.where(grid, 0.85, 1.0)), (170, 178, 180))


def _wall(x: Metres, y: Metres, z: Metres) -> Metres:
    brick = 0.8 + 0.2 * _texture("brick.png", y, z, 1.6)
    painted = _tinted(
        np.where(x > 0, brick, 0.97 + 0.03 * _texture("gravel.png", z, y, 2.0)), (158, 172, 178)
    )
    rail = (np.abs(y - 0.95) < 0.05) | (y < 0.1)
    painted[rail] *= 0.6
    door = (y < 2.05) & (np.abs((z - 4.2 + np.where(x > 0, 2.5, 0)) % 5 - 0.5) < 0.46)
    frame = (y < 2.11) & (np.abs((z - 4.2 + np.where(x > 0, 2.5, 0)) % 5 - 0.5) < 0.52)
    painted[frame] = (96, 104, 110)
    painted[door] = (84, 104, 128)
    return painted


def _end_wall(x: Metres, y: Metres, _: Metres) -> Metres:
    colours = _tinted(np.ones_like(x), (150, 162, 166))
    door = (np.abs(x) < 0.8) & (y < 2.1)
    colours[door] = (92, 96, 98)
    colours[door & (np.abs(np.abs(x) - 0.4) < 0.22) & (np.abs(y - 1.5) < 0.3)] = (196, 200, 196)
    sign = (np.abs(x) < 0.28) & (np.abs(y - 2.28) < 0.08)
    colours[sign] = (96, 190, 70)
    return colours
