"""`retention redaction`: a span goes from an original, previewed first, with real sound."""

import wave
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.builders.sound import encode, footage, loud, samples_of
from tests.integration.cli.conftest import Shell

RATE = 8_000
WHY = ("--reason", "a security code")


def heard(shell: Shell, recording_id: str, purpose: str = "service-quality") -> NDArray[np.float64]:
    """What the recording opens to: (channels, samples)."""
    out = shell.folder / "opened"
    assert shell("open", recording_id, "--purpose", purpose, "--out", str(out)).code == 0
    with av.open(out) as container:
        return np.concatenate([samples_of(frame) for frame in container.decode(audio=0)], axis=1)


def take_in(shell: Shell, path: Path, source: str = "line") -> str:
    (found,) = shell.json("ingest", str(path), "--source", source).lines
    assert found["status"] == "sealed", found
    return str(found["id"])


def test_without_yes_it_only_says_what_would_be(shell: Shell) -> None:
    call = shell.ids()["young"]
    before = heard(shell, call)
    told = shell("redaction", "destroy-span", call, "--span", "0.25-0.5", *WHY)
    assert told.code == 0
    assert "would be destroyed: 0.25-0.5" in told.out
    assert "There is no way back" in told.out
    assert np.array_equal(heard(shell, call), before)


def test_with_yes_the_span_is_silent_and_the_rest_is_as_it_was(shell: Shell) -> None:
    call = shell.ids()["young"]
    before = heard(shell, call)
    told = shell("redaction", "destroy-span", call, "--span", "0.25-0.5", *WHY, "--yes")
    assert told.code == 0, told.err
    assert "No byte of what it was before is left in the store." in told.out
    after = heard(shell, call)
    assert not after[:, 2_000:4_000].any()
    assert np.array_equal(after[:, :1_960], before[:, :1_960])
    assert np.array_equal(after[:, 4_040:], before[:, 4_040:])
    assert shell.json("check", "--level", "digest").value["ok"]


def test_what_is_done_is_said_to_be_done(shell: Shell) -> None:
    line = ("redaction", "destroy-span", shell.ids()["young"], "--span", "0.25-0.5", *WHY)
    assert shell(*line, "--yes").code == 0
    assert "It is done: since 2" in shell(*line).out


def test_a_plan_is_approved_once(shell: Shell) -> None:
    line = ("redaction", "destroy-span", shell.ids()["young"], "--span", "0.25-0.5", *WHY)
    digest = shell.json(*line).value["digest"]
    assert shell("redaction", "approve", digest, who="suzuki").code == 0
    again = shell("redaction", "approve", digest, who="tanaka")
    assert again.code != 0
    assert f"plan {digest} was approved by suzuki before" in " ".join(again.err.split())


def test_the_waveform_is_made_again(shell: Shell) -> None:
    call = shell.ids()["young"]

    def peaks() -> bytes:
        out = shell.folder / "peaks"
        line = ("open", call, "--purpose", "service-quality", "--role", "peaks", "--out", str(out))
        assert shell(*line).code == 0
        return out.read_bytes()

    before = peaks()
    shell("redaction", "destroy-span", call, "--span", "0.25-0.5", *WHY, "--yes")
    assert peaks() != before


def test_a_second_person_agrees_to_more_than_a_minute(shell: Shell) -> None:
    path = shell.folder / "long.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(b"\1\2" * RATE * 65)
    call = take_in(shell, path)
    line = ("redaction", "destroy-span", call, "--span", "0-62", *WHY)
    told = shell.json(*line).value
    assert told["needs_approval"]
    assert shell.json(*line, "--yes").error["exit_code"] == 13
    assert shell("redaction", "approve", told["digest"]).code == 13
    assert shell("redaction", "approve", told["digest"], who="tanaka").code == 0
    assert shell.json(*line, "--yes").value["approved_by"] == "tanaka"
    (row,) = shell.json("redaction", "list", "--recording", call).value
    assert (row["state"], row["reason"]) == ("finished", "a security code")
    assert "a security code" in shell("redaction", "list").out


def test_a_hold_forbids_it(shell: Shell) -> None:
    call = shell.ids()["young"]
    held = ("--kind", "legal", "--reason", "r", "--review-on", "2100-01-01")
    assert shell("hold", "place", "--recording", call, *held).code == 0
    told = shell.json("redaction", "destroy-span", call, "--span", "0.25-0.5", *WHY, "--yes")
    assert told.error["exit_code"] == 15


def test_resume_has_nothing_to_do_when_nothing_was_interrupted(shell: Shell) -> None:
    assert shell.json("redaction", "resume").value == {"finished": 0}
    assert "Nothing was planned." in shell("redaction", "list").out


