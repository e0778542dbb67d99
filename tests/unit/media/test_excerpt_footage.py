"""A part of footage holds the pictures and the sound of its span, and not a bit of what lies before or after."""

import gc
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from media.__main__ import main
from media.child import OnProgress
from media.container import open_recording
from media.errors import Cancelled, NotReleased, Unreadable
from media.excerpt.check import check_footage
from media.excerpt.cut import cut
from media.excerpt.model import NothingThere, Span
from media.excerpt.movie import cut_footage
from media.video.nal import PICTURE, kind, units
from media.video.verify.boxes import walk
from tests.golden.clips import Rgb, Sound, decoded, length_s, psnr_db, scene, write_clip

UNTOLD: OnProgress = lambda _done, _total: None  # noqa: E731
FRAMES = 24
RATE = 12
LEAN = (Phase.explicit, Phase.generate)  #: making an example smaller takes minutes of encoding
SECRET = b"a name that nobody may read"
QUIET_HEVC = {"x265-params": "log-level=none:keyint=8:bframes=2"}
FIXED = {"qp": "20", "bf": "0", "sc_threshold": "0", "rc-lookahead": "0", "x264-params": "open-gop=0"}


@pytest.fixture(autouse=True)
def talkative_again() -> Iterator[None]:
    """The workers silence FFmpeg; here they run in this process."""
    level = av.logging.get_level()
    yield
    gc.collect()  # encoders have threads, and lie in circles
    av.logging.set_level(level)


def interlaced(stream: VideoStream) -> None:
    stream.codec_context.flags |= av.codec.context.Flags.interlaced_dct


#: Name → recipe of a clip of two seconds.
KINDS: dict[str, dict[str, Any]] = {
    "short groups": {"options": {"g": "4", "bf": "2"}},
    "one long group with B-frames": {"options": {"g": "250", "bf": "3"}},
    "open groups": {"options": {"g": "6", "bf": "2", "x264-params": "open-gop=1:scenecut=0"}},
    "uneven times": {"times": [n * 7 + n % 3 * 2 for n in range(FRAMES)], "options": {"bf": "2"}},
    "interlaced": {"options": {"x264-params": "interlaced=1"}, "adjust": interlaced},
    "turned": {"rotation": 90},
    "odd sides": {"size": (97, 63), "pix_fmt": "yuv444p"},
    "HEVC": {"codec": "libx265", "options": QUIET_HEVC},
    "MJPEG": {"codec": "mjpeg", "pix_fmt": "yuvj420p", "container": "avi"},
    "MPEG-4 without times for its B-frames": {"codec": "mpeg4", "container": "avi", "options": {"bf": "0"}},
    "a late start": {
        "codec": "mpeg2video",
        "container": "mpegts",
        "container_options": {"output_ts_offset": "5"},
    },
    "ten bits": {"pix_fmt": "yuv420p10le"},
    "two sides of colour": {"pix_fmt": "yuv422p", "container": "matroska"},
}


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("clips")
    return {
        name: write_clip(folder / str(n), frames=FRAMES, rate=RATE, **how)
        for n, (name, how) in enumerate(KINDS.items())
    }


def part_of(
    source: Path, out: Path, start: Fraction | str | int, end: Fraction | str | int, **how: Any
) -> dict[str, Any]:
    """Cut, and check what was cut, in this process."""
    span, told = Span(Fraction(start), Fraction(end)), {"keeps_sound": True, "report": UNTOLD, **how}
    done = cut_footage(source, span, out, **told)
    return {**done, **check_footage(source, span, out, **told)}


def times_of(path: Path) -> list[Fraction]:
    """When each picture is shown, in seconds of the container."""
    with open_recording(path) as opened:
        stream = opened.container.streams.video[0]
        assert stream.time_base
        return [
            (frame.pts if frame.pts is not None else frame.dts or 0) * stream.time_base
            for frame in opened.container.decode(stream)
        ]


