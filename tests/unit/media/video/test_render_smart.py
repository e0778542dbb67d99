"""Smart rendering: what hides nothing and was looked at is copied bit for bit, and only where that is safe."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest

from media.process import local_url
from media.tools import find_ffmpeg
from media.video.masks import MaskPlan
from media.video.nal import PICTURE, SPS, kind, parse_avcc, units
from media.video.render.model import FrameRange, RenderResult, Smart
from media.video.render.render import render
from media.video.verify.verify import verify
from tests.golden.clips import Sound, decoded, hide, luma, shown_at, write_clip

BOX = (16.0, 8.0, 56.0, 40.0)
CLOSED = {"g": "8", "bf": "2", "x264-params": "open-gop=0:scenecut=0"}
ALL = [FrameRange(0, 48)]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 frames in six closed groups of eight."""
    return write_clip(
        tmp_path_factory.mktemp("smart") / "in.mp4", frames=48, options=CLOSED, sounds=[Sound()]
    )


def _render(
    source: Path, target: Path, plan: MaskPlan, looked_at: Sequence[FrameRange] = ALL
) -> RenderResult:
    return render(source, plan, target, looked_at=looked_at)


def _slices(path: Path) -> list[bytes]:
    """The compressed pictures, in presentation order."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        length = parse_avcc(stream.codec_context.extradata or b"").length_bytes
        found = [
            (packet.pts or 0, b"".join(u for u in units(bytes(packet), length) if kind(u) in PICTURE))
            for packet in container.demux(stream)
            if packet.size
        ]
    return [data for _, data in sorted(found)]


def _same(source: Path, target: Path) -> list[int]:
    return [n for n, (a, b) in enumerate(zip(_slices(source), _slices(target), strict=True)) if a == b]


@pytest.mark.parametrize(
    ("hidden", "copied"),
    [
        (range(20, 22), [*range(16), *range(24, 48)]),
        (range(1), [*range(8, 48)]),
        (range(47, 48), [*range(40)]),
        (range(15, 17), [*range(8), *range(24, 48)]),
        (range(0), [*range(48)]),
    ],
)
def test_only_groups_that_hide_something_are_encoded_again(
    source: Path, tmp_path: Path, hidden: range, copied: list[int]
) -> None:
    result = _render(source, tmp_path / "out.mp4", hide(hidden, BOX))
    assert result.copied_frames == len(copied)
    assert _same(source, tmp_path / "out.mp4") == copied
    assert shown_at(source) == shown_at(tmp_path / "out.mp4")
    report = verify(source, tmp_path / "out.mp4", hide(hidden, BOX), sound=source)
    assert report.findings == ()
    before, after = decoded(source), decoded(tmp_path / "out.mp4")
    assert all((luma(before[n]) == luma(after[n])).all() for n in copied)
    assert all(luma(after[n])[12:36, 20:52].max() < 40 for n in hidden)


@pytest.mark.parametrize(
    ("looked_at", "copied"),
    [
        ([], 0),
        ([FrameRange(0, 7)], 0),
        ([FrameRange(0, 8)], 8),
        ([FrameRange(4, 8), FrameRange(0, 5)], 8),
        ([FrameRange(0, 4), FrameRange(5, 8)], 0),
        ([FrameRange(9, 30)], 8),
    ],
)
def test_a_group_of_which_one_frame_was_not_looked_at_is_never_copied(
    source: Path, tmp_path: Path, looked_at: list[FrameRange], copied: int
) -> None:
    assert _render(source, tmp_path / "out.mp4", hide(range(47, 48), BOX), looked_at).copied_frames == copied


def test_copying_can_be_switched_off(source: Path, tmp_path: Path) -> None:
    assert (
        render(source, MaskPlan({}), tmp_path / "o.mp4", looked_at=ALL, smart=Smart.NEVER).copied_frames == 0
    )


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"codec": "libx265", "options": {"x265-params": "log-level=none"}}, "not H.264"),
        ({"codec": "mpeg4"}, "not H.264"),
        ({"pix_fmt": "yuv422p"}, "4:2:0"),
        ({"container": "mpegts"}, "avcC"),
        ({"options": {"bf": "0", "g": "8"}, "times": [n * 10 - 40 for n in range(48)]}, "edit list"),
        (
            {"options": {"x264-params": "open-gop=1:keyint=8:bframes=3:b-adapt=0:scenecut=0"}},
            "IDR|no stretch",
        ),
    ],
)
def test_where_the_proof_fails_the_whole_file_is_encoded_and_the_note_says_why(
    tmp_path: Path, options: dict[str, object], why: str
) -> None:
    clip = write_clip(tmp_path / "in", frames=48, **options)  # type: ignore[arg-type]
    result = _render(clip, tmp_path / "out.mp4", hide(range(40, 41), BOX))
    assert result.copied_frames == 0
    assert any(re.search(why, note) for note in result.notes), result.notes


def test_what_the_source_tells_beside_its_pictures_is_left_out_of_copied_groups(tmp_path: Path) -> None:
    clip = write_clip(
        tmp_path / "in.mp4",
        frames=48,
        options={
            **CLOSED,
            "x264-params": "open-gop=0:scenecut=0:aud=1:nal-hrd=vbr",
            "maxrate": "1M",
            "bufsize": "1M",
        },
    )
    assert b"x264 - core" in clip.read_bytes()
    result = _render(clip, tmp_path / "out.mp4", hide(range(20, 21), BOX))
    assert result.copied_frames == 40
    assert b"x264" not in tmp_path.joinpath("out.mp4").read_bytes()
    assert verify(clip, tmp_path / "out.mp4", hide(range(20, 21), BOX), sound=None).is_clean


def test_ffmpeg_shows_every_frame_of_a_mixed_file_without_a_complaint(source: Path, tmp_path: Path) -> None:
    _render(source, tmp_path / "out.mp4", hide(range(20, 22), BOX))
    arguments = ["-v", "warning", "-i", local_url(tmp_path / "out.mp4"), "-map", "0:v"]
    done = subprocess.run(
        [str(find_ffmpeg().path), *arguments, "-f", "rawvideo", "-pix_fmt", "gray", "-"],
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == b""
    frames = np.frombuffer(done.stdout, np.uint8).reshape(-1, 64, 96)
    assert len(frames) == 48


@pytest.mark.parametrize("at", [0.1, 1.3, 1.75, 2.6, 3.9])
def test_seeking_in_a_mixed_file_arrives_at_the_right_picture(
    source: Path, tmp_path: Path, at: float
) -> None:
    _render(source, tmp_path / "out.mp4", hide(range(20, 22), BOX))
    found = []
    for path in (source, tmp_path / "out.mp4"):
        with av.open(path) as container:
            container.seek(int(at * 1_000_000))
            found.append(next(container.decode(video=0)))
    assert found[0].time == found[1].time
    assert np.abs(luma(found[0]).astype(int) - luma(found[1]))[:, 66:].mean() < 3


def test_nothing_is_copied_of_a_recording_whose_header_changes_on_the_way(tmp_path: Path) -> None:
    """The other header would hold for every later picture, and the copy would not have it."""
    clip = write_clip(
        tmp_path / "in.mp4",
        frames=48,
        options={**CLOSED, "x264-params": "open-gop=0:scenecut=0:repeat-headers=1"},
    )
    assert _render(clip, tmp_path / "same.mp4", hide(range(20, 21), BOX)).copied_frames == 40
    with av.open(clip) as container:
        sets = parse_avcc(container.streams.video[0].codec_context.extradata or b"").sets
    header = next(unit for unit in sets if kind(unit) == SPS)
    data = bytearray(clip.read_bytes())
    inside = [
        found.start() + 4
        for found in re.finditer(re.escape(len(header).to_bytes(4, "big") + header), bytes(data))
    ]
    data[inside[1] + 3] ^= 0x01  # a level that nobody heeds
    clip.write_bytes(data)
    result = _render(clip, tmp_path / "out.mp4", hide(range(20, 21), BOX))
    assert result.copied_frames == 0
    assert any("header changes" in note for note in result.notes)
