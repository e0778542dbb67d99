"""Numbers that are read out in Japanese, with the real recogniser: from the sound to a suggestion over every digit.

The voice is synthetic, so that the place of every group of digits is known;
`python -m tests.benchmarks speech` measures many more.
"""

from pathlib import Path

import pytest

from media.sound.speech import open_recogniser
from media.sound.suggest import suggest
from tests.builders.japanese import RATE, Voice, card, code, covers, say, telephone
from tests.builders.sound import wave_bytes

pytestmark = pytest.mark.slow


def test_every_digit_that_is_read_out_in_japanese_lies_in_a_suggestion(tmp_path: Path) -> None:
    """The recogniser is not told the language: it is often not known of a call."""
    levels, truth = say([card("4209173586420917"), code("573"), telephone("09012345678")], Voice())
    call = tmp_path / "call.wav"
    call.write_bytes(wave_bytes((levels * 32767).astype("<i2").T.tobytes(), rate=RATE))

    found = suggest(call, recogniser=open_recogniser()).spans
    here = [one for one in found if one.channel == 1]
    missed = [
        (sentence.kind, group.digits)
        for sentence, groups in truth
        for group in groups
        if not covers(here, group)
    ]
    assert missed == []
    assert {sentence.kind for sentence, _ in truth} <= {one.kind for one in here}


def test_the_call_of_the_tests_holds_digits_where_it_says_and_nothing_on_the_other_side() -> None:
    levels, ((_, groups),) = say([telephone("09012345678")], Voice())
    assert [group.digits for group in groups] == ["090", "1234", "5678"]
    for group in groups:
        low, high = round(group.start_s * RATE), round(group.end_s * RATE)
        assert abs(levels[1, low:high]).max() > 0.3
        assert abs(levels[1, low - 800 : low]).max() < 0.02
    assert abs(levels[0]).max() < 0.02
