"""Security-camera footage: a still place, somebody who passes, a burnt-in clock, noise.

The same arguments give the same pictures on the same versions of the packages.
Nothing here claims to deceive anybody; it has a real face where a detector
should find one, and the sizes, speeds and compression of an ordinary camera.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import cv2
import ffmpeg
import numpy as np
from numpy.typing import NDArray

from media.process import local_url, run_ffmpeg
from media.synthesise.figure import GAIT_PHASES, LOOKS, Sprite, sprites
from media.synthesise.figure import HEIGHT_PX as SPRITE_PX
from media.synthesise.scene import HEIGHT_PX, SCENES, WIDTH_PX, Picture, Scene, Stand, Way, as_picture

RATE_FPS = 12
_STEP_M = 1.4  #: two steps: one turn of the gait
_NOISE_LEVEL = 3.2  #: standard deviation of a cheap sensor indoors, of 255
_NOISE_FIELDS = 4  #: drawn once, and shifted at random by up to
_NOISE_SHIFT_PX = 96
_VIEWS = {"right": "side", "left": "side", "towards": "front", "away": "back"}
_ENCODE_TIMEOUT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who passes the camera once."""

    enters_s: float
    way: Way
    look: int = 0  #: which of the four coats
    pace_m_s: float = 1.2


@dataclass(frozen=True, slots=True)
class Appearance:
    """Where somebody's head is in one picture: the truth a detector is measured against."""

    frame: int
    person: int  #: index into `people`
    x: int
    y: int
    width: int
    height: int
    has_face: bool  #: False for the back of a head


def make_footage(
    path: Path,
    *,
    camera: str,
    started_at: datetime,
    duration_s: float,
    people: Sequence[Person] = (),
    scene: Literal["garage", "corridor"] = "garage",
    seed: int = 0,
) -> tuple[Appearance, ...]:
    """Write an H.264 MP4 of 640 x 360 at 12 pictures a second.

    Args:
        path: Where to write; replaced if it exists.
        camera: Burnt into the picture; letters outside ASCII show as "?".
        started_at: Aware. The burnt-in clock shows its local time, the container says it in UTC.
        duration_s: Rounded to whole pictures.
        people: Who passes. The garage is crossed "right" and "left", the corridor "towards" and "away".
        scene: The place.
        seed: Of the sensor's noise.

    Raises:
        ValueError: `started_at` is naive, or somebody walks a way that the place does not have.
        ToolFailed: ffmpeg cannot encode.
    """
    if started_at.tzinfo is None:
        raise ValueError("started_at needs a zone")
    place = SCENES[scene]()
    if strangers := [person.way for person in people if person.way not in place.ways]:
        raise ValueError(f"nobody can walk {strangers[0]!r} in the {scene}; it has {', '.join(place.ways)}")
    film = _Film(place, people, _Sensor(seed), _Overlay(camera, started_at))
    _encode(path, film.pictures(round(duration_s * RATE_FPS)), started_at)
    return tuple(film.seen)


def _encode(path: Path, pictures: Iterator[bytes], started_at: datetime) -> None:
    unfinished = path.with_name(path.name + ".part")
    graph = ffmpeg.input(
        "pipe:0", format="rawvideo", pix_fmt="bgr24", s=f"{WIDTH_PX}x{HEIGHT_PX}", r=RATE_FPS
    ).output(
        local_url(unfinished),
        format="mp4",
        vcodec="libx264",
        preset="veryfast",
        crf=24,
        pix_fmt="yuv420p",
        g=2 * RATE_FPS,
        movflags="+faststart",
        fflags="+bitexact",
        metadata=f"creation_time={started_at.astimezone(UTC).isoformat()}",
    )
    arguments = graph.overwrite_output().compile()[1:]
    try:
        run_ffmpeg(arguments, timeout_seconds=_ENCODE_TIMEOUT_SECONDS, feed=pictures)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


class _Film:
    """The pictures of one recording, and who was seen in them."""

    def __init__(
        self, scene: Scene, people: Sequence[Person], sensor: "_Sensor", overlay: "_Overlay"
    ) -> None:
        self._scene, self._people, self._sensor, self._overlay = scene, people, sensor, overlay
        self.seen: list[Appearance] = []

    def pictures(self, count: int) -> Iterator[bytes]:
        """Draw, expose and label one picture after the other."""
        for number in range(count):
            picture = self._scene.background.copy()
            for index, person, stand in self._present(number):
                head = _draw(picture, self._scene, person, stand, number)
                if head is not None:
                    self.seen.append(Appearance(number, index, *head, has_face=person.way != "away"))
            taken = self._sensor.take(picture)
            self._overlay.burn(taken, number)
            yield taken.tobytes()

    def _present(self, number: int) -> list[tuple[int, Person, Stand]]:
        """Who is there, the nearest last."""
        stands = [
            (index, person, stand)
            for index, person in enumerate(self._people)
            if (stand := _stand(self._scene, person, number)) is not None
        ]
        return sorted(stands, key=lambda one: one[2].height_px)


def _stand(scene: Scene, person: Person, number: int) -> Stand | None:
    walked_s = number / RATE_FPS - person.enters_s
    return scene.stand(person.way, walked_s * person.pace_m_s) if walked_s >= 0 else None


