"""Real calls with real digits at known places, in every codec they come in: the truth that mutes are measured against."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from media.errors import MediaToolError
from media.sound.mute import Request, mute
from media.sound.spans import Mute
from media.sound.suggest import suggest
from tests.builders.sound import Levels, decode

pytestmark = pytest.mark.shared_data

SILENT = 1e-4
ALAW_SILENCE = 8 / 32768
RESULTS = {
    "dev-call-a.wav": ".wav",
    "dev-call-a.ulaw.wav": ".wav",
    "dev-call-a.alaw.wav": ".wav",
    "dev-call-a.mono.ulaw.wav": ".wav",
    "dev-call-a.mono.gsm.wav": ".wav",
    "dev-call-a.mono.gsm": ".flac",
    "dev-call-a.mp3": ".mp3",
    "dev-call-a.ogg": ".ogg",
    "dev-call-a.m4a": ".m4a",
    "dev-call-a.g722": ".flac",
}
RAW = {"dev-call-a.mono.gsm": "gsm", "dev-call-a.g722": "g722"}


def truth_of(folder: Path, call: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "audio/calls" / f"{call}.truth.json").read_text())
    return found


def tokens(truth: dict[str, Any], *, must: bool) -> list[tuple[float, float, int]]:
    return [
        (token["start_s"], token["end_s"], span["channel"])
        for span in truth["spans"]
        if span["must_redact"] == must
        for token in span["tokens"]
    ]


def loudest(samples: Levels, rate: int, start_s: float, end_s: float, channel: int | None) -> float:
    part = samples[:, round(start_s * rate) : round(end_s * rate)]
    return float(np.abs(part if channel is None else part[channel]).max(initial=0))


@pytest.mark.parametrize("name", RESULTS)
def test_every_digit_that_must_go_is_silent_and_every_decoy_is_heard(
    shared_data: Path, tmp_path: Path, name: str
) -> None:
    truth = truth_of(shared_data, "dev-call-a")
    delay = next(Fraction(str(one["codec_delay_s"])) for one in truth["files"] if one["path"] == name)
    mutes = tuple(
        Mute(Fraction(str(span["start_s"])) + delay, Fraction(str(span["end_s"])) + delay)
        for span in truth["spans"]
        if span["must_redact"]
    )
    source, out = shared_data / "audio/calls" / name, tmp_path / f"out{RESULTS[name]}"
    mute(source, out, Request(mutes, raw_format=RAW.get(name)))
    before, rate = decode(source, form=RAW.get(name))
    after, _ = decode(out)
    assert before.shape == after.shape
    for start_s, end_s, _ in tokens(truth, must=True):
        at_s, to_s = start_s + float(delay), end_s + float(delay)
        assert loudest(after, rate, at_s, to_s, None) <= (ALAW_SILENCE if "alaw" in name else SILENT)
        assert loudest(before, rate, at_s, to_s, None) > 0.01
    for start_s, end_s, _ in tokens(truth, must=False):
        assert loudest(after, rate, start_s, end_s, None) > 0.01


@pytest.mark.parametrize("call", ["dev-call-a", "dev-call-b", "dev-call-c"])
@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_the_other_side_of_a_call_is_bit_identical(
    shared_data: Path, tmp_path: Path, call: str, suffix: str
) -> None:
    truth = truth_of(shared_data, call)
    source, out = shared_data / "audio/calls" / f"{call}.wav", tmp_path / f"out{suffix}"
    mutes = tuple(
        Mute(Fraction(str(one["start_s"])), Fraction(str(one["end_s"])), one["channel"])
        for one in truth["spans"]
        if one["must_redact"]
    )
    mute(source, out, Request(mutes))
    before, after = decode(source)[0], decode(out)[0]
    assert np.array_equal(before[0], after[0])
    for start_s, end_s, channel in tokens(truth, must=True):
        assert loudest(after, 8000 if before.shape[1] < 2e6 else 16_000, start_s, end_s, channel) == 0
    changed = int((before[1] != after[1]).sum())
    asked = sum(float(one.end_s - one.start_s) for one in mutes) * decode(source)[1]
    assert changed <= asked + 2 * len(mutes) * 0.005 * decode(source)[1] + 2 * len(mutes)


def test_a_card_number_that_was_keyed_in_is_found_without_any_model(shared_data: Path) -> None:
    truth = truth_of(shared_data, "dev-call-c")
    found = suggest(shared_data / "audio/calls/dev-call-c.wav")
    keyed = next(span for span in truth["spans"] if span["kind"] == "pan_dtmf")
    best = found.spans[0]
    assert (best.heard, best.kind, best.channel) == (keyed["text"], "card number", keyed["channel"])
    assert best.start_s <= keyed["start_s"]
    assert best.end_s >= keyed["end_s"]


@pytest.mark.parametrize("call", ["dev-call-a", "dev-call-b"])
def test_no_keys_are_heard_in_speech(shared_data: Path, call: str) -> None:
    assert [
        one for one in suggest(shared_data / f"audio/calls/{call}.wav").spans if one.source == "keys"
    ] == []


def test_voice_activity_covers_every_digit_that_is_spoken(shared_data: Path) -> None:
    truth = truth_of(shared_data, "dev-call-a")
    voice = [turn for turn in suggest(shared_data / "audio/calls/dev-call-a.wav").voice if turn.channel == 1]
    spoken = [(start, end) for start, end, _ in [*tokens(truth, must=True), *tokens(truth, must=False)]]
    covered = [
        sum(max(0.0, min(end, turn.end_s) - max(start, turn.start_s)) for turn in voice) / (end - start)
        for start, end in spoken
    ]
    assert min(covered) > 0.6
    assert np.mean(covered) > 0.95


def test_odd_recordings_are_muted_right_or_refused_and_nothing_lies_about(
    shared_data: Path, tmp_path: Path
) -> None:
    outcomes: dict[str, str] = {}
    for source in sorted((shared_data / "odd").iterdir()):
        suffix = (
            source.suffix if source.suffix in {".wav", ".mp3", ".mp4", ".webm", ".avi", ".mov"} else ".mp4"
        )
        out = tmp_path / f"out{suffix}"
        out.unlink(missing_ok=True)
        try:
            mute(source, out, Request((Mute.parse("0.005-0.5"),)))
            samples, rate = decode(out)
            assert np.abs(samples[:, round(0.005 * rate) : round(0.5 * rate)]).max(initial=0) <= SILENT
            outcomes[source.name] = "muted"
        except (MediaToolError, ValueError) as error:
            outcomes[source.name] = f"{error}"
            assert not out.exists()
        assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []
    assert {name for name, said in outcomes.items() if said == "muted"} >= {
        *("corkami_jpgmp3_polyglot.mp3", "made_wav_datasize_ffffffff.wav", "moviepy_no_duration.webm"),
    }
    assert outcomes["made_zero_length.mp4"] == "the file is empty"
    assert "no sound after it" in outcomes["ps_null.wav"]
