"""The child process that redacts a still picture. `redact` starts it and talks to it through `media.child`."""

import math
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile, ImageOps, JpegImagePlugin, UnidentifiedImageError

from media.child import OnProgress, answer_parent
from media.damage import in_words
from media.errors import NotReleased, Unreadable
from media.picture.look import first_look, second_look
from media.video.detect.port import Detection
from media.video.mask_table import unpack
from media.video.masks import Box, Mask, Style

Pixels = NDArray[np.uint8]  #: (height, width, 3) or (height, width)
Raster = TypeVar("Raster", bound=np.generic)

_MAX_PIXELS = 200_000_000
_CELLS = 8
_RIM_PX = 8
_MAX_FILL_LEVEL = 32  #: of 255, under a black fill: ringing of a coarse JPEG
_QUALITY = 92  #: where the source has no quantisation of its own to follow
_ORIENTATION_TAG = 0x0112
_JPEG_PARTS = frozenset({0xDB, 0xC0, 0xC1, 0xC2, 0xC4, 0xDD, 0xDA, 0xE0})
_PNG_PARTS = frozenset({b"IHDR", b"IDAT", b"IEND"})
_JFIF_BYTES = 16  #: of an APP0 without a thumbnail


def picture_job(request: dict[str, Any], bulk: bytes, report: OnProgress) -> dict[str, Any]:
    """Find faces, or paint, write, and look again."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        source = _open(Path(request["source"]))
        before = _plain(source)
    if "target" not in request:
        return {"faces": [_as_row(one) for one in first_look(_grey(before))]}
    return _redact(request, unpack(bulk).at(0), source, before, report)


def _redact(
    request: dict[str, Any],
    masks: Sequence[Mask],
    source: ImageFile.ImageFile,
    before: Pixels,
    report: OnProgress,
) -> dict[str, Any]:
    painted = before.copy()
    areas = [(area, mask.style) for mask in masks if (area := _area(mask.box, before))]
    _paint(painted, areas)
    data = _encode(_upright(painted, source), source)
    psnr = _check(data, before, areas, source)
    again = second_look(_grey(_stored(data, source))) if request["looks_again"] else []
    with Path(request["target"]).open("wb") as file:
        file.write(data)
    report(1, 1)
    height, width = _upright(painted, source).shape[:2]
    return {
        "width": width,
        "height": height,
        "masks": len(areas),
        "psnr_db": psnr,
        "size_bytes": len(data),
        "seen_again": [_as_row(one) for one in again],
    }


def _as_row(found: Detection) -> list[float]:
    box = found.box
    return [box.left, box.top, box.right, box.bottom, found.confidence]


def _grey(picture: Pixels) -> Pixels:
    return picture if picture.ndim == 2 else np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


def _stored(data: bytes, source: Image.Image) -> Pixels:
    """The finished picture's pixels, turned back to how the source stores them."""
    upright = np.asarray(Image.open(BytesIO(data)))
    stored = np.asarray(source).shape[:2]
    places = np.arange(stored[0] * stored[1], dtype=np.int32).reshape(stored)
    turned = _upright(places, source)
    back = np.empty((stored[0] * stored[1], *upright.shape[2:]), np.uint8)
    back[turned.ravel()] = upright.reshape(-1, *upright.shape[2:])
    return back.reshape(*stored, *upright.shape[2:])


def _open(path: Path) -> ImageFile.ImageFile:
    Image.MAX_IMAGE_PIXELS = _MAX_PIXELS
    try:
        picture = Image.open(path, formats=("JPEG", "PNG"))
        picture.load()
    except MemoryError:
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Warning, zlib.error) as error:
        why = "it is of another kind" if isinstance(error, UnidentifiedImageError) else in_words(error)
        raise Unreadable(
            f"this is no JPEG or PNG that can be decoded whole ({why}); get another copy of the picture"
        ) from error
    return picture


def _plain(picture: Image.Image) -> Pixels:
    """8-bit sRGB or grey, as it is stored."""
    flat = picture
    if picture.has_transparency_data:
        layered = picture.convert("RGBA")
        flat = Image.new("RGB", picture.size, "white")
        flat.paste(layered, mask=layered.getchannel("A"))
    elif picture.mode.startswith("I;16") or picture.mode == "I":
        return (np.asarray(picture).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8)
    elif picture.mode != "L":
        flat = _as_srgb(picture)
    return np.asarray(flat).copy()


