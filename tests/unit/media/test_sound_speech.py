"""Spoken words with the real recogniser."""

from pathlib import Path

import av
import pytest

from media.sound.speech import open_recogniser
from media.sound.suggest import suggest
from tests.builders.sound import wave_bytes

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
    assert any("whisper-base" in line for line in found.looked_for)
    assert found.not_looked_for == ()
