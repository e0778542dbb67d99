"""Every odd file goes through the whole of `retention redact`: it comes out clean, or is refused in words.

Footage is searched, painted and looked at again with the real detectors. Of
footage that lasts for seconds only the beginning is taken, as packets: what is
odd about it is there from the first picture on. All of it is rendered in
`tests/faults/test_render_faults.py`.
"""

import re
import shutil
from pathlib import Path

import av
import pytest

from media.process import local_url, run_ffmpeg
from media.video.verify.boxes import walk
from tests.builders.sound import decode
from tests.integration.cli.conftest import Answer, Shell

pytestmark = [pytest.mark.shared_data, pytest.mark.slow]

MUTED_S = (0.1, 0.2)
_EMPTY = "the file is empty"
_NOT_KNOWN = "no recording in a format that is known here"
_NO_PICTURE = r"no (moving )?picture"

#: Footage that can be shown, and how much of it is redacted here.
FOOTAGE: dict[str, float | None] = {
    "-video-with-dash-.mp4": 0.1,
    "corkami_mini.avi": None,
    "decord_rotate_0.mov": None,
    "decord_rotate_180.mov": None,
    "decord_rotate_90.mov": None,
    "dvrscan_brightness_change.avi": 0.1,
    "made_hevc.mp4": 0.3,
    "made_huge_dims_header.mp4": None,
    "made_leaks_side_tracks.mp4": None,
    "made_mjpeg.avi": 0.3,
    "made_open_gop.mp4": 0.3,
    "made_rotated_matrix.mp4": 0.3,
    "made_vfr.mp4": 0.4,
    "moviepy_no_duration.webm": 0.1,
    "moz_h263_1f.3gp": None,
    "small_webm.webm": None,
    "torchcodec_h264_10bits.mp4": 0.1,
    "torchcodec_h265.mp4": 0.3,
}

#: Of everything else, why there is no redacted footage.
NO_FOOTAGE = {
    "azure_missing_wav_header.wav": _NOT_KNOWN,
    "corkami_jpgmp3_polyglot.mp3": _NO_PICTURE,
    "decord_corrupted.mp4": r"frame 28.*cannot be decoded whole.*get another copy",
    "made_json_named.mp4": _NOT_KNOWN,
    "made_stsz_count_huge.mp4": "the header is damaged",
    "made_truncated_moov_missing.mp4": "no index",
    "made_wav_datasize_ffffffff.wav": _NO_PICTURE,
    "made_wav_named.mp4": _NO_PICTURE,
    "made_zero_length.mp4": _EMPTY,
    "moz_amr_nb_1f.3gp": _NO_PICTURE,
    "moz_chunk_out_of_range.mp4": "the header is damaged",
    "moz_invalid_userdata.mp4": _NO_PICTURE,
    "moz_short-cenc_encrypted.mp4": "encrypted",
    "ps_evil.wav": "not followed by any sound",
    "ps_null.wav": _NO_PICTURE,
    "small_FlashVideo.flv": "ends within its header",
    "small_Mpeg4.mp4": _NO_PICTURE,
    "small_wav.wav": _NO_PICTURE,
}

#: What can be heard, and the ending of its copy.
HEARD = {
    "corkami_jpgmp3_polyglot.mp3": ".flac",
    "made_wav_datasize_ffffffff.wav": ".wav",
    "made_wav_named.mp4": ".flac",
    "moviepy_no_duration.webm": ".webm",
}

#: Of what else has sound, or a damaged header, why there is no muted copy.
NOT_HEARD = {
    "azure_missing_wav_header.wav": "headerless.*needs a raw format",
    "made_json_named.mp4": _NOT_KNOWN,
    "made_stsz_count_huge.mp4": "the header is damaged",
    "made_truncated_moov_missing.mp4": "no index",
    "made_zero_length.mp4": _EMPTY,
    "moz_amr_nb_1f.3gp": "starts after the recording ends",
    "moz_chunk_out_of_range.mp4": "the header is damaged",
    "moz_invalid_userdata.mp4": "its tracks hold nothing.*get another copy",
    "moz_short-cenc_encrypted.mp4": "encrypted",
    "ps_evil.wav": "not followed by any sound",
    "ps_null.wav": "a header, but no sound after it",
    "small_FlashVideo.flv": "ends within its header",
    "small_wav.wav": "a header, but no sound after it",
}


