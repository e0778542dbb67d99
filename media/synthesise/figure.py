"""A walking person, cut out and drawn: a real face on a body with a coat.

The faces are public-domain and CC0 photographs that scikit-image carries (see
docs/licences.md): an astronaut who looks at the camera, and a photographer in
profile. Bodies are drawn, shaded and blurred; they are meant to be seen from
some metres away by a cheap camera.

A sprite is `HEIGHT_PX` high, its feet stand on the lower edge. Colours are BGR.
"""

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

HEIGHT_PX = 640
WIDTH_PX = 320
GAIT_PHASES = 8
_HEAD_PX = 104  #: chin to crown; a sixth of the body, a little large for the sake of the face
_NECK_Y, _HIP_Y, _FEET_Y = 112, 335, 624

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Sprite:
    """One phase of a walk."""

    pixels: NDArray[np.float32]  #: (height, width, 3), already multiplied by `alpha`
    alpha: NDArray[np.float32]  #: (height, width, 1), 0 to 1
    head: tuple[int, int, int, int]  #: x, y, width and height of the head


@dataclass(frozen=True, slots=True)
class Look:
    """What somebody wears."""

    coat: Colour
    trousers: Colour
    shoes: Colour = (32, 30, 34)


LOOKS = (
    Look(coat=(92, 64, 48), trousers=(54, 50, 52)),
    Look(coat=(58, 66, 118), trousers=(96, 74, 58)),
    Look(coat=(88, 104, 82), trousers=(48, 44, 46)),
    Look(coat=(150, 158, 166), trousers=(70, 60, 54)),
)


@cache
def sprites(view: str, look: Look) -> tuple[Sprite, ...]:
    """All phases of a walk. `view` is "front", "back" or "side" (which walks to the right)."""
    return tuple(_draw(view, look, 2 * math.pi * phase / GAIT_PHASES) for phase in range(GAIT_PHASES))


def _draw(view: str, look: Look, angle: float) -> Sprite:
    canvas = _Canvas()
    bob = round(5 * abs(math.cos(angle)))
    middle = WIDTH_PX // 2
    (_side_body if view == "side" else _front_body)(canvas, look, angle, bob)
    face, mask = _profile() if view == "side" else _portrait()
    if view == "back":
        face = _back_of_head(face)
    x = middle - face.shape[1] // 2 + (14 if view == "side" else 0)
    canvas.paste(face, mask, x, bob)
    return Sprite(*canvas.finish(), head=(x, bob, face.shape[1], face.shape[0]))


def _side_body(canvas: "_Canvas", look: Look, angle: float, bob: int) -> None:
    middle, swing = WIDTH_PX // 2, math.sin(angle)
    shoulder, hip = (middle - 2, _NECK_Y + 42 + bob), (middle, _HIP_Y + bob)
    canvas.limb(_arm(shoulder, swing), 32, _darker(look.coat))
    canvas.leg(hip, -swing, math.cos(angle), _darker(look.trousers), look.shoes)
    canvas.leg(hip, swing, -math.cos(angle), look.trousers, look.shoes)
    canvas.shape(_NECK + np.array((middle + 6, bob)), _SKIN)
    canvas.shape(_COAT_SIDE + np.array((middle, bob)), look.coat)
    canvas.limb(_arm(shoulder, -swing), 36, look.coat)


def _front_body(canvas: "_Canvas", look: Look, angle: float, bob: int) -> None:
    middle, swing = WIDTH_PX // 2, math.sin(angle)
    for side in (-1, 1):
        lift = max(0.0, side * swing) * 26
        foot = (middle + side * 30, round(_FEET_Y - 12 - lift))
        hip = (middle + side * 34, _HIP_Y + bob - 20)
        canvas.limb([hip, (middle + side * 33, 480), foot], 52, look.trousers)
        canvas.shape(_SHOE + np.array(foot), look.shoes)
        elbow = (middle + side * 84, _NECK_Y + 130 + bob)
        hand = (middle + side * 80, round(_NECK_Y + 226 + bob - side * swing * 18))
        canvas.limb([(middle + side * 62, _NECK_Y + 34 + bob), elbow, hand], 36, _darker(look.coat))
        canvas.shape(_HAND + np.array(hand), _SKIN)
    canvas.shape(_NECK + np.array((middle, bob)), _SKIN)
    canvas.shape(_COAT_FRONT + np.array((middle, bob)), look.coat)
    canvas.shape(_COLLAR + np.array((middle, bob)), _darker(look.coat))
    canvas.limb([(middle, _NECK_Y + 22 + bob), (middle + 3, 368 + bob)], 4, _darker(_darker(look.coat)))


