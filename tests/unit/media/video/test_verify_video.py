"""The second look: every way in which a copy can tell too much is found, and a clean one passes."""

import re
import shutil
import struct
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.errors import NotReleased, Unreadable
from media.note import Language
from media.page import as_html, as_text
from media.video.masks import Box, MaskPlan, Style
from media.video.release import release
from media.video.render.model import Audio
from media.video.render.render import render
from media.video.verify.boxes import walk
from media.video.verify.looks import turned_back
from media.video.verify.model import Kind, VerifyReport
from media.video.verify.report import page_of
from media.video.verify.second_look import SecondLook, covered_share, is_hidden, is_kept
from media.video.verify.verify import from_json, to_json, verify
from tests.fakes.bright_finder import BrightFinder
from tests.golden.clips import Sound, hide, write_clip

BOX = (16.0, 8.0, 56.0, 40.0)
PLAN = hide(range(12), BOX)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A source with sound, and its clean copy."""
    folder = tmp_path_factory.mktemp("verify")
    source = write_clip(folder / "in.mp4", frames=12, sounds=[Sound()])
    render(source, PLAN, folder / "out.mp4")
    return source, folder / "out.mp4"


def _kinds(report: VerifyReport) -> set[Kind]:
    return {finding.kind for finding in report.findings}


def test_a_clean_copy_passes(pair: tuple[Path, Path]) -> None:
    report = verify(*pair, PLAN, sound=pair[0])
    assert report.is_clean
    assert (report.frames, report.masks, report.sound) == (12, 12, "identical")
    assert report.worst_fill_error < 2
    assert report.psnr_db is not None
    assert report.psnr_db > 40


def test_a_mask_that_was_not_painted_is_found(pair: tuple[Path, Path]) -> None:
    more = hide(range(12), BOX, (60.0, 8.0, 90.0, 40.0))
    report = verify(*pair, more, sound=pair[0])
    assert _kinds(report) == {Kind.UNDER_MASK}
    assert {finding.frame for finding in report.findings} == set(range(12))


def test_blur_is_not_taken_for_a_mask(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    """Every pixel under the mask is a blurred one: the fill is not there."""
    import cv2  # noqa: PLC0415 - only here

    from tests.golden.clips import scene  # noqa: PLC0415 - only here

    def blurred(number: int, width: int, height: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        picture = scene(number, width, height)
        picture[8:40, 16:56] = cv2.GaussianBlur(picture[8:40, 16:56], (0, 0), 9)
        return picture

    copy = write_clip(tmp_path / "blurred.mp4", frames=12, draw=blurred)
    assert Kind.UNDER_MASK in _kinds(verify(pair[0], copy, PLAN, sound=None))


def test_a_mosaic_passes_as_what_it_is_and_is_counted(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    plan = hide(range(12), BOX, style=Style.MOSAIC)
    render(pair[0], plan, tmp_path / "out.mp4")
    report = verify(pair[0], tmp_path / "out.mp4", plan, sound=pair[0])
    assert report.is_clean
    assert report.weaker_masks == 12
    assert "weaker than a fill" in as_text(page_of(report, "en"))
    assert Kind.UNDER_MASK in _kinds(
        verify(pair[0], pair[1], hide(range(12), (0, 0, 96, 64), style=Style.MOSAIC), sound=pair[0])
    )


def test_another_video_is_not_taken_for_a_copy(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    other = write_clip(
        tmp_path / "other.mp4", frames=12, draw=lambda n, w, h: np.full((h, w, 3), 20 * n, np.uint8)
    )
    assert Kind.OUTSIDE in _kinds(verify(pair[0], other, MaskPlan({}), sound=None))


@pytest.mark.parametrize(
    ("frames", "times"),
    [(11, None), (13, None), (12, [*range(0, 110, 10), 111])],
    ids=["fewer", "more", "late"],
)
def test_a_copy_with_other_frames_or_times_is_refused(
    tmp_path: Path, pair: tuple[Path, Path], frames: int, times: list[int] | None
) -> None:
    other = write_clip(tmp_path / "other.mp4", frames=frames, times=times)
    assert Kind.TIMES in _kinds(verify(pair[0], other, MaskPlan({}), sound=None))


def test_sound_that_should_not_be_there_is_found_and_sound_that_is_missing_too(
    tmp_path: Path, pair: tuple[Path, Path]
) -> None:
    assert _kinds(verify(*pair, PLAN, sound=None)) == {Kind.SOUND}
    other = write_clip(tmp_path / "other.mp4", frames=12, sounds=[Sound(tone_hz=99)])
    assert _kinds(verify(*pair, PLAN, sound=other)) == {Kind.SOUND}
    render(pair[0], PLAN, tmp_path / "silent.mp4", audio=Audio.DROP)
    assert _kinds(verify(pair[0], tmp_path / "silent.mp4", PLAN, sound=pair[0])) == {Kind.SOUND}


# -- the container --------------------------------------------------------------


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content


def _append(kind: bytes, content: bytes) -> Callable[[bytearray], None]:
    return lambda data: data.extend(_box(kind, content))


def _grow_media(data: bytearray) -> None:
    """Bytes at the end of mdat that belong to no sample."""
    at = data.index(b"mdat") - 4
    data[at : at + 4] = struct.pack(">I", int.from_bytes(data[at : at + 4], "big") + 16)
    data += b"an unused sample"


def _write_at(mark: bytes, skip: int, content: bytes) -> Callable[[bytearray], None]:
    def change(data: bytearray) -> None:
        at = data.index(mark) + skip
        data[at : at + len(content)] = content

    return change


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_append(b"uuid", b"\1" * 40), "a box 'uuid'"),
        (_append(b"free", b"hidden words"), r"unused space \(free\) is not empty"),
        (_append(b"meta", b"\0" * 20), "a box 'meta'"),
        (_append(b"mdat", b"another picture"), "belong to no sample"),
        (_grow_media, "belong to no sample"),
        (_write_at(b"mvhd", 8, b"\xe0\x01\x02\x03"), "when it was made"),
        (_write_at(b"tkhd", 8, b"\xe0\x01\x02\x03"), "when it was made"),
        (_write_at(b"mdhd", 24, b"\x2a\x0e"), "names a language"),
        (_write_at(b"VideoHandler", 0, b"Lobby camera"), "has a name"),
        (_write_at(b"avc1\0\0\0\0\0\0\0\1", 46, b"\x04Acme"), "names its encoder"),
        (_write_at(b"btrt", 0, b"prof"), "does not belong there"),
        (_write_at(b"isomiso2", 0, b"qt  iso2"), "brands"),
        (_write_at(b"elst", 12, struct.pack(">I", 500)), "hides a part"),
        (_write_at(b"stsz", 8, struct.pack(">I", 2**31)), "broken"),
        (_write_at(b"stts", 12, struct.pack(">I", 99)), "broken"),
        (_write_at(b"stco", 8, struct.pack(">I", 9)), "broken"),
        (_write_at(b"moov", -4, struct.pack(">I", 7)), "impossible size"),
    ],
)
def test_whatever_is_in_the_file_beside_picture_and_sound_is_found(
    tmp_path: Path, pair: tuple[Path, Path], spoil: Callable[[bytearray], None], why: str
) -> None:
    data = bytearray(pair[1].read_bytes())
    spoil(data)
    (tmp_path / "spoilt.mp4").write_bytes(data)
    found = walk(tmp_path / "spoilt.mp4")
    assert found.faults
    assert any(re.search(why, fault.text) for fault in found.faults), found.faults


def test_words_beside_the_picture_are_found(pair: tuple[Path, Path]) -> None:
    """The source itself: x264 writes its settings into the first packet, and FFmpeg its name into the tags."""
    report = verify(pair[0], pair[0], MaskPlan({}), sound=pair[0])
    assert _kinds(report) == {Kind.CONTAINER}


@given(st.binary(max_size=300))
def test_the_walk_survives_any_bytes(data: bytes) -> None:
    import tempfile  # noqa: PLC0415 - a fixture would be shared by all examples

    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        assert walk(Path(file.name)) is not None


# -- somebody is seen -------------------------------------------------------------


def _bright_spot(number: int, width: int, height: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Somebody, as the fake detector sees people: a bright square that moves right."""
    picture = np.full((height, width, 3), 60, np.uint8)
    picture[20:36, 10 + 3 * number : 26 + 3 * number] = 240
    return picture


