"""Values that cross from the worker to its parent."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.arrival import from_json
from media.inspection import MAX_TEXT, Inspection, StreamFacts, parse_start, printable, to_json


def test_an_inspection_survives_the_way_to_the_parent() -> None:
    inspection = Inspection(
        kind="video",
        container="mp4",
        duration_us=8_000_000,
        streams=(
            StreamFacts(
                0, "video", "h264", width=640, height=360, rotation=90, rate_fps=Fraction(30000, 1001)
            ),
            StreamFacts(1, "audio", "aac", sample_rate=48_000, channels=2),
        ),
        started_at_text="2026-03-02T14:05:00.000000Z",
        started_at=datetime(2026, 3, 2, 14, 5, tzinfo=UTC),
        warnings=("the file was cut off",),
    )
    assert from_json(to_json(inspection)) == inspection


@pytest.mark.parametrize("text", [b"", b"{}", b'{"kind":"hologram"}', b"[1", b"\xff"])
def test_what_is_no_inspection_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"validation error"):
        from_json(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2018-04-19T22:46:00.000000Z", datetime(2018, 4, 19, 22, 46, tzinfo=UTC)),
        ("2026-03-02T14:05:00+09:00", datetime(2026, 3, 2, 5, 5, tzinfo=UTC)),
        ("2026-03-02 14:05:00", None),
        ("2026", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
    ],
)
def test_a_start_is_an_instant_only_with_a_zone(text: str, expected: datetime | None) -> None:
    assert parse_start(text) == expected


def test_text_is_cleaned_again_when_it_arrives() -> None:
    """A worker that was taken over could send anything that its parent might print."""
    evil = Inspection("audio", "wav", 1, (), "\x1b[2J", None, ("\x1b]0;evil\x07" + "x" * 999,))
    found = from_json(to_json(evil))
    assert found.started_at_text == "[2J"
    assert found.warnings[0].startswith("]0;evil xxx")
    assert len(found.warnings[0]) == MAX_TEXT


@given(st.text())
def test_text_from_a_file_is_one_short_printable_line(text: str) -> None:
    clean = printable(text)
    assert len(clean) <= MAX_TEXT
    assert clean.isprintable()
    assert clean == clean.strip()
