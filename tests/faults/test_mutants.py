"""Recordings and pictures damaged at random: each is refused, or what is masked in its copy is gone.

A mutant counts as rendered right only when its copy was decoded here, every
pixel well inside the mask is the fill, and nothing of the source is in its
bytes: no packet, no tag, no word of its encoder. The dice are numbered, so a
mutant that fails once fails always.
"""

import random
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageOps

from media.errors import NotReleased, ToolFailed, Unreadable
from media.picture.redact import redact_picture
from media.video.masks import Box, Mask, MaskPlan
from media.video.render.render import render
from media.video.scan import scan
from media.video.verify.boxes import walk
from tests.golden.clips import Rgb, decoded, hide, luma, scene, write_clip

SECRET = "Yamada Taro 090-1234-5678"
BOX = Box(16, 8, 64, 48)
SIDE = 96
FILL_LUMA, FILL_LEVEL = 40, 40  #: black, and the ringing of a lossy codec around it
INSET = 6  #: over which a lossy codec mixes in what lies beside the mask
_TELLING_BYTES = 24


def _flip(data: bytearray, dice: random.Random) -> None:
    for _ in range(dice.randint(1, 6)):
        data[dice.randrange(min(len(data), 3000))] ^= 1 << dice.randrange(8)


def _cut(data: bytearray, dice: random.Random) -> None:
    del data[dice.randrange(len(data) // 2, len(data)) :]


def _overwrite(data: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(data) - 64)
    data[at : at + 64] = dice.randbytes(64)


def _repeat(data: bytearray, dice: random.Random) -> None:
    start = dice.randrange(len(data) - 64)
    data[start:start] = data[start : start + dice.randint(1, 64)]


MUTATIONS: tuple[Callable[[bytearray, random.Random], None], ...] = (_flip, _cut, _overwrite, _repeat)


def _mutant(whole: bytes, number: int) -> bytes:
    """Number 0 is unharmed: it shows that the others could have been rendered."""
    data = bytearray(whole)
    if number:
        MUTATIONS[number % len(MUTATIONS)](data, random.Random(number))
    return bytes(data)


def _refused(mutant: Path, reason: str) -> str:
    """In words, and without a copy or a part of one."""
    assert reason.isprintable()
    assert [path.name for path in mutant.parent.iterdir()] == [mutant.name]
    return "refused"


# -- footage ------------------------------------------------------------------------


def _person(number: int, width: int, height: int) -> Rgb:
    """The usual scene, with bright noise where somebody stands."""
    picture = scene(number, width, height)
    area = picture[int(BOX.top) : int(BOX.bottom), int(BOX.left) : int(BOX.right)]
    area[:] = np.random.default_rng(number).integers(120, 255, area.shape, np.uint8)
    return picture


SEEDS = {
    "H.264 in MP4": ({"container_options": {"movflags": "faststart"}}, 8),
    "HEVC in MP4": ({"codec": "libx265", "options": {"x265-params": "log-level=none"}}, 4),
    "MPEG-4 in AVI": ({"codec": "mpeg4", "container": "avi"}, 4),
    "H.264 in MKV": ({"container": "matroska"}, 4),
    "H.264 in TS": ({"container": "mpegts"}, 4),
}


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("seeds")
    tags = {"title": SECRET, "comment": SECRET}
    return {
        name: write_clip(folder / name, frames=8, draw=_person, metadata=tags, **options)  # type: ignore[arg-type]
        for name, (options, _) in SEEDS.items()
    }


def _secrets(path: Path) -> list[bytes]:
    """What must not be found in a copy: tags, the encoder's name, and a piece out of every packet."""
    with av.open(path) as container:
        packets = [bytes(packet) for packet in container.demux(video=0)]
    middles = [data[len(data) // 2 :][:_TELLING_BYTES] for data in packets if len(data) > 4 * _TELLING_BYTES]
    assert middles
    return [SECRET.encode(), b"x264 - core", b"x265", b"Lavc", *middles]


def _plan_of(path: Path) -> MaskPlan:
    """The mask in every frame that a reader of packets finds."""
    try:
        return hide(range(len(scan(path).pts)), (BOX.left, BOX.top, BOX.right, BOX.bottom))
    except Unreadable:
        return MaskPlan({0: (Mask(BOX),)})


def _verdict(mutant: Path, out: Path, secrets: list[bytes]) -> str:
    try:
        render(mutant, _plan_of(mutant), out)
    except (Unreadable, ToolFailed) as error:
        return _refused(mutant, str(error))
    assert walk(out).faults == []
    frames = decoded(out)
    assert frames
    for frame in frames:
        inside = BOX.within(frame.width, frame.height)
        if inside is None:
            continue
        rows = slice(int(inside.top) + INSET, int(inside.bottom) - INSET)
        columns = slice(int(inside.left) + INSET, int(inside.right) - INSET)
        assert luma(frame)[rows, columns].max(initial=0) < FILL_LUMA
    data = out.read_bytes()
    assert not [secret for secret in secrets if secret in data]
    return "rendered"


@pytest.mark.parametrize(
    ("seed", "number"),
    [(seed, number) for seed, (_, count) in SEEDS.items() for number in range(count)],
)
def test_a_mutant_is_refused_or_what_its_mask_hides_is_gone(
    seeds: dict[str, Path], seed: str, number: int, tmp_path: Path
) -> None:
    whole = seeds[seed]
    folder = tmp_path / "work"
    folder.mkdir()
    mutant = folder / "mutant"
    mutant.write_bytes(_mutant(whole.read_bytes(), number))
    verdict = _verdict(mutant, folder / "out.mp4", _secrets(whole))
    assert number or verdict == "rendered"


# -- pictures -----------------------------------------------------------------------


def _still(path: Path, form: str) -> Path:
    """A picture that tells who and where in every way it can, turned by its EXIF."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010E], exif[0x013B] = 6, SECRET, SECRET
    exif.get_ifd(0x8825)[1] = SECRET
    options = {"quality": 90, "comment": SECRET.encode()} if form == "JPEG" else {}
    Image.fromarray(_person(0, SIDE, SIDE)).save(path, form, exif=exif, **options)
    return path


def _hidden(source: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Where the finished picture must be black: well inside the mask, turned as the source asks for."""
    area = Image.new("L", source.size)
    edges = (BOX.left + INSET, BOX.top + INSET, BOX.right - INSET, BOX.bottom - INSET)
    area.paste(255, tuple(int(edge) for edge in edges))  # type: ignore[arg-type]
    area.getexif()[0x0112] = source.getexif().get(0x0112, 1)
    return np.asarray(ImageOps.exif_transpose(area)) > 0


@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_mutated_picture_is_refused_or_says_nothing_but_what_it_shows(
    form: str, number: int, tmp_path: Path
) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.write_bytes(_mutant(_still(tmp_path / "in", form).read_bytes(), number))
    try:
        redact_picture(source, [Mask(BOX)], out)
    except (Unreadable, NotReleased) as error:
        assert number
        _refused(source, str(error))
        return
    assert SECRET.encode() not in out.read_bytes()
    with Image.open(source) as before, Image.open(out) as after:
        assert len(after.getexif()) == 0
        assert not {"exif", "comment", "icc_profile", "xmp", "photoshop", "Description"} & after.info.keys()
        pixels = np.asarray(after)
        area = _hidden(before)
    assert area.shape == pixels.shape[:2]
    assert pixels[area].max(initial=0) <= FILL_LEVEL
