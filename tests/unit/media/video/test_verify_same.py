"""What of a copy is not decoded again: only what is proved to be the source's own pictures, byte for byte."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media.errors import Unreadable
from media.page import as_text
from media.video.detect.port import DetectorFacts
from media.video.mask_table import table_of
from media.video.masks import Box, MaskPlan
from media.video.nal import SPS, kind, parse_avcc
from media.video.render.model import FrameRange
from media.video.render.render import render
from media.video.verify.boxes import sample_places, walk
from media.video.verify.model import Kind, VerifyReport
from media.video.verify.report import page_of
from media.video.verify.same import UNPROVED, Part, prove
from media.video.verify.second_look import Known, SecondLook, Sight
from media.video.verify.verify import verify
from tests.fakes.bright_finder import BrightFinder
from tests.golden.clips import hide, write_clip

BOX = (16.0, 8.0, 56.0, 40.0)
FRAMES, GROUP = 48, 8
PLAN = hide(range(20, 22), BOX)
CLOSED = {"g": "8", "bf": "2", "x264-params": "open-gop=0:scenecut=0"}
#: The group of the masks is encoded, and both its neighbours are decoded with it.
MIXED = (Part(0, 8, is_same=True), Part(8, 32, is_same=False), Part(32, 48, is_same=True))
Pair = tuple[Path, Path]


def _copied(folder: Path, plan: MaskPlan, source: Path) -> Pair:
    render(source, plan, folder / "out.mp4", looked_at=[FrameRange(0, FRAMES)])
    return source, folder / "out.mp4"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A source of six closed groups, and its copy, of which all but the third are the source's packets."""
    folder = tmp_path_factory.mktemp("same")
    return _copied(folder, PLAN, write_clip(folder / "in.mp4", frames=FRAMES, options=CLOSED))


def _parts(pair: Pair, plan: MaskPlan = PLAN, frames: int = FRAMES) -> tuple[Part, ...]:
    return prove(*pair, table_of(plan), frames).parts


def _changed(path: Path, target: Path, change: Callable[[bytearray], None]) -> Path:
    data = bytearray(path.read_bytes())
    change(data)
    target.write_bytes(data)
    return target


def _at_packet(path: Path, number: int, skip: int, flip: int) -> Callable[[bytearray], None]:
    """Flips bits of one byte of a packet of the picture."""
    (track,) = [one for one in walk(path).tracks if one.handler == "vide"]
    at = int(sample_places(track)[0][number]) + skip

    def change(data: bytearray) -> None:
        data[at] ^= flip

    return change


# -- the proof --------------------------------------------------------------------


def test_what_was_copied_is_proved_and_every_seam_is_decoded_from_both_sides(pair: Pair) -> None:
    assert _parts(pair) == MIXED


def test_the_source_is_the_source(pair: Pair, tmp_path: Path) -> None:
    assert _parts(_copied(tmp_path, MaskPlan({}), pair[0]), MaskPlan({})) == (Part(0, 48, is_same=True),)


@given(st.sets(st.integers(0, FRAMES - 1), max_size=4))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_frame_with_a_mask_is_ever_taken_for_proved(pair: Pair, masked: set[int]) -> None:
    parts = _parts(pair, MaskPlan({frame: hide(range(1), BOX).frames[0] for frame in masked}))
    assert [part.first for part in parts] == [0, *(part.end for part in parts[:-1])]
    assert parts[-1].end == FRAMES
    for part in parts:
        if part.is_same:
            around = range(part.first - GROUP, part.end + GROUP)
            assert not masked & set(around)
            assert not set(range(16, 24)) & set(range(part.first, part.end))


@pytest.mark.parametrize("frames", [47, 49])
def test_nothing_is_proved_where_packets_are_not_frames(pair: Pair, frames: int) -> None:
    assert _parts(pair, frames=frames) == UNPROVED.parts