def packets_of(path: Path) -> list[bytes]:
    with open_recording(path) as opened:
        return [bytes(each) for each in opened.container.demux(video=0) if each.size]


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=5, phases=LEAN)
@given(data=st.data())
def test_it_holds_exactly_the_pictures_that_are_first_shown_in_the_span(
    name: str, clips: dict[str, Path], tmp_path: Path, data: st.DataObject
) -> None:
    source, out = clips[name], tmp_path / "out.mp4"
    shown = times_of(source)
    times = [each - shown[0] for each in shown]
    instant = st.sampled_from(times) | st.fractions(0, Fraction(5, 2), max_denominator=1000)
    start, end = sorted(data.draw(st.tuples(instant, instant).filter(lambda two: two[0] != two[1])))
    inside = [n for n, at in enumerate(times) if start <= at < end]
    if not inside:
        with pytest.raises(NothingThere):
            part_of(source, out, start, end)
        return
    done = part_of(source, out, start, end)
    assert done["frames"] == len(inside)
    assert times_of(out) == [times[n] - times[inside[0]] for n in inside]
    before, after = decoded(source), decoded(out)
    assert len(packets_of(out)) == len(inside), "no packet is there that shows nothing"
    for n, new in zip(inside, after, strict=True):
        old = before[n]
        assert (new.width, new.height, new.rotation) == (old.width, old.height, old.rotation)
        assert psnr_db(old.to_ndarray(format="gray"), new.to_ndarray(format="gray")) >= 40


def test_the_last_picture_is_seen_until_the_span_ends_and_no_longer(
    clips: dict[str, Path], tmp_path: Path
) -> None:
    part_of(clips["MJPEG"], tmp_path / "out.mp4", Fraction(1, 12), Fraction(7, 24))
    assert abs(length_s(tmp_path / "out.mp4") - Fraction(5, 24)) < Fraction(1, 12)
    times: dict[str, Any] = {"times": [0, 10, 90, 100], "frames": 4, "options": {"bf": "0"}}
    uneven = write_clip(tmp_path / "in.mp4", **times)
    part_of(uneven, tmp_path / "out.mp4", 0, Fraction(1, 2))
    assert length_s(tmp_path / "out.mp4") == Fraction(1, 2)


def slices(path: Path) -> list[list[bytes]]:
    return [[unit for unit in units(each, 4) if kind(unit) in PICTURE] for each in packets_of(path)]


