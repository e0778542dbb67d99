"""Verdicts on real and broken recordings, each as a person would give it."""

import re
from pathlib import Path

import pytest

from media.errors import Unreadable
from media.peaks import read_peaks
from media.probe import Inspector

pytestmark = pytest.mark.shared_data

#: kind, main codec, seconds
READABLE = {
    "-video-with-dash-.mp4": ("video", "h264", 5.0),
    "corkami_jpgmp3_polyglot.mp3": ("audio", "mp3float", 0.97),
    "corkami_mini.avi": ("video", "png", 0.04),
    "decord_corrupted.mp4": ("video", "h264", 5.0),
    "decord_rotate_0.mov": ("video", "h264", 0.1),
    "decord_rotate_180.mov": ("video", "h264", 0.1),
    "decord_rotate_90.mov": ("video", "h264", 0.1),
    "dvrscan_brightness_change.avi": ("video", "mpeg4", 4.92),
    "made_hevc.mp4": ("video", "hevc", 8.0),
    "made_huge_dims_header.mp4": ("video", "h264", 1.0),
    "made_leaks_side_tracks.mp4": ("video", "h264", 3.0),
    "made_mjpeg.avi": ("video", "mjpeg", 8.0),
    "made_open_gop.mp4": ("video", "h264", 8.0),
    "made_rotated_matrix.mp4": ("video", "h264", 8.0),
    "made_vfr.mp4": ("video", "h264", 7.5),
    "made_wav_datasize_ffffffff.wav": ("audio", "pcm_s16le", 1.96),
    "made_wav_named.mp4": ("audio", "pcm_s16le", 1.1),
    "moviepy_no_duration.webm": ("video", "vp9", 4.94),
    "moz_amr_nb_1f.3gp": ("audio", "amrnb", 0.02),
    "moz_h263_1f.3gp": ("video", "h263", 0.03),
    "small_webm.webm": ("video", "vp8", 1.0),
    "torchcodec_h264_10bits.mp4": ("video", "h264", 1.0),
    "torchcodec_h265.mp4": ("video", "hevc", 1.0),
}
#: a part of the reason
REFUSED = {
    "azure_missing_wav_header.wav": "needs a raw format",
    "made_json_named.mp4": "no recording in a format",
    "made_stsz_count_huge.mp4": "the header is damaged",
    "made_truncated_moov_missing.mp4": "no index (moov); it was probably cut off",
    "made_zero_length.mp4": "the file is empty",
    "moz_chunk_out_of_range.mp4": "the header is damaged",
    "moz_invalid_userdata.mp4": "no picture after it; the file was probably cut off",
    "moz_short-cenc_encrypted.mp4": "picture and sound are encrypted",
    "ps_evil.wav": "not followed by any sound",
    "ps_null.wav": "no sound after it",
    "small_FlashVideo.flv": "ends within its header",
    "small_Mpeg4.mp4": "no sound and no picture",
    "small_wav.wav": "no sound after it",
}


@pytest.mark.parametrize("name", READABLE)
def test_an_odd_file_that_can_be_used_is_used(inspector: Inspector, shared_data: Path, name: str) -> None:
    kind, codec, seconds = READABLE[name]
    found = inspector.inspect(
        shared_data / "odd" / name, timeout_seconds=20, want_thumbnail=True, want_peaks=True
    )
    assert (found.kind, found.streams[0].codec) == (kind, codec)
    assert found.duration_us / 1_000_000 == pytest.approx(seconds, abs=0.02)
    assert (found.thumbnail if kind == "video" else found.peaks) is not None


@pytest.mark.parametrize("name", REFUSED)
def test_an_odd_file_that_cannot_be_used_is_refused_as_a_person_would_say_it(
    inspector: Inspector, shared_data: Path, name: str
) -> None:
    with pytest.raises(Unreadable, match=re.escape(REFUSED[name])):
        inspector.inspect(
            shared_data / "odd" / name, timeout_seconds=20, want_thumbnail=True, want_peaks=True
        )


def test_no_odd_file_is_forgotten_here(shared_data: Path) -> None:
    assert {path.name for path in (shared_data / "odd").iterdir()} == set(READABLE) | set(REFUSED)


@pytest.mark.parametrize(
    ("name", "warning"),
    [
        ("decord_corrupted.mp4", "packets of picture that were tried are damaged"),
        ("made_huge_dims_header.mp4", "Picture size 65535x65535 is invalid"),
        ("made_leaks_side_tracks.mp4", "1 data, 1 still picture, 1 subtitle, 1 video"),
    ],
)
def test_what_is_odd_about_a_readable_file_is_a_warning(
    inspector: Inspector, shared_data: Path, name: str, warning: str
) -> None:
    found = inspector.inspect(shared_data / "odd" / name, is_thorough=True)
    assert any(warning in text for text in found.warnings)


@pytest.mark.parametrize(
    ("name", "rotation"),
    [
        ("decord_rotate_0.mov", 0),
        ("decord_rotate_90.mov", 90),
        ("decord_rotate_180.mov", 180),
        ("made_rotated_matrix.mp4", 270),
    ],
)
def test_rotation_is_what_a_player_does(
    inspector: Inspector, shared_data: Path, name: str, rotation: int
) -> None:
    assert inspector.inspect(shared_data / "odd" / name).streams[0].rotation == rotation


@pytest.mark.parametrize("folder", ["video", "audio/calls", "audio/clips", "audio/fsdd", "audio/prompts-gsm"])
def test_every_real_recording_is_readable_without_a_warning(
    inspector: Inspector, shared_data: Path, folder: str
) -> None:
    no_header = {".g722", ".ulaw"}
    no_recording = {"", ".json", ".txt", ".rttm", ".transcription"}
    looked_at = 0
    for path in sorted((shared_data / folder).iterdir()):
        if path.suffix in no_recording | no_header:
            continue
        found = inspector.inspect(path, want_thumbnail=True, want_peaks=True)
        assert found.warnings == (), path.name
        looked_at += 1
    assert looked_at


@pytest.mark.parametrize(
    ("name", "hint", "seconds"),
    [
        ("calls/dev-call-a.g722", "g722", 99.46),
        ("calls/dev-call-a.mono.gsm", "gsm", 99.48),
        ("clips/ast_talking_silence_test.ulaw", "mulaw 8000 1ch", 12.71),
    ],
)
def test_a_headerless_call_is_read_as_its_source_says(
    inspector: Inspector, shared_data: Path, name: str, hint: str, seconds: float
) -> None:
    found = inspector.inspect(shared_data / "audio" / name, raw_format=hint, want_peaks=True)
    assert found.duration_us / 1_000_000 == pytest.approx(seconds, abs=0.01)


def test_the_sides_of_a_real_call_have_peaks_of_their_own(inspector: Inspector, shared_data: Path) -> None:
    found = inspector.inspect(shared_data / "audio" / "calls" / "dev-call-a.wav", want_peaks=True)
    assert found.peaks is not None
    peaks = read_peaks(found.peaks).values.astype(int)
    agent, caller = (peaks[:, side, 1] - peaks[:, side, 0] for side in (0, 1))
    assert agent.max() > 60
    assert caller.max() > 60
    assert abs(float(((agent > 20) & (caller > 20)).mean())) < 0.2, "people take turns"
