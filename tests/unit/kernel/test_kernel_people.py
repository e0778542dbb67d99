"""Two people are two people only where their names cannot be one person's."""

import pytest

from retention.kernel.people import is_same_person


@pytest.mark.parametrize("other", ["sato", "SATO", " Sato ", "ｓａｔｏ", "sa to"])
def test_case_width_and_space_make_nobody_another_person(other: str) -> None:
    assert is_same_person("sato", other)


@pytest.mark.parametrize("other", ["saito", "sato2", ""])
def test_other_letters_do(other: str) -> None:
    assert not is_same_person("sato", other)