def test_whole_groups_are_copied_bit_by_bit_and_only_the_edges_are_encoded_again(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", frames=30, options={"g": "6", "bf": "2", "sc_threshold": "0"})
    out = tmp_path / "out.mp4"
    done = part_of(source, out, Fraction(3, 12), Fraction(27, 12))
    assert (done["frames"], done["copied_frames"]) == (24, 18)
    assert slices(out)[3:21] == slices(source)[6:24]
    whole = part_of(source, out, 0, Fraction(30, 12))
    assert whole["copied_frames"] == 30, "the last group ends with the recording"


@pytest.mark.parametrize(
    ("how", "start", "copied"),
    [
        ({"codec": "mjpeg", "pix_fmt": "yuvj420p", "container": "avi", "options": {}}, 5, 0),
        ({"options": {"qp": "0", "g": "250", "bf": "2"}}, 5, 0),
        ({"options": {"g": "8"} | FIXED}, 8, 8),
    ],
    ids=["pictures by themselves", "without loss, in one group", "a copied group"],
)
def test_whatever_is_recorded_outside_the_part_is_the_same_to_the_last_bit(
    tmp_path: Path, how: dict[str, Any], start: int, copied: int
) -> None:
    end = start + 8

    def secret(number: int, width: int, height: int) -> Rgb:
        picture = scene(number, width, height)
        if not start <= number < end:
            picture = 255 - picture[::-1]
        return np.ascontiguousarray(picture)

    made = []
    for n, draw in enumerate((scene, secret)):
        source = write_clip(tmp_path / f"in{n}", frames=FRAMES, draw=draw, **how)
        out = tmp_path / f"out{n}.mp4"
        done = part_of(source, out, Fraction(start, 12), Fraction(end, 12))
        assert (done["frames"], done["copied_frames"]) == (8, copied)
        made.append((source.read_bytes(), out.read_bytes()))
    assert made[0][0] != made[1][0]
    assert made[0][1] == made[1][1]


def test_nothing_beside_pictures_and_sound_gets_through(tmp_path: Path) -> None:
    source = write_clip(
        tmp_path / "in.mp4",
        frames=FRAMES,
        options={"g": "4"},
        metadata={"title": SECRET.decode(), "creation_time": "2026-03-02T05:05:00Z"},
        sounds=[Sound()],
    )
    out = tmp_path / "out.mp4"
    part_of(source, out, "0.5", "1.5")
    content = out.read_bytes()
    for told in (SECRET, b"x264", b"Lavf", b"Lavc", b"2026"):
        assert told not in content
    assert walk(out).faults == []
    with av.open(out) as container:
        assert [each.type for each in container.streams] == ["video", "audio"]
        assert not container.metadata.get("title")


# --- sound


def write_beeps(path: Path, at_s: list[float], codec: str = "pcm_s16le", rate: int = 48_000) -> Path:
    """Two seconds of pictures in a Matroska file, with a click at each of these times."""
    sound = np.zeros(2 * rate, np.int16)
    for each in at_s:
        begin = round(each * rate)
        sound[begin : begin + rate // 200] = 20_000
    with av.open(path, "w", format="mov" if codec == "pcm_mulaw" else "matroska") as out:
        video: Any = out.add_stream("libx264", rate=RATE, options={"g": "6"})
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        audio: Any = out.add_stream(codec, rate=rate, layout="mono")
        for number in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(scene(number, 96, 64), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            out.mux(video.encode(frame))
        block = av.AudioFrame.from_ndarray(sound.reshape(1, -1), format="s16", layout="mono")
        block.sample_rate, block.pts, block.time_base = rate, 0, Fraction(1, rate)
        for piece in av.AudioResampler(audio.format, "mono", rate).resample(block):
            out.mux(audio.encode(piece))
        out.mux(audio.encode(None))
        out.mux(video.encode(None))
    return path


def heard(path: Path) -> tuple[Any, int]:
    """Samples of the first sound track from time zero on, and their rate."""
    with av.open(path) as container:
        frames = list(container.decode(audio=0))
        assert frames[0].pts is not None
        assert frames[0].time_base is not None
        lead = round(frames[0].pts * frames[0].time_base * frames[0].sample_rate)
        sound = np.concatenate([each.to_ndarray().reshape(-1) for each in frames])
        return np.concatenate([np.zeros(lead, sound.dtype), sound]), frames[0].sample_rate


@settings(max_examples=8, phases=LEAN)
@given(
    start=st.fractions(0, Fraction(19, 10), max_denominator=997),
    length=st.fractions(Fraction(1, 5), 2, max_denominator=997),
)
def test_its_sound_is_cut_to_the_sample_and_stays_with_the_picture(
    tmp_path: Path, start: Fraction, length: Fraction
) -> None:
    source, out = tmp_path / "in.mkv", tmp_path / "out.mp4"
    clicks = [0.25, 0.75, 1.25, 1.75]
    if not source.exists():
        write_beeps(source, clicks)
    end = start + length
    shown = [Fraction(n, RATE) for n in range(FRAMES) if start <= Fraction(n, RATE) < end]
    if not shown:
        return
    done = part_of(source, out, start, end)
    samples, rate = heard(out)
    first: Fraction = min(Fraction(ceil(start * rate)), shown[0] * rate)
    wanted = floor(min(end, Fraction(2)) * rate) - ceil(start * rate)
    assert done["sound_tracks"] == 1
    assert 0 <= len(samples) - wanted < 2048
    for click in clicks:
        at = round(click * rate - first)
        if start + Fraction(1, 20) < click < end - Fraction(1, 20):
            assert np.abs(samples[at : at + rate // 200]).mean() > 0.2
            assert np.abs(samples[at + rate // 100 : at + rate // 50]).max() < 0.1
    if not any(start - Fraction(1, 100) < click < end for click in map(Fraction, clicks)):
        assert np.abs(samples).max() < 1e-3, "a click outside is not heard"


def test_sound_outside_the_part_leaves_no_trace(tmp_path: Path) -> None:
    made = []
    for name, clicks in (("a", [1.0]), ("b", [0.2, 0.494, 1.0, 1.501, 1.9])):
        source, out = write_beeps(tmp_path / name, clicks), tmp_path / f"{name}.mp4"
        part_of(source, out, "0.5", "1.5")
        made.append(out.read_bytes())
    assert made[0] == made[1]


@pytest.mark.parametrize("codec", ["aac", "libopus", "libmp3lame", "flac", "pcm_mulaw"])
def test_any_codec_of_sound_is_decoded_and_cut(tmp_path: Path, codec: str) -> None:
    rate = 8000 if codec == "pcm_mulaw" else 48_000
    source, out = write_beeps(tmp_path / "in.mkv", [0.3, 1.0, 1.4], codec, rate), tmp_path / "out.mp4"
    done = part_of(source, out, "0.5", "1.5")
    samples, rate = heard(out)
    assert done["sound_tracks"] == 1
    loud = np.flatnonzero(np.abs(samples) > 0.3) / rate
    assert 0.49 < loud.min() < 0.52
    assert 0.89 < loud[loud > 0.6].min() < 0.92


def test_sound_that_is_not_wanted_is_left_out(tmp_path: Path) -> None:
    source, out = write_beeps(tmp_path / "in.mkv", [1.0]), tmp_path / "out.mp4"
    assert part_of(source, out, "0.5", "1.5", keeps_sound=False)["sound_tracks"] == 0
    with av.open(out) as container:
        assert not container.streams.audio


# --- what is refused


@pytest.mark.parametrize(("start", "end"), [(1, 1), (2, 1), (-1, 1)])
def test_a_span_that_is_none_is_refused(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="0 <= start < end"):
        Span(Fraction(start), Fraction(end))


@pytest.mark.parametrize(
    ("start", "end"), [("60", "90"), ("0.51", "0.55")], ids=["after the end", "between two pictures"]
)
def test_a_span_without_a_picture_makes_no_file(
    clips: dict[str, Path], tmp_path: Path, start: str, end: str
) -> None:
    with pytest.raises(ValueError, match="nothing of the recording lies from"):
        cut(clips["short groups"], tmp_path / "out.mp4", Span(Fraction(start), Fraction(end)))
    assert list(tmp_path.iterdir()) == []


def test_a_gap_in_the_times_stays_a_gap_and_holds_nothing(tmp_path: Path) -> None:
    times = [n * 10 + (n >= 12) * 1200 for n in range(FRAMES)]
    source, out = write_clip(tmp_path / "in.mp4", frames=FRAMES, times=times), tmp_path / "out.mp4"
    with pytest.raises(NothingThere):
        part_of(source, out, 2, 10)
    assert part_of(source, out, Fraction(11, 12), 12)["frames"] == 13
    assert times_of(out)[1] - times_of(out)[0] == Fraction(1, 12) + 10


def spoilt(source: Path, target: Path, packet: int) -> Path:
    """The file with the inside of one packet of its picture overwritten."""
    content = bytearray(source.read_bytes())
    inside = packets_of(source)[packet]
    at = content.index(inside)
    content[at + 8 : at + len(inside)] = bytes(len(inside) - 8)
    target.write_bytes(content)
    return target


def test_damage_in_the_part_gives_nothing_and_damage_after_it_does_not_matter(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", frames=FRAMES, options={"g": "6", "bf": "0"})
    broken = spoilt(source, tmp_path / "broken.mp4", 8)
    with pytest.raises(Unreadable, match="cannot be decoded whole"):
        cut(broken, tmp_path / "out.mp4", Span(Fraction(3, 12), Fraction(10, 12)))
    assert not (tmp_path / "out.mp4").exists()
    assert cut(broken, tmp_path / "out.mp4", Span(Fraction(1, 12), Fraction(7, 12))).frames == 6


def test_a_recording_that_begins_amid_a_group_is_cut_after_it(tmp_path: Path) -> None:
    whole = write_clip(
        tmp_path / "whole.ts", frames=FRAMES, container="mpegts", options={"g": "8", "bf": "0"}
    )
    source, out = tmp_path / "in.ts", tmp_path / "out.mp4"
    with av.open(whole) as container, av.open(source, "w", format="mpegts") as rest:
        track = container.streams.video[0]
        copy = rest.add_stream_from_template(track)
        for packet in list(container.demux(track))[4:]:
            if packet.size:
                packet.stream = copy
                rest.mux(packet)
    assert part_of(source, out, Fraction(5, 12), Fraction(15, 12))["frames"] == 10
    for old, new in zip(decoded(whole)[9:19], decoded(out), strict=True):
        assert psnr_db(old.to_ndarray(format="gray"), new.to_ndarray(format="gray")) >= 40


def test_a_file_that_was_cut_off_gives_nothing(clips: dict[str, Path], tmp_path: Path) -> None:
    half = tmp_path / "half.mp4"
    half.write_bytes(clips["short groups"].read_bytes()[:3000])
    with pytest.raises(Unreadable):
        cut(half, tmp_path / "out.mp4", Span(Fraction(0), Fraction(1)))
    assert list(tmp_path.iterdir()) == [half]


@pytest.mark.parametrize("name", ["out.wav", "out.avi", "out"])
def test_the_name_says_what_comes_out(clips: dict[str, Path], tmp_path: Path, name: str) -> None:
    with pytest.raises((Unreadable, ValueError), match=r"MP4|\.mp4"):
        cut(clips["MJPEG"], tmp_path / name, Span(Fraction(0), Fraction(1)))
    assert list(tmp_path.iterdir()) == []


# --- what was written is looked at


def shifted(clip: Path, out: Path) -> None:
    cut_footage(clip, Span(Fraction(7, 12), Fraction(19, 12)), out, keeps_sound=True, report=UNTOLD)


def shorter(clip: Path, out: Path) -> None:
    cut_footage(clip, Span(Fraction(6, 12), Fraction(17, 12)), out, keeps_sound=True, report=UNTOLD)


def longer(clip: Path, out: Path) -> None:
    cut_footage(clip, Span(Fraction(6, 12), Fraction(19, 12)), out, keeps_sound=True, report=UNTOLD)


def coarse(_clip: Path, out: Path) -> None:
    write_clip(out, frames=12, options={"crf": "45"}, draw=lambda n, w, h: scene(n + 6, w, h))


def whole(clip: Path, out: Path) -> None:
    out.write_bytes(clip.read_bytes())


@pytest.mark.parametrize("write", [shifted, shorter, longer, coarse, whole])
def test_what_is_not_that_part_is_not_released(
    clips: dict[str, Path], tmp_path: Path, write: Callable[[Path, Path], None]
) -> None:
    out, clip = tmp_path / "out.mp4", clips["short groups"]
    write(clip, out)
    with pytest.raises(NotReleased):
        check_footage(clip, Span(Fraction(6, 12), Fraction(18, 12)), out, keeps_sound=True, report=UNTOLD)


@pytest.mark.parametrize("clicks", [[1.1], [], [0.6, 1.0, 1.2]])
def test_other_sound_than_the_recordings_is_not_released(tmp_path: Path, clicks: list[float]) -> None:
    source, other = write_beeps(tmp_path / "in", [1.0]), write_beeps(tmp_path / "other", clicks)
    out = tmp_path / "out.mp4"
    part_of(other, out, "0.5", "1.5")
    with pytest.raises(NotReleased, match="sound"):
        check_footage(source, Span(Fraction("0.5"), Fraction("1.5")), out, keeps_sound=True, report=UNTOLD)


# --- from outside


def test_cancelling_leaves_nothing(clips: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        cut(
            clips["short groups"],
            tmp_path / "out.mp4",
            Span(Fraction(0), Fraction(2)),
            is_cancelled=lambda: True,
        )
    assert list(tmp_path.iterdir()) == []


def test_killed_at_any_moment_nothing_is_there_under_the_name(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", frames=120, size=(640, 360), options={"preset": "ultrafast"})
    out = tmp_path / "out" / "part.mp4"
    out.parent.mkdir()
    line = [sys.executable, "-m", "media", "excerpt", str(source), str(out), "--from", "0.5", "--until", "9"]
    drafts = []
    for moment in (0.3, 0.6):
        process = subprocess.Popen(line, start_new_session=True)
        until = time.monotonic() + 20
        while process.poll() is None and time.monotonic() < until:
            drafts = list(out.parent.iterdir())
            if drafts:
                time.sleep(moment)
                break
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert not out.exists()
    assert drafts
    assert cut(source, out, Span(Fraction(1, 2), Fraction(1))).frames == 6
    assert list(out.parent.iterdir()) == [out], "what a dead process left is swept"


def test_the_command_says_what_came_out(
    clips: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["excerpt", str(clips["MJPEG"]), str(tmp_path / "out.mp4"), "--from", "0.5", "--until", "1"]
    assert main(line) == 0
    assert "0.500 s, H.264: 6 frames, 0 of them copied; 0 sound tracks" in capsys.readouterr().out
    assert main([*line, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["frames"] == 6
    assert main([*line[:-1], "noon"]) == 1
    assert "write a decimal" in capsys.readouterr().err


def test_a_part_of_a_part_is_the_same_as_the_part(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", frames=FRAMES, options={"g": "4"})
    part_of(source, tmp_path / "half.mp4", Fraction(1, 2), 2)
    done = part_of(tmp_path / "half.mp4", tmp_path / "quarter.mp4", Fraction(1, 3), 1)
    assert done["frames"] == 8
    for old, new in zip(decoded(source)[10:18], decoded(tmp_path / "quarter.mp4"), strict=True):
        assert psnr_db(old.to_ndarray(format="gray"), new.to_ndarray(format="gray")) > 38


REAL = [
    ("video/car-detection.mp4", "3.1", "4.27"),
    ("video/vtest.avi", "3", "3.55"),
    ("odd/made_hevc.mp4", "1.03", "2"),
    ("odd/made_vfr.mp4", "1.5", "3"),
    ("odd/made_leaks_side_tracks.mp4", "1", "1.5"),
    ("odd/decord_rotate_90.mov", "0.03", "0.09"),
    ("odd/moviepy_no_duration.webm", "0.2", "0.9"),
]


@pytest.mark.shared_data
@pytest.mark.parametrize(("name", "start", "end"), REAL, ids=[each[0] for each in REAL])
def test_parts_of_real_footage_pass_their_check(
    shared_data: Path, tmp_path: Path, name: str, start: str, end: str
) -> None:
    out = tmp_path / "out.mp4"
    shown = times_of(shared_data / name)
    done = part_of(shared_data / name, out, start, end)
    inside = [each for each in shown if Fraction(start) <= each - shown[0] < Fraction(end)]
    assert [each - times_of(out)[0] for each in times_of(out)] == [each - inside[0] for each in inside]
    assert done["frames"] == len(inside)
    with av.open(out) as container:
        assert {each.type for each in container.streams} <= {"video", "audio"}


def test_the_clips_differ_from_picture_to_picture() -> None:
    pictures = [scene(n, 96, 64) for n in range(FRAMES)]
    assert all(psnr_db(one, other) < 38 for one, other in itertools.pairwise(pictures))
