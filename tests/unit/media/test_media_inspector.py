"""What the inspector says about files that are what they seem, or nearly."""

import os
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from media.errors import Unreadable, UnsupportedCodec
from media.peaks import read_peaks
from media.probe import Inspector
from tests.golden.material import pictures, write_pictures, write_sound


def test_a_call_is_described_by_its_track_and_its_length(inspector: Inspector, tmp_path: Path) -> None:
    call = write_sound(tmp_path / "call", seconds=1.5, channels=2, codec="pcm_mulaw")
    found = inspector.inspect(call)
    (track,) = found.streams
    assert (found.kind, found.container, found.duration_us) == ("audio", "wav", 1_500_000)
    assert (track.type, track.codec, track.sample_rate, track.channels) == ("audio", "pcm_mulaw", 8000, 2)
    assert (found.warnings, found.thumbnail, found.peaks) == ((), None, None)


def test_footage_is_described_by_its_pictures_and_its_clock(inspector: Inspector, tmp_path: Path) -> None:
    footage = write_pictures(
        tmp_path / "clip", codec="libx264", metadata={"creation_time": "2026-03-02T05:05:00Z"}
    )
    found = inspector.inspect(footage)
    (track,) = found.streams
    assert (found.kind, found.container, found.duration_us) == ("video", "mp4", 2_000_000)
    assert (track.codec, track.width, track.height, track.rotation) == ("h264", 64, 48, 0)
    assert track.rate_fps == Fraction(12)
    assert found.started_at_text is not None
    assert found.started_at is not None
    assert found.started_at.isoformat() == "2026-03-02T05:05:00+00:00"


@pytest.mark.parametrize("name", ["call.mp4", "call.jpg", "call.m3u8", "call", "-call.wav", "call.gsm"])
def test_names_do_not_matter(inspector: Inspector, tmp_path: Path, name: str) -> None:
    assert inspector.inspect(write_sound(tmp_path / name)).container == "wav"


def test_a_name_that_is_no_unicode_does_not_matter_either(inspector: Inspector, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.wav"))
    write_sound(tmp_path / "plain.wav").rename(odd)
    assert inspector.inspect(odd).kind == "audio"


@pytest.mark.parametrize(
    ("codec", "container", "rate"),
    [
        ("pcm_alaw", "wav", 8000),
        ("adpcm_ima_wav", "wav", 8000),
        ("flac", "flac", 8000),
        ("pcm_s16be", "aiff", 8000),
        ("pcm_s16le", "matroska", 8000),
        ("pcm_s16be", "au", 8000),
    ],
)
def test_the_usual_containers_of_calls_are_read(
    inspector: Inspector, tmp_path: Path, codec: str, container: str, rate: int
) -> None:
    call = write_sound(tmp_path / "call", codec=codec, container=container, rate=rate)
    found = inspector.inspect(call, want_peaks=True)
    assert (found.kind, found.container) == ("audio", container)
    assert found.duration_us == pytest.approx(1_000_000, abs=70_000)


@pytest.mark.parametrize(
    ("codec", "container", "name"),
    [
        ("mjpeg", "avi", "avi"),
        ("mpeg4", "avi", "avi"),
        ("libx264", "matroska", "matroska"),
        ("libx264", "mpegts", "mpegts"),
        ("libx264", "flv", "flv"),
        ("libx264", "h264", "h264"),
        ("libx265", "mp4", "mp4"),
    ],
)
def test_the_usual_containers_of_footage_are_read(
    inspector: Inspector, tmp_path: Path, codec: str, container: str, name: str
) -> None:
    footage = write_pictures(tmp_path / "clip", codec=codec, container=container, frames=36)
    found = inspector.inspect(footage, want_thumbnail=True)
    assert (found.kind, found.container) == ("video", name)
    assert found.thumbnail is not None
    assert found.duration_us == pytest.approx(3_000_000, abs=200_000)


def test_peaks_show_each_channel_by_itself(inspector: Inspector, tmp_path: Path) -> None:
    found = inspector.inspect(write_sound(tmp_path / "call", seconds=2, channels=2), want_peaks=True)
    assert found.peaks is not None
    peaks = read_peaks(found.peaks)
    assert peaks.values.shape == (40, 2, 2)
    assert np.all(np.abs(peaks.values[:, 0, 1] - 63) <= 1)
    assert np.all(np.abs(peaks.values[:, 1, 1] - 31) <= 1)


def test_a_thumbnail_is_not_the_black_beginning(inspector: Inspector, tmp_path: Path) -> None:
    footage = write_pictures(tmp_path / "clip", frames=72, black=20)
    found = inspector.inspect(footage, want_thumbnail=True)
    assert _decoded(found.thumbnail).max() > 150


def test_a_thumbnail_is_small_and_upright(inspector: Inspector, tmp_path: Path) -> None:
    footage = write_pictures(tmp_path / "clip", size=(1280, 720), frames=3, rotation=-90)
    found = inspector.inspect(footage, want_thumbnail=True)
    picture = _decoded(found.thumbnail)
    assert found.streams[0].rotation == 90
    assert picture.shape[1] <= 480 < picture.shape[0]
    assert picture[:, -40:].max() > 200, (
        "the square at the upper left is at the upper right after a quarter turn"
    )


def _decoded(jpeg: bytes | None) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    assert jpeg is not None
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture, np.uint8)