def test_nothing_of_the_plain_sound_is_left_beside_the_store(shell: Shell) -> None:
    shell("redaction", "destroy-span", shell.ids()["young"], "--span", "0.25-0.5", *WHY, "--yes")
    assert list((shell.home / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "codec", "rate", "span", "container"),
    [
        ("call.opus", "libopus", 48_000, "0.5-1", "ogg"),
        ("call.opus", "libopus", 48_000, "0.5-1@1", "flac"),
        ("call.mp3", "mp3", 8_000, "0.5-1", "mp3"),
        ("call.m4a", "aac", 8_000, "0.5-1", "mp4"),
        ("call.wav", "pcm_mulaw", 8_000, "0.5-1@1", "wav"),
        ("call.wav", "adpcm_ima_wav", 8_000, "0.5-1@1", "flac"),
        ("call.flac", "flac", 8_000, "0.5-1@1", "flac"),
    ],
)
def test_every_codec_of_calls_keeps_its_kind_or_loses_nothing_more(
    shell: Shell, name: str, codec: str, rate: int, span: str, container: str
) -> None:
    call = take_in(shell, encode(shell.folder / name, loud(2, rate), codec, rate))
    before = heard(shell, call)
    told = shell.json("redaction", "destroy-span", call, "--span", span, *WHY, "--yes")
    assert told.code == 0, told.err
    assert told.value["how"]["tracks"][0]["container"] == container
    after = heard(shell, call)
    start, end = round(0.55 * rate), round(0.95 * rate)
    assert np.abs(after[1, start:end]).max() < 1e-4
    if "@1" in span:
        # Opus decodes to floats; what is written has 16 bits.
        assert np.abs(after[0] - before[0]).max() <= (2**-15 if codec == "libopus" else 0)
    assert shell.json("show", call).value["facts"]["container"] == container


def test_headerless_sound_stays_headerless(shell: Shell) -> None:
    line = ("--kind", "call", "--site", "tokyo", "--zone", "Asia/Tokyo", "--purpose", "service-quality")
    assert shell("source", "add", "raw", *line, "--raw-format", "mulaw 8000 2ch").code == 0
    path = shell.folder / "call.ulaw"
    sound = np.random.default_rng(3).integers(0, 200, 4 * RATE, np.uint8).tobytes()
    path.write_bytes(sound)
    (found,) = shell.json("ingest", str(path), "--source", "raw", "--started-at", "2026-11-01T10:00").lines
    told = shell.json("redaction", "destroy-span", found["id"], "--span", "0.5-1@1", *WHY, "--yes")
    assert told.code == 0, told.err
    out = shell.folder / "opened"
    shell("open", found["id"], "--purpose", "service-quality", "--out", str(out))
    assert len(out.read_bytes()) == len(sound)
    assert set(out.read_bytes()[RATE + 1 : 2 * RATE : 2]) == {0xFF}
    assert out.read_bytes()[::2] == sound[::2]


CAMERA = ("--kind", "footage", "--site", "tokyo", "--zone", "Asia/Tokyo", "--purpose", "crime-prevention")


def test_footage_that_cannot_be_written_anew_stays_as_it_was_and_it_is_said_why(shell: Shell) -> None:
    assert shell("source", "add", "camera", *CAMERA, "--notice", "v1").code == 0
    path = footage(shell.folder / "f.ts", loud(2, 48_000), "mp2", "libx264", rate=48_000)
    film = take_in(shell, path, "camera")
    told = shell.json("redaction", "destroy-span", film, "--span", "0.5-1", *WHY, "--yes")
    assert told.error["exit_code"] == 42
    why = f"recording {film}: footage in mpegts cannot be written anew with its sound silenced"
    assert told.error["message"] == why
    out = shell.folder / "opened"
    assert shell("open", film, "--purpose", "crime-prevention", "--out", str(out)).code == 0
    assert out.read_bytes() == path.read_bytes()


def test_the_sound_of_footage_goes_and_its_picture_stays(shell: Shell) -> None:
    assert shell("source", "add", "camera", *CAMERA, "--notice", "v1").code == 0
    film = take_in(shell, footage(shell.folder / "f.mp4", loud(2), "aac", "libx264"), "camera")
    told = shell.json("redaction", "destroy-span", film, "--span", "0.5-1", *WHY, "--yes")
    assert told.code == 0, told.err
    after = heard(shell, film, "crime-prevention")
    assert np.abs(after[:, round(0.55 * RATE) : round(0.95 * RATE)]).max() < 1e-4
    with av.open(shell.folder / "opened") as container:
        assert len(list(container.decode(video=0))) == 20


def test_a_span_after_the_end_is_refused(shell: Shell) -> None:
    told = shell.json("redaction", "destroy-span", shell.ids()["young"], "--span", "2-3", *WHY)
    assert told.error["exit_code"] == 11
