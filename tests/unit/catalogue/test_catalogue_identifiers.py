"""A person's identifiers: one written form for many ways of writing, and an index that tells nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.catalogue.identifiers import (
    BLIND_BYTES,
    KINDS,
    NOT_A_NUMBER,
    Identifier,
    blind_all,
    blind_index,
    call_agent,
    customer,
    native,
    phone,
    sought,
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


@pytest.mark.parametrize("written", ["佐藤 花子", "佐藤　花子", " 佐藤花子 "])
def test_an_agent_is_one_however_the_name_is_spaced(written: str) -> None:
    assert call_agent(written) == Identifier("call-agent", "佐藤花子")


@pytest.mark.parametrize("written", ["A17", "a17", "Ａ１７", " a 17"])
def test_an_agents_id_is_one_whatever_its_case_and_width(written: str) -> None:
    assert call_agent(written) == Identifier("call-agent", "a17")


@pytest.mark.parametrize("word", ["", "  ", "Unknown", "非通知"])
def test_the_words_of_recorders_for_nobody_are_no_agent(word: str) -> None:
    assert call_agent(word) is None


@pytest.mark.parametrize("written", ["E81B7B4D-20AC", "e81b7b4d-20ac", " ｅ81b7b4d-20ac\t"])
def test_a_recorders_own_id_is_found_as_it_is_copied_from_a_screen(written: str) -> None:
    assert native(written) == Identifier("native", "e81b7b4d-20ac")


def test_two_ids_that_differ_in_a_sign_are_two() -> None:
    assert native("1774069500.49") != native("1774069500-49") != native("177406950049")
    assert native(" ") is None


def test_only_the_recorders_own_id_says_nothing_of_a_person() -> None:
    found = {kind: sought(kind, "1001", "JP") for kind in KINDS}
    assert {each.kind for each in found.values()} == set(KINDS)
    assert [kind for kind, each in found.items() if not each.is_personal] == ["native"]


@pytest.mark.parametrize(("kind", "text"), [("phone", "非通知"), ("call-agent", "unknown"), ("native", " ")])
def test_what_stands_for_nobody_is_not_searched_for(kind: str, text: str) -> None:
    with pytest.raises(InvalidInput, match="identifies nobody"):
        sought(kind, text, "JP")


@given(st.sampled_from(["customer", "native", "call-agent"]), st.text(max_size=40))
def test_any_text_is_an_identifier_in_a_stable_form_or_none(kind: str, text: str) -> None:
    found = KINDS[kind](text, "JP")
    if found is not None:
        assert KINDS[kind](found.value, "JP") == found
        assert len(blind_index(KEY, found.kind, found.value)) == BLIND_BYTES


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
