"""What a person is told of damage: where, what happened in words, and what to do next; never FFmpeg's own text."""

import re
from pathlib import Path

import pytest

from media.errors import Unreadable
from media.picture.redact import find_faces
from media.video.frames import open_footage
from tests.builders.footage import wandering, write_footage

RAW = re.compile(r"Errno|avcodec|processing input|file:|0x[0-9a-f]+|<_io", re.IGNORECASE)


def refusal(path: Path) -> str:
    with pytest.raises(Unreadable) as refused, open_footage(path) as opened:
        for _ in opened.frames():
            pass
    assert not RAW.search(refused.value.reason)
    return refused.value.reason


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "decord_corrupted.mp4",
            "frame 28, 2.80 s from the beginning, cannot be decoded whole (its data are damaged); get another copy",
        ),
        ("made_truncated_moov_missing.mp4", "no index (moov); it was probably cut off"),
        ("moz_short-cenc_encrypted.mp4", "the picture is encrypted"),
        ("made_stsz_count_huge.mp4", "the header is damaged"),
        ("made_wav_named.mp4", "the file holds no moving picture"),
    ],
)
def test_damaged_footage_names_its_place_and_what_to_do(shared_data: Path, name: str, said: str) -> None:
    assert said in refusal(shared_data / "odd" / name)


def test_a_picture_that_changes_its_size_says_where_to_cut(tmp_path: Path) -> None:
    whole = write_footage(tmp_path / "a.ts", wandering(12, [(50, 100)], (4, 0)), lossless=False).read_bytes()
    small = [picture[:180, :320] for picture in wandering(12, [(50, 100)], (4, 0))]
    path = tmp_path / "both.ts"
    path.write_bytes(whole + write_footage(tmp_path / "b.ts", small, lossless=False).read_bytes())
    assert "320 x 180 at frame 12; cut the recording there" in refusal(path)


@pytest.mark.parametrize("content", [b"no picture", b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_a_still_that_is_none_names_no_file_of_ours(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "in.png"
    path.write_bytes(content)
    with pytest.raises(Unreadable, match="get another copy of the picture") as refused:
        find_faces(path)
    assert not RAW.search(refused.value.reason)
