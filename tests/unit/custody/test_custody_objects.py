"""Two lists in order are told apart in one pass."""

from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.custody.objects import Expected, Listed, pair_up
from retention.kernel.errors import CatalogueDisagrees
from retention.kernel.ids import new_id
from retention.vault.model import ObjectName, Sealed, object_name
from tests.fakes.hand_clock import BEGINNING

NAMES = sorted(object_name(new_id(BEGINNING), role) for _ in range(40) for role in ("original", "peaks"))
some_names = st.sets(st.sampled_from(NAMES)).map(sorted)


def expected(name: ObjectName) -> Expected:
    return Expected(Sealed(name, "original", 1, 1, b"", b""), "sealed")


def listed(name: ObjectName, at: datetime = BEGINNING) -> Listed:
    return name, 1, at


@given(rows=some_names, objects=some_names)
def test_each_name_comes_once_with_all_who_know_it(rows: list[ObjectName], objects: list[ObjectName]) -> None:
    pairs = list(pair_up(map(expected, rows), map(listed, objects)))

    names = [(row.sealed.name if row else found[0] if found else "") for row, found in pairs]
    assert names == sorted({*rows, *objects})
    assert {row.sealed.name for row, found in pairs if row and not found} == {*rows} - {*objects}
    assert {found[0] for row, found in pairs if found and not row} == {*objects} - {*rows}
    assert all(row.sealed.name == found[0] for row, found in pairs if row and found)


@given(rows=st.lists(st.sampled_from(NAMES), min_size=2))
def test_names_out_of_order_are_an_error_and_never_a_finding(rows: list[ObjectName]) -> None:
    in_order = all(first < second for first, second in pairwise(rows))

    if in_order:
        assert len(list(pair_up([], map(listed, rows)))) == len(rows)
    else:
        with pytest.raises(CatalogueDisagrees, match="do not come in order"):
            list(pair_up([], map(listed, rows)))
        with pytest.raises(CatalogueDisagrees, match="do not come in order"):
            list(pair_up(map(expected, rows), []))
