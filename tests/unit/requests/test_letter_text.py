"""Characters that a font lacks leave a mark, and lines end where readers expect them to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.adapters.letter_text import GETA, break_lines, printable

GLYPHS = {ord(each) for each in "髙橋﨑葛神ABCé゙か" + GETA} | {0x20BB7}


def width(text: str) -> float:
    """Wide characters are 4 mm, others 2 mm."""
    return sum(4.0 if ord(each) > 0x2E7F else 2.0 for each in text)


@pytest.mark.parametrize("name", ["髙橋﨑", "\N{CJK UNIFIED IDEOGRAPH-20BB7}", "ABC", ""])
def test_what_the_font_has_is_printed_as_it_is(name: str) -> None:
    assert printable(name, GLYPHS) == (name, ())


@pytest.mark.parametrize(
    ("text", "shown", "warned"),
    [
        ("A😀B", f"A{GETA}B", "U+1F600 (GRINNING FACE)"),
        ("A👨‍👩‍👧B", f"A{GETA}B", "U+1F468 (MAN) + U+200D (ZERO WIDTH JOINER) + U+1F469 (WOMAN)"),
        ("A\ue000", f"A{GETA}", "U+E000 (a character of no name)"),
        ("A\u202eB", f"A{GETA}B", "U+202E (RIGHT-TO-LEFT OVERRIDE)"),
        ("א", GETA, "U+05D0 (HEBREW LETTER ALEF)"),
    ],
)
def test_what_it_lacks_leaves_one_mark_and_a_warning(text: str, shown: str, warned: str) -> None:
    printed, warnings = printable(text, GLYPHS)
    assert printed == shown
    assert len(warnings) == 1
    assert warnings[0].startswith(warned)
    assert warnings[0].endswith(f"cannot be printed; {GETA} stands in its place")


def test_a_variant_is_printed_in_its_usual_form_and_a_person_is_told() -> None:
    printed, (warning,) = printable("葛\U000e0100", GLYPHS)
    assert printed == "葛"
    assert warning.endswith("is printed as U+845B (CJK UNIFIED IDEOGRAPH-845B), without its variant")


def test_marks_are_composed_where_one_character_says_the_same() -> None:
    assert printable("e\u0301", GLYPHS) == ("é", ())


def test_an_ideograph_is_never_exchanged_for_its_modern_form() -> None:
    """U+FA19 is another way to write a name than U+795E, which is what normalisation would make of it."""
    assert printable("\ufa19", GLYPHS | {0xFA19}) == ("\ufa19", ())


def test_a_warning_comes_once_however_often_the_character_does() -> None:
    assert len(printable("😀😀😀", GLYPHS)[1]) == 1


texts = st.text(alphabet="あ漢字、。「」()ー 12ABc.-", max_size=80)


@given(texts, st.floats(12, 80), st.floats(0, 8))
def test_no_line_is_too_wide_and_nothing_is_lost(text: str, width_mm: float, indent_mm: float) -> None:
    lines = break_lines(text, width, width_mm, indent_mm)
    assert "".join(line.text for line in lines).replace(" ", "") == text.replace(" ", "")
    for position, line in enumerate(lines):
        room_mm = width_mm - (indent_mm if position == 0 else 0)
        assert width(line.text) <= room_mm + 1e-6
        assert line.slack_mm == pytest.approx(room_mm - width(line.text), abs=1e-6)
    assert [line.is_last for line in lines] == [False] * (len(lines) - 1) + [True]


@pytest.mark.parametrize("count", range(6, 30))
def test_no_line_begins_with_a_stop_or_ends_with_an_opening_bracket(count: int) -> None:
    text = "個人情報の保護に関する法律、「第三十三条」(第二項)、ちょっと、データ。" * 3
    for line in break_lines(text, width, count * 4.0)[1:]:
        assert line.text[0] not in "、。」)ーょっ"
    for line in break_lines(text, width, count * 4.0)[:-1]:
        assert line.text[-1] not in "「("


def test_a_number_stays_with_the_word_before_it() -> None:
    lines = break_lines("see Art. 15 of it", width, 16.0)
    assert [line.text for line in lines] == ["see", "Art. 15", "of it"]


def test_a_word_that_fits_no_line_is_broken_anywhere() -> None:
    assert [line.text for line in break_lines("A" * 25, width, 20.0)] == ["A" * 10, "A" * 10, "A" * 5]
