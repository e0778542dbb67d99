"""Spoken words with the real recogniser."""

import json
from pathlib import Path

import av
import numpy as np
import pytest

from media.sound.speech import open_recogniser
from media.sound.suggest import suggest
from tests.builders.sound import decode, wave_bytes

pytestmark = [pytest.mark.shared_data, pytest.mark.slow]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_card_number_that_is_read_out_is_found_with_every_digit_in_its_span(
    shared_data: Path, tmp_path: Path
) -> None:
    """Ten seconds of a real call around a card number (dev-call-b: 34.81 to 42.68 s, the caller's side)."""
    excerpt = tmp_path / "excerpt.wav"
    with av.open(shared_data / "audio/calls/dev-call-b.wav") as container:
        data = b"".join(bytes(packet) for packet in container.demux(audio=0))
        rate = container.streams.audio[0].rate
    excerpt.write_bytes(wave_bytes(data[4 * round(33.5 * rate) : 4 * round(44 * rate)], rate=rate))
    found = suggest(excerpt, recogniser=open_recogniser(language="en"))
    best = found.spans[0]
    assert (best.kind, best.channel, best.source) == ("card number", 1, "speech")
    assert best.start_s + 33.5 <= 34.8149
    assert best.end_s + 33.5 >= 42.6794
    assert sum(one.isdigit() for one in best.heard) >= 13
    assert any("whisper-base" in each.text for each in found.looked_for)
    assert found.not_looked_for == ()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("recording", "kind"),
    [
        ("dev-call-a.wav", "expiry"),
        ("dev-call-a.mp3", "expiry"),
        ("dev-call-a.mono.gsm.wav", "expiry"),
        ("dev-call-b.wav", "cvv"),
        ("dev-call-c.wav", "cvv"),
    ],
)
def test_every_digit_that_must_go_lies_in_a_suggestion(
    shared_data: Path, tmp_path: Path, recording: str, kind: str
) -> None:
    """Also a code in the middle of a sentence, and what a telephone's codec leaves of a voice.

    Six seconds before the number to six after it, as a whole call takes minutes.
    """
    calls = shared_data / "audio" / "calls"
    truth = json.loads((calls / f"{recording[:10]}.truth.json").read_text())
    span = next(each for each in truth["spans"] if each["must_redact"] and each["kind"] == kind)
    delay_s = next(float(each["codec_delay_s"]) for each in truth["files"] if each["path"] == recording)
    from_s, until_s = span["start_s"] - 6, span["end_s"] + 6
    samples, rate = decode(calls / recording)
    part = samples[:, round((from_s + delay_s) * rate) : round((until_s + delay_s) * rate)]
    excerpt = tmp_path / "excerpt.wav"
    levels = (np.clip(part, -1, 1) * 32767).astype("<i2")
    excerpt.write_bytes(wave_bytes(levels.T.tobytes(), rate=rate, channels=len(levels)))

    found = suggest(excerpt, recogniser=open_recogniser(language="en")).spans
    missed = [
        token["token"]
        for token in span["tokens"]
        if not any(
            each.start_s <= token["start_s"] - from_s and token["end_s"] - from_s <= each.end_s
            for each in found
            if len(levels) == 1 or each.channel in (None, span["channel"])
        )
    ]
    assert missed == []
