"""Rendering whole videos: masks hold, everything else stays, and nothing comes along."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.codec.context import Flags
from av.video.stream import VideoStream

from media.errors import Cancelled, ToolFailed, Unreadable
from media.video.masks import MaskPlan, Style
from media.video.render.model import Audio, RenderResult, ReplaceAudio
from media.video.render.render import render
from media.video.verify.boxes import walk
from tests.golden.clips import (
    Sound,
    decoded,
    hide,
    length_s,
    luma,
    psnr_db,
    scene,
    shown_at,
    write_clip,
)

BOX = (16.0, 8.0, 56.0, 40.0)
INSIDE = np.s_[12:36, 20:52]
OUTSIDE = np.s_[0:64, 66:96]
PLAN = hide(range(24), BOX)


def _checked(source: Path, target: Path, plan: MaskPlan = PLAN, **options: object) -> RenderResult:
    """Render, and check what holds for every video."""
    result = render(source, plan, target, **options)  # type: ignore[arg-type]
    before, after = decoded(source), decoded(target)
    assert result.frames == len(before) == len(after)
    assert shown_at(source) == shown_at(target)
    assert walk(target).faults == []
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        assert (new.width, new.height) == (old.width, old.height)
        if plan.at(number):
            black = 0 if new.color_range == 2 else 16
            assert np.abs(luma(new)[INSIDE].astype(int) - black).mean() < 2
    return result


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "container"),
    [
        ("libx264", "yuv420p", "mp4"),
        ("libx264", "yuv422p", "matroska"),
        ("libx264", "yuv444p", "mp4"),
        ("libx264", "yuv420p10le", "mp4"),
        ("libx264", "gray", "mp4"),
        ("libx265", "yuv420p", "mp4"),
        ("mjpeg", "yuvj422p", "avi"),
        ("mpeg4", "yuv420p", "avi"),
        ("msmpeg4", "yuv420p", "avi"),
        ("mpeg2video", "yuv420p", "mpegts"),
        ("png", "rgb24", "avi"),
        ("ffv1", "bgr0", "matroska"),
        ("rawvideo", "yuyv422", "avi"),
    ],
)
def test_every_kind_of_source_is_painted_and_otherwise_kept(
    tmp_path: Path, codec: str, pix_fmt: str, container: str
) -> None:
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    source = write_clip(
        tmp_path / "in", codec=codec, pix_fmt=pix_fmt, container=container, options=options, frames=12
    )
    _checked(source, tmp_path / "out.mp4", hide(range(12), BOX))
    for old, new in zip(decoded(source), decoded(tmp_path / "out.mp4"), strict=True):
        assert new.format.name in {"yuv420p", "yuvj420p"}
        colours = [frame.to_ndarray(format="rgb24")[4:60, 68:92] for frame in (old, new)]
        assert psnr_db(*colours) > 24, "colours and levels are the source's"


def test_what_is_not_masked_stays_within_forty_decibels_and_a_tenth_of_the_size(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", frames=48, size=(320, 240), options={"crf": "20"})
    result = render(source, hide(range(48), BOX), tmp_path / "out.mp4")
    before, after = decoded(source), decoded(tmp_path / "out.mp4")
    worst = min(psnr_db(luma(old)[:, 66:], luma(new)[:, 66:]) for old, new in zip(before, after, strict=True))
    assert worst > 40
    assert result.video_bytes <= 1.1 * result.source_video_bytes + 2048


def test_uneven_times_are_kept_to_the_tick(tmp_path: Path) -> None:
    times = [0, 7, 20, 21, 50, 51, 52, 90, 100, 131, 200, 201]
    source = write_clip(tmp_path / "in.mp4", frames=12, times=times, options={"bf": "2"})
    _checked(source, tmp_path / "out.mp4", hide(range(12), BOX))
    assert shown_at(tmp_path / "out.mp4") == [Fraction(time, 120) for time in times]
    assert length_s(tmp_path / "out.mp4") == length_s(source)


def test_a_recording_that_does_not_start_at_zero_keeps_picture_and_sound_together(tmp_path: Path) -> None:
    source = write_clip(
        tmp_path / "in.ts",
        codec="mpeg2video",
        container="mpegts",
        sounds=[Sound()],
        container_options={"output_ts_offset": "5"},
    )
    result = _checked(source, tmp_path / "out.mp4")
    assert result.sound_tracks == 1
    gaps = []
    for path in (source, tmp_path / "out.mp4"):
        with av.open(path) as container:
            picture, sound = container.streams.video[0], container.streams.audio[0]
            assert picture.start_time is not None
            assert sound.start_time is not None
            assert picture.time_base
            assert sound.time_base
            gaps.append(picture.start_time * picture.time_base - sound.start_time * sound.time_base)
    assert abs(gaps[0] - gaps[1]) < Fraction(1, 40_000)


@pytest.mark.parametrize("rotation", [90, -90, 180])
def test_a_turned_picture_stays_turned(tmp_path: Path, rotation: int) -> None:
    source = write_clip(tmp_path / "in.mp4", frames=4, rotation=rotation)
    _checked(source, tmp_path / "out.mp4", hide(range(4), BOX))
    turned = [abs(decoded(path)[0].rotation) for path in (source, tmp_path / "out.mp4")]
    assert turned == [abs(rotation)] * 2
    if abs(rotation) == 90:
        assert decoded(source)[0].rotation == decoded(tmp_path / "out.mp4")[0].rotation


@pytest.mark.parametrize("size", [(95, 64), (96, 63), (95, 63)])
def test_an_odd_side_is_kept(tmp_path: Path, size: tuple[int, int]) -> None:
    source = write_clip(
        tmp_path / "in.avi", size=size, codec="mjpeg", pix_fmt="yuvj420p", container="avi", frames=6
    )
    result = _checked(source, tmp_path / "out.mp4", hide(range(6), BOX))
    assert any("4:4:4" in note for note in result.notes)


def test_interlaced_footage_stays_interlaced(tmp_path: Path) -> None:
    def interlace(stream: VideoStream) -> None:
        stream.codec_context.flags |= Flags.interlaced_dct | Flags.interlaced_me

    source = write_clip(tmp_path / "in.mp4", codec="libx264", adjust=interlace, frames=12)
    assert decoded(source)[3].interlaced_frame
    _checked(source, tmp_path / "out.mp4", hide(range(12), BOX))
    assert decoded(tmp_path / "out.mp4")[3].interlaced_frame


# -- sound --------------------------------------------------------------------


def _packets(path: Path, track: int = 0) -> list[bytes]:
    with av.open(path) as container:
        return [bytes(packet) for packet in container.demux(audio=track) if packet.size]


def test_every_sound_track_is_kept_packet_by_packet(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", sounds=[Sound(), Sound("libmp3lame", tone_hz=880)])
    result = _checked(source, tmp_path / "out.mp4")
    assert result.sound_tracks == 2
    for track in (0, 1):
        assert _packets(source, track) == _packets(tmp_path / "out.mp4", track)


def test_sound_that_an_mp4_cannot_hold_is_converted_and_said_so(tmp_path: Path) -> None:
    source = write_clip(
        tmp_path / "in.avi", codec="mpeg4", container="avi", sounds=[Sound("pcm_s16le", 8000)]
    )
    result = _checked(source, tmp_path / "out.mp4")
    assert any("converted to AAC" in note for note in result.notes)
    with av.open(tmp_path / "out.mp4") as container:
        heard = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert len(heard) / 8000 == pytest.approx(2.0, abs=0.3)
    assert 0.15 < np.abs(heard[4000:12000]).max() < 0.5


def test_sound_is_dropped_only_by_choice(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", sounds=[Sound()])
    assert _checked(source, tmp_path / "out.mp4", audio=Audio.DROP).sound_tracks == 0


def test_redacted_sound_takes_the_place_of_the_original(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", sounds=[Sound()])
    other = write_clip(tmp_path / "other.mp4", sounds=[Sound(tone_hz=200)])
    _checked(source, tmp_path / "out.mp4", audio=ReplaceAudio(other))
    assert _packets(tmp_path / "out.mp4") == _packets(other) != _packets(source)


# -- what must not come along -------------------------------------------------


def test_no_tag_and_no_name_of_an_encoder_comes_along(tmp_path: Path) -> None:
    source = write_clip(
        tmp_path / "in.mp4",
        sounds=[Sound()],
        metadata={
            "title": "CONFIDENTIAL-SITE-7",
            "comment": "gps +35.68+139.76",
            "creation_time": "2026-01-01T00:00:00Z",
        },
    )
    assert b"CONFIDENTIAL-SITE-7" in source.read_bytes()
    assert b"x264" in source.read_bytes()
    _checked(source, tmp_path / "out.mp4")
    out = tmp_path.joinpath("out.mp4").read_bytes()
    for word in (b"CONFIDENTIAL", b"gps", b"x264", b"Lavf", b"Lavc52", b"2026"):
        assert word not in out


def test_a_frame_that_an_edit_list_hides_does_not_come_along(tmp_path: Path) -> None:
    """Shift the start: the demuxer hides what lies before zero, and so must the copy."""
    source = write_clip(tmp_path / "in.mp4", options={"bf": "0"}, times=[10 * n - 40 for n in range(24)])
    shown = decoded(source)
    assert len(shown) < 24
    result = _checked(source, tmp_path / "out.mp4", hide(range(len(shown)), BOX))
    assert result.frames == len(shown)


# -- what goes wrong ----------------------------------------------------------


def _is_gone(folder: Path) -> bool:
    return not [path for path in folder.iterdir() if path.name.startswith((".out", "out"))]


def _two_sizes(path: Path) -> None:
    small, large = (
        write_clip(path.with_name(name), size=size, codec="mpeg2video", container="mpeg2video", frames=8)
        for name, size in (("a", (96, 64)), ("b", (128, 80)))
    )
    path.write_bytes(small.read_bytes() + large.read_bytes())


def _damaged(path: Path) -> None:
    data = bytearray(write_clip(path, options={"bf": "0"}, frames=24).read_bytes())
    at = data.index(b"mdat") + 4
    middle = at + (len(data) - at) // 2
    data[middle : middle + 300] = b"\x5a" * 300
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_two_sizes, "the picture changes from 96 x 64"),
        (_damaged, r"frame \d+ cannot be decoded whole"),
        (lambda path: path.write_bytes(b""), "empty"),
        (lambda path: path.write_bytes(b"no video" * 99), "no recording"),
        (lambda path: path.unlink(missing_ok=True), "not there"),
    ],
)
def test_what_cannot_be_rendered_whole_is_refused_and_nothing_is_left(
    tmp_path: Path, spoil: Callable[[Path], None], why: str
) -> None:
    spoil(tmp_path / "source")
    with pytest.raises(Unreadable, match=why):
        render(tmp_path / "source", hide(range(4), BOX), tmp_path / "out.mp4")
    assert _is_gone(tmp_path)


def test_a_plan_for_a_longer_recording_is_refused(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", frames=8)
    with pytest.raises(ToolFailed, match="made for another recording"):
        render(source, hide(range(20, 30), BOX), tmp_path / "out.mp4")
    assert _is_gone(tmp_path)


def test_the_source_is_never_overwritten(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", frames=4)
    before = source.read_bytes()
    with pytest.raises(ValueError, match="its own source"):
        render(source, PLAN, source)
    assert source.read_bytes() == before


def test_cancelling_leaves_the_old_copy_alone(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", frames=200, size=(320, 240))
    (tmp_path / "out.mp4").write_bytes(b"the copy from before")
    with pytest.raises(Cancelled):
        render(source, PLAN, tmp_path / "out.mp4", is_cancelled=lambda: True)
    assert (tmp_path / "out.mp4").read_bytes() == b"the copy from before"
    assert len(list(tmp_path.iterdir())) == 2


def test_progress_ends_at_the_number_of_frames(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", frames=24)
    heard: list[tuple[int, int]] = []
    render(source, PLAN, tmp_path / "out.mp4", on_progress=lambda done, total: heard.append((done, total)))
    assert heard[-1] == (24, 24)
    assert heard == sorted(heard)


@pytest.mark.parametrize("style", list(Style))
def test_hidden_pixels_do_not_reach_a_single_byte_of_the_output(tmp_path: Path, style: Style) -> None:
    """Frames of equal size, so that the source's byte counts say nothing either: then every byte is equal."""

    def with_secret(number: int, width: int, height: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        picture = scene(number, width, height)
        secret = np.random.default_rng(number).integers(0, 255, (20, 28, 3), np.uint8)
        picture[14:34, 22:50] = secret  # the conversion to 4:2:0, which is the test's own, spreads colour
        return picture

    outputs = []
    for name, draw in (("a", scene), ("b", with_secret)):
        source = write_clip(
            tmp_path / name, codec="rawvideo", pix_fmt="yuv420p", container="avi", frames=10, draw=draw
        )
        render(source, hide(range(10), BOX, style=style), tmp_path / f"{name}.mp4")
        outputs.append((tmp_path / f"{name}.mp4").read_bytes())
    is_equal = outputs[0] == outputs[1]
    assert is_equal == (style is not Style.MOSAIC), "a mosaic lets averages through: that is why it is weaker"
