"""Which part of a recording lies in an interval, what it comes out as, and what cannot be cut."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.kernel.errors import InvalidInput
from retention.provision.model import Excerpt, Form, excerpt_of
from retention.schedule.model import Kind

STARTED = datetime(2026, 11, 20, 5, 5, tzinfo=UTC)
ENDED = STARTED + timedelta(seconds=60)
PICTURE = {"index": 0, "type": "video", "codec": "h264"}


def facts(container: str, *codecs: str) -> dict[str, Any]:
    tracks = [{"index": n, "type": "audio", "codec": codec} for n, codec in enumerate(codecs, 1)]
    return {"container": container, "streams": tracks}


def cut(kind: Kind, found: dict[str, Any], start_s: float = 0, end_s: float = 60) -> Excerpt:
    part = STARTED + timedelta(seconds=start_s), STARTED + timedelta(seconds=end_s)
    return excerpt_of("R1", kind, STARTED, ENDED, found, part)


@pytest.mark.parametrize(
    ("found", "form", "suffix"),
    [
        (facts("wav", "pcm_s16le"), Form.SAMPLES, ".wav"),
        (facts("wav", "pcm_mulaw"), Form.SAMPLES, ".wav"),
        (facts("wav", "gsm_ms"), Form.DECODED, ".wav"),
        (facts("ogg", "opus"), Form.DECODED, ".wav"),
        (facts("mp4", "aac"), Form.DECODED, ".wav"),
        (facts("g729", "g729"), Form.DECODED, ".wav"),
        (facts("matroska", "pcm_s16le"), Form.DECODED, ".wav"),
        (facts("mulaw", "pcm_mulaw"), Form.RAW, ""),
    ],
)
def test_a_call_comes_out_as_its_codec_allows(found: dict[str, Any], form: Form, suffix: str) -> None:
    part = cut(Kind.CALL, found)
    assert (part.form, part.form.suffix) == (form, suffix)
    assert part.form.words in str(part)


@pytest.mark.parametrize("container", ["mp4", "avi", "matroska", "mpegts"])
def test_footage_comes_out_as_an_mp4(container: str) -> None:
    found = {"container": container, "streams": [PICTURE, *facts("", "aac", "aac")["streams"]]}
    assert cut(Kind.FOOTAGE, found).form is Form.MP4


def test_cover_art_makes_no_footage_of_a_call() -> None:
    found = facts("mp3", "mp3float")
    found["streams"].append({"index": 2, "type": "video", "codec": "mjpeg"})
    assert cut(Kind.CALL, found).form is Form.DECODED


@pytest.mark.parametrize(
    ("kind", "found", "why"),
    [
        (Kind.CALL, facts("matroska", "opus", "opus"), "2 sound tracks"),
        (Kind.CALL, facts("ogg"), "0 sound tracks"),
        (Kind.CALL, facts("mp4", "unknown"), "nothing here can decode"),
        (Kind.FOOTAGE, {"container": "mp4", "streams": [PICTURE | {"codec": "unknown"}]}, "decode"),
        (Kind.FOOTAGE, facts("mp4", "aac"), "no picture"),
    ],
)
def test_what_cannot_be_cut_is_refused_by_name(kind: Kind, found: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidInput, match=f"R1 cannot be cut exactly: .*{why}"):
        cut(kind, found)


@given(start=st.floats(-100, 160), length=st.floats(0, 200))
def test_a_part_lies_in_the_interval_and_in_the_recording(start: float, length: float) -> None:
    if not (start < 60 and start + length > 0 and length > 1e-4):
        return
    try:
        part = cut(Kind.CALL, facts("ogg", "opus"), start, start + length)
    except InvalidInput:
        assert start + length < 1e-5 or start > 60 - 1e-5
        return
    assert 0 <= part.from_us < part.until_us <= 60_000_000
    assert part.from_us >= int(start * 1e6) - 1
    assert part.until_us <= (start + length) * 1e6 + 1


def test_an_interval_that_misses_the_recording_is_refused() -> None:
    with pytest.raises(InvalidInput, match="nothing of recording R1 lies between"):
        cut(Kind.CALL, facts("ogg", "opus"), 60, 90)