def _spots(frames: range) -> dict[int, list[Box]]:
    return {n: [Box(8 + 3 * n, 18, 28 + 3 * n, 38)] for n in frames}


LOOK = SecondLook(partial(BrightFinder, 200), every_frames=1)


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("walker") / "in.mp4", frames=12, draw=_bright_spot)


def _plan(boxes: dict[int, list[Box]]) -> MaskPlan:
    from media.video.masks import Mask  # noqa: PLC0415 - only here

    return MaskPlan({frame: [Mask(box) for box in some] for frame, some in boxes.items()})


def test_somebody_whom_every_mask_covers_is_released(tmp_path: Path, walker: Path) -> None:
    done = release(walker, _plan(_spots(range(12))), tmp_path / "out.mp4", second_look=LOOK)
    assert (tmp_path / "out.mp4").exists()
    assert done.verified.second_look is not None
    assert done.verified.second_look.frames == 12
    assert done.verified.second_look.name == "bright spots"


def test_a_single_frame_without_a_mask_releases_nothing(tmp_path: Path, walker: Path) -> None:
    reports: list[VerifyReport] = []
    leaky = _plan({n: boxes for n, boxes in _spots(range(12)).items() if n != 7})
    with pytest.raises(NotReleased, match="in frame 7 somebody may be visible"):
        release(walker, leaky, tmp_path / "out.mp4", second_look=LOOK, on_report=reports.append)
    assert list(tmp_path.iterdir()) == []
    assert {finding.frame for finding in reports[0].findings} == {7}


