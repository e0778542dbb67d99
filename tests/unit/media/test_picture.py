"""Stills: painted by the same masks, upright, and nothing in the file but pixels."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from media.errors import Unreadable
from media.picture.redact import redact_picture
from media.video.masks import Box, Mask, Style
from tests.golden.clips import psnr_db, scene

MASK = Mask(Box(16, 8, 56, 40))
SECRET = b"35 Rue Secret"


def _still(
    path: Path, form: str = "JPEG", mode: str = "RGB", orientation: int = 1, *, secret: bool = False
) -> Path:
    pixels = scene(3, 120, 80)
    if secret:
        pixels[10:38, 18:54] = np.random.default_rng(1).integers(0, 255, (28, 36, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = SECRET.decode()
    picture = Image.fromarray(pixels).convert(mode)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    options = {"quality": 90, "comment": SECRET} if form == "JPEG" else {}
    picture.save(
        path, form, exif=exif, icc_profile=None if mode in {"L", "CMYK", "P"} else profile, **options
    )
    return path


def _turned(
    pixels: np.ndarray[tuple[int, ...], np.dtype[Any]], orientation: int
) -> np.ndarray[tuple[int, ...], np.dtype[Any]]:
    return {
        1: pixels,
        3: np.rot90(pixels, 2),
        6: np.rot90(pixels, -1),
        8: np.rot90(pixels, 1),
        2: pixels[:, ::-1],
    }[orientation]


def _only(rows: tuple[int, int], columns: tuple[int, int]) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    area = np.zeros((80, 120), np.bool_)
    area[slice(*rows), slice(*columns)] = True
    return area


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", [1, 2, 3, 6, 8])
def test_what_is_masked_is_gone_and_the_rest_is_kept_upright(
    tmp_path: Path, form: str, orientation: int
) -> None:
    source = _still(tmp_path / "in", form, orientation=orientation)
    done = redact_picture(source, [MASK], tmp_path / "out")
    out = np.asarray(Image.open(tmp_path / "out"))
    plain = _turned(np.asarray(Image.open(source)), orientation)
    inside, near = (
        _turned(_only(rows, columns), orientation)
        for rows, columns in (((12, 36), (20, 52)), ((0, 56), (0, 72)))
    )
    assert out.shape == plain.shape == (done.height, done.width, 3)
    assert out[inside].max() <= 16, "black, but for the ringing of a JPEG"
    assert psnr_db(out[~near], plain[~near]) > (40 if orientation == 1 else 36)
    if form == "PNG":
        assert (out[~near] == plain[~near]).all()


@pytest.mark.parametrize(
    ("form", "mode"),
    [
        ("JPEG", "RGB"),
        ("JPEG", "L"),
        ("JPEG", "CMYK"),
        ("PNG", "RGB"),
        ("PNG", "RGBA"),
        ("PNG", "P"),
        ("PNG", "L"),
        ("PNG", "I;16"),
    ],
)
def test_no_exif_profile_comment_or_thumbnail_is_left(tmp_path: Path, form: str, mode: str) -> None:
    if mode == "I;16":
        Image.fromarray(np.linspace(0, 65535, 9600).astype(np.uint16).reshape(80, 120)).save(
            tmp_path / "in", "PNG"
        )
    else:
        _still(tmp_path / "in", form, mode)
    redact_picture(tmp_path / "in", [MASK], tmp_path / "out")
    data = tmp_path.joinpath("out").read_bytes()
    out = Image.open(tmp_path / "out")
    out.load()
    assert SECRET not in data
    assert set(out.info) <= {
        "jfif",
        "jfif_version",
        "jfif_unit",
        "jfif_density",
        "progressive",
        "progression",
    }
    assert len(out.getexif()) == 0
    assert np.asarray(out)[14:34, 22:50].max() <= 8


def test_bytes_behind_the_end_do_not_come_along(tmp_path: Path) -> None:
    source = _still(tmp_path / "in")
    source.write_bytes(source.read_bytes() + b"PK\3\4 another file")
    redact_picture(source, [MASK], tmp_path / "out")
    assert b"another file" not in tmp_path.joinpath("out").read_bytes()


def test_pixels_under_full_transparency_do_not_come_along(tmp_path: Path) -> None:
    pixels = np.dstack([scene(0, 64, 64), np.zeros((64, 64), np.uint8)])
    Image.fromarray(pixels).save(tmp_path / "in.png")
    redact_picture(tmp_path / "in.png", [], tmp_path / "out.png")
    assert (np.asarray(Image.open(tmp_path / "out.png")) == 255).all()


@pytest.mark.parametrize("style", list(Style))
def test_hidden_pixels_reach_no_byte_of_the_output(tmp_path: Path, style: Style) -> None:
    outputs = []
    for secret in (False, True):
        source = _still(tmp_path / "in.png", "PNG", secret=secret)
        redact_picture(source, [Mask(MASK.box, style)], tmp_path / "out.png")
        outputs.append(tmp_path.joinpath("out.png").read_bytes())
    assert (outputs[0] == outputs[1]) == (style is not Style.MOSAIC)


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a" + b"\0" * 99, b"\xff\xd8\xff\xe0 no picture", b"%!PS-Adobe"]
)
def test_what_is_no_jpeg_or_png_is_refused_and_nothing_is_left(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "in.jpg").write_bytes(content)
    with pytest.raises(Unreadable, match="no JPEG or PNG"):
        redact_picture(tmp_path / "in.jpg", [MASK], tmp_path / "out.jpg")
    assert [path.name for path in tmp_path.iterdir()] == ["in.jpg"]


def test_half_a_picture_is_refused(tmp_path: Path) -> None:
    source = _still(tmp_path / "in.jpg")
    source.write_bytes(source.read_bytes()[:-900])
    with pytest.raises(Unreadable):
        redact_picture(source, [MASK], tmp_path / "out.jpg")
