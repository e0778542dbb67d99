"""Numbers as people say them, what they may be, and the forms in which a transcript is handed on."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.sound.digits import kanji_digits, numbers
from media.sound.personal import find_personal, passes_luhn, rank_digits
from media.sound.transcript import Turn, Word, to_rttm, to_webvtt


def say(*texts: str, pace_s: float = 0.5, at_s: float = 0.0, channel: int = 0) -> list[Word]:
    return [
        Word(text, at_s + pace_s * number, at_s + pace_s * number + 0.8 * pace_s, channel, 0.9)
        for number, text in enumerate(texts)
    ]


def english(sentence: str) -> list[Word]:
    return say(*(f" {word}" for word in sentence.split()))


@pytest.mark.parametrize(
    ("sentence", "digits"),
    [
        ("four one one one", "4111"),
        ("my card is four double two one for five six thanks", "4221456"),
        ("oh nine oh, 1234-5678", "09012345678"),
        ("twelve twenty-seven", "1227"),
        ("twenty twenty six", "2026"),
        ("triple zero seven", "0007"),
        ("one, um, two, uh, three", "123"),
        ("nought two niner", ""),
        ("it is 4 1 1 1. 2 2 2 2", "41112222"),
        ("fifteen sixteen", "1516"),
        ("forty two, forty three", "4243"),
    ],
)
def test_english_digits_are_read_as_they_are_said(sentence: str, digits: str) -> None:
    assert "".join(one.digits for one in numbers(english(sentence))) == digits


@pytest.mark.parametrize(
    ("words", "digits"),
    [
        (("番号は", "ゼロ", "九〇", "の", "一二", "三四", "の", "5678", "です"), "09012345678"),
        (("ナナ", "に", "さん", "ご", "よん"), "72354"),
        (("れい", "まる", "いち", "きゅう"), "0019"),
        (("四二四二",), "4242"),
        (("４２４２",), "4242"),
        (("千二百三十四",), "1234"),
        (("〇三", "、", "えーと", "ダブル", "よん"), "0344"),
    ],
)
def test_japanese_digits_are_read_as_they_are_said(words: tuple[str, ...], digits: str) -> None:
    assert "".join(one.digits for one in numbers(say(*words))) == digits


@pytest.mark.parametrize(
    "sentence", ["I want to go for two days", "won too", "and then one of us", "to be or not to be"]
)
def test_ordinary_words_are_no_numbers(sentence: str) -> None:
    assert numbers(english(sentence)) == []


@pytest.mark.parametrize(
    "words", [("さんに", "ごはん", "を"), ("これ", "に", "します"), ("しごと", "に", "いく")]
)
def test_ordinary_japanese_is_no_number(words: tuple[str, ...]) -> None:
    assert numbers(say(*words)) == []


@given(st.integers(1, 9999))
def test_a_number_in_kanji_by_place_is_its_value(value: int) -> None:
    units = "零一二三四五六七八九"
    parts = [
        ("" if digit == 1 and power else units[digit]) + power
        for digit, power in zip(map(int, f"{value:04d}"), ("千", "百", "十", ""), strict=True)
        if digit
    ]
    text = "".join(parts)
    expected = str(value)
    assert kanji_digits(text) == expected


@given(st.text("0123456789", min_size=3, max_size=19))
def test_digits_said_one_by_one_come_back(digits: str) -> None:
    names = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    assert [one.digits for one in numbers(english(" ".join(names[int(one)] for one in digits)))] == [digits]


def test_a_number_keeps_the_times_of_its_words_and_ends_with_a_long_silence() -> None:
    words = [*say(" 1", " 2", " 3", at_s=1), *say(" 4", " 5", " 6", at_s=9)]
    first, second = numbers(words)
    assert (first.start_s, first.digits, second.start_s, second.digits) == (1.0, "123", 9.0, "456")
    assert second.end_s == pytest.approx(10.4)


def test_digits_that_are_broken_up_are_not_lost() -> None:
    assert [one.digits for one in numbers(english("four two sorry four three"))] == ["42", "43"]


@pytest.mark.parametrize("number", ["4111111111111111", "371449635398431", "6011000990139424"])
def test_luhn_knows_published_test_cards(number: str) -> None:
    assert passes_luhn(number)
    assert not passes_luhn(number[:-1] + str((int(number[-1]) + 1) % 10))


@given(st.text("0123456789", min_size=3, max_size=22))
def test_every_number_is_shown_whatever_it_is(digits: str) -> None:
    (find,) = find_personal(say(f" {digits}"))
    assert 0 < find.rank <= 1


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("the number is 4111 1111 1111 1111", "card number"),
        ("and the security code is 917", "security code"),
        ("expires 12 27", "expiry date"),
        ("you can call me on 03-3224-5555", "telephone number"),
        ("my social security number is 078 05 1120", "personal number"),
    ],
)
def test_context_and_form_say_what_a_number_is(sentence: str, kind: str) -> None:
    assert max(find_personal(english(sentence)), key=lambda find: find.rank).kind == kind


def test_a_quantity_ranks_below_the_same_digits_alone() -> None:
    alone, counted = find_personal(say("1200")), find_personal(say("1200", "円"))
    assert counted[0].rank < alone[0].rank


def test_a_short_number_after_a_card_number_ranks_high() -> None:
    words = [*english("4111 1111 1111 1111"), *say(" yes", at_s=6), *say(" 917", at_s=12)]
    assert [find.kind for find in find_personal(words)] == ["card number", "security code"]


@pytest.mark.parametrize(
    ("words", "kind", "heard"),
    [
        ((" my", " name", " is", " Taro", " Yamada"), "name", "Taro Yamada"),
        (("山田", "と申します"), "name", "山田"),
        (
            (" write", " to", " taro", " at", " example", " dot", " com"),
            "e-mail address",
            "taro at example dot com",
        ),
        ((" the", " address", " is", " 1-2-3", " Chiyoda"), "address", "1-2-3 Chiyoda"),
        (("住所は", "東京都", "千代田区"), "address", "東京都千代田区"),
        (("セキュリッ", "コード", "は", "大", "7", "タン", "です。"), "security code", "大7タンです。"),
        (("電話", "番号は", "ゼロ", "急", "ゼロ", "の"), "number", "ゼロ急ゼロの"),
        ((" the", " code", " is", " wine", " one"), "security code", "wine one"),
        ((" my", " number", " is", " oh", " wine"), "number", "oh wine"),
    ],
)
def test_names_addresses_and_misheard_numbers_are_found_by_the_words_around_them(
    words: tuple[str, ...], kind: str, heard: str
) -> None:
    assert (kind, heard) in {(find.kind, find.heard) for find in find_personal(say(*words))}


def test_rank_says_why() -> None:
    assert rank_digits("4111111111111111", ()) == ("card number", 0.97, ("16 digits", "the Luhn digit fits"))
    assert rank_digits("4111111111111112", ())[1] < 0.97


def test_webvtt_has_one_cue_for_a_few_words_and_no_word_can_break_it() -> None:
    words = [*say(" Hello", " <b>there</b>", " -->"), *say(" Yes", at_s=0.2, channel=1)]
    text = to_webvtt(words, ("agent", "caller\n\n00:00"))
    assert text.startswith(
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.400\n<v agent>Hello &lt;b&gt;there&lt;/b&gt; --&gt;\n"
    )
    assert "<v caller 00:00>Yes" in text
    assert len(re.findall("-->", text)) == 2


def test_rttm_has_one_line_a_turn() -> None:
    assert to_rttm([Turn(1, 2.0, 3.5), Turn(0, 0.5, 1.0)], "a call") == (
        "SPEAKER a_call 1 0.500 0.500 <NA> <NA> channel0 <NA> <NA>\n"
        "SPEAKER a_call 2 2.000 1.500 <NA> <NA> channel1 <NA> <NA>\n"
    )