def test_cover_art_does_not_make_a_call_a_film(inspector: Inspector, tmp_path: Path) -> None:
    call = write_sound(tmp_path / "call.flac", codec="flac", container="flac")
    jpeg = cv2.imencode(".jpg", np.zeros((16, 16, 3), np.uint8))[1].tobytes()
    picture = (
        struct.pack(">II", 3, 10) + b"image/jpeg" + struct.pack(">I4II", 0, 16, 16, 24, 0, len(jpeg)) + jpeg
    )
    plain = call.read_bytes()
    block = bytes([0x06]) + len(picture).to_bytes(3, "big") + picture  # after the 34 bytes of STREAMINFO
    call.write_bytes(plain[:42] + block + plain[42:])
    found = inspector.inspect(call)
    assert found.kind == "audio"
    assert [track.type for track in found.streams if track.is_cover] == ["video"]
    assert found.warnings == ("side tracks that a player does not show: 1 still picture",)


def test_a_call_that_was_cut_off_is_accepted_with_what_is_there(inspector: Inspector, tmp_path: Path) -> None:
    call = write_sound(tmp_path / "call", seconds=10)
    call.write_bytes(call.read_bytes()[: 44 + 16_000 * 4])
    for want_peaks in (False, True):
        found = inspector.inspect(call, want_peaks=want_peaks)
        assert found.duration_us == pytest.approx(4_000_000, abs=10_000)
        assert "cut off: 64044 of 160" in found.warnings[0]


@pytest.mark.parametrize("promise", [0, 0xFFFFFFFF])
def test_a_streamed_call_that_promises_no_length_is_whole(
    inspector: Inspector, tmp_path: Path, promise: int
) -> None:
    call = write_sound(tmp_path / "call", seconds=2)
    data = bytearray(call.read_bytes())
    data[4:8] = promise.to_bytes(4, "little")
    call.write_bytes(data)
    assert inspector.inspect(call, want_peaks=True).warnings == ()


