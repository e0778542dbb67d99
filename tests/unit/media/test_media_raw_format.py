"""Hints at what a headerless recording is."""

import pytest

from media.raw_format import parse_raw_format


@pytest.mark.parametrize(
    ("hint", "demuxer", "options"),
    [
        ("gsm", "gsm", {}),
        ("G722", "g722", {}),
        ("mulaw", "mulaw", {"sample_rate": "8000", "ch_layout": "mono"}),
        ("mulaw 8000 1ch", "mulaw", {"sample_rate": "8000", "ch_layout": "mono"}),
        ("  alaw   16000  2ch ", "alaw", {"sample_rate": "16000", "ch_layout": "stereo"}),
        ("s16le 8000 4ch", "s16le", {"sample_rate": "8000", "ch_layout": "4c"}),
    ],
)
def test_a_hint_names_a_format_and_where_free_its_rate_and_channels(
    hint: str, demuxer: str, options: dict[str, str]
) -> None:
    assert parse_raw_format(hint) == (demuxer, options)


@pytest.mark.parametrize(
    "hint", ["", "wav", "hls", "concat", "mulaw 8k", "mulaw 8000 9ch", "mulaw 8000 1ch x"]
)
def test_any_other_hint_is_refused_with_the_list_of_those_that_are_known(hint: str) -> None:
    with pytest.raises(ValueError, match="one of gsm, g722, g729"):
        parse_raw_format(hint)


def test_a_format_with_a_fixed_rate_takes_no_rate() -> None:
    with pytest.raises(ValueError, match="fixed rate"):
        parse_raw_format("gsm 8000")