def _arm(shoulder: tuple[int, int], swing: float) -> list[tuple[int, int]]:
    x, y = shoulder
    elbow = (round(x + 34 * swing), y + 92)
    return [shoulder, elbow, (round(elbow[0] + 62 * swing + 14), round(y + 172 - 14 * abs(swing)))]


def _darker(colour: Colour) -> Colour:
    return (colour[0] * 7 // 10, colour[1] * 7 // 10, colour[2] * 7 // 10)


_SKIN: Colour = (128, 152, 204)
_NECK = np.array([(-24, 78), (24, 78), (28, 140), (-28, 140)])
_HAND = np.array([(-14, -4), (14, -4), (12, 30), (-10, 30)])
_SHOE = np.array([(-24, -8), (24, -8), (28, 14), (-28, 14)])
_COAT_FRONT = np.array(
    [
        (-24, 104),
        (24, 104),
        (68, 124),
        (78, 170),
        (66, 260),
        (70, 372),
        (-70, 372),
        (-66, 260),
        (-78, 170),
        (-68, 124),
    ]
)
_COLLAR = np.array([(-34, 100), (34, 100), (22, 132), (0, 146), (-22, 132)])
_COAT_SIDE = np.array(
    [
        (-20, 108),
        (26, 106),
        (46, 150),
        (54, 215),
        (50, 300),
        (56, 372),
        (-52, 372),
        (-50, 290),
        (-56, 200),
        (-46, 140),
    ]
)


class _Canvas:
    """Paints shaded shapes one over the other."""

    def __init__(self) -> None:
        self._pixels = np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.float32)
        self._alpha = np.zeros((HEIGHT_PX, WIDTH_PX, 1), np.float32)

    def shape(self, points: NDArray[np.int_], colour: Colour) -> None:
        """A filled polygon with soft corners."""
        mask = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
        cv2.fillPoly(mask, [points.astype(np.int32)], 255, cv2.LINE_AA)
        self._shade(mask, 3, colour)

    def limb(self, joints: list[tuple[int, int]], thickness: int, colour: Colour) -> None:
        """A thick bent line."""
        mask = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
        cv2.polylines(mask, [np.array(joints, np.int32)], isClosed=False, color=255, thickness=thickness)
        self._shade(mask, 2.5, colour)

    def leg(self, hip: tuple[int, int], swing: float, lift: float, colour: Colour, shoe: Colour) -> None:
        """A leg seen from the side: `swing` forward (1) or back (-1), `lift` above 0 while it moves forward."""
        bend = max(0.0, lift)
        knee = (round(hip[0] + 74 * swing + 26 * bend), hip[1] + 140)
        foot = (round(hip[0] + 128 * swing - 30 * bend), round(_FEET_Y - 14 - 40 * bend - 6 * abs(swing)))
        self.limb([hip, knee, foot], 54, colour)
        self.shape(_SHOE + np.array((foot[0] + 12, foot[1])), shoe)

    def paste(self, picture: Image, mask: Image, x: int, y: int) -> None:
        """A cut-out photograph."""
        height, width = mask.shape
        here = slice(y, y + height), slice(x, x + width)
        cover = mask[..., None].astype(np.float32) / 255
        self._pixels[here] = self._pixels[here] * (1 - cover) + picture * cover
        self._alpha[here] = self._alpha[here] * (1 - cover) + cover

    def finish(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return self._pixels, self._alpha

    def _shade(self, mask: Image, softness: float, colour: Colour) -> None:
        """Round a flat shape: darker towards its edge, with light from the upper left and some folds."""
        here = _around(mask, margin=round(3 * softness))
        soft = cv2.GaussianBlur(mask[here], (0, 0), softness)
        depth = cv2.distanceTransform((soft > 127).astype(np.uint8), cv2.DIST_L2, 3)
        roundness = np.sqrt(depth / max(1.0, float(depth.max())))
        light = (0.62 + 0.42 * roundness) * _light()[here]
        cover = soft[..., None].astype(np.float32) / 255
        lit = np.array(colour, np.float32) * light[..., None]
        self._pixels[here] = self._pixels[here] * (1 - cover) + lit * cover
        self._alpha[here] = self._alpha[here] * (1 - cover) + cover


def _around(mask: Image, margin: int) -> tuple[slice, slice]:
    x, y, width, height = cv2.boundingRect(mask)
    return slice(max(0, y - margin), y + height + margin), slice(max(0, x - margin), x + width + margin)


@cache
def _light() -> NDArray[np.float32]:
    noise = np.random.default_rng(5).normal(0, 1, (HEIGHT_PX // 8, WIDTH_PX // 8)).astype(np.float32)
    folds = cv2.resize(cv2.GaussianBlur(noise, (0, 0), 2.2), (WIDTH_PX, HEIGHT_PX))
    across = np.linspace(1.08, 0.86, WIDTH_PX, dtype=np.float32)
    light: NDArray[np.float32] = across[None, :] + 0.5 * folds
    return light


@cache
def _portrait() -> tuple[Image, Image]:
    """The astronaut's head, found by GrabCut from two ellipses inside it."""
    portrait = photo("astronaut.png")[0:200, 140:320]
    mask = np.full(portrait.shape[:2], cv2.GC_BGD, np.uint8)
    cv2.ellipse(mask, ((86, 88), (165, 175), 0), int(cv2.GC_PR_FGD), -1)
    cv2.ellipse(mask, ((86, 95), (75, 110), 0), int(cv2.GC_FGD), -1)
    cv2.ellipse(mask, ((82, 50), (110, 50), 0), int(cv2.GC_FGD), -1)
    cv2.setRNGSeed(1)
    cv2.grabCut(portrait, mask, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_MASK)
    return _trim(portrait, np.where(mask & 1, 255, 0).astype(np.uint8))


@cache
def _profile() -> tuple[Image, Image]:
    """The photographer's head, from a traced outline, with a little colour."""
    grey = photo("camera.png")[55:235, 140:280]
    mask = np.zeros(grey.shape[:2], np.uint8)
    cv2.fillPoly(mask, [_PROFILE_OUTLINE], 255, cv2.LINE_AA)
    tinted = np.clip(grey * np.array((0.72, 0.86, 1.08)), 0, 255).astype(np.uint8)
    return _trim(tinted, mask)


_PROFILE_OUTLINE = np.array(
    [
        *((22, 48), (28, 30), (40, 17), (60, 10), (82, 13), (106, 23), (122, 40), (130, 64), (126, 77)),
        *((117, 77), (114, 88), (116, 98), (114, 111), (105, 117), (105, 126), (100, 130), (93, 141)),
        *((78, 136), (63, 125), (51, 104), (43, 88), (31, 74)),
    ],
    np.int32,
)


def _back_of_head(face: Image) -> Image:
    """Hair all over: the middle of the fringe, stretched to the whole head."""
    height, width = face.shape[:2]
    hair = face[height // 12 : height // 3, width // 4 : 3 * width // 4]
    return cv2.resize(hair, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.uint8)


def _trim(picture: Image, mask: Image) -> tuple[Image, Image]:
    """Cut to what the mask covers, and scale so that the head is `_HEAD_PX` high."""
    x, y, width, height = cv2.boundingRect(mask)
    size = round(width * _HEAD_PX / height), _HEAD_PX
    here = slice(y, y + height), slice(x, x + width)
    small = cv2.resize(picture[here], size, interpolation=cv2.INTER_AREA)
    cover = cv2.resize(cv2.GaussianBlur(mask, (3, 3), 0)[here], size, interpolation=cv2.INTER_AREA)
    return small.astype(np.uint8), cover.astype(np.uint8)


def photo(name: str) -> Image:
    """A picture that scikit-image's wheel carries, in BGR."""
    picture = cv2.imread(str(Path(skimage.data.__file__).parent / name), cv2.IMREAD_COLOR)
    assert picture is not None, f"scikit-image does not carry {name}"
    return picture.astype(np.uint8)
