"""Settings: defaults, then the store's file, then the environment; whatever is wrong is named with where it stands."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from retention.kernel.errors import InvalidInput
from retention.settings import FILE_NAME, NOT_SETTINGS, Settings, load_settings


def write(home: Path, text: str) -> Path:
    path = home / FILE_NAME
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_and_a_variable_every_setting_has_its_default(tmp_path: Path) -> None:
    found = load_settings(tmp_path, {})
    assert found.settings == Settings.model_validate({})
    assert set(found.origins.values()) == {"default"}
    assert list(found.origins) == list(Settings.model_fields)


def test_a_home_that_is_not_there_has_the_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "nowhere", {}).settings == Settings.model_validate({})


def test_the_file_goes_before_the_defaults_and_the_environment_before_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, 'night_at = "03:30"\nguard_size_bytes = 5\n')
    found = load_settings(tmp_path, {"RETENTION_NIGHT_AT": "04:00"})
    assert (found.settings.night_at, found.settings.guard_size_bytes) == ("04:00", 5)
    assert found.origins["night_at"] == "RETENTION_NIGHT_AT"
    assert found.origins["guard_size_bytes"] == str(path)
    assert found.origins["witness"] == "default"


def test_a_variable_is_a_text_and_becomes_what_the_setting_is(tmp_path: Path) -> None:
    found = load_settings(tmp_path, {"RETENTION_GUARD_FROM_RECORDINGS": "7", "RETENTION_STABLE_S": "0.5"})
    assert (found.settings.guard_from_recordings, found.settings.stable_s) == (7, 0.5)


def test_the_machines_environment_is_read_when_none_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETENTION_NIGHT_AT", "05:00")
    assert load_settings(tmp_path).settings.night_at == "05:00"


def test_variables_of_others_are_none_of_ours(tmp_path: Path) -> None:
    others = dict.fromkeys(NOT_SETTINGS, "x") | {"PATH": "/bin", "XRETENTION_NIGHT_AT": "1", "RETENTION": "1"}
    assert load_settings(tmp_path, others).settings == Settings.model_validate({})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("guard_class_fraction", 0),
        ("guard_class_fraction", 1.5),
        ("guard_overall_fraction", "nan"),
        ("guard_from_recordings", 0),
        ("guard_size_bytes", "many"),
        ("guard_clock_forward_days", 0),
        ("guard_backup_age_days", -1),
        ("night_at", "24:00"),
        ("night_at", "2:00"),
        ("night_at", "02:00\n"),
        ("night_at", ""),
        ("inspect_timeout_s", 0),
        ("stable_s", -1),
        ("night_way", "02:00"),
    ],
)
def test_what_is_not_possible_is_named_with_where_it_stands(tmp_path: Path, name: str, value: Any) -> None:
    variable = f"RETENTION_{name.upper()}"
    with pytest.raises(InvalidInput) as caught:
        load_settings(tmp_path, {variable: str(value)})
    assert f"'{name}' (from {variable})" in caught.value.message
    assert "retention settings" in caught.value.hint
    path = write(tmp_path, f"{name} = {value!r}\n".replace("'", '"'))
    with pytest.raises(InvalidInput) as caught:
        load_settings(tmp_path, {})
    assert f"'{name}' (from {path})" in caught.value.message


def test_a_file_that_is_wrong_is_wrong_even_where_a_variable_would_be_right(tmp_path: Path) -> None:
    write(tmp_path, "night_way = 1\n")
    with pytest.raises(InvalidInput, match="night_way"):
        load_settings(tmp_path, {"RETENTION_NIGHT_AT": "04:00"})


@pytest.mark.parametrize(
    "text", ["night_at = 02:00 at night", "= 1", "[", "night_at = '02:00'\nnight_at = '03:00'"]
)
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InvalidInput, match="not valid TOML") as caught:
        load_settings(tmp_path, {})
    assert str(path) in caught.value.message


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes("keyring = '鍵'\n".encode("shift_jis"))
    with pytest.raises(InvalidInput, match="not valid TOML"):
        load_settings(tmp_path, {})


def test_a_file_that_cannot_be_read_is_named_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_settings(tmp_path, {})


def test_settings_do_not_change_once_they_are_loaded() -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({}).night_at = "03:00"