def test_footage_that_was_cut_off_behind_its_index_is_accepted(inspector: Inspector, tmp_path: Path) -> None:
    footage = write_pictures(tmp_path / "clip", frames=120, options={"movflags": "faststart"})
    size = footage.stat().st_size
    os.truncate(footage, size - size // 3)
    found = inspector.inspect(footage, want_thumbnail=True)
    assert any("cut off" in warning for warning in found.warnings)
    assert found.thumbnail is not None


def test_damage_in_the_middle_is_found_by_a_thorough_look(inspector: Inspector, tmp_path: Path) -> None:
    footage = write_pictures(tmp_path / "clip", codec="libx264", frames=96, size=(320, 240))
    data = bytearray(footage.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 400] = b"\xff" * 400
    footage.write_bytes(data)
    assert inspector.inspect(footage).warnings == ()
    assert any("damaged" in text for text in inspector.inspect(footage, is_thorough=True).warnings)


def test_a_length_that_the_container_does_not_know_is_counted(inspector: Inspector, tmp_path: Path) -> None:
    footage = write_pictures(tmp_path / "clip", container="matroska", frames=30, options={"live": "1"})
    assert inspector.inspect(footage).duration_us == pytest.approx(2_500_000, abs=100_000)


@pytest.mark.parametrize(
    ("hint", "seconds"),
    [("mulaw 8000 1ch", 2.0), ("alaw 8000 2ch", 1.0), ("s16le 16000 1ch", 0.5), ("g722", 2.0)],
)
def test_a_headerless_file_is_what_its_source_says(
    inspector: Inspector, tmp_path: Path, hint: str, seconds: float
) -> None:
    raw = tmp_path / "raw.bin"
    raw.write_bytes(bytes(range(200, 232)) * 500)
    found = inspector.inspect(raw, raw_format=hint, want_peaks=True)
    assert found.kind == "audio"
    assert found.duration_us == seconds * 1_000_000


def test_without_a_hint_the_reason_names_the_hint(inspector: Inspector, tmp_path: Path) -> None:
    raw = tmp_path / "raw.ulaw"
    raw.write_bytes(bytes(range(200, 232)) * 500)
    with pytest.raises(Unreadable, match=r"a headerless one needs a raw format, .*mulaw 8000 1ch"):
        inspector.inspect(raw)


def test_a_header_wins_over_a_hint(inspector: Inspector, tmp_path: Path) -> None:
    found = inspector.inspect(write_sound(tmp_path / "call"), raw_format="mulaw 8000 1ch")
    assert found.container == "wav"
    assert "hint 'mulaw 8000 1ch' was not used" in found.warnings[0]


def test_an_unknown_hint_is_the_callers_mistake(inspector: Inspector, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown raw format 'mp3'"):
        inspector.inspect(write_sound(tmp_path / "call"), raw_format="mp3")


def test_a_codec_that_nobody_here_knows_is_told_apart_from_damage(
    inspector: Inspector, tmp_path: Path
) -> None:
    footage = write_pictures(tmp_path / "clip.avi", codec="mjpeg", container="avi")
    footage.write_bytes(footage.read_bytes().replace(b"MJPG", b"QZXW"))
    with pytest.raises(UnsupportedCodec, match="nothing here can decode the picture"):
        inspector.inspect(footage)


def test_a_track_that_can_be_decoded_stands_in_for_one_that_cannot(
    inspector: Inspector, tmp_path: Path
) -> None:
    path = tmp_path / "two.avi"
    with av.open(path, "w", format="avi") as out:
        tracks = [out.add_stream("mjpeg", rate=12), out.add_stream("mpeg4", rate=12)]
        for track, form in zip(tracks, ("yuvj420p", "yuv420p"), strict=True):
            track.width, track.height, track.pix_fmt = 64, 48, form
        for picture in pictures(3, (64, 48)):
            for track in tracks:
                out.mux(track.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        for track in tracks:
            out.mux(track.encode(None))
    path.write_bytes(path.read_bytes().replace(b"MJPG", b"QZXW"))
    assert [track.codec for track in inspector.inspect(path).streams] == ["unknown", "mpeg4"]


def test_the_reason_does_not_depend_on_the_file_before(inspector: Inspector, tmp_path: Path) -> None:
    footage = write_pictures(tmp_path / "clip")
    os.truncate(footage, footage.stat().st_size // 2)
    reasons = set()
    for _ in range(3):
        with pytest.raises(Unreadable) as caught:
            inspector.inspect(footage)
        reasons.add(caught.value.reason)
    assert reasons == {"the recording has no index (moov); it was probably cut off while being written"}


def test_threads_share_an_inspector(tmp_path: Path) -> None:
    calls = [write_sound(tmp_path / f"{n}.wav", seconds=1 + n / 10) for n in range(12)]
    with Inspector(workers=2) as inspector, ThreadPoolExecutor(6) as pool:
        found = list(pool.map(inspector.inspect, calls))
    assert [one.duration_us for one in found] == [1_000_000 + 100_000 * n for n in range(12)]


def test_a_closed_inspector_starts_again_when_asked(tmp_path: Path) -> None:
    call = write_sound(tmp_path / "call")
    inspector = Inspector()
    inspector.close()
    try:
        assert inspector.inspect(call).kind == "audio"
        inspector.close()
        inspector.close()
        assert inspector.inspect(call).kind == "audio"
    finally:
        inspector.close()


def test_the_parent_never_loads_a_decoder() -> None:
    code = "import sys, media.probe; sys.exit(bool({'av', 'cv2', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_worker_starts_without_what_only_its_parent_or_only_footage_needs() -> None:
    """Starting it would take twice as long."""
    code = "import sys, media.inspect_worker; sys.exit(bool({'pydantic', 'cv2'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_inspector_may_get_ready_and_never_be_asked() -> None:
    with Inspector() as inspector:
        inspector.get_ready()
        inspector.get_ready()
