"""Names of objects and secrets: made by us, checked both ways, telling nothing about a person."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.kernel.errors import InvalidInput
from retention.kernel.ids import new_id
from retention.vault.model import (
    is_object_name,
    object_name,
    parse_name,
    validate_name,
    validate_secret_name,
)

ID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


def test_a_name_is_a_shard_an_id_and_a_role() -> None:
    assert object_name(ID, "original") == f"AV/{ID}.original"


def test_from_the_second_version_on_the_name_says_which() -> None:
    assert object_name(ID, "original", 2) == f"AV/{ID}.2.original"
    with pytest.raises(InvalidInput, match="version"):
        object_name(ID, "original", 0)


@given(
    at=st.datetimes(datetime(1990, 1, 1), datetime(2190, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
    role=st.from_regex(r"[a-z]{1,10}(-[a-z0-9]{1,10})?", fullmatch=True),
    version=st.integers(1, 999_999_999),
)
def test_a_name_says_its_recording_role_and_version_again(at: datetime, role: str, version: int) -> None:
    recording_id = new_id(at)
    name = object_name(recording_id, role, version)
    assert parse_name(name) == (recording_id, role, version)
    assert validate_name(name) == name


@given(text=st.one_of(st.text(max_size=60), st.from_regex(r"AV/01ARZ3NDEKTSV4RRFFQ69G5FAV\.[^a-z].*")))
def test_what_we_did_not_make_is_no_name(text: str) -> None:
    assert not is_object_name(text)
    with pytest.raises(InvalidInput):
        validate_name(text)


@pytest.mark.parametrize(
    "text",
    [
        f"AA/{ID}.original",
        f"AV/{ID}.original\n",
        f"AV/{ID}.Original",
        f"AV/{ID}.",
        f"AV/{ID}",
        f"AV/{ID}.a-",
        f"AV/{ID}.1.original",
        f"AV/{ID}.0.original",
        f"AV/{ID}.02.original",
        f"AV/{ID}.2",
        f"AV/{ID}.{'a' * 33}",
        f"AV/{ID.lower()}.original",
        f"AV/../AV/{ID}.original",
    ],
)
def test_a_name_is_exact(text: str) -> None:
    assert not is_object_name(text)


@pytest.mark.parametrize(("recording_id", "role"), [("", "original"), (ID, ""), (ID, "a b"), (ID, "../x")])
def test_a_wrong_id_or_role_makes_no_name(recording_id: str, role: str) -> None:
    with pytest.raises(InvalidInput):
        object_name(recording_id, role)


@pytest.mark.parametrize("text", ["", "Blind", "a b", "a/b", "-a", "a" * 33])
def test_a_secrets_name_is_words_joined_by_hyphens(text: str) -> None:
    assert validate_secret_name("blind-index") == "blind-index"
    with pytest.raises(InvalidInput):
        validate_secret_name(text)
