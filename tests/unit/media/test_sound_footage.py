"""Sound tracks of footage: silent where asked, the picture bit for bit the same."""

from pathlib import Path

import av
import numpy as np
import pytest

from media.errors import NotReleased
from media.sound.footage import SoundTrack
from media.sound.mute import Request, mute, mute_tracks
from media.sound.samples import Style
from media.sound.spans import Mute
from tests.builders.sound import decode, footage, loud

SILENT = 1e-4
SPANS = ("1-1.5", "2.2-2.25")
KINDS = {
    "aac.mp4": ("aac", "libx264", 16_000, "packets"),
    "mp3.mp4": ("libmp3lame", "libx264", 44_100, "packets"),
    "opus.webm": ("libopus", "libvpx", 48_000, "packets"),
    "opus.mkv": ("libopus", "libx264", 48_000, "packets"),
    "pcm.avi": ("pcm_s16le", "mjpeg", 8000, "packets"),
    "pcm.mov": ("pcm_s16be", "libx264", 8000, "packets"),
    "mp3.avi": ("libmp3lame", "mjpeg", 44_100, "edit"),
    "flac.mkv": ("flac", "libx264", 8000, "edit"),
    "ac3.mp4": ("ac3", "libx264", 48_000, "edit"),
}


def pictures(path: Path) -> list[bytes]:
    with av.open(path) as container:
        return [bytes(packet) for packet in container.demux(container.streams.video[0]) if packet.size]


def level(path: Path, text: str, channel: int | None = None, track: int = 0) -> float:
    samples, rate = decode(path, track)
    mute = Mute.parse(text)
    part = samples[:, round(mute.start_s * rate) : round(mute.end_s * rate)]
    return float(np.abs(part if channel is None else part[channel]).max())


@pytest.mark.parametrize("name", KINDS)
def test_every_channel_of_a_sound_track_falls_silent_under_an_untouched_picture(
    tmp_path: Path, name: str
) -> None:
    codec, video, rate, method = KINDS[name]
    source = footage(tmp_path / name, loud(3, rate), codec, video, rate)
    out = tmp_path / f"out-{name}"
    report = mute(source, out, Request(tuple(Mute.parse(text) for text in SPANS)))
    assert [track.method for track in report.tracks] == [method]
    assert all(level(source, text) > 0.2 and level(out, text) <= SILENT for text in SPANS)
    assert level(out, "0.2-0.6") > 0.2
    assert level(out, "2.6-2.9") > 0.2
    assert pictures(out) == pictures(source)
    assert b"Yamada" not in out.read_bytes()
    assert abs(decode(out)[0].shape[1] - decode(source)[0].shape[1]) <= 2048


@pytest.mark.parametrize("name", ["aac.mp4", "pcm.avi", "pcm.mov", "flac.mkv"])
def test_one_side_falls_silent_and_the_other_is_heard_on(tmp_path: Path, name: str) -> None:
    codec, video, rate, _ = KINDS[name]
    source = footage(tmp_path / name, loud(3, rate), codec, video, rate)
    out = tmp_path / f"out-{name}"
    mute(source, out, Request((Mute.parse("1-2", 1),)))
    assert level(out, "1-2", 1) <= SILENT
    assert level(out, "1-2", 0) > 0.2


def test_tracks_are_muted_in_places_of_their_own_and_what_is_not_named_is_copied(tmp_path: Path) -> None:
    source = footage(tmp_path / "two.mp4", loud(3, 16_000), "aac", "libx264", 16_000, tracks=2)
    out = tmp_path / "out.mp4"
    report = mute_tracks(source, out, {2: (Mute.parse("1-2"),)})
    assert [track.method for track in report.tracks] == ["copied", "packets"]
    assert level(out, "1-2", track=1) <= SILENT
    assert np.array_equal(decode(out, 0)[0], decode(source, 0)[0])


def test_a_renderer_takes_a_muted_track_packet_by_packet(tmp_path: Path) -> None:
    source = footage(tmp_path / "in.mp4", loud(3, 16_000), "aac", "libx264", 16_000)
    out = tmp_path / "sound.mp4"
    with SoundTrack(source, 1, (Mute.parse("1-2"),), "mp4") as sound:
        with av.open(out, "w") as container:
            sound.attach(container)
            for packet in sound.packets():
                container.mux(packet)
        report = sound.check(out, 0)
    assert report.method == "packets"
    assert level(out, "1-2") <= SILENT


def test_a_renderer_that_muxes_something_else_is_found_out(tmp_path: Path) -> None:
    source = footage(tmp_path / "in.mp4", loud(3, 16_000), "aac", "libx264", 16_000)
    with SoundTrack(source, 1, (Mute.parse("1-2"),), "mp4") as sound:
        with av.open(tmp_path / "out.mp4", "w") as container:
            sound.attach(container)
            container.mux(list(sound.packets()))
        with pytest.raises(NotReleased, match="not silent"):
            sound.check(source, 1)


def test_a_mute_after_the_sound_has_ended_is_nothing_to_do(tmp_path: Path) -> None:
    source = footage(tmp_path / "in.mp4", loud(2, 16_000), "aac", "libx264", 16_000)
    assert mute(source, tmp_path / "out.mp4", Request((Mute.parse("5-6"),))).tracks[0].method == "copied"


def test_a_tone_has_no_place_under_a_picture(tmp_path: Path) -> None:
    source = footage(tmp_path / "in.mp4", loud(1, 16_000), "aac", "libx264", 16_000)
    with pytest.raises(ValueError, match="a tone is for calls"):
        mute(source, tmp_path / "out.mp4", Request((Mute.parse("0-1"),), Style.TONE))