def test_one_changed_bit_of_a_copied_picture_undoes_the_proof_around_it(pair: Pair, tmp_path: Path) -> None:
    other = _changed(pair[1], tmp_path / "spoilt.mp4", _at_packet(pair[1], 41, 20, 0x10))
    assert _parts((pair[0], other)) == (MIXED[0], Part(8, 48, is_same=False))


def test_a_picture_that_is_no_idr_any_more_undoes_it(pair: Pair, tmp_path: Path) -> None:
    """0x65, an IDR slice, becomes 0x61: the first picture of a group would be a mere recovery point."""
    other = _changed(pair[1], tmp_path / "spoilt.mp4", _at_packet(pair[1], 40, 4, 0x04))
    assert _parts((pair[0], other)) == (MIXED[0], Part(8, 48, is_same=False))


def test_files_that_are_equal_but_do_not_begin_with_an_idr_are_decoded(pair: Pair, tmp_path: Path) -> None:
    source, copy = _copied(tmp_path, MaskPlan({}), pair[0])
    start = _at_packet(source, 0, _first_slice(source), 0x04)
    both = (
        _changed(source, tmp_path / "a.mp4", start),
        _changed(copy, tmp_path / "b.mp4", _at_packet(copy, 0, 4, 0x04)),
    )
    assert _parts(both, MaskPlan({})) == UNPROVED.parts


def _first_slice(path: Path) -> int:
    """Where the type of the first slice stands in the first packet, behind what the encoder says of itself."""
    with av.open(path) as container:
        data = bytes(next(packet for packet in container.demux(video=0) if packet.size))
    at = 0
    while kind(data[at + 4 :]) != 5:
        at += 4 + int.from_bytes(data[at : at + 4], "big")
    return at + 4


def _set_of(path: Path) -> bytes:
    with av.open(path) as container:
        headers = parse_avcc(container.streams.video[0].codec_context.extradata or b"")
    return next(unit for unit in headers.sets if kind(unit) == SPS)


@pytest.mark.parametrize("whose", [0, 1], ids=["source", "copy"])
@pytest.mark.parametrize("place", [3, -2])
def test_a_parameter_set_that_differs_in_one_bit_undoes_all(
    pair: Pair, tmp_path: Path, whose: int, place: int
) -> None:
    header = _set_of(pair[0])

    def change(data: bytearray) -> None:
        at = data.index(header)
        data[at + place % len(header)] ^= 0x01

    both = list(pair)
    both[whose] = _changed(pair[whose], tmp_path / "spoilt.mp4", change)
    assert _parts((both[0], both[1])) == UNPROVED.parts


def test_a_parameter_set_within_the_pictures_that_is_not_the_headers_undoes_all(tmp_path: Path) -> None:
    """It would hold for every later picture of the source, and the copy does not have it."""
    source = write_clip(
        tmp_path / "in.mp4",
        frames=FRAMES,
        options={**CLOSED, "x264-params": "open-gop=0:scenecut=0:repeat-headers=1"},
    )
    same = _copied(tmp_path, PLAN, source)
    assert _parts(same) == MIXED
    header = _set_of(source)

    def change(data: bytearray) -> None:
        at = [found.start() for found in re.finditer(re.escape(header), bytes(data))]
        inside = [one for one in at if data[one - 4 : one] == len(header).to_bytes(4, "big")]
        data[inside[1] + 3] ^= 0x01

    other = _changed(source, tmp_path / "spoilt.mp4", change)
    assert _parts((other, same[1])) == UNPROVED.parts


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (rb"x264 - core \d+", b"x264 - core 033"),
        (rb"\x06\x05(?=.{16,22}x264)", b"\x06\x13"),
        (rb"\x06\x05(?=.{16,22}x264)", b"\x0d\x05"),
    ],
    ids=["an encoder whose faults are imitated", "film grain", "an extension of the header"],
)
def test_what_some_decoder_heeds_beside_the_pictures_undoes_all(
    pair: Pair, tmp_path: Path, old: bytes, new: bytes
) -> None:
    def change(data: bytearray) -> None:
        replaced = re.sub(old, new, bytes(data), count=1, flags=re.DOTALL)
        assert len(replaced) == len(data)
        assert replaced != data
        data[:] = replaced

    assert _parts((_changed(pair[0], tmp_path / "odd.mp4", change), pair[1])) == UNPROVED.parts