def test_somebody_who_stays_visible_by_decision_is_no_finding(tmp_path: Path, walker: Path) -> None:
    done = release(walker, MaskPlan({}), tmp_path / "out.mp4", second_look=LOOK, kept=_spots(range(12)))
    assert done.verified.second_look is not None
    assert done.verified.second_look.kept == done.verified.second_look.hits > 0


def test_a_second_look_that_cannot_be_sent_is_refused_in_words(walker: Path) -> None:
    with pytest.raises(ValueError, match="not by a lambda"):
        verify(walker, walker, MaskPlan({}), sound=None, second_look=SecondLook(lambda: BrightFinder(1)))


boxes = st.builds(
    lambda x, y, w, h: Box(x, y, x + w, y + h),
    st.floats(0, 80),
    st.floats(0, 80),
    st.floats(1, 40),
    st.floats(1, 40),
)


@given(boxes, st.lists(boxes, max_size=5))
def test_the_share_under_masks_is_between_the_largest_mask_and_the_sum(
    hit: Box, masks: Sequence[Box]
) -> None:
    share = covered_share(hit, list(masks))
    single = [mask.overlap(hit) / hit.area for mask in masks]
    assert max([0.0, *single]) - 1e-6 <= share <= min(1.0, sum(single)) + 1e-6
    assert is_hidden(hit, list(masks)) == (share >= 0.5)


@given(boxes, st.sampled_from([0, 90, 180, 270]))
def test_a_hit_in_a_turned_picture_comes_back_to_where_it_was(box: Box, angle: int) -> None:
    picture = np.zeros((140, 160), np.uint8)
    rows = slice(int(box.top), max(int(box.top) + 1, int(box.bottom)))
    columns = slice(int(box.left), max(int(box.left) + 1, int(box.right)))
    picture[rows, columns] = 255
    turned = np.rot90(picture, -(angle // 90))
    at = np.argwhere(turned)
    seen = Box(
        float(at[:, 1].min()), float(at[:, 0].min()), float(at[:, 1].max() + 1), float(at[:, 0].max() + 1)
    )
    back = turned_back(seen, angle, 160, 140)
    assert (back.left, back.top, back.right, back.bottom) == (
        columns.start,
        rows.start,
        columns.stop,
        rows.stop,
    )


def test_a_kept_box_may_be_drawn_a_little_off() -> None:
    assert is_kept(Box(10, 10, 20, 20), [Box(12, 12, 22, 22)])
    assert not is_kept(Box(10, 10, 20, 20), [Box(40, 40, 50, 50)])


# -- the report --------------------------------------------------------------------


def test_the_report_survives_json(pair: tuple[Path, Path]) -> None:
    report = verify(*pair, PLAN, sound=None)
    assert from_json(to_json(report)) == report


def test_the_page_claims_nothing_that_was_found_to_be_false(pair: tuple[Path, Path]) -> None:
    clean = as_text(page_of(verify(*pair, PLAN, sound=pair[0]), "en"))
    dirty = as_text(page_of(verify(pair[0], pair[0], PLAN, sound=None), "en"))
    assert "nothing but picture and sound" in clean
    assert "nothing but picture and sound" not in dirty
    assert "each holds its fill" not in dirty
    assert "must not be released" in dirty
    for page in (clean, dirty):
        assert "Nobody was searched for" in page
        assert "Watch the copy once" in page


def test_the_page_is_one_document_in_two_languages_that_loads_nothing(pair: tuple[Path, Path]) -> None:
    report = verify(*pair, PLAN, sound=pair[0])
    words: dict[Language, str] = {"en": "Second look", "ja": "再検査"}
    for language, word in words.items():
        page = as_html(page_of(report, language))
        assert word in page
        assert f'lang="{language}"' in page
        assert "http" not in page
        assert "<script" not in page


def test_a_copy_that_cannot_be_decoded_is_not_verified(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    shutil.copy(pair[1], tmp_path / "cut.mp4")
    (tmp_path / "cut.mp4").write_bytes(pair[1].read_bytes()[:-900])
    try:
        report = verify(pair[0], tmp_path / "cut.mp4", PLAN, sound=pair[0])
    except Unreadable:
        return
    assert not report.is_clean