def _draw(
    picture: Picture, scene: Scene, person: Person, stand: Stand, number: int
) -> tuple[int, int, int, int] | None:
    """Draw somebody and a shadow into `picture`; the box of the head where it is in the picture."""
    walked_m = (number / RATE_FPS - person.enters_s) * person.pace_m_s
    phase = int(walked_m / _STEP_M * GAIT_PHASES) % GAIT_PHASES
    sprite = sprites(_VIEWS[person.way], LOOKS[person.look % len(LOOKS)])[phase]
    figure = _scaled(sprite, stand.height_px / SPRITE_PX, is_mirrored=person.way == "left")
    left = round(stand.x_px - figure.alpha.shape[1] / 2)
    top = round(stand.y_px - figure.alpha.shape[0])
    hidden = scene.foreground if stand.is_behind else None
    _shadow(picture, stand, hidden)
    _blend(picture, figure, left, top, hidden)
    return _clip(figure.head, left, top)


def _scaled(sprite: Sprite, scale: float, *, is_mirrored: bool) -> Sprite:
    height, width = sprite.alpha.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    pixels = as_picture(cv2.resize(sprite.pixels, size, interpolation=cv2.INTER_AREA))
    alpha = as_picture(cv2.resize(sprite.alpha, size, interpolation=cv2.INTER_AREA))[..., None]
    x, y, wide, high = (round(edge * scale) for edge in sprite.head)
    if is_mirrored:
        pixels, alpha, x = pixels[:, ::-1], alpha[:, ::-1], size[0] - x - wide
    return Sprite(pixels, alpha, (x, y, wide, high))


def _blend(picture: Picture, figure: Sprite, left: int, top: int, hidden: Picture | None) -> None:
    height, width = figure.alpha.shape[:2]
    rows = slice(max(0, top), min(HEIGHT_PX, top + height))
    columns = slice(max(0, left), min(WIDTH_PX, left + width))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    own = slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)
    seen = 1.0 if hidden is None else 1 - hidden[rows, columns]
    background = picture[rows, columns]
    light = 0.75 + 0.25 * float(background.mean()) / 128  # people are lit by the place they are in
    picture[rows, columns] = background * (1 - figure.alpha[own] * seen) + figure.pixels[own] * seen * light


def _shadow(picture: Picture, stand: Stand, hidden: Picture | None) -> None:
    wide, high = round(stand.height_px * 0.16), max(1, round(stand.height_px * 0.035))
    middle = round(stand.x_px), round(stand.y_px)
    rows = slice(max(0, middle[1] - 3 * high), max(0, middle[1] + 3 * high))
    columns = slice(max(0, middle[0] - 2 * wide), max(0, middle[0] + 2 * wide))
    floor = picture[rows, columns]
    if floor.size == 0:
        return
    spot = np.zeros(floor.shape[:2], np.float32)
    cv2.ellipse(spot, (middle[0] - columns.start, middle[1] - rows.start), (wide, high), 0, 0, 360, 0.45, -1)
    shade = as_picture(cv2.GaussianBlur(spot, (0, 0), max(1.0, high * 0.6)))[..., None]
    floor *= 1 - shade * (1.0 if hidden is None else 1 - hidden[rows, columns])


def _clip(head: tuple[int, int, int, int], left: int, top: int) -> tuple[int, int, int, int] | None:
    x, y, width, height = head
    x0, y0 = max(0, x + left), max(0, y + top)
    x1, y1 = min(WIDTH_PX, x + left + width), min(HEIGHT_PX, y + top + height)
    return (x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else None


class _Sensor:
    """What a cheap camera does to a picture: vignette, breathing exposure, noise."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        shape = (_NOISE_FIELDS, HEIGHT_PX, WIDTH_PX + _NOISE_SHIFT_PX, 3)
        grain = self._random.standard_normal((*shape[:3], 1), np.float32) * np.float32(_NOISE_LEVEL)
        self._grain = grain + self._random.standard_normal(shape, np.float32)
        across = np.linspace(-1, 1, WIDTH_PX)[None, :] ** 2 + np.linspace(-1, 1, HEIGHT_PX)[:, None] ** 2
        self._vignette = np.repeat((1 - 0.11 * across)[..., None], 3, axis=2).astype(np.float32)

    def take(self, picture: Picture) -> NDArray[np.uint8]:
        """One exposure."""
        shift = int(self._random.integers(_NOISE_SHIFT_PX))
        grain = self._grain[self._random.integers(_NOISE_FIELDS), :, shift : shift + WIDTH_PX]
        gain = 1 + 0.004 * float(self._random.standard_normal())
        exposed = cv2.multiply(picture, self._vignette, scale=gain)
        return cv2.add(exposed, grain, dtype=cv2.CV_8U).astype(np.uint8, copy=False)


class _Overlay:
    """The camera's name and clock, as recorders burn them in."""

    def __init__(self, camera: str, started_at: datetime) -> None:
        self._camera = camera.encode("ascii", "replace").decode()
        self._started_at = started_at

    def burn(self, picture: NDArray[np.uint8], number: int) -> None:
        now = self._started_at + timedelta(seconds=number / RATE_FPS)
        for text, place in ((f"{now:%Y-%m-%d %H:%M:%S}", (12, 24)), (self._camera, (12, HEIGHT_PX - 14))):
            for colour, thickness in (((0, 0, 0), 3), ((240, 240, 240), 1)):
                cv2.putText(
                    picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.52, colour, thickness, cv2.LINE_AA
                )
