"""The policies that ship with us, and policies in files."""

from pathlib import Path

import pytest

from retention.amendment.packs import packs, read_pack, read_text
from retention.kernel.errors import InvalidInput, NotFound
from retention.schedule.cases import parse_cases
from retention.schedule.parse import parse_policy


def test_every_pack_is_a_policy_with_cases() -> None:
    assert [pack.name for pack in packs()] == ["japan", "germany"]
    for pack in packs():
        assert parse_policy(pack.text, pack.file_name).classes
        assert parse_cases(pack.cases, pack.cases_file_name)


def test_a_pack_is_read_by_its_name_and_a_file_by_its_path(tmp_path: Path) -> None:
    text, name = read_pack("japan")
    assert name == "policies/defaults/japan.yaml"
    file = tmp_path / "ours.yaml"
    file.write_text(text, encoding="utf-8")
    assert read_pack(str(file)) == (text, str(file))


def test_what_is_neither_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(NotFound, match="atlantis") as caught:
        read_pack("atlantis")
    assert "japan, germany" in caught.value.hint


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "ours.yaml"
    file.write_bytes(b"policy: \xff")
    with pytest.raises(InvalidInput, match="not UTF-8 text"):
        read_text(file)
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_text(tmp_path)
    with pytest.raises(NotFound):
        read_text(tmp_path / "nothing.yaml")
