"""A person's identifiers: one written form for many ways of writing, and an index that tells nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.catalogue.identifiers import (
    BLIND_BYTES,
    NOT_A_NUMBER,
    Identifier,
    blind_all,
    blind_index,
    customer,
    phone,
)
from retention.kernel.errors import InvalidInput

KEY, OTHER_KEY = b"k" * 32, b"o" * 32


@pytest.mark.parametrize(
    "written",
    [
        "+81355500143",
        "03-5550-0143",
        "0355500143",
        " (03) 5550 0143 ",
        "０３－５５５０－０１４３",
        "tel:+81-3-5550-0143",
    ],
)
def test_one_number_however_it_is_written_is_one_identifier(written: str) -> None:
    assert phone(written, "JP") == Identifier("phone", "+81355500143")


def test_a_number_without_a_country_is_meant_in_the_policys_country() -> None:
    assert phone("030 1234567", "DE") == Identifier("phone", "+49301234567")
    assert phone("03-5550-0143", "JP") != phone("03-5550-0143", "DE")


@pytest.mark.parametrize("word", [*sorted(NOT_A_NUMBER), "ANONYMOUS", " Unknown "])
def test_the_words_of_recorders_for_no_number_are_no_number(word: str) -> None:
    assert phone(word, "JP") is None


@pytest.mark.parametrize("extension", ["1001", "71", "110"])
def test_an_internal_extension_is_kept_as_its_digits(extension: str) -> None:
    assert phone(extension, "JP") == Identifier("phone", extension)


@pytest.mark.parametrize(
    "text", ["Alice", "sip:bob@biloxi.example", "+", "-", "FLOWERS", "n/a", "x" * 300, "\x00"]
)
def test_what_is_no_number_and_no_word_for_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        phone(text, "JP")


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_none_or_refused_and_its_form_is_stable(text: str) -> None:
    try:
        found = phone(text, "JP")
    except InvalidInput:
        return
    if found is not None:
        assert found.value.removeprefix("+").isdigit()
        assert phone(found.value, "JP") == found


def test_a_customers_id_is_kept_as_written_but_for_space_around_it() -> None:
    assert customer(" C-17 a ") == Identifier("customer", "C-17 a")
    assert customer("  ") is None


def test_the_index_depends_on_the_key_the_kind_and_the_value() -> None:
    found = {
        blind_index(key, kind, value)
        for key in (KEY, OTHER_KEY)
        for kind in ("phone", "customer")
        for value in ("1", "2")
    }
    assert len(found) == 8
    assert {len(each) for each in found} == {BLIND_BYTES}


def test_kind_and_value_cannot_be_mistaken_for_each_other() -> None:
    assert blind_index(KEY, "a", "bc") != blind_index(KEY, "ab", "c")


def test_the_indexes_of_several_people_are_a_set() -> None:
    people = [Identifier("phone", "1"), Identifier("customer", "1"), Identifier("phone", "1")]
    assert blind_all(KEY, people) == {blind_index(KEY, "phone", "1"), blind_index(KEY, "customer", "1")}