def _as_srgb(picture: Image.Image) -> Image.Image:
    profile = picture.info.get("icc_profile")
    if profile and picture.mode in {"RGB", "CMYK"}:
        try:
            turned = ImageCms.profileToProfile(
                picture,
                ImageCms.ImageCmsProfile(BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode="RGB",
            )
        except (ImageCms.PyCMSError, OSError):  # a broken profile: shown as if there were none
            turned = None
        if turned is not None:
            return turned
    return picture.convert("RGB")


def _area(box: Box, picture: Pixels) -> tuple[slice, slice] | None:
    """Widened to whole pairs of pixels, as colours are shared by two."""
    height, width = picture.shape[:2]
    inside = box.within(width, height)
    if inside is None:
        return None
    return (
        slice(math.floor(inside.top / 2) * 2, min(height, math.ceil(inside.bottom / 2) * 2)),
        slice(math.floor(inside.left / 2) * 2, min(width, math.ceil(inside.right / 2) * 2)),
    )


def _paint(picture: Pixels, areas: Sequence[tuple[tuple[slice, slice], Style]]) -> None:
    filled = [area for area, style in areas if style is not Style.MOSAIC]
    for area in filled:
        picture[area] = 0
    for area, style in areas:
        if style is Style.MOSAIC:
            picture[area] = _cells(picture[area])
    for area in filled:
        picture[area] = 0
    for area, style in areas:
        if style is Style.COSMETIC:
            _soften(picture, area)


def _cells(region: Pixels) -> Pixels:
    rows, columns = region.shape[:2]
    size = max(1, min(_CELLS, columns // 2)), max(1, min(_CELLS, rows // 2))
    small = cv2.resize(region, size, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (columns, rows), interpolation=cv2.INTER_NEAREST).astype(np.uint8)


def _soften(picture: Pixels, area: tuple[slice, slice]) -> None:
    rows, columns = area
    reach = max(1, min(rows.stop - rows.start, columns.stop - columns.start) // 8)
    top, left = max(0, rows.start - reach), max(0, columns.start - reach)
    around = picture[top : rows.stop + reach, left : columns.stop + reach]
    soft = cv2.blur(around, (2 * reach + 1, 2 * reach + 1), borderType=cv2.BORDER_REPLICATE)
    picture[area] = soft[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]


def _upright(picture: NDArray[Raster], source: Image.Image) -> NDArray[Raster]:
    """As EXIF says that it should be seen."""
    exif = Image.Exif()
    exif[_ORIENTATION_TAG] = source.getexif().get(_ORIENTATION_TAG, 1)
    bare = Image.fromarray(picture)
    bare.info["exif"] = exif.tobytes()
    return np.asarray(ImageOps.exif_transpose(bare))


def _encode(picture: Pixels, source: Image.Image) -> bytes:
    out = BytesIO()
    bare = Image.fromarray(picture)
    bare.info.clear()
    if source.format == "PNG":
        bare.save(out, "PNG")
    else:
        bare.save(out, "JPEG", **_quantisation(source, bare.mode))
    return out.getvalue()


def _quantisation(source: Image.Image, mode: str) -> dict[str, Any]:
    if isinstance(source, JpegImagePlugin.JpegImageFile) and source.mode == mode:
        sampling = JpegImagePlugin.get_sampling(source)
        own = {"qtables": source.quantization}
        return own if mode == "L" or sampling < 0 else {**own, "subsampling": sampling}
    return {"quality": _QUALITY}


# -- looking again ------------------------------------------------------------


def _check(
    data: bytes,
    before: Pixels,
    areas: Sequence[tuple[tuple[slice, slice], Style]],
    source: Image.Image,
) -> float | None:
    """Decode the finished picture with another library; raise where it shows or tells too much."""
    strangers = [
        part for part in (_jpeg_parts(data) if data[:2] == b"\xff\xd8" else _png_parts(data)) if part
    ]
    after = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    if strangers or after is None:
        raise NotReleased(f"the finished picture holds more than pixels ({strangers})")
    seen = cv2.cvtColor(after, cv2.COLOR_BGR2RGB) if after.ndim == 3 else after
    wanted, hidden = before.copy(), np.zeros(before.shape[:2], np.uint8)
    for (rows, columns), style in areas:
        hidden[
            max(0, rows.start - _RIM_PX) : rows.stop + _RIM_PX,
            max(0, columns.start - _RIM_PX) : columns.stop + _RIM_PX,
        ] = 1
        inner = np.zeros_like(hidden)
        rim = _RIM_PX if style is not Style.COSMETIC else _RIM_PX + (rows.stop - rows.start) // 6
        inner[rows.start + rim : rows.stop - rim, columns.start + rim : columns.stop - rim] = 1
        core = seen[_upright(inner, source) > 0]
        if style is not Style.MOSAIC and core.size and int(core.max()) > _MAX_FILL_LEVEL:
            raise NotReleased("something is visible under a mask of the finished picture")
    visible = _upright(1 - hidden, source) > 0
    error = (_upright(wanted, source).astype(np.int32) - seen)[visible]
    if not error.size or not error.any():
        return None
    return round(10 * math.log10(255**2 / float(np.mean(error.astype(np.float64) ** 2))), 2)


def _jpeg_parts(data: bytes) -> Iterator[str | None]:
    """Segments of a JPEG that hold no picture (ITU-T T.81, B.1.1)."""
    at = 2
    while at < len(data):
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker not in _JPEG_PARTS or (marker == 0xE0 and length != _JFIF_BYTES):
            yield f"segment {marker:02X}"
        if marker == 0xDA:
            tail = data.find(b"\xff\xd9", at)
            yield None if tail == len(data) - 2 else "bytes after the end"
            return
        at += 2 + length


def _png_parts(data: bytes) -> Iterator[str | None]:
    """Chunks of a PNG that hold no picture (W3C PNG, 11)."""
    at = 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        yield None if kind in _PNG_PARTS else f"chunk {kind!r}"
        at += 12 + length


if __name__ == "__main__":
    answer_parent(picture_job)
