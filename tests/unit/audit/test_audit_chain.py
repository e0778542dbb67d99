"""An entry's digest binds every field of it, and all entries before."""

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from retention.audit.chain import GENESIS, Entry, entry_digest
from tests.fakes.hand_clock import BEGINNING

ENTRY = Entry(
    seq=7,
    at=BEGINNING,
    tag="vault:recording:open",
    actor="sato",
    subject="01JPSA0000000000000000000C",
    purpose="quality",
    detail='{"role":"original"}',
    previous=GENESIS,
)
CHANGES: dict[str, Any] = {
    "seq": 8,
    "at": BEGINNING + timedelta(microseconds=1),
    "tag": "vault:recording:refuse",
    "actor": "Sato",
    "subject": "",
    "purpose": "inquiry",
    "detail": '{"role": "original"}',
    "previous": "1" * 64,
}


def test_the_same_entry_has_the_same_digest() -> None:
    assert entry_digest(ENTRY) == entry_digest(replace(ENTRY))


def test_there_is_a_change_for_every_field() -> None:
    assert CHANGES.keys() == {field.name for field in fields(Entry)}


@pytest.mark.parametrize("field", CHANGES)
def test_another_value_in_any_field_is_another_digest(field: str) -> None:
    assert entry_digest(replace(ENTRY, **{field: CHANGES[field]})) != entry_digest(ENTRY)


def test_text_cannot_move_from_one_field_into_the_next() -> None:
    one, other = replace(ENTRY, actor="ab", subject="c"), replace(ENTRY, actor="a", subject="bc")
    assert entry_digest(one) != entry_digest(other)