def _brought(shared_data: Path, name: str, folder: Path, seconds: float | None = None) -> Path:
    """The file, or its beginning, in a folder of its own."""
    folder.mkdir()
    source = folder / name
    if seconds is None:
        shutil.copyfile(shared_data / "odd" / name, source)
        return source
    taken = ["-i", local_url(shared_data / "odd" / name), "-map", "0:v", "-map", "0:a?", "-c", "copy"]
    run_ffmpeg([*taken, "-t", str(seconds), local_url(source)], timeout_seconds=60)
    return source


def _is_refused(told: Answer, source: Path, out: Path, why: str) -> None:
    """With the file's name and a reason in words; nothing is left."""
    message = told.error["message"]
    assert re.search(why, message), message
    assert "Errno" not in message
    assert source.name in message or "starts after" in message
    assert list(out.iterdir()) == []


def test_no_odd_file_is_left_out(shared_data: Path) -> None:
    names = {path.name for path in (shared_data / "odd").iterdir()}
    assert names == FOOTAGE.keys() | NO_FOOTAGE.keys()


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("name", FOOTAGE)
def test_odd_footage_is_searched_painted_looked_at_again_and_clean(
    shared_data: Path, name: str, nowhere: Shell, tmp_path: Path
) -> None:
    source = _brought(shared_data, name, tmp_path / "in", FOOTAGE[name])
    out = tmp_path / "out"
    out.mkdir()
    told = nowhere.json("redact", "video", str(source), str(out / "copy.mp4"), "--hide-all")
    assert told.code == 0, told.err
    assert told.value["report"]["findings"] == []
    look = told.value["report"]["second_look"]
    assert look["frames"] + look["known"] > 0
    assert walk(out / "copy.mp4").faults == []
    with av.open(out / "copy.mp4") as copy:
        assert sum(1 for _ in copy.decode(video=0)) == told.value["frames"] > 0
    assert [path.name for path in out.iterdir()] == ["copy.mp4"]
    assert [path.name for path in source.parent.iterdir()] == [name]


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("name", NO_FOOTAGE)
def test_what_is_no_whole_footage_is_refused_in_words(
    shared_data: Path, name: str, nowhere: Shell, tmp_path: Path
) -> None:
    source = _brought(shared_data, name, tmp_path / "in")
    out = tmp_path / "out"
    out.mkdir()
    told = nowhere.json("redact", "video", str(source), str(out / "copy.mp4"), "--hide-all")
    _is_refused(told, source, out, NO_FOOTAGE[name])


@pytest.mark.parametrize("name", HEARD)
def test_odd_sound_is_silent_where_it_is_muted(
    shared_data: Path, name: str, nowhere: Shell, tmp_path: Path
) -> None:
    source = _brought(shared_data, name, tmp_path / "in")
    out = tmp_path / "out"
    out.mkdir()
    copy = out / f"copy{HEARD[name]}"
    told = nowhere.json("redact", "audio", str(source), str(copy), "--mute", "-".join(map(str, MUTED_S)))
    assert told.code == 0, told.err
    before, _ = decode(source)
    after, rate = decode(copy)
    low, high = (round(edge * rate) for edge in MUTED_S)
    assert abs(after[:, low:high]).max() <= 1e-4
    assert after.any() == before.any()
    assert [path.name for path in out.iterdir()] == [copy.name]


@pytest.mark.parametrize("name", NOT_HEARD)
def test_where_nothing_can_be_heard_whole_the_refusal_is_in_words(
    shared_data: Path, name: str, nowhere: Shell, tmp_path: Path
) -> None:
    source = _brought(shared_data, name, tmp_path / "in")
    out = tmp_path / "out"
    out.mkdir()
    copy = out / ("copy.mp4" if source.suffix == ".mp4" else "copy.wav")
    told = nowhere.json("redact", "audio", str(source), str(copy), "--mute", "0.1-0.2")
    _is_refused(told, source, out, NOT_HEARD[name])
