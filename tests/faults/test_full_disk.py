"""A disk that is full: it is said of which recording, with what to do; nothing is left; and later it goes through.

The kernel's limit on the size of a file stands for it: a write is refused in
the middle, as a full disk refuses it, and children inherit the limit.
"""

import errno
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from media.errors import ToolFailed
from media.sound.mute import Request, mute, mute_into
from media.sound.spans import Mute
from retention.kernel import errors
from retention.redaction.redactor import Medium, Original
from tests.builders.copies import Case, lying_about
from tests.builders.house import CALLER, House
from tests.builders.kernel import no_file_above
from tests.builders.sound import decode, encode, loud
from tests.fakes.scripted_redactor import ScriptedRedactor

REQUEST = Request((Mute.parse("1-2"),))


CALLS = {
    "call.wav": ("pcm_s16le", 8000),
    "call.flac": ("flac", 8000),
    "call.ogg": ("libopus", 48_000),
    "call.m4a": ("aac", 16_000),
    "call.mp3": ("libmp3lame", 16_000),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_muted_once_there_is_room_and_before_not_a_byte_is_left(tmp_path: Path, name: str) -> None:
    codec, rate = CALLS[name]
    source, out = encode(tmp_path / name, loud(8, rate, 1), codec, rate), tmp_path / f"out-{name}"
    with no_file_above(8_000), pytest.raises(ToolFailed, match=r"no room left for .*free some disk space"):
        mute(source, out, REQUEST)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    mute(source, out, REQUEST)
    after, _ = decode(out)
    assert np.abs(after[0, rate : 2 * rate]).max() <= 1e-4


def test_a_call_that_the_disk_does_not_take_at_the_very_end_has_no_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = encode(tmp_path / "call.wav", loud(3), "pcm_s16le")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patching:
        patching.setattr(os, "fsync", full)
        with pytest.raises(ToolFailed, match="no room left"):
            mute(source, tmp_path / "out.wav", REQUEST)
    assert [path.name for path in tmp_path.iterdir()] == ["call.wav"]
    mute(source, tmp_path / "out.wav", REQUEST)


def test_a_call_that_is_muted_into_a_file_without_a_name_says_why_it_is_not(tmp_path: Path) -> None:
    source = encode(tmp_path / "call.wav", loud(3), "pcm_s16le")
    with pytest.raises(ToolFailed, match="no room left for the output; free some disk space and try again"):
        mute_into(source, Path("/dev/full"), ".wav", REQUEST)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    source = encode(tmp_path / "call.wav", loud(3), "pcm_s16le")
    with pytest.raises(ToolFailed, match=r"cannot be written to .*nowhere: No such file.*see to the folder"):
        mute(source, tmp_path / "nowhere" / "out.wav", REQUEST)


# -- requests -----------------------------------------------------------------------


class _Full:
    """A disk that takes nothing more, wherever decrypted bytes, copies and sealed papers are written."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full = False
        plain = tempfile.TemporaryFile

        def opened(**options: Any) -> Any:
            if self.is_full:
                return Path("/dev/full").open("r+b", buffering=0)
            return plain(**options)

        monkeypatch.setattr(tempfile, "TemporaryFile", opened)


@pytest.fixture
def case(house: House) -> tuple[Case, str]:
    house.add_source()
    call = house.take_in(phone=CALLER)
    return Case(house).matched(), call


@pytest.mark.parametrize("step", ["propose", "render"])
def test_an_original_that_cannot_be_unpacked_stops_a_request_which_goes_on_later(
    house: House, case: tuple[Case, str], step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, call = case
    if step == "render":
        work.propose()
        work.review(call)
    before = work.row(call) if step == "render" else None
    disk = _Full(monkeypatch)
    disk.is_full = True
    with pytest.raises(errors.ToolFailed, match=f"original of {call} cannot be unpacked: No space") as told:
        getattr(work, step)()
    assert "size is needed in" in (told.value.hint or "")
    assert lying_about(house) == []
    assert work.finished() == []
    assert before is None or work.row(call) == before
    disk.is_full = False
    if step == "propose":
        work.propose()
        work.review(call)
    work.render()
    assert work.finished() == [call]


def test_a_copy_that_does_not_fit_stops_a_request_which_goes_on_later(
    house: House, case: tuple[Case, str]
) -> None:
    """The engine itself says so, as `MediaRedactor` does of the toolbox."""
    work, call = case
    work.propose()
    work.review(call)

    def full(original: Original) -> None:
        assert original.medium is Medium.SOUND
        raise errors.ToolFailed("the copy could not be made: there is no room left for it")

    house.redactor.before = full
    with pytest.raises(errors.ToolFailed, match=f"{call}.*no room left"):
        work.render()
    assert lying_about(house) == []
    assert work.finished() == []
    house.redactor.before = ScriptedRedactor().before
    work.render()
    assert work.finished() == [call]
