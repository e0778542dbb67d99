"""Two people are two people only where their names cannot be one person's."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from retention.kernel.people import folded, is_same_person


@pytest.mark.parametrize("other", ["sato", "SATO", " Sato ", "ｓａｔｏ", "sa to"])
def test_case_width_and_space_make_nobody_another_person(other: str) -> None:
    assert is_same_person("sato", other)


@pytest.mark.parametrize("other", ["saito", "sato2", ""])
def test_other_letters_do(other: str) -> None:
    assert not is_same_person("sato", other)


@given(st.text(max_size=20))
@example("a \u0301")  # an accent that stood apart
@example("ǰ")  # small letters of which there is no single sign
def test_what_is_folded_stays_as_it_is_and_has_no_space(name: str) -> None:
    once = folded(name)
    assert folded(once) == once
    assert not any(each.isspace() for each in once)


@given(
    st.lists(st.text(st.characters(categories=["Lu", "Ll", "Lo", "Nd"]), min_size=1, max_size=5), max_size=4)
)
def test_however_the_parts_of_a_name_are_spaced_it_is_one_name(parts: list[str]) -> None:
    assert is_same_person(" ".join(parts), "\u3000".join(parts))
    assert is_same_person(" ".join(parts), f"\t{''.join(parts)}\n")
