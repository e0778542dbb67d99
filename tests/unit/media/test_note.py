"""What is told of a copy: by code and facts, in whole sentences of either language."""

import re
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

import media
from media.note import LANGUAGES, WORDS, Fact, Language, Note, note

#: Of every fact that some sentence has, one that is not to be found in the sentence's own words.
FACTS: dict[str, Fact] = {
    "why": "X1",
    "box": "X2",
    "parent": "X3",
    "handler": "X4",
    "model": "X5",
    "way": "X6",
    **dict.fromkeys(("size_bytes", "count", "packet", "unit", "frame", "have", "want", "track"), 3),
    **dict.fromkeys(("left", "top", "width", "height", "confidence", "is_s", "was_s", "seconds"), 0.5),
}
#: Names that are written in Latin letters in Japanese, too.
LATIN = r"DTMF|AAC|MP4|H\.264|retention\[speech\]|free|ftyp|udta"
of_every_code = pytest.mark.parametrize("code", WORDS)


def facts_of(code: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(WORDS[code][0]) if name}


def made(code: str) -> Note:
    return note(code, **{name: FACTS[name] for name in facts_of(code)})


@of_every_code
def test_the_japanese_sentence_asks_for_no_fact_that_the_english_one_lacks(code: str) -> None:
    asked = {name for _, name, _, _ in string.Formatter().parse(WORDS[code][1]) if name}
    assert asked <= facts_of(code)


@of_every_code
def test_a_japanese_sentence_has_no_english_word_and_no_half_width_punctuation(code: str) -> None:
    told = re.sub(r"'X\d'|X\d", "", made(code).sentence("ja"))
    rest = re.sub(LATIN, "", told)
    assert not re.search(r"[A-Za-z]", rest), rest
    assert not re.search(r"[:;,()!?](?!\d)", rest), rest
    assert told.endswith("。")
    assert not told.endswith("。。")


@of_every_code
def test_an_english_sentence_begins_with_a_capital_and_ends_with_one_stop(code: str) -> None:
    told = made(code).sentence("en")
    assert told[0].isupper() or told[0].isdigit()
    assert told.endswith(".")
    assert not told.endswith("..")
    assert not re.search("[ぁ-んァ-ヶ一-龠]", told)


def test_every_sentence_is_told_somewhere_and_every_one_that_is_told_is_there() -> None:
    root = Path(media.__file__).parent.parent
    sources = [path for room in ("media", "retention") for path in (root / room).rglob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources if path.name != "note.py")
    told = set(re.findall(r'note\(\s*"(\w+)"', text))
    by_name = {"fill", "mosaic"} | {"splice", "packets", "edit", "copied"}  # of a style, and of a method
    assert told | by_name == set(WORDS)


@of_every_code
def test_json_keeps_code_and_facts_and_the_english_clause(code: str) -> None:
    one = made(code)
    value = one.as_json()
    assert value["text"] == one.text == one.told("en")
    assert Note(value["code"], value["facts"]) == one


@pytest.mark.parametrize(
    "value",
    [
        {"code": "nothing like that", "facts": {}},
        {"code": "frame_time", "facts": {}},
        {"code": "frame_time", "facts": {"frame": ["a"]}},
        {"code": "sound_length", "facts": {"track": 0, "is_s": "long", "was_s": 1}},
    ],
    ids=["unknown", "a fact too few", "no fact", "another form"],
)
def test_a_note_that_makes_no_sense_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"no sentence|valid"):
        TypeAdapter(Note).validate_python(value)


@pytest.mark.parametrize("language", LANGUAGES)
@given(word=st.text(max_size=3000))
def test_whatever_a_file_says_is_told_on_one_line_that_a_terminal_can_show(
    word: str, language: Language
) -> None:
    told = note("box_strange", box=word).sentence(language)
    assert told.isprintable()
    assert len(told) < 5000