def _later(data: bytearray) -> None:
    """One of the durations in the table of times grows by a tick."""
    at = data.index(b"stts") + 4 + 4 + 4 + 4 + 3
    data[at] += 1


def test_times_that_moved_undo_the_proof_from_there_on(pair: Pair, tmp_path: Path) -> None:
    assert _parts((pair[0], _changed(pair[1], tmp_path / "late.mp4", _later))) != MIXED


@pytest.mark.parametrize(
    "made",
    [
        {"options": {"x264-params": "open-gop=1:keyint=8:bframes=3:b-adapt=0:scenecut=0"}},
        {"codec": "libx265", "options": {"x265-params": "log-level=none"}},
        {"codec": "mpeg4"},
        {"pix_fmt": "yuv444p", "options": CLOSED},
        {"container": "mpegts", "options": CLOSED},
        {"options": {"bf": "0", "g": "8"}, "times": [n * 10 - 40 for n in range(FRAMES)]},
    ],
    ids=["open groups", "HEVC", "MPEG-4", "4:4:4", "no header", "edit list"],
)
def test_forms_in_which_nothing_is_proved_not_even_of_the_file_itself(
    tmp_path: Path, made: dict[str, object]
) -> None:
    clip = write_clip(tmp_path / "in", frames=FRAMES, **made)  # type: ignore[arg-type]
    assert not any(part.is_same for part in _parts((clip, clip), MaskPlan({})))


# -- the look ----------------------------------------------------------------------

BY = DetectorFacts("bright spots", "1", "0" * 64, "face", 0.5)
LOOK = SecondLook(partial(BrightFinder, 254), angles=(0,))
SPOT = Box(60.0, 30.0, 80.0, 50.0)


def _known(source: Path, sights: Sequence[Sight] = ()) -> Known:
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    return Known(digest, FRAMES, BY, 6, 96, (0,), tuple(sights))


def _verify(pair: Pair, known: Known | None, plan: MaskPlan = PLAN) -> VerifyReport:
    return verify(*pair, plan, sound=None, second_look=replace(LOOK, known=known))


def test_a_look_that_decodes_less_says_the_same_and_how_much_it_decoded(pair: Pair) -> None:
    whole, quick = _verify(pair, None), _verify(pair, _known(pair[0]))
    assert (whole.proved, quick.proved) == (0, 24)
    assert quick.second_look is not None
    assert whole.second_look is not None
    assert quick.second_look.known == 5, "frames 0, 6, 36, 42, and the last one"
    assert whole.second_look.frames + whole.second_look.unchanged == 9
    assert quick.second_look.frames + quick.second_look.unchanged == 4
    assert replace(quick, proved=0, second_look=None) == replace(whole, second_look=None)
    said = as_text(page_of(quick, "en"))
    assert "24 of 48 frames" in said
    assert "decoded again" in said
    assert "24" in as_text(page_of(quick, "ja"))


def test_whoever_was_seen_in_the_source_and_forgotten_is_found_in_the_copy(pair: Pair) -> None:
    report = _verify(pair, _known(pair[0], [Sight(36, 42, ((SPOT, 0.9),))]))
    assert [(one.kind, one.frame, one.box) for one in report.findings] == [
        (Kind.SEEN, 36, SPOT),
        (Kind.SEEN, 42, SPOT),
    ]


