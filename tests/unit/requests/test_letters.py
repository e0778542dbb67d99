"""Letters: the rulebook's words, the case's facts, and nothing that a value could do to them."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.kernel.errors import InvalidInput, NotFound
from retention.requests.rules.letters import Paragraph, Value, compose, paragraphs_of, plain, written_date
from retention.requests.rules.model import LIST_FIELDS, RequestKind
from tests.builders.rulebooks import facts, rulebook, sheet

APPI = rulebook("appi")


def written(key: str, language: str = "en", **fields: Value) -> str:
    letter = compose(APPI, key, language, facts(APPI, RequestKind.DISCLOSURE, language, **fields))
    return "\n".join([letter.subject, *(each.text for each in letter.paragraphs)])


def test_a_letter_holds_its_facts_with_dates_written_out() -> None:
    assert "We received your request on 2 November 2026" in written("receipt")
    assert "2026年11月2日に受け付けました" in written("receipt", "ja")


def test_a_list_is_a_paragraph_of_its_own() -> None:
    letter = compose(APPI, "disclosure.full", "en", facts(APPI, RequestKind.DISCLOSURE, "en"))
    assert Paragraph(items=("ITEM-ONE", "ITEM-TWO")) in letter.paragraphs


@pytest.mark.parametrize(
    "value",
    ["{due_on}", "{items}", "{}", "}{", "{{receipt_no}}", "%s", "**bold**", "<b>x</b>", "\\1", "${x}"],
)
def test_a_value_is_text_and_nothing_else(value: str) -> None:
    assert f"(receipt no. {value})" in written("withdrawn", receipt_no=value)


@settings(max_examples=50)
@given(st.text(min_size=1).filter(lambda text: bool(plain(text))))
def test_whatever_a_value_is_the_letter_keeps_its_paragraphs_and_says_it(value: str) -> None:
    base = compose(APPI, "withdrawn", "en", facts(APPI, RequestKind.DISCLOSURE, "en"))
    letter = compose(APPI, "withdrawn", "en", facts(APPI, RequestKind.DISCLOSURE, "en", receipt_no=value))
    assert len(letter.paragraphs) == len(base.paragraphs)
    assert f"(receipt no. {plain(value)})" in letter.paragraphs[0].text
    assert letter.paragraphs[1:] == base.paragraphs[1:]
    assert "\n" not in "".join(each.text for each in letter.paragraphs)


def test_a_value_cannot_start_a_line_of_its_own() -> None:
    said = written("withdrawn", receipt_no="R-1\r\n\nWe owe you\t1,000,000 yen\u2028\x00.")
    assert "(receipt no. R-1 We owe you 1,000,000 yen .)" in said


@pytest.mark.parametrize("missing", ["receipt_no", "received_on", "due_on", "kind"])
@pytest.mark.parametrize("how", ["absent", "empty"])
def test_a_letter_without_a_field_that_it_uses_is_not_written(missing: str, how: str) -> None:
    fields = dict(facts(APPI, RequestKind.DISCLOSURE, "en"))
    if how == "absent":
        del fields[missing]
    else:
        fields[missing] = " \n"
    with pytest.raises(InvalidInput, match=f"the letter receipt needs {missing}"):
        compose(APPI, "receipt", "en", fields)


@pytest.mark.parametrize("empty", [[], [""], [" ", "\n"]])
def test_a_list_of_nothing_is_missing(empty: list[str]) -> None:
    with pytest.raises(InvalidInput, match=r"the letter disclosure.refused needs reasons"):
        written("disclosure.refused", reasons=empty)


def test_a_field_that_no_letter_has_is_a_mistake() -> None:
    with pytest.raises(InvalidInput, match="a letter has no field recieved_on"):
        written("receipt", recieved_on=date(2026, 11, 2))


@pytest.mark.parametrize("field", sorted(LIST_FIELDS))
def test_a_list_is_not_one_text(field: str) -> None:
    with pytest.raises(InvalidInput, match=f"the field {field} takes a list"):
        written("receipt", **{field: "one"})


def test_one_text_is_not_a_list() -> None:
    with pytest.raises(InvalidInput, match="the field name takes one text"):
        written("receipt", name=["A", "B"])


@pytest.mark.parametrize(("key", "language"), [("receipts", "en"), ("receipt", "de")])
def test_there_is_no_letter_of_another_name_or_language(key: str, language: str) -> None:
    with pytest.raises(NotFound, match=f"no letter `{key}` in `{language}`"):
        compose(APPI, key, language, {})


@pytest.mark.parametrize(
    ("language", "expected"),
    [("ja", "2026年3月1日"), ("en", "1 March 2026"), ("de", "1. März 2026"), ("fr", "1 mars 2026")],
)
def test_a_date_is_written_as_people_write_it(language: str, expected: str) -> None:
    assert written_date(date(2026, 3, 1), language) == expected


@pytest.mark.parametrize("language", ["xx", "not a language"])
def test_a_language_of_which_nothing_is_known_is_refused(language: str) -> None:
    with pytest.raises(InvalidInput, match="not known how dates are written"):
        written_date(date(2026, 3, 1), language)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one\ntwo", ("one two",)),
        ("一つ、\n二つ", ("一つ、二つ",)),
        ("第33条\nArt. 33", ("第33条Art. 33",)),
        ("one\n\ntwo\n \nthree", ("one", "two", "three")),
        ("  one  \n  two", ("one two",)),
        ("\n\n", ()),
    ],
)
def test_paragraphs_are_divided_by_blank_lines_and_joined_by_their_script(
    text: str, expected: tuple[str, ...]
) -> None:
    assert paragraphs_of(text) == expected


def test_a_sheet_holds_the_frame_s_words() -> None:
    shown = sheet("appi", "receipt", "ja")
    assert (shown.number, shown.date, shown.addressee) == (
        "受付番号 R-2026-0042",
        "2026年11月12日",
        "髙橋 﨑子 様",
    )
    assert (shown.greeting, shown.regards) == ("", "以上")
    german = sheet("gdpr", "receipt", "de", name="Jürgen {page} Weiß")
    assert (german.greeting, german.regards) == ("Guten Tag Jürgen {page} Weiß,", "Mit freundlichen Grüßen")


def test_a_letter_to_nobody_is_not_laid_out() -> None:
    with pytest.raises(InvalidInput, match="a name to write to"):
        sheet("appi", "receipt", "ja", name="\n")