def test_whoever_was_seen_in_the_source_and_stays_by_decision_is_counted(pair: Pair) -> None:
    look = replace(LOOK, known=_known(pair[0], [Sight(36, 42, ((SPOT, 0.9),))]))
    report = verify(*pair, PLAN, sound=None, second_look=look, kept={n: [SPOT] for n in range(32, 48)})
    assert report.is_clean
    assert report.second_look is not None
    assert (report.second_look.hits, report.second_look.kept) == (2, 2)


def test_what_the_look_itself_would_not_report_is_no_finding(pair: Pair) -> None:
    assert _verify(pair, _known(pair[0], [Sight(36, 42, ((SPOT, 0.4),))])).is_clean


def test_a_mask_that_was_forgotten_in_a_copied_group_is_found(pair: Pair) -> None:
    more = MaskPlan({**PLAN.frames, **hide(range(40, 41), BOX).frames})
    report = _verify(pair, _known(pair[0]), more)
    assert {(one.kind, one.frame) for one in report.findings} == {(Kind.UNDER_MASK, 40)}


def test_moved_times_are_found(pair: Pair, tmp_path: Path) -> None:
    late = _changed(pair[1], tmp_path / "late.mp4", _later)
    assert {one.kind for one in _verify((pair[0], late), _known(pair[0])).findings} == {Kind.TIMES}


@pytest.mark.parametrize("number", [32, 40])
def test_a_copied_picture_that_was_exchanged_is_found(pair: Pair, tmp_path: Path, number: int) -> None:
    """The bytes of another picture stand in its place."""

    def change(data: bytearray) -> None:
        (track,) = [one for one in walk(pair[1]).tracks if one.handler == "vide"]
        starts, sizes = sample_places(track)
        start, size = int(starts[number]) + 12, int(sizes[number]) - 12
        data[start : start + size] = bytes(255 - byte for byte in data[start : start + size])

    other = _changed(pair[1], tmp_path / "spoilt.mp4", change)
    try:
        report = _verify((pair[0], other), _known(pair[0]))
    except Unreadable:
        return
    assert not report.is_clean


@pytest.mark.parametrize(
    "changes",
    [
        {"source_sha256": "f" * 64},
        {"by": replace(BY, sha256="1" * 64)},
        {"by": replace(BY, version="2")},
        {"by": replace(BY, threshold=0.6)},
        {"by": replace(BY, threshold=None)},
        {"every_frames": 4},
        {"every_frames": 12},
        {"angles": (90,)},
        {"width_px": 64},
    ],
)
def test_what_another_search_knows_is_not_believed(pair: Pair, changes: dict[str, object]) -> None:
    known = _known(pair[0])
    look = replace(LOOK, known=replace(known, **changes))  # type: ignore[arg-type]
    assert look.knows(known.source_sha256, BY, (96, 64)) is None


@pytest.mark.parametrize(
    "changes", [{}, {"by": replace(BY, threshold=0.2)}, {"every_frames": 3}, {"angles": (0, 90)}]
)
def test_what_a_search_knows_that_looked_as_well_or_better_is(pair: Pair, changes: dict[str, object]) -> None:
    known = replace(_known(pair[0]), **changes)  # type: ignore[arg-type]
    assert replace(LOOK, known=known).knows(known.source_sha256, BY, (96, 64)) == known


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9)), max_size=5), st.sets(st.integers(0, 60)))
def test_what_is_known_of_a_frame_is_what_was_seen_in_it(
    runs: list[tuple[int, int]], frames: set[int]
) -> None:
    sights, at = list[Sight](), 0
    for gap, length in runs:
        sights.append(Sight(at + gap, at + gap + length, ((SPOT, float(len(sights))),)))
        at += gap + length + 1
    known = Known("", 100, BY, 1, 96, (0,), tuple(sights))
    expected = {
        frame: [hit for sight in sights if sight.first <= frame <= sight.last for hit in sight.hits]
        for frame in sorted(frames)
    }
    assert dict(known.hits_in(sorted(frames))) == expected
